//! Rule `map`: the map of the whole is there and short, and the README says how to build and test.

use super::violation::Violation;
use crate::tree::{File, Tree};

const MAP: &str = "docs/ARCHITECTURE.md";
const MAP_LINES_MAX: usize = 300;
const README: &str = "README.md";
const COMMANDS: &[&str] = &["cargo run --release -- serve", "cargo xtask test"];

pub(crate) fn check(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut report = |path: &str, line: usize, message: String| {
        found.push(Violation::new(path, line, "map", message));
    };
    match tree.find_file(MAP).and_then(File::text) {
        None => report(MAP, 1, "the map of the whole is missing".to_owned()),
        Some(text) => {
            let lines = text.lines().count();
            if lines > MAP_LINES_MAX {
                report(
                    MAP,
                    MAP_LINES_MAX + 1,
                    format!("{lines} lines, at most {MAP_LINES_MAX}"),
                );
            }
        }
    }
    match tree.find_file(README).and_then(File::text) {
        None => report(README, 1, "the README is missing".to_owned()),
        Some(text) => {
            for command in COMMANDS.iter().filter(|command| !text.contains(**command)) {
                report(
                    README,
                    1,
                    format!("the README does not mention `{command}`"),
                );
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "cargo run --release -- serve\ncargo xtask test\n";

    fn found(map: &str, readme: &str) -> usize {
        check(&Tree::of(&[(MAP, map), (README, readme)])).len()
    }

    #[test]
    fn map_and_readme_must_exist() {
        assert_eq!(check(&Tree::of(&[])).len(), 2);
        assert_eq!(found("# Map\n", WHOLE), 0);
    }

    #[test]
    fn the_map_has_at_most_300_lines() {
        assert_eq!(found(&"x\n".repeat(300), WHOLE), 0);
        assert_eq!(found(&"x\n".repeat(301), WHOLE), 1);
    }

    #[test]
    fn the_readme_says_how_to_build_and_test() {
        assert_eq!(found("", "cargo xtask test\n"), 1);
        assert_eq!(found("", ""), 2);
    }
}
