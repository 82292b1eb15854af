//! Rule `ties`: a document tied to code is read again when that code changes.
//!
//! A document says `<!-- tied: path/to/file.rs#<hash>, other.rs#<hash> -->` on a line of its own; the hash is
//! over the words of the named file, so reformatting it asks for nothing.

use super::violation::Violation;
use crate::digest;
use crate::tree::{File, Tree};

const OPEN: &str = "<!-- tied:";
const CLOSE: &str = "-->";

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for doc in tree.files.iter().filter(|file| is_document(file)) {
        for (index, line) in doc.text().unwrap_or_default().lines().enumerate() {
            let Some(ties) = ties(line) else { continue };
            let mut report =
                |message: String| found.push(Violation::new(&doc.path, index + 1, "ties", message));
            for (path, hash) in ties {
                match current(tree, path) {
                    None => report(format!(
                        "{path} does not exist; tie this to what took its place"
                    )),
                    Some(now) if now != hash => report(format!(
                        "{path} changed: re-read {doc} and run `cargo xtask tidy --retie {doc}`",
                        doc = doc.path
                    )),
                    Some(_) => {}
                }
            }
        }
    }
    found
}

/// The document with the hashes of the files it is tied to as they are now.
pub(crate) fn retied(tree: &Tree, doc: &str) -> Result<String, String> {
    let file = tree.find_file(doc).filter(|file| is_document(file));
    let text = file
        .and_then(File::text)
        .ok_or_else(|| format!("{doc} is not a document of this repository"))?;
    let mut lines = Vec::new();
    for line in text.lines() {
        let Some(ties) = ties(line) else {
            lines.push(line.to_owned());
            continue;
        };
        let mut renewed = Vec::new();
        for (path, _) in ties {
            let hash = current(tree, path)
                .ok_or_else(|| format!("{doc} is tied to {path}, which does not exist"))?;
            renewed.push(format!("{path}#{hash}"));
        }
        lines.push(format!("{OPEN} {} {CLOSE}", renewed.join(", ")));
    }
    Ok(lines.join("\n") + "\n")
}

fn is_document(file: &File) -> bool {
    file.path.ends_with(".md")
}

fn current(tree: &Tree, path: &str) -> Option<String> {
    tree.find_file(path)?.text().map(digest::of_words)
}

/// The pairs of path and hash on a line that ties; a path without a hash has an empty one.
fn ties(line: &str) -> Option<Vec<(&str, &str)>> {
    let inside = line.trim().strip_prefix(OPEN)?.strip_suffix(CLOSE)?;
    let ties = inside
        .split(',')
        .map(str::trim)
        .filter(|tie| !tie.is_empty());
    Some(
        ties.map(|tie| tie.split_once('#').unwrap_or((tie, "")))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: (&str, &str) = ("core/src/a.rs", "fn a() {}\n");

    fn messages(doc: &str, code: &[(&str, &str)]) -> Vec<String> {
        let tree = Tree::of(&[code, &[("docs/a.md", doc)]].concat());
        check(&tree)
            .into_iter()
            .map(|violation| violation.message)
            .collect()
    }

    #[test]
    fn a_changed_file_asks_for_its_document_to_be_read_again() {
        let doc = retied(
            &Tree::of(&[CODE, ("docs/a.md", "# A\n<!-- tied: core/src/a.rs -->\n")]),
            "docs/a.md",
        )
        .unwrap();
        assert!(doc.starts_with("# A\n<!-- tied: core/src/a.rs#") && doc.ends_with(" -->\n"));
        assert_eq!(messages(&doc, &[CODE]), [""; 0]);
        assert_eq!(
            messages(&doc, &[("core/src/a.rs", "fn a()\n    {}\n")]),
            [""; 0]
        );
        assert_eq!(
            messages(&doc, &[("core/src/a.rs", "fn b() {}\n")]),
            [
                "core/src/a.rs changed: re-read docs/a.md and run `cargo xtask tidy --retie docs/a.md`"
            ]
        );
    }

    #[test]
    fn a_file_that_is_gone_is_named() {
        assert!(
            messages("<!-- tied: core/src/b.rs#0 -->", &[CODE])[0]
                .contains("core/src/b.rs does not exist")
        );
        assert!(
            retied(
                &Tree::of(&[("docs/a.md", "<!-- tied: b.rs -->")]),
                "docs/a.md"
            )
            .is_err()
        );
        assert!(retied(&Tree::of(&[]), "docs/a.md").is_err());
    }

    #[test]
    fn each_of_several_ties_is_judged() {
        assert_eq!(
            messages("<!-- tied: core/src/a.rs#1, core/src/a.rs#2 -->", &[CODE]).len(),
            2
        );
    }
}
