//! Rule `wildcards`: where the core takes events apart, a new event must not slip through unseen.

use super::violation::{Violation, line_at, mentions};
use crate::tree::{File, Tree, closing};

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (file, rust) in tree
        .rust_files()
        .filter(|(file, _)| takes_events_apart(file))
    {
        let code = &rust.production.code;
        for at in mentions(code, "match") {
            let patterns = patterns(code, at);
            if !patterns
                .iter()
                .any(|(_, pattern)| pattern.contains("Event::"))
            {
                continue;
            }
            for (at, pattern) in patterns.iter().filter(|(_, pattern)| catches_all(pattern)) {
                let message = format!(
                    "`{pattern} =>` in a match over events hides the next event; name them all"
                );
                found.push(Violation::new(
                    &file.path,
                    line_at(code, *at),
                    "wildcards",
                    message,
                ));
            }
        }
    }
    found
}

fn takes_events_apart(file: &File) -> bool {
    file.path.starts_with("core/src/codec/")
        || (file.path.starts_with("core/src/") && file.name() == "apply.rs")
}

/// An underscore, or a bare binding, which is an underscore with a name.
fn catches_all(pattern: &str) -> bool {
    let first = pattern.as_bytes().first();
    let is_binding = first.is_some_and(|byte| byte.is_ascii_lowercase() || *byte == b'_');
    is_binding
        && pattern.bytes().all(crate::lexer::is_word_byte)
        && pattern != "true"
        && pattern != "false"
}

/// The patterns of the match at `start`, with where each begins.
fn patterns(code: &str, start: usize) -> Vec<(usize, &str)> {
    let bytes = code.as_bytes();
    let mut at = start;
    while at < bytes.len() && bytes[at] != b'{' {
        at = if matches!(bytes[at], b'(' | b'[') {
            closing(bytes, at) + 1
        } else {
            at + 1
        };
    }
    let end = closing(bytes, at);
    let mut found = Vec::new();
    at += 1;
    while at < end {
        let arrow = skip_to(bytes, at, end, b"=>");
        let Some(text) = code.get(at..arrow).filter(|_| arrow < end) else {
            break;
        };
        found.push((at + text.len() - text.trim_start().len(), text.trim()));
        at = arm_end(bytes, arrow + 2, end);
    }
    found
}

/// Where the body that starts at `at` is over and the next pattern may start.
fn arm_end(bytes: &[u8], mut at: usize, end: usize) -> usize {
    while at < end && bytes[at].is_ascii_whitespace() {
        at += 1;
    }
    if at < end && bytes[at] == b'{' {
        at = closing(bytes, at) + 1;
        let comma = bytes[at..end]
            .iter()
            .position(|byte| !byte.is_ascii_whitespace());
        return if comma.is_some_and(|c| bytes[at + c] == b',') {
            at + comma.unwrap_or(0) + 1
        } else {
            at
        };
    }
    (skip_to(bytes, at, end, b",") + 1).min(end)
}

/// The next place of `wanted` outside all brackets, or `end`.
fn skip_to(bytes: &[u8], mut at: usize, end: usize, wanted: &[u8]) -> usize {
    while at < end {
        if bytes[at..end].starts_with(wanted) {
            return at;
        }
        at = if matches!(bytes[at], b'(' | b'[' | b'{') {
            closing(bytes, at) + 1
        } else {
            at + 1
        };
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, code: &str) -> Vec<usize> {
        check(&Tree::of(&[(path, code)]))
            .iter()
            .map(|violation| violation.line)
            .collect()
    }

    #[test]
    fn a_wildcard_in_a_match_over_events_is_refused() {
        let code = "match event {\n    Event::A { id, .. } => { a(id) }\n    Event::B(x) => b(x, 1),\n    _ => {}\n}";
        assert_eq!(lines("core/src/run/apply.rs", code), [4]);
        assert_eq!(lines("core/src/codec/encode.rs", code), [4]);
        assert_eq!(lines("core/src/run/claim.rs", code), [0; 0]);
    }

    #[test]
    fn a_named_catch_all_is_a_wildcard_too() {
        assert_eq!(
            lines(
                "core/src/codec/a.rs",
                "match (a, b) {\n Event::A => 1,\n other => 2,\n}"
            ),
            [3]
        );
    }

    #[test]
    fn decoding_by_tag_may_refuse_what_it_does_not_know() {
        let code = "match tag {\n    1 => Event::A,\n    2 => Event::B { id },\n    _ => return Err(Unknown),\n}";
        assert_eq!(lines("core/src/codec/decode.rs", code), [0; 0]);
    }

    #[test]
    fn a_match_inside_an_arm_is_judged_alone() {
        let code = "match event {\n    Event::A => match x {\n        1 => a(),\n        _ => b(),\n    },\n    Event::B => {}\n}";
        assert_eq!(lines("core/src/run/apply.rs", code), [0; 0]);
        let code = "match x {\n    1 => match event {\n        Event::A => a(),\n        _ => b(),\n    },\n    _ => {}\n}";
        assert_eq!(lines("core/src/run/apply.rs", code), [4]);
    }
}
