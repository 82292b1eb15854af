//! FNV-1a with 64 bits: a short fingerprint that notices edits, not one that resists forgers.

/// The fingerprint of these bytes as 16 hexadecimal digits.
pub(crate) fn of_bytes(bytes: &[u8]) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in bytes {
        hash ^= u64::from(*byte);
        hash = hash.wrapping_mul(0x0000_0100_0000_01b3);
    }
    format!("{hash:016x}")
}

/// The fingerprint of a text's words: reflowing it changes nothing.
pub(crate) fn of_words(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    of_bytes(words.join(" ").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_test_vectors_hold() {
        assert_eq!(of_bytes(b""), "cbf29ce484222325");
        assert_eq!(of_bytes(b"a"), "af63dc4c8601ec8c");
        assert_eq!(of_bytes(b"foobar"), "85944171f73967e8");
    }

    #[test]
    fn reflowing_a_text_keeps_its_fingerprint_and_a_new_word_changes_it() {
        assert_eq!(of_words("one  two\n three\n"), of_words("one two three"));
        assert_ne!(of_words("one two three"), of_words("one two four"));
    }
}
