//! Applies all rules to the repository, and the two repairs that a person may ask for.

use std::path::Path;

use super::violation::Violation;
use super::{
    edges, golden, header, licence, map, names, prose, reexports, size, ties, wildcards, words,
};
use crate::metadata::Metadata;
use crate::tree::Tree;

/// The rules that read files.
const FILE_RULES: &[fn(&Tree) -> Vec<Violation>] = &[
    size::check,
    header::check,
    reexports::check,
    names::check,
    words::check,
    wildcards::check,
    prose::check,
    golden::check,
    ties::check,
    map::check,
];

/// The rules that read the dependency graph.
const GRAPH_RULES: &[fn(&Metadata) -> Vec<Violation>] = &[edges::check, licence::check];

/// Prints every violation; fails if there is one.
pub(crate) fn check(root: &Path) -> Result<(), String> {
    let tree = Tree::load(root)?;
    let metadata = Metadata::load(root)?;
    let by_files = FILE_RULES.iter().flat_map(|rule| rule(&tree));
    let by_graph = GRAPH_RULES.iter().flat_map(|rule| rule(&metadata));
    let mut found: Vec<Violation> = by_files.chain(by_graph).collect();
    found.sort_by(|a, b| (&a.path, a.line, a.rule).cmp(&(&b.path, b.line, b.rule)));
    for violation in &found {
        println!("{violation}");
    }
    match found.len() {
        0 => {
            println!("tidy: {} files, no violations", tree.files.len());
            Ok(())
        }
        1 => Err("tidy: 1 violation".to_owned()),
        count => Err(format!("tidy: {count} violations")),
    }
}

/// Records new golden files.
pub(crate) fn bless_new(root: &Path) -> Result<(), String> {
    let (text, added) = golden::blessed(&Tree::load(root)?);
    write(root, golden::LOCK, &text)?;
    println!("tidy: {added} new golden files recorded");
    Ok(())
}

/// Renews the hashes of documents that were read again.
pub(crate) fn retie(root: &Path, docs: &[&str]) -> Result<(), String> {
    let tree = Tree::load(root)?;
    for doc in docs {
        write(root, doc, &ties::retied(&tree, doc)?)?;
        println!("tidy: {doc} is tied to the code as it is now");
    }
    Ok(())
}

fn write(root: &Path, path: &str, text: &str) -> Result<(), String> {
    std::fs::write(root.join(path), text).map_err(|error| format!("{path}: {error}"))
}
