//! JSON values as flows read and make them.
//! Owns: the tree, its strict reader with its bounds, and its compact writer.
//! Never: rounds a number, reorders an object, or takes what RFC 8259 does not allow.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::number::Number;
use crate::json::write_text;

/// How deep lists and objects may stand in each other.
const DEPTH_MAX: usize = 64;

/// A JSON value (RFC 8259). Numbers keep the text they were written with; the members of an object keep their order, and no name comes
/// twice.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// An object.
    Object(Vec<(String, Value)>),
}

/// Why a text is no JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotJson {
    /// The byte at which it went wrong.
    pub at: usize,
    /// What is wrong there.
    pub what: &'static str,
}

impl fmt::Display for NotJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.what, self.at)
    }
}

impl Value {
    /// Reads one value and nothing behind it.
    ///
    /// # Errors
    /// [`NotJson`]; also for a name that comes twice in an object and for more than 64 levels.
    pub fn read(text: &[u8]) -> Result<Value, NotJson> {
        Value::read_by(text, false)
    }

    /// Like [`Value::read`], but names may come twice in an object: for whoever tells where.
    ///
    /// # Errors
    /// As [`Value::read`] otherwise.
    pub(super) fn read_with_twins(text: &[u8]) -> Result<Value, NotJson> {
        Value::read_by(text, true)
    }

    fn read_by(text: &[u8], twins: bool) -> Result<Value, NotJson> {
        let mut reader = Reader { text, at: 0, twins };
        let value = reader.value(0)?;
        reader.blank();
        if reader.at < text.len() {
            return Err(reader.wrong("something stands behind the value"));
        }
        Ok(value)
    }

    /// The value as compact JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    /// Appends the value as compact JSON.
    pub fn write(&self, out: &mut String) {
        match self {
            Value::Null => out.push_str("null"),
            Value::Bool(true) => out.push_str("true"),
            Value::Bool(false) => out.push_str("false"),
            Value::Number(number) => out.push_str(number.as_str()),
            Value::Text(text) => write_text(text, out),
            Value::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Value::Object(members) => {
                out.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_text(name, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }

    /// The member of this name, of an object.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        match self {
            Value::Object(members) => members.iter().find(|(own, _)| own == name).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What it is, for people.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Object(_) => "an object",
        }
    }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    /// Whether a name may come twice in an object.
    twins: bool,
}

impl Reader<'_> {
    fn wrong(&self, what: &'static str) -> NotJson {
        NotJson { at: self.at, what }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn word(&mut self, word: &'static str, value: Value) -> Result<Value, NotJson> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            return Err(self.wrong("no JSON value begins like this"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn value(&mut self, depth: usize) -> Result<Value, NotJson> {
        self.blank();
        match self.peek() {
            None => Err(self.wrong("a value is missing")),
            Some(b'n') => self.word("null", Value::Null),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'"') => self.string().map(Value::Text),
            Some(b'[') => self.list(depth),
            Some(b'{') => self.object(depth),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => Err(self.wrong("no JSON value begins like this")),
        }
    }

    fn deeper(&self, depth: usize) -> Result<usize, NotJson> {
        if depth >= DEPTH_MAX {
            return Err(self.wrong("more than 64 levels"));
        }
        Ok(depth + 1)
    }

    /// After an item: whether another one follows.
    fn goes_on(&mut self, end: u8) -> Result<bool, NotJson> {
        self.blank();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            Some(byte) if byte == end => {
                self.at += 1;
                Ok(false)
            }
            _ => Err(self.wrong("a comma or the end is missing")),
        }
    }

    fn is_empty(&mut self, end: u8) -> bool {
        self.at += 1;
        self.blank();
        let is_empty = self.peek() == Some(end);
        self.at += usize::from(is_empty);
        is_empty
    }

    fn list(&mut self, depth: usize) -> Result<Value, NotJson> {
        let depth = self.deeper(depth)?;
        let mut items = Vec::new();
        if self.is_empty(b']') {
            return Ok(Value::List(items));
        }
        loop {
            items.push(self.value(depth)?);
            if !self.goes_on(b']')? {
                return Ok(Value::List(items));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, NotJson> {
        let depth = self.deeper(depth)?;
        let mut members: Vec<(String, Value)> = Vec::new();
        if self.is_empty(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.blank();
            if self.peek() != Some(b'"') {
                return Err(self.wrong("a name is missing"));
            }
            let begins = self.at;
            let name = self.string()?;
            self.blank();
            if self.peek() != Some(b':') {
                return Err(self.wrong("a colon is missing"));
            }
            self.at += 1;
            let value = self.value(depth)?;
            members.push((name, value));
            if !self.goes_on(b'}')? {
                return match !self.twins && has_twin(&members) {
                    true => Err(NotJson {
                        at: begins,
                        what: "a name comes twice in the object that ends here",
                    }),
                    false => Ok(Value::Object(members)),
                };
            }
        }
    }

    fn number(&mut self) -> Result<Value, NotJson> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest
            .iter()
            .take_while(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
            .count();
        let number = core::str::from_utf8(&rest[..length])
            .ok()
            .and_then(Number::read);
        let number = number.ok_or_else(|| self.wrong("not a number of JSON"))?;
        self.at += length;
        Ok(Value::Number(number))
    }

    fn string(&mut self) -> Result<String, NotJson> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let begins = self.at;
            while self
                .peek()
                .is_some_and(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\')
            {
                self.at += 1;
            }
            let plain = core::str::from_utf8(&self.text[begins..self.at]);
            out.push_str(plain.map_err(|_| self.wrong("not UTF-8"))?);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    self.at += 1;
                    let c = self.escaped()?;
                    out.push(c);
                }
                Some(_) => return Err(self.wrong("a control character in a text")),
                None => return Err(self.wrong("a text does not end")),
            }
        }
    }

    fn escaped(&mut self) -> Result<char, NotJson> {
        let byte = self.peek();
        self.at += 1;
        Ok(match byte {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err(self.wrong("no such escape")),
        })
    }

    /// A code unit, or two that stand for one character.
    fn unicode(&mut self) -> Result<char, NotJson> {
        let first = self.unit()?;
        if !(0xd800..0xe000).contains(&first) {
            return char::from_u32(first).ok_or_else(|| self.wrong("no character"));
        }
        let rest = self.text.get(self.at..).unwrap_or_default();
        if first >= 0xdc00 || !rest.starts_with(b"\\u") {
            return Err(self.wrong("half a character"));
        }
        self.at += 2;
        let second = self.unit()?;
        if !(0xdc00..0xe000).contains(&second) {
            return Err(self.wrong("half a character"));
        }
        let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        char::from_u32(code).ok_or_else(|| self.wrong("no character"))
    }

    fn unit(&mut self) -> Result<u32, NotJson> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            unit = unit << 4 | digit.ok_or_else(|| self.wrong("four hexadecimal digits"))?;
            self.at += 1;
        }
        Ok(unit)
    }
}

/// Whether a name comes twice; sorted, so that a large object costs no more than its size and a little.
fn has_twin(members: &[(String, Value)]) -> bool {
    let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.windows(2).any(|pair| pair[0] == pair[1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::ToString;
    use proptest::prelude::*;

    #[test]
    fn values_are_read_and_written_as_they_are() {
        for text in [
            "null",
            "true",
            "[]",
            "{}",
            r#"{"b":1,"a":[0.10,-2e+5,"x"],"":{}}"#,
            r#""a\"\\\u0000é😀""#,
            "12345678901234567890.000",
        ] {
            let value = Value::read(text.as_bytes()).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(value.to_json(), text);
        }
        let spaced = Value::read(b" { \"a\" : [ 1 , 2 ] } ").unwrap();
        assert_eq!(spaced.to_json(), r#"{"a":[1,2]}"#);
        let escaped = Value::read(br#""\u00e9\ud83d\ude00\/\b\f""#).unwrap();
        assert_eq!(escaped, Value::Text("é😀/\u{8}\u{c}".to_string()));
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in [
            "",
            " ",
            "nul",
            "truth",
            "01",
            "1.",
            ".5",
            "+1",
            "1e",
            "--1",
            "[1,]",
            "[1 2]",
            "{\"a\"}",
            "{\"a\":1,}",
            "{a:1}",
            "\"a",
            "\"\n\"",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"\\udc00\"",
            "1 2",
            "\"\\u12\"",
            "NaN",
            "{\"a\":1,\"a\":2}",
            "[",
            "{",
            "\u{feff}1",
        ] {
            assert!(Value::read(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Value::read(&[b'"', 0xff, b'"']).is_err());
    }

    #[test]
    fn sixty_four_levels_and_no_more() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Value::read(nested(64).as_bytes()).is_ok());
        let error = Value::read(nested(65).as_bytes()).unwrap_err();
        assert_eq!(error.what, "more than 64 levels");
        assert!(Value::read("[".repeat(100_000).as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Value::read(&bytes);
        }

        #[test]
        fn any_text_comes_back(text in any::<String>()) {
            let json = Value::Text(text.clone()).to_json();
            prop_assert_eq!(Value::read(json.as_bytes()), Ok(Value::Text(text)));
        }
    }
}
