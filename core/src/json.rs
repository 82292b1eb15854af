//! Text as JSON writes it.
//! Owns: the escapes of a string (RFC 8259 §7).
//! Never: reads.

use alloc::string::String;

/// Appends a text as a JSON string.
pub(crate) fn write_text(text: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if u32::from(c) < 0x20 => {
                let code = u32::from(c) as usize;
                out.push_str("\\u00");
                out.push(char::from(HEX[code >> 4]));
                out.push(char::from(HEX[code & 15]));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// A text as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    write_text(text, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn any_text_becomes_one_json_string() {
        assert_eq!(
            quoted("a\"b\\c\nd\u{1}é"),
            "\"a\\\"b\\\\c\\u000ad\\u0001é\""
        );
    }
}
