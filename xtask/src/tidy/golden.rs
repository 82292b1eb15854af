//! Rule `golden`: what an earlier release wrote stays readable, so its recorded bytes never change.

use std::collections::BTreeMap;

use super::violation::Violation;
use crate::digest;
use crate::tree::Tree;

/// One line `digest  path` for every golden file.
pub(crate) const LOCK: &str = "xtask/golden.lock";
const FOLDER: &str = "tests/golden/";

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let locked = locked(tree);
    let present = present(tree);
    let mut found = Vec::new();
    let mut report =
        |path: &str, message: &str| found.push(Violation::new(path, 1, "golden", message));
    for (path, digest) in &locked {
        match present.get(path) {
            None => report(path, "a golden file is gone; bring it back"),
            Some(now) if now != digest => report(
                path,
                "a golden file changed; bring it back and add a new one instead",
            ),
            Some(_) => {}
        }
    }
    for path in present.keys().filter(|path| !locked.contains_key(*path)) {
        report(
            path,
            "a new golden file; record it with `cargo xtask tidy --bless-new`",
        );
    }
    found
}

/// The lock's text with the new golden files added, and how many those are. Recorded ones stay as they are.
pub(crate) fn blessed(tree: &Tree) -> (String, usize) {
    let mut all = locked(tree);
    let before = all.len();
    for (path, digest) in present(tree) {
        all.entry(path).or_insert(digest);
    }
    let lines = all
        .iter()
        .map(|(path, digest)| format!("{digest}  {path}\n"));
    (lines.collect(), all.len() - before)
}

fn locked(tree: &Tree) -> BTreeMap<&str, String> {
    let text = tree
        .find_file(LOCK)
        .and_then(|file| file.text())
        .unwrap_or_default();
    let pairs = text.lines().filter_map(|line| line.split_once("  "));
    pairs
        .map(|(digest, path)| (path, digest.to_owned()))
        .collect()
}

fn present(tree: &Tree) -> BTreeMap<&str, String> {
    let is_golden = |path: &str| path.starts_with(FOLDER) || path.contains(&format!("/{FOLDER}"));
    let golden = tree.files.iter().filter(|file| is_golden(&file.path));
    golden
        .map(|file| (file.path.as_str(), digest::of_bytes(&file.bytes)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "core/tests/golden/a.bin";

    fn found(lock: &str, files: &[(&str, &str)]) -> Vec<String> {
        let tree = Tree::of(&[files, &[(LOCK, lock)]].concat());
        check(&tree)
            .into_iter()
            .map(|violation| violation.message)
            .collect()
    }

    #[test]
    fn a_recorded_golden_file_cannot_change_or_go() {
        let (lock, added) = blessed(&Tree::of(&[(PATH, "one")]));
        assert_eq!(added, 1);
        assert_eq!(found(&lock, &[(PATH, "one")]), [""; 0]);
        assert!(found(&lock, &[(PATH, "two")])[0].contains("changed"));
        assert!(found(&lock, &[])[0].contains("gone"));
    }

    #[test]
    fn a_new_golden_file_must_be_recorded() {
        assert!(found("", &[(PATH, "one")])[0].contains("--bless-new"));
        assert_eq!(found("", &[("core/tests/other/a.bin", "one")]), [""; 0]);
    }

    #[test]
    fn blessing_adds_and_never_changes() {
        let (lock, _) = blessed(&Tree::of(&[(PATH, "one")]));
        let (next, added) = blessed(&Tree::of(&[
            (PATH, "two"),
            ("log/tests/golden/b", "b"),
            (LOCK, &lock),
        ]));
        assert_eq!(added, 1);
        assert!(next.starts_with(&lock));
        assert!(next.ends_with("  log/tests/golden/b\n"));
    }
}
