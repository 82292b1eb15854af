//! Rule `words`: what must not be written in a room cannot be written there.

use super::violation::{Violation, line_at, mentions};
use crate::tree::{File, Rust, Tree};

/// Words that a room's production code must not contain, and why.
const FORBIDDEN: &[(&str, &[&str], &str)] = &[
    (
        "core",
        &["std::time", "SystemTime", "Instant"],
        "time is an input of the core",
    ),
    (
        "core",
        &["std::thread", "async", "tokio"],
        "the core runs to its end and waits for nothing",
    ),
    ("core", &["f32", "f64"], "floats differ between machines"),
    (
        "core",
        &["rand::", "RandomState"],
        "entropy is an input of the core",
    ),
    (
        "log",
        &["serde", "serde_json", "mainstay_core"],
        "the log never knows what its frames hold",
    ),
    (
        "server",
        &["mainstay_log", "mainstay_store"],
        "the server asks the engine",
    ),
    (
        "client",
        &["mainstay_engine", "mainstay_core"],
        "the client links no engine",
    ),
];

/// Words that no Rust file may contain.
const FORBIDDEN_EVERYWHERE: &[(&str, &str)] = &[
    ("todo!(", "unfinished code does not land"),
    ("unimplemented!(", "unfinished code does not land"),
    ("#[ignore", "a test that never runs proves nothing"),
];

/// Marks in comments that say something is unfinished.
const FORBIDDEN_MARKS: &[&str] = &["FIXME", "XXX"];

/// Files that may contain `unsafe`.
const UNSAFE_ALLOWED: &[&str] = &[];

/// The one room that may speak SQL.
const SQL_ROOM: &str = "store";
/// How SQL begins.
const SQL_STARTS: &[&str] = &[
    "SELECT ",
    "INSERT INTO ",
    "DELETE FROM ",
    "CREATE TABLE ",
    "CREATE INDEX ",
    "PRAGMA ",
];
/// Production files outside that room whose text names SQL without running it: this rule itself, help texts.
const SQL_TEXT_ALLOWED: &[&str] = &["xtask/src/tidy/words.rs"];

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (file, rust) in tree.rust_files() {
        for (room, words, reason) in FORBIDDEN.iter().filter(|(room, ..)| *room == file.room()) {
            for word in *words {
                report(
                    &mut found,
                    file,
                    &rust.production.code,
                    word,
                    &format!("not in {room}: {reason}"),
                );
            }
        }
        if file.room() == "core" {
            check_std_maps(&mut found, file, &rust.production.code);
        }
        check_sql(&mut found, file, rust);
        for (word, reason) in FORBIDDEN_EVERYWHERE {
            report(&mut found, file, &rust.all.code, word, reason);
        }
        for mark in FORBIDDEN_MARKS {
            for text in [&rust.all.code, &rust.all.comments] {
                report(&mut found, file, text, mark, "finish it or leave it out");
            }
        }
        if !UNSAFE_ALLOWED.contains(&file.path.as_str()) {
            report(
                &mut found,
                file,
                &rust.all.code,
                "unsafe",
                "only in the files of xtask's table",
            );
        }
    }
    found
}

fn report(found: &mut Vec<Violation>, file: &File, text: &str, word: &str, reason: &str) {
    for at in mentions(text, word) {
        found.push(Violation::new(
            &file.path,
            line_at(text, at),
            "words",
            format!("`{word}`: {reason}"),
        ));
    }
}

/// The standard library's maps are seeded at random: their order differs from run to run.
fn check_std_maps(found: &mut Vec<Violation>, file: &File, code: &str) {
    for start in mentions(code, "std::collections") {
        let end = code[start..]
            .find(';')
            .map_or(code.len(), |length| start + length);
        for word in ["HashMap", "HashSet"] {
            if let Some(at) = mentions(&code[start..end], word).next() {
                let message =
                    format!("`{word}` of std: not in core: its order differs from run to run");
                found.push(Violation::new(
                    &file.path,
                    line_at(code, start + at),
                    "words",
                    message,
                ));
            }
        }
    }
}

fn check_sql(found: &mut Vec<Violation>, file: &File, rust: &Rust) {
    if file.room() == SQL_ROOM {
        return;
    }
    report(
        found,
        file,
        &rust.production.code,
        "rusqlite",
        "only store speaks SQL",
    );
    if !SQL_TEXT_ALLOWED.contains(&file.path.as_str()) {
        for start in SQL_STARTS {
            report(
                found,
                file,
                &rust.production.strings,
                start,
                "only store speaks SQL",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, code: &str) -> usize {
        check(&Tree::of(&[(path, code)])).len()
    }

    #[test]
    fn the_core_cannot_write_time_threads_floats_or_chance() {
        for code in [
            "use std::time::Duration;",
            "SystemTime::now()",
            "Instant::now()",
            "std::thread::spawn(f)",
            "async fn a() {}",
            "tokio::spawn(a)",
            "fn a(b: f64) {}",
            "let a: f32;",
            "rand::random()",
            "RandomState::new()",
        ] {
            assert!(found("core/src/a.rs", code) > 0, "{code}");
            assert_eq!(found("engine/src/a.rs", code), 0, "{code}");
        }
    }

    #[test]
    fn the_core_uses_no_map_of_std_that_is_seeded_at_random() {
        assert_eq!(found("core/src/a.rs", "use std::collections::HashMap;"), 1);
        assert_eq!(
            found(
                "core/src/a.rs",
                "use std::collections::{\n    BTreeMap,\n    HashSet,\n};"
            ),
            1
        );
        assert_eq!(
            found(
                "core/src/a.rs",
                "use std::collections::BTreeMap;\nuse hashbrown::HashMap;"
            ),
            0
        );
    }

    #[test]
    fn walls_between_rooms_hold_in_code_too() {
        for (path, code) in [
            ("log/src/a.rs", "use serde::Serialize;"),
            ("log/src/a.rs", "serde_json::to_string(&a)"),
            ("log/src/a.rs", "use mainstay_core::Event;"),
            ("server/src/a.rs", "mainstay_log::open()"),
            ("server/src/a.rs", "mainstay_store::open()"),
            ("client/src/a.rs", "mainstay_engine::start()"),
            ("client/src/a.rs", "mainstay_core::State"),
        ] {
            assert_eq!(found(path, code), 1, "{path} {code}");
        }
    }

    #[test]
    fn only_the_store_speaks_sql() {
        for code in [
            "use rusqlite::Connection;",
            "run(\"SELECT * FROM a\")",
            "run(\"PRAGMA user_version\")",
        ] {
            assert_eq!(found("engine/src/a.rs", code), 1, "{code}");
            assert_eq!(found("store/src/a.rs", code), 0, "{code}");
            assert_eq!(found("engine/tests/a.rs", code), 0, "{code}");
        }
    }

    #[test]
    fn tests_and_comments_of_a_room_may_say_the_word() {
        assert_eq!(
            found("core/src/a.rs", "// no Instant here\nlet a = \"Instant\";"),
            0
        );
        assert_eq!(
            found(
                "core/src/a.rs",
                "#[cfg(test)]\nmod tests { use std::time::Instant; }"
            ),
            0
        );
        assert_eq!(found("core/tests/a.rs", "use std::time::Instant;"), 0);
    }

    #[test]
    fn unfinished_code_is_refused_in_tests_too() {
        for code in [
            "todo!()",
            "unimplemented!(\"a\")",
            "#[ignore]",
            "#[ignore = \"slow\"]",
            "// FIXME later",
            "/* XXX */",
        ] {
            assert_eq!(found("cli/tests/a.rs", code), 1, "{code}");
        }
        assert_eq!(found("cli/src/a.rs", "let a = \"todo!( FIXME\";"), 0);
    }

    #[test]
    fn unsafe_code_needs_a_row_in_the_table() {
        assert_eq!(found("cli/src/a.rs", "unsafe { a() }"), 1);
        assert_eq!(found("cli/src/a.rs", "#![deny(unsafe_code)] // unsafe"), 0);
    }
}
