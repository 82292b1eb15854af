//! A JSON writer that appends to one buffer: raw values are spliced in as they are, commas take care of themselves.

use std::fmt::{Display, Write as _};

use mainstay_core::Timestamp;

use super::instant::write_instant;

/// Appends JSON to a buffer. The caller keeps brackets balanced; the writer knows where commas belong.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    out: Vec<u8>,
}

impl Writer {
    pub(crate) fn new() -> Writer {
        Writer {
            out: Vec::with_capacity(512),
        }
    }

    pub(crate) fn with_capacity(bytes: usize) -> Writer {
        Writer {
            out: Vec::with_capacity(bytes),
        }
    }

    pub(crate) fn done(self) -> Vec<u8> {
        self.out
    }

    /// A comma belongs before this unless it is the first of its container; a container's opening bracket can be the last
    /// byte only then, for strings end with a quote and raw values are whole.
    fn separate(&mut self) {
        if !matches!(self.out.last(), None | Some(b'{' | b'[' | b':')) {
            self.out.push(b',');
        }
    }

    pub(crate) fn object(&mut self) -> &mut Self {
        self.separate();
        self.out.push(b'{');
        self
    }

    pub(crate) fn end_object(&mut self) -> &mut Self {
        self.out.push(b'}');
        self
    }

    pub(crate) fn array(&mut self) -> &mut Self {
        self.separate();
        self.out.push(b'[');
        self
    }

    pub(crate) fn end_array(&mut self) -> &mut Self {
        self.out.push(b']');
        self
    }

    /// A name of ours: it needs no escapes.
    pub(crate) fn name(&mut self, name: &str) -> &mut Self {
        self.separate();
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self
    }

    /// A name from elsewhere.
    pub(crate) fn foreign_name(&mut self, name: &str) -> &mut Self {
        self.string(name);
        self.out.push(b':');
        self
    }

    pub(crate) fn string(&mut self, text: &str) -> &mut Self {
        self.separate();
        // Writing a string to memory cannot fail.
        let _ = serde_json::to_writer(&mut self.out, text);
        self
    }

    /// What prints without anything that JSON escapes: an id, a state, a number in quotes.
    pub(crate) fn plain(&mut self, value: &dyn Display) -> &mut Self {
        self.separate();
        self.out.push(b'"');
        let _ = write!(Text(&mut self.out), "{value}");
        self.out.push(b'"');
        self
    }

    pub(crate) fn number(&mut self, value: impl Into<i128>) -> &mut Self {
        self.separate();
        let _ = serde_json::to_writer(&mut self.out, &value.into());
        self
    }

    /// A number that is not infinite.
    pub(crate) fn real(&mut self, value: f64) -> &mut Self {
        self.separate();
        let _ = serde_json::to_writer(&mut self.out, &value);
        self
    }

    pub(crate) fn bool(&mut self, value: bool) -> &mut Self {
        self.raw(if value { b"true" } else { b"false" })
    }

    pub(crate) fn null(&mut self) -> &mut Self {
        self.raw(b"null")
    }

    /// One whole JSON value, byte for byte.
    pub(crate) fn raw(&mut self, json: &[u8]) -> &mut Self {
        self.separate();
        self.out.extend_from_slice(json);
        self
    }

    pub(crate) fn instant(&mut self, at: Timestamp) -> &mut Self {
        self.separate();
        self.out.push(b'"');
        write_instant(at, &mut self.out);
        self.out.push(b'"');
        self
    }

    pub(crate) fn base64(&mut self, bytes: &[u8]) -> &mut Self {
        use base64::Engine as _;
        self.separate();
        self.out.push(b'"');
        self.out.extend_from_slice(
            base64::engine::general_purpose::STANDARD
                .encode(bytes)
                .as_bytes(),
        );
        self.out.push(b'"');
        self
    }

    pub(crate) fn string_field(&mut self, name: &str, text: &str) -> &mut Self {
        self.name(name).string(text)
    }

    pub(crate) fn plain_field(&mut self, name: &str, value: &dyn Display) -> &mut Self {
        self.name(name).plain(value)
    }

    pub(crate) fn number_field(&mut self, name: &str, value: impl Into<i128>) -> &mut Self {
        self.name(name).number(value)
    }

    pub(crate) fn bool_field(&mut self, name: &str, value: bool) -> &mut Self {
        self.name(name).bool(value)
    }

    pub(crate) fn instant_field(&mut self, name: &str, at: Timestamp) -> &mut Self {
        self.name(name).instant(at)
    }

    /// The value, or `null`.
    pub(crate) fn maybe<T>(
        &mut self,
        name: &str,
        value: Option<T>,
        write: impl FnOnce(&mut Self, T),
    ) -> &mut Self {
        self.name(name);
        match value {
            Some(value) => write(self, value),
            None => {
                self.null();
            }
        }
        self
    }

    /// The strings, as a list.
    pub(crate) fn strings_field<T: AsRef<str>>(&mut self, name: &str, texts: &[T]) -> &mut Self {
        self.name(name).array();
        for text in texts {
            self.string(text.as_ref());
        }
        self.end_array()
    }
}

struct Text<'a>(&'a mut Vec<u8>);

impl std::fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Writer;

    #[test]
    fn commas_stand_between_values_and_nowhere_else() {
        let mut json = Writer::new();
        json.object()
            .string_field("a", "x\"[")
            .name("b")
            .array()
            .number(1u32)
            .object()
            .end_object()
            .null()
            .end_array();
        json.name("c")
            .raw(br#"{ "kept" : [] }"#)
            .bool_field("d", true)
            .maybe("e", None::<u8>, |_, _| {});
        json.name("f")
            .object()
            .foreign_name("ä\n")
            .number(-5)
            .end_object()
            .end_object();
        let text = String::from_utf8(json.done()).expect("UTF-8");
        assert_eq!(
            text,
            r#"{"a":"x\"[","b":[1,{},null],"c":{ "kept" : [] },"d":true,"e":null,"f":{"ä\n":-5}}"#
        );
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
    }
}
