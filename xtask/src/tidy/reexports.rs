//! Rule `reexports`: a `mod.rs` names its modules and passes names on, and does nothing itself.

use super::violation::{Violation, line_at};
use crate::tree::{Tree, closing};

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    let gathering = tree
        .rust_files()
        .filter(|(file, _)| file.name() == "mod.rs");
    for (file, rust) in gathering {
        let code = without_attributes(&rust.all.code);
        if let Some(at) = first_foreign_item(&code) {
            let message =
                "a mod.rs holds only `mod` and `use` lines; move this to a file of its own";
            found.push(Violation::new(
                &file.path,
                line_at(&code, at),
                "reexports",
                message,
            ));
        }
    }
    found
}

/// The code with its attributes blanked.
fn without_attributes(code: &str) -> String {
    let mut bytes = code.as_bytes().to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        if rest.starts_with(b"#[") || rest.starts_with(b"#![") {
            let open = at + rest.iter().position(|byte| *byte == b'[').unwrap_or(0);
            let end = (closing(&bytes, open) + 1).min(bytes.len());
            bytes[at..end]
                .iter_mut()
                .filter(|byte| **byte != b'\n')
                .for_each(|byte| *byte = b' ');
            at = end;
        } else {
            at += 1;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Where the first thing stands that is neither `mod name;` nor `use …;`.
fn first_foreign_item(code: &str) -> Option<usize> {
    let mut start = 0;
    for statement in code.split_inclusive(';') {
        let at = start + statement.len() - statement.trim_start().len();
        start += statement.len();
        let item = after_visibility(statement.trim());
        let names_a_module = item.starts_with("mod ") && !item.contains('{');
        if !statement.trim().is_empty() && !names_a_module && !item.starts_with("use ") {
            return Some(at);
        }
    }
    None
}

fn after_visibility(item: &str) -> &str {
    let Some(rest) = item.strip_prefix("pub") else {
        return item;
    };
    let rest = rest.trim_start();
    match rest
        .strip_prefix('(')
        .and_then(|inside| inside.split_once(')'))
    {
        Some((_, after)) => after.trim_start(),
        None => rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_and_reexports_with_their_docs_pass() {
        let text = "//! Gathers one room.\n#![allow(dead_code)]\n\n/// A module.\nmod a;\npub mod b;\npub(crate) mod c; // c\n\
                    #[cfg(test)]\nmod tests;\npub use a::{\n    A,\n    B,\n};\npub(in crate::a) use b::*;\nuse c::C;\n";
        assert_eq!(check(&Tree::of(&[("core/src/a/mod.rs", text)])), []);
    }

    #[test]
    fn anything_else_is_named_with_its_line() {
        for item in [
            "fn a() {}",
            "pub struct A;",
            "mod a { }",
            "impl A {}",
            "const A: u8 = 1;",
            "a!();",
        ] {
            let text = format!("//! Gathers one room.\nmod x;\n{item}\n");
            let found = check(&Tree::of(&[("core/src/a/mod.rs", &text)]));
            assert_eq!((found.len(), found[0].line), (1, 3), "{item}");
        }
    }

    #[test]
    fn other_files_may_do_things() {
        assert_eq!(check(&Tree::of(&[("core/src/lib.rs", "fn a() {}")])), []);
    }
}
