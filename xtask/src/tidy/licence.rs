//! Rule `licence`: everything we build from may be passed on, comes from crates.io, and is not banned.

use super::violation::Violation;
use crate::metadata::{Metadata, Package};
use crate::spdx;

/// Licences that anything may have. `deny.toml` says the same to cargo-deny.
const ACCEPTED: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "0BSD",
    "MIT-0",
    "Unlicense",
    "CC0-1.0",
    "BSL-1.0",
    "Unicode-3.0",
    "BlueOak-1.0.0",
];

/// Licences that only what tests use may have.
const ACCEPTED_IN_TESTS: &[&str] = &["MPL-2.0"];

/// Crates we do without, and why.
const BANNED: &[(&str, &str)] = &[
    ("bincode", "not maintained"),
    ("chrono", "jiff is the time library here"),
    ("dashmap", "shared maps hide who owns what"),
    ("lazy_static", "the standard library does this"),
    ("native-tls", "rustls only"),
    ("openssl", "rustls only"),
    ("openssl-sys", "rustls only"),
    ("ring", "its licence and its build are trouble"),
    ("rsa", "leaks keys through timing"),
    ("serde_yaml", "not maintained"),
];

/// Banned crates that one other brings along, which nobody replaces for that.
const BROUGHT: &[(&str, &str)] = &[("lazy_static", "sharded-slab")];

/// The ways cargo writes crates.io.
const SOURCES: &[&str] = &[
    "registry+https://github.com/rust-lang/crates.io-index",
    "sparse+https://index.crates.io/",
];

pub(crate) fn check(metadata: &Metadata) -> Vec<Violation> {
    let mut found = Vec::new();
    for package in &metadata.packages {
        for problem in [
            licence_problem(package),
            ban_problem(package, metadata),
            source_problem(package),
        ]
        .into_iter()
        .flatten()
        {
            let message = format!("{} {}: {problem}", package.name, package.version);
            found.push(Violation::new("Cargo.lock", 1, "licence", message));
        }
    }
    found
}

fn licence_problem(package: &Package) -> Option<String> {
    let Some(expression) = &package.license else {
        return Some("states no licence".to_owned());
    };
    let accepts = |name: &str| {
        ACCEPTED.contains(&name) || (!package.is_shipped && ACCEPTED_IN_TESTS.contains(&name))
    };
    match spdx::is_satisfied(expression, &accepts) {
        Ok(true) => None,
        Ok(false) => Some(format!("licence `{expression}` is not accepted")),
        Err(error) => Some(format!("licence cannot be read: {error}")),
    }
}

fn ban_problem(package: &Package, metadata: &Metadata) -> Option<String> {
    let (_, reason) = BANNED.iter().find(|(name, _)| *name == package.name)?;
    let mut users = metadata
        .packages
        .iter()
        .filter(|user| user.names.contains(&package.name))
        .peekable();
    let is_brought = |user: &Package| BROUGHT.contains(&(&package.name, &user.name));
    if users.peek().is_some() && users.all(is_brought) {
        return None;
    }
    Some(format!("banned: {reason}"))
}

fn source_problem(package: &Package) -> Option<String> {
    match &package.source {
        None if package.is_member => None,
        None => Some("comes from a folder outside the workspace".to_owned()),
        Some(source) if SOURCES.contains(&source.as_str()) => None,
        Some(source) => Some(format!("comes from {source}, not from crates.io")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, license: Option<&str>) -> Package {
        Package {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            license: license.map(str::to_owned),
            source: Some(SOURCES[0].to_owned()),
            is_member: false,
            is_shipped: true,
            edges: Vec::new(),
            names: Vec::new(),
        }
    }

    fn messages(package: Package) -> Vec<String> {
        check(&Metadata {
            packages: vec![package],
        })
        .into_iter()
        .map(|violation| violation.message)
        .collect()
    }

    #[test]
    fn a_licence_that_is_not_on_the_list_is_refused() {
        assert_eq!(messages(package("a", Some("MIT/Apache-2.0"))), [""; 0]);
        assert_eq!(messages(package("a", Some("MIT OR GPL-3.0"))), [""; 0]);
        assert_eq!(
            messages(package("a", Some("GPL-3.0"))),
            ["a 1.0.0: licence `GPL-3.0` is not accepted"]
        );
        assert_eq!(messages(package("a", None)), ["a 1.0.0: states no licence"]);
    }

    #[test]
    fn some_licences_are_for_tests_only() {
        assert_eq!(messages(package("a", Some("MPL-2.0"))).len(), 1);
        assert_eq!(
            messages(Package {
                is_shipped: false,
                ..package("a", Some("MPL-2.0"))
            }),
            [""; 0]
        );
    }

    #[test]
    fn banned_crates_are_refused_whatever_their_licence() {
        assert_eq!(
            messages(package("chrono", Some("MIT"))),
            ["chrono 1.0.0: banned: jiff is the time library here"]
        );
    }

    #[test]
    fn a_banned_crate_may_be_brought_by_the_one_that_is_named_and_by_no_other() {
        let found = |user: &str| {
            let user = Package {
                names: vec!["lazy_static".to_owned()],
                ..package(user, Some("MIT"))
            };
            let packages = vec![package("lazy_static", Some("MIT")), user];
            check(&Metadata { packages }).len()
        };
        assert_eq!((found("sharded-slab"), found("a")), (0, 1));
    }

    #[test]
    fn crates_come_from_crates_io_or_this_workspace() {
        let git = Package {
            source: Some("git+https://example.com/a".to_owned()),
            ..package("a", Some("MIT"))
        };
        assert_eq!(messages(git).len(), 1);
        let stray = Package {
            source: None,
            ..package("a", Some("MIT"))
        };
        assert_eq!(messages(stray).len(), 1);
        let own = Package {
            source: None,
            is_member: true,
            ..package("mainstay-core", Some("Apache-2.0"))
        };
        assert_eq!(messages(own), [""; 0]);
    }

    #[test]
    fn the_file_for_cargo_deny_names_the_same_licences_and_bans() {
        let deny = include_str!("../../../deny.toml");
        for name in ACCEPTED.iter().chain(BANNED.iter().map(|(name, _)| name)) {
            assert!(deny.contains(&format!("\"{name}\"")), "{name}");
        }
    }
}
