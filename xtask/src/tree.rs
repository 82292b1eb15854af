//! The files of the repository in memory, with the views of them that the rules need.

use std::path::Path;
use std::process::Command;

use crate::lexer::{self, Lexed};

/// Folders whose Rust files are not production code.
const SIDE_FOLDERS: &[&str] = &["tests", "benches", "examples", "fuzz"];

/// All files that git tracks or would track.
pub(crate) struct Tree {
    pub(crate) files: Vec<File>,
}

/// One file.
pub(crate) struct File {
    /// Relative to the repository's root, with forward slashes.
    pub(crate) path: String,
    pub(crate) bytes: Vec<u8>,
    rust: Option<Rust>,
}

/// What the rules read of a Rust file.
pub(crate) struct Rust {
    /// The whole file.
    pub(crate) all: Lexed,
    /// The file without its test items; blank throughout for files that are tests.
    pub(crate) production: Lexed,
    /// How many lines are production code.
    pub(crate) production_lines: usize,
}

impl Tree {
    /// Reads the files that git lists: tracked ones and new ones that are not ignored.
    pub(crate) fn load(root: &Path) -> Result<Tree, String> {
        let listed = Command::new("git")
            .args(["ls-files", "-z", "-co", "--exclude-standard"])
            .current_dir(root)
            .output()
            .map_err(|error| format!("git ls-files: {error}"))?;
        if !listed.status.success() {
            return Err(format!(
                "git ls-files: {}",
                String::from_utf8_lossy(&listed.stderr)
            ));
        }
        let mut paths: Vec<&str> = Vec::new();
        for path in listed
            .stdout
            .split(|byte| *byte == 0)
            .filter(|path| !path.is_empty())
        {
            paths.push(
                std::str::from_utf8(path).map_err(|_| "a file name is not UTF-8".to_owned())?,
            );
        }
        paths.sort_unstable();
        paths.dedup();
        // A tracked file may be gone from disk, or be something else than a regular file.
        let regular = paths.into_iter().filter(|path| {
            root.join(path)
                .symlink_metadata()
                .is_ok_and(|m| m.is_file())
        });
        let mut files = Vec::new();
        for path in regular {
            let bytes =
                std::fs::read(root.join(path)).map_err(|error| format!("{path}: {error}"))?;
            files.push(File::new(path, bytes));
        }
        Ok(Tree { files })
    }

    /// A tree for tests: pairs of path and text.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Tree {
        Tree {
            files: files
                .iter()
                .map(|(path, text)| File::new(path, text.as_bytes().to_vec()))
                .collect(),
        }
    }

    pub(crate) fn find_file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// The Rust files with their views.
    pub(crate) fn rust_files(&self) -> impl Iterator<Item = (&File, &Rust)> {
        self.files
            .iter()
            .filter_map(|file| Some((file, file.rust.as_ref()?)))
    }
}

impl File {
    fn new(path: &str, bytes: Vec<u8>) -> File {
        let mut file = File {
            path: path.to_owned(),
            bytes,
            rust: None,
        };
        if path.ends_with(".rs") {
            file.rust = file
                .text()
                .map(|text| Rust::new(text, file.is_production()));
        }
        file
    }

    /// The file as text, unless it is binary.
    pub(crate) fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }

    /// The last part of the path.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// The folder at the root that the file is in, empty for files at the root itself.
    pub(crate) fn room(&self) -> &str {
        self.path.split_once('/').map_or("", |(room, _)| room)
    }

    /// True for Rust files that end up in a build other than the tests.
    pub(crate) fn is_production(&self) -> bool {
        let in_side_folder = self
            .path
            .split('/')
            .any(|part| SIDE_FOLDERS.contains(&part));
        let is_test_file = self.name() == "tests.rs" || self.name().ends_with("_tests.rs");
        self.path.ends_with(".rs") && !in_side_folder && !is_test_file
    }
}

impl Rust {
    fn new(source: &str, is_production: bool) -> Rust {
        let all = lexer::lex(source);
        let mut keep = vec![is_production; source.len()];
        if is_production {
            for (start, end) in test_items(&all.code) {
                keep[start..end].fill(false);
            }
        }
        let blank = |view: &str| {
            let bytes = view
                .bytes()
                .zip(&keep)
                .map(|(b, keep)| if *keep || b == b'\n' { b } else { b' ' });
            String::from_utf8_lossy(&bytes.collect::<Vec<u8>>()).into_owned()
        };
        let production = Lexed {
            code: blank(&all.code),
            comments: blank(&all.comments),
            strings: blank(&all.strings),
        };
        let mut production_lines = 0;
        let mut start = 0;
        for line in source.split_inclusive('\n') {
            let end = start + line.len();
            // A line counts unless all of it belongs to a test item.
            production_lines += usize::from(keep[start..end].iter().any(|keep| *keep));
            start = end;
        }
        Rust {
            all,
            production,
            production_lines,
        }
    }
}

/// The byte ranges, whole lines where possible, of the items that only exist in tests.
fn test_items(code: &str) -> Vec<(usize, usize)> {
    let mut items = Vec::new();
    let mut from = 0;
    while let Some(found) = code[from..].find("#[cfg(") {
        let start = from + found;
        let inside = &code[start + "#[cfg(".len()..];
        let is_test = inside.starts_with("test)") || inside.starts_with("all(test");
        from = start + "#[cfg(".len();
        if is_test {
            let line_start = code[..start].rfind('\n').map_or(0, |at| at + 1);
            let begin = if code[line_start..start].trim().is_empty() {
                line_start
            } else {
                start
            };
            let mut end = item_end(code, start);
            if let Some(rest) = code[end..]
                .find('\n')
                .filter(|at| code[end..end + at].trim().is_empty())
            {
                end += rest + 1;
            }
            items.push((begin, end));
            from = end;
        }
    }
    items
}

/// Words that begin an item, which ends with a semicolon or a block; all else ends with a comma as well.
const ITEM_WORDS: &[&str] = &[
    "pub",
    "mod",
    "fn",
    "use",
    "impl",
    "struct",
    "enum",
    "trait",
    "const",
    "static",
    "type",
    "async",
    "unsafe",
    "extern",
    "macro_rules",
    "let",
];

/// Where the item whose attributes start at `start` ends.
fn item_end(code: &str, start: usize) -> usize {
    let bytes = code.as_bytes();
    let mut at = start;
    while code[at..].trim_start().starts_with("#[") {
        at = closing(bytes, at + code[at..].find('[').unwrap_or(0)) + 1;
    }
    let item = code[at..].trim_start();
    let first: String = item
        .bytes()
        .take_while(|b| lexer::is_word_byte(*b))
        .map(char::from)
        .collect();
    let ends_with_comma = !ITEM_WORDS.contains(&first.as_str());
    let ends_with_block = first != "use" && first != "let";
    while at < bytes.len() {
        match bytes[at] {
            b';' => return at + 1,
            b',' if ends_with_comma => return at + 1,
            b'{' if ends_with_block => return (closing(bytes, at) + 1).min(bytes.len()),
            b'(' | b'[' | b'{' => at = closing(bytes, at),
            b')' | b']' | b'}' => return at,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// The position of the bracket that closes the one at `open`, or the end of the text.
pub(crate) fn closing(code: &[u8], open: usize) -> usize {
    let mut depth = 0;
    for (at, byte) in code.iter().enumerate().skip(open) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => {
                depth -= 1;
                if depth == 0 {
                    return at;
                }
            }
            _ => {}
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn production_code(source: &str) -> String {
        Rust::new(source, true).production.code
    }

    #[test]
    fn a_test_module_is_not_production_code() {
        let code = production_code("fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n");
        assert!(code.contains("fn a") && !code.contains("fn b"));
    }

    #[test]
    fn a_test_attribute_at_the_top_hides_only_its_own_item() {
        for hidden in [
            "mod tests;",
            "use a::{b, c};",
            "#[allow(dead_code)]\nfn b(x: [u8; 2]) {}",
            "const B: u8 = 1;",
        ] {
            let rust = Rust::new(&format!("#[cfg(test)]\n{hidden}\nfn a() {{}}\n"), true);
            assert_eq!(rust.production.code.trim(), "fn a() {}", "{hidden}");
            assert_eq!(rust.production_lines, 1, "{hidden}");
        }
    }

    #[test]
    fn a_test_field_hides_only_itself() {
        let code = production_code("struct A { #[cfg(test)] b: u8, c: u8 }");
        assert!(!code.contains("b:") && code.contains("c: u8 }"));
    }

    #[test]
    fn an_item_for_tests_or_something_else_is_production_code() {
        assert!(production_code("#[cfg(any(test, unix))]\nfn a() {}").contains("fn a"));
    }

    #[test]
    fn files_and_folders_of_tests_are_not_production() {
        let tree = Tree::of(&[
            ("a/tests/b.rs", ""),
            ("a/src/tests.rs", ""),
            ("a/src/b_tests.rs", ""),
            ("a/b.md", ""),
        ]);
        assert!(tree.files.iter().all(|file| !file.is_production()));
        assert!(Tree::of(&[("a/src/contests.rs", "")]).files[0].is_production());
    }
}
