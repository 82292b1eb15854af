//! Rule `prose`: texts carry nothing of one machine or one tracker, and one spelling.

use super::violation::{Violation, line_at};
use crate::lexer::is_word_byte;
use crate::tree::Tree;

/// Folders of one machine.
const MACHINE_FOLDERS: &[&str] = &["/work/", "/root/", "/home/"];

/// Files that none of this applies to: generated ones, and the rule itself with its tests.
const EXEMPT: &[&str] = &["Cargo.lock", "xtask/src/tidy/prose.rs"];

/// Files that must spell a foreign name the British way.
const BRITISH_ALLOWED: &[&str] = &[];

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in tree
        .files
        .iter()
        .filter(|file| !EXEMPT.contains(&file.path.as_str()))
    {
        let Some(text) = file.text() else { continue };
        let lower = text.to_ascii_lowercase();
        let mut report = |at: usize, message: String| {
            found.push(Violation::new(
                &file.path,
                line_at(text, at),
                "prose",
                message,
            ));
        };
        for folder in MACHINE_FOLDERS {
            for (at, _) in text
                .match_indices(folder)
                .filter(|(at, _)| begins_a_path(text, *at))
            {
                report(at, format!("`{folder}` is a folder of one machine"));
            }
        }
        for (at, _) in lower
            .match_indices("issue")
            .filter(|(at, _)| has_number(&lower[at + "issue".len()..]))
        {
            report(at, "no issue numbers: say the reason itself".to_owned());
        }
        for (at, _) in lower
            .match_indices("ticket")
            .filter(|(at, _)| is_word(&lower, *at, "ticket"))
        {
            report(at, "no tickets: say the reason itself".to_owned());
        }
        if !BRITISH_ALLOWED.contains(&file.path.as_str()) {
            for (at, _) in lower.match_indices("cancelled") {
                report(
                    at,
                    "spelled `canceled` here, as in the interface".to_owned(),
                );
            }
        }
    }
    found
}

/// True when the slash at `at` starts an absolute path instead of going on with a relative one.
fn begins_a_path(text: &str, at: usize) -> bool {
    let before = text[..at].bytes().next_back();
    before.is_none_or(|byte| {
        !is_word_byte(byte) && !matches!(byte, b'.' | b'-' | b'}' | b')' | b'*' | b'>')
    })
}

/// True when the text goes on with a number, with or without a space and a hash sign.
fn has_number(after: &str) -> bool {
    let after = after.strip_prefix(' ').unwrap_or(after);
    after
        .strip_prefix('#')
        .unwrap_or(after)
        .starts_with(|c: char| c.is_ascii_digit())
}

/// True for the word itself and its plural, standing alone.
fn is_word(lower: &str, at: usize, word: &str) -> bool {
    let after = &lower[at + word.len()..];
    let after = after.strip_prefix('s').unwrap_or(after);
    let free = |byte: Option<u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric());
    free(lower[..at].bytes().next_back()) && free(after.bytes().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> usize {
        check(&Tree::of(&[("docs/a.md", text)])).len()
    }

    #[test]
    fn paths_of_one_machine_are_refused_everywhere() {
        for text in ["see /work/a", "\"/root/b\"", "file:///home/c/d"] {
            assert_eq!(found(text), 1, "{text}");
            assert_eq!(check(&Tree::of(&[("a.sh", text)])).len(), 1, "{text}");
        }
        for text in [
            "core/src/work/mod.rs",
            "https://example.com/home/",
            "../work/a",
            "Cargo.lock",
        ] {
            assert_eq!(found(text), 0, "{text}");
        }
    }

    #[test]
    fn numbers_of_a_tracker_are_refused() {
        for text in [
            "issue 12",
            "see Issue #3",
            "issue#4",
            "a ticket",
            "TICKET-7",
            "Tickets",
            "ticket_id",
        ] {
            assert_eq!(found(text), 1, "{text}");
        }
        for text in ["issue a token", "issues 3 leases", "the ticketing desk"] {
            assert_eq!(found(text), 0, "{text}");
        }
    }

    #[test]
    fn there_is_one_spelling_of_canceled() {
        assert_eq!(found("Cancelled"), 1);
        assert_eq!(found("is_cancelled()"), 1);
        assert_eq!(found("canceled, cancellation"), 0);
    }

    #[test]
    fn the_lock_file_is_left_alone() {
        assert_eq!(
            check(&Tree::of(&[("Cargo.lock", "name = \"cancelled\"")])),
            []
        );
    }
}
