//! The nesting depth of JSON text, by one scan that neither recurses nor allocates.

/// How deep brackets nest in `text`. Brackets inside strings do not count; text that is not JSON gives some number.
pub(crate) fn depth(text: &str) -> usize {
    let mut depth = 0usize;
    let mut deepest = 0;
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => skip_string(&mut bytes),
            _ => {}
        }
    }
    deepest
}

fn skip_string(bytes: &mut std::str::Bytes<'_>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => {
                bytes.next();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::depth;

    #[test]
    fn brackets_count_and_brackets_in_strings_do_not() {
        assert_eq!(depth("1"), 0);
        assert_eq!(depth(r#"{"a":[1,{"b":2}],"c":[]}"#), 3);
        assert_eq!(depth(r#"{"a":"[[[\"{{{"}"#), 1);
        assert_eq!(depth(r#"["\\",[1]]"#), 2);
    }
}
