//! A broken rule at a place, and how rules find words in a text.

use std::fmt;

use crate::lexer::is_word_byte;

/// One broken rule.
#[derive(Debug, PartialEq)]
pub(crate) struct Violation {
    pub(crate) path: String,
    pub(crate) line: usize,
    pub(crate) rule: &'static str,
    pub(crate) message: String,
}

impl Violation {
    pub(crate) fn new(
        path: &str,
        line: usize,
        rule: &'static str,
        message: impl Into<String>,
    ) -> Violation {
        Violation {
            path: path.to_owned(),
            line,
            rule,
            message: message.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: {}: {}",
            self.path, self.line, self.rule, self.message
        )
    }
}

/// The line, counted from one, that the byte at `offset` is on.
pub(crate) fn line_at(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
        + 1
}

/// Where `word` stands in `text`. Where it begins or ends with a letter, a digit or an underscore, no
/// longer identifier around it counts.
pub(crate) fn mentions<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let bytes = text.as_bytes();
    let opens = word.bytes().next().is_some_and(is_word_byte);
    let closes = word.bytes().next_back().is_some_and(is_word_byte);
    text.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |at| {
            let free_before = !opens || *at == 0 || !is_word_byte(bytes[at - 1]);
            let free_after = !closes
                || bytes
                    .get(at + word.len())
                    .is_none_or(|byte| !is_word_byte(*byte));
            free_before && free_after
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_violation_reads_as_path_line_rule_message() {
        assert_eq!(
            Violation::new("a/b.rs", 3, "size", "too long").to_string(),
            "a/b.rs:3: size: too long"
        );
    }

    #[test]
    fn only_whole_words_are_found() {
        let found: Vec<usize> =
            mentions("unsafe unsafe_code (unsafe) not_unsafe", "unsafe").collect();
        assert_eq!(found, [0, 20]);
        assert_eq!(mentions("rand::x brand::x", "rand::").count(), 1);
    }

    #[test]
    fn lines_count_from_one() {
        assert_eq!(
            [line_at("a\nb", 0), line_at("a\nb", 1), line_at("a\nb", 2)],
            [1, 1, 2]
        );
    }
}
