//! Rule `edges`: our crates use each other only where the floor plan has a door.

use std::collections::{BTreeMap, BTreeSet};

use super::violation::Violation;
use crate::metadata::{Metadata, Package};

/// Which of our crates each crate may use outside its tests.
const DOORS: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("log", &[]),
    ("store", &["core"]),
    ("engine", &["core", "log", "store"]),
    ("client", &[]),
    ("server", &["core", "engine", "client"]),
    (
        "cli",
        &["core", "log", "store", "engine", "client", "server"],
    ),
    ("sim", &["core", "log", "engine"]),
    ("xtask", &[]),
];

pub(crate) fn check(metadata: &Metadata) -> Vec<Violation> {
    let mut found = Vec::new();
    for package in metadata.packages.iter().filter(|package| package.is_member) {
        let name = package.short_name().unwrap_or(&package.name);
        let mut report = |message: String| {
            found.push(Violation::new(
                &format!("{name}/Cargo.toml"),
                1,
                "edges",
                message,
            ));
        };
        let Some((_, doors)) = DOORS.iter().find(|(room, _)| *room == name) else {
            report(format!(
                "`{name}` is not on the floor plan; give it a row in xtask's table of doors"
            ));
            continue;
        };
        for edge in package
            .edges
            .iter()
            .filter(|edge| !edge.is_dev && !doors.contains(&edge.to.as_str()))
        {
            report(format!("`{name}` may not use `{}`", edge.to));
        }
        if let Some(path) = way_back(metadata, name) {
            report(format!("a cycle of crates: {}", path.join(" -> ")));
        }
    }
    found
}

/// A way from a crate back to itself, dev-dependencies included.
fn way_back<'a>(metadata: &'a Metadata, start: &'a str) -> Option<Vec<&'a str>> {
    let graph: BTreeMap<&str, &Package> = metadata
        .packages
        .iter()
        .filter_map(|package| Some((package.short_name()?, package)))
        .collect();
    let mut seen = BTreeSet::new();
    let mut work = vec![vec![start]];
    while let Some(path) = work.pop() {
        let last = path[path.len() - 1];
        for edge in graph
            .get(last)
            .into_iter()
            .flat_map(|package| &package.edges)
        {
            let mut longer = path.clone();
            longer.push(&edge.to);
            if edge.to == start {
                return Some(longer);
            }
            if seen.insert(edge.to.as_str()) {
                work.push(longer);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Edge;

    /// A graph of our crates; a name with `?` behind it is a dev-dependency.
    fn graph(rooms: &[(&str, &[&str])]) -> Metadata {
        let edge = |to: &&str| Edge {
            to: to.trim_end_matches('?').to_owned(),
            is_dev: to.ends_with('?'),
        };
        let packages = rooms.iter().map(|(name, to)| Package {
            name: format!("mainstay-{name}"),
            version: "0.1.0".to_owned(),
            license: None,
            source: None,
            is_member: true,
            is_shipped: true,
            edges: to.iter().map(edge).collect(),
            names: Vec::new(),
        });
        Metadata {
            packages: packages.collect(),
        }
    }

    #[test]
    fn the_floor_plan_passes() {
        assert_eq!(check(&graph(DOORS)), []);
    }

    #[test]
    fn a_door_that_is_not_on_the_plan_is_refused() {
        for (from, to) in [
            ("log", "core"),
            ("server", "log"),
            ("client", "core"),
            ("cli", "sim"),
            ("core", "log"),
        ] {
            let found = check(&graph(&[(from, &[to])]));
            assert_eq!(found[0].message, format!("`{from}` may not use `{to}`"));
            assert_eq!(found[0].path, format!("{from}/Cargo.toml"));
        }
    }

    #[test]
    fn tests_may_use_any_crate_unless_that_makes_a_cycle() {
        assert_eq!(check(&graph(&[("server", &["log?"]), ("log", &[])])), []);
        let found = check(&graph(&[("sim", &["engine"]), ("engine", &["sim?"])]));
        assert_eq!(found[0].message, "a cycle of crates: sim -> engine -> sim");
    }

    #[test]
    fn a_new_crate_needs_a_row() {
        assert_eq!(check(&graph(&[("shed", &[])])).len(), 1);
    }
}
