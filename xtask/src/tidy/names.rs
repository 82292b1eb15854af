//! Rule `names`: no file, folder or module is called after nothing in particular.

use super::violation::{Violation, line_at, mentions};
use crate::lexer::is_word_byte;
use crate::tree::Tree;

const FORBIDDEN: &[&str] = &[
    "utils", "util", "common", "helpers", "helper", "manager", "types", "misc",
];

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (file, rust) in tree.rust_files() {
        let mut report = |line: usize, name: &str| {
            let message = format!("`{name}` says nothing; name it after what it holds");
            found.push(Violation::new(&file.path, line, "names", message));
        };
        for part in file
            .path
            .trim_end_matches(".rs")
            .split('/')
            .filter(|part| FORBIDDEN.contains(part))
        {
            report(1, part);
        }
        let code = &rust.all.code;
        for at in mentions(code, "mod") {
            let after = code[at + "mod".len()..].trim_start();
            let length = after
                .bytes()
                .position(|byte| !is_word_byte(byte))
                .unwrap_or(after.len());
            if FORBIDDEN.contains(&&after[..length]) {
                report(line_at(code, at), &after[..length]);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_say_nothing_are_refused() {
        for path in [
            "core/src/utils.rs",
            "cli/src/helpers/mod.rs",
            "cli/tests/common/mod.rs",
            "log/src/types.rs",
        ] {
            assert_eq!(check(&Tree::of(&[(path, "")])).len(), 1, "{path}");
        }
        let found = check(&Tree::of(&[(
            "core/src/lib.rs",
            "//! A.\npub mod misc { }\nmod manager;",
        )]));
        assert_eq!(
            found
                .iter()
                .map(|violation| violation.line)
                .collect::<Vec<_>>(),
            [2, 3]
        );
    }

    #[test]
    fn names_that_contain_such_a_word_may_say_something() {
        assert_eq!(
            check(&Tree::of(&[(
                "core/src/wire_types.rs",
                "mod utilization; // mod utils"
            )])),
            []
        );
    }
}
