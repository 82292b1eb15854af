//! What `cargo metadata` says about our crates and everything they are built from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use crate::cargo;

/// The package names of our crates are this and the folder's name.
const OURS: &str = "mainstay-";

/// What any build of ours compiles, on any system. The lock file and `cargo metadata` also name crates that stand
/// behind a feature which nobody turns on.
const TREE: &[&str] = &[
    "tree",
    "--workspace",
    "--all-features",
    "--locked",
    "--target",
    "all",
    "--edges",
    "all",
    "--prefix",
    "none",
    "--format",
    "{p}",
];

/// The dependency graph, as far as the rules ask about it.
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
}

/// One package of the graph.
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// The licence expression, if the package states one.
    pub(crate) license: Option<String>,
    /// Where it comes from; nothing for packages on this disk.
    pub(crate) source: Option<String>,
    pub(crate) is_member: bool,
    /// Compiled into something that users get.
    pub(crate) is_shipped: bool,
    /// Our crates that this one uses, if it is one of ours.
    pub(crate) edges: Vec<Edge>,
    /// All crates that it is always built from, whosever they are.
    pub(crate) names: Vec<String>,
}

/// A dependency of one of our crates on another one, by short names.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Edge {
    pub(crate) to: String,
    pub(crate) is_dev: bool,
}

impl Package {
    /// The crate's short name (`core`, `log`, …) if it is one of ours.
    pub(crate) fn short_name(&self) -> Option<&str> {
        self.name.strip_prefix(OURS).filter(|_| self.is_member)
    }
}

impl Metadata {
    /// Asks cargo, with the lock file as it is.
    pub(crate) fn load(root: &Path) -> Result<Metadata, String> {
        let text = cargo::output(root, &["metadata", "--format-version", "1", "--locked"])?;
        let value: Value =
            serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))?;
        let mut metadata = Metadata::parse(&value);
        let tree = cargo::output(root, TREE)?;
        let built: BTreeSet<(&str, &str)> = tree.lines().filter_map(in_tree).collect();
        metadata
            .packages
            .retain(|package| built.contains(&(package.name.as_str(), package.version.as_str())));
        Ok(metadata)
    }

    fn parse(value: &Value) -> Metadata {
        let members: BTreeSet<&str> = list(&value["workspace_members"])
            .filter_map(Value::as_str)
            .collect();
        let shipped = shipped_ids(value, &members);
        let packages = list(&value["packages"]).map(|package| {
            let id = text(&package["id"]);
            Package {
                name: text(&package["name"]).to_owned(),
                version: text(&package["version"]).to_owned(),
                license: package["license"].as_str().map(str::to_owned),
                source: package["source"].as_str().map(str::to_owned),
                is_member: members.contains(id),
                is_shipped: shipped.contains(id),
                edges: edges(package),
                names: names(package),
            }
        });
        Metadata {
            packages: packages.collect(),
        }
    }
}

/// Name and version of a line of `cargo tree`: `name v1.2.3`, perhaps with more behind.
fn in_tree(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split_ascii_whitespace();
    Some((words.next()?, words.next()?.strip_prefix('v')?))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn names(package: &Value) -> Vec<String> {
    let all = list(&package["dependencies"]);
    let built = all.filter(|it| it["kind"].is_null() && it["optional"] != true);
    let names = built.filter_map(|dependency| dependency["name"].as_str());
    names.map(str::to_owned).collect()
}

fn edges(package: &Value) -> Vec<Edge> {
    let ours = list(&package["dependencies"]).filter_map(|dependency| {
        let to = dependency["name"].as_str()?.strip_prefix(OURS)?.to_owned();
        Some(Edge {
            to,
            is_dev: dependency["kind"].as_str() == Some("dev"),
        })
    });
    ours.collect()
}

/// The packages reached from the shipped crates without a dev-dependency.
fn shipped_ids<'a>(value: &'a Value, members: &BTreeSet<&str>) -> BTreeSet<&'a str> {
    let nodes: BTreeMap<&str, &Value> = list(&value["resolve"]["nodes"])
        .map(|node| (text(&node["id"]), node))
        .collect();
    let is_shipped_crate = |package: &&Value| {
        let name = text(&package["name"]);
        members.contains(text(&package["id"]))
            && !["mainstay-sim", "mainstay-xtask"].contains(&name)
    };
    let mut work: Vec<&str> = list(&value["packages"])
        .filter(is_shipped_crate)
        .map(|p| text(&p["id"]))
        .collect();
    let mut reached = BTreeSet::new();
    while let Some(id) = work.pop() {
        if !reached.insert(id) {
            continue;
        }
        let dependencies = nodes
            .get(id)
            .into_iter()
            .flat_map(|node| list(&node["deps"]));
        for dependency in dependencies {
            if list(&dependency["dep_kinds"]).any(|kind| kind["kind"].as_str() != Some("dev")) {
                work.push(text(&dependency["pkg"]));
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lines_of_the_tree_name_packages() {
        let line = "serde v1.0.0 (proc-macro) (*)";
        assert_eq!(in_tree(line), Some(("serde", "1.0.0")));
        assert_eq!(in_tree("serde feature \"default\""), None);
        assert_eq!(in_tree(""), None);
    }

    #[test]
    fn what_only_tests_use_is_not_shipped() {
        let value = json!({
            "workspace_members": ["c"],
            "packages": [
                {"id": "c", "name": "mainstay-core", "version": "1.0.0", "dependencies": [
                    {"name": "mainstay-sim", "kind": "dev"}, {"name": "mainstay-log", "kind": null}]},
                {"id": "n", "name": "normal", "version": "1.0.0", "license": "MIT", "source": "s"},
                {"id": "d", "name": "dev", "version": "1.0.0", "license": "MIT", "source": "s"},
            ],
            "resolve": {"nodes": [
                {"id": "c", "deps": [
                    {"pkg": "n", "dep_kinds": [{"kind": null}]},
                    {"pkg": "d", "dep_kinds": [{"kind": "dev"}]}]},
                {"id": "n", "deps": []},
                {"id": "d", "deps": []},
            ]},
        });
        let metadata = Metadata::parse(&value);
        let shipped: Vec<&str> = metadata
            .packages
            .iter()
            .filter(|p| p.is_shipped)
            .map(|p| p.name.as_str())
            .collect();
        assert_eq!(shipped, ["mainstay-core", "normal"]);
        let core = &metadata.packages[0];
        assert_eq!(core.short_name(), Some("core"));
        assert_eq!(
            core.edges[0],
            Edge {
                to: "sim".to_owned(),
                is_dev: true
            }
        );
        assert_eq!(
            core.edges[1],
            Edge {
                to: "log".to_owned(),
                is_dev: false
            }
        );
        assert_eq!(metadata.packages[1].short_name(), None);
    }
}
