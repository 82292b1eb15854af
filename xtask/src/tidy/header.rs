//! Rule `header`: every Rust file says first what it is, and in the inner rooms what it owns and never does.

use super::violation::Violation;
use crate::tree::{File, Tree};

/// Rooms whose production files say what they own and what they never do.
const INNER_ROOMS: &[&str] = &["core", "log", "engine", "store"];
/// File names that only gather what others own.
const GATHERING: &[&str] = &["mod.rs", "lib.rs"];

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (file, _) in tree.rust_files() {
        let header: Vec<&str> = file
            .text()
            .unwrap_or_default()
            .lines()
            .take_while(|line| line.starts_with("//!"))
            .collect();
        let mut missing = |line: usize, message: &str| {
            found.push(Violation::new(&file.path, line, "header", message));
        };
        if !begins_with_a_sentence(&header) {
            missing(
                1,
                "the first line must be a `//!` sentence that says what this file is",
            );
        }
        if must_name_its_duty(file) {
            for label in ["//! Owns:", "//! Never:"] {
                if !header.iter().any(|line| {
                    line.strip_prefix(label)
                        .is_some_and(|duty| !duty.trim().is_empty())
                }) {
                    missing(1, &format!("the header lacks a line `{label} …`"));
                }
            }
        }
    }
    found
}

fn must_name_its_duty(file: &File) -> bool {
    let in_sources = file.path.split('/').nth(1) == Some("src");
    INNER_ROOMS.contains(&file.room())
        && in_sources
        && file.is_production()
        && !GATHERING.contains(&file.name())
}

/// The first paragraph of the header begins on the first line and ends as a sentence does.
fn begins_with_a_sentence(header: &[&str]) -> bool {
    let text = |line: &&str| line.trim_start_matches("//!").trim().to_owned();
    let starts = header
        .first()
        .is_some_and(|line| line.starts_with("//! ") && text(line).contains(' '));
    let is_label = |line: &str| line.starts_with("Owns:") || line.starts_with("Never:");
    let paragraph = header
        .iter()
        .map(text)
        .take_while(|line| !line.is_empty() && !is_label(line));
    starts
        && paragraph
            .last()
            .is_some_and(|line| line.ends_with(['.', '!', '?']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        check(&Tree::of(&[(path, text)]))
            .into_iter()
            .map(|violation| violation.message)
            .collect()
    }

    #[test]
    fn every_file_begins_with_a_sentence() {
        assert_eq!(found("cli/src/a.rs", "//! Does one thing.\n"), [""; 0]);
        assert_eq!(
            found("cli/src/a.rs", "//! Does one thing,\n//! then another.\n"),
            [""; 0]
        );
        for bad in [
            "",
            "fn a() {}\n",
            "\n//! Late by a line.\n",
            "//!\n",
            "//! a\n",
            "// Not a doc comment.\n",
            "//! No end\n",
        ] {
            assert_eq!(found("cli/src/a.rs", bad).len(), 1, "{bad:?}");
            assert_eq!(found("cli/tests/a.rs", bad).len(), 1, "{bad:?}");
        }
    }

    #[test]
    fn inner_rooms_say_what_they_own_and_never_do() {
        let whole = "//! Does one thing.\n//! Owns: the thing.\n//! Never: another.\n";
        assert_eq!(found("core/src/a/b.rs", whole), [""; 0]);
        assert_eq!(found("core/src/a/b.rs", "//! Does one thing.\n").len(), 2);
        assert_eq!(
            found(
                "core/src/a/b.rs",
                "//! Does one thing.\n//!\n//! Owns:\n//! Never: another.\n"
            )
            .len(),
            1
        );
        assert_eq!(found("server/src/a.rs", "//! Does one thing.\n"), [""; 0]);
    }

    #[test]
    fn gathering_files_and_tests_own_nothing() {
        for path in [
            "core/src/lib.rs",
            "core/src/a/mod.rs",
            "core/src/a/tests.rs",
            "core/tests/a.rs",
            "core/build.rs",
        ] {
            assert_eq!(found(path, "//! Does one thing.\n"), [""; 0], "{path}");
        }
    }
}
