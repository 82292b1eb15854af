//! Rule `size`: production files and functions stay short enough to read in one go.

use super::violation::{Violation, line_at, mentions};
use crate::tree::{Tree, closing};

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (file, rust) in tree.rust_files() {
        if rust.production_lines > FILE_LINES_MAX {
            let message = format!(
                "{} production lines, at most {FILE_LINES_MAX}",
                rust.production_lines
            );
            found.push(Violation::new(&file.path, 1, "size", message));
        }
        for function in functions(&rust.production.code) {
            if function.lines > FUNCTION_LINES_MAX {
                let message = format!(
                    "fn {} has {} lines, at most {FUNCTION_LINES_MAX}",
                    function.name, function.lines
                );
                found.push(Violation::new(&file.path, function.line, "size", message));
            }
        }
    }
    found
}

struct Function<'a> {
    name: &'a str,
    line: usize,
    /// From the line with `fn` to the line with the closing brace.
    lines: usize,
}

/// The functions that have a name and a body.
fn functions(code: &str) -> Vec<Function<'_>> {
    let named = mentions(code, "fn").filter_map(|at| {
        let after = code[at + 2..].trim_start();
        let length = after
            .bytes()
            .position(|b| !crate::lexer::is_word_byte(b))
            .unwrap_or(after.len());
        let name = &after[..length];
        let open = body(code, at).filter(|_| !name.is_empty())?;
        let line = line_at(code, at);
        let end = closing(code.as_bytes(), open).min(code.len().saturating_sub(1));
        Some(Function {
            name,
            line,
            lines: line_at(code, end) - line + 1,
        })
    });
    named.collect()
}

/// The brace that opens the body of the function at `start`; nothing for a bare signature.
fn body(code: &str, start: usize) -> Option<usize> {
    let bytes = code.as_bytes();
    let mut at = start;
    while at < bytes.len() {
        match bytes[at] {
            b'{' => return Some(at),
            b';' | b'}' => return None,
            b'(' | b'[' => at = closing(bytes, at),
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(count: usize) -> String {
        "    x();\n".repeat(count)
    }

    #[test]
    fn a_file_may_have_500_production_lines_and_no_more() {
        let fits = "const A: u8 = 1;\n".repeat(500);
        assert_eq!(check(&Tree::of(&[("core/src/a.rs", &fits)])), []);
        let found = check(&Tree::of(&[(
            "core/src/a.rs",
            &format!("{fits}const A: u8 = 1;\n"),
        )]));
        assert_eq!(found[0].message, "501 production lines, at most 500");
    }

    #[test]
    fn tests_do_not_count() {
        let long = "const A: u8 = 1;\n".repeat(501);
        let inside = format!("#[cfg(test)]\nmod tests {{\n{long}}}\n");
        let tree = [
            ("core/src/a.rs", inside.as_str()),
            ("core/tests/b.rs", &long),
            ("core/src/c/tests.rs", &long),
        ];
        assert_eq!(check(&Tree::of(&tree)), []);
    }

    #[test]
    fn a_function_may_have_70_lines_and_no_more() {
        let fits = format!("fn a() {{\n{}}}\n", lines(68));
        assert_eq!(check(&Tree::of(&[("core/src/a.rs", &fits)])), []);
        let long = format!(
            "\nfn a(x: [u8; 2]) -> fn() {{\n{}}}\nfn b() {{}}\n",
            lines(69)
        );
        let found = check(&Tree::of(&[("core/src/a.rs", &long)]));
        assert_eq!(
            found,
            [Violation::new(
                "core/src/a.rs",
                2,
                "size",
                "fn a has 71 lines, at most 70"
            )]
        );
    }

    #[test]
    fn braces_in_literals_and_comments_do_not_mislead() {
        let body = "let a = \"}\"; let b = '}'; // }\n/* } */ let c = r#\"}\"#;\n";
        let found = check(&Tree::of(&[(
            "core/src/a.rs",
            &format!("fn a() {{\n{body}{}}}\n", lines(70)),
        )]));
        assert_eq!(found.len(), 1);
        let found = check(&Tree::of(&[(
            "core/src/a.rs",
            &format!("fn a() {{\n{body}{{ }}}}\n{}", lines(70)),
        )]));
        assert_eq!(found, []);
    }

    #[test]
    fn signatures_and_function_pointers_have_no_length() {
        let source = format!(
            "trait T {{ fn a(); }}\ntype F = fn(u8) -> u8;\nstatic X: &[u8] = &[\n{}];\n",
            lines(80)
        );
        assert_eq!(check(&Tree::of(&[("core/src/a.rs", &source)])), []);
    }
}
