//! What is shipped for those who watch a server: every metric it names is there, and every alert says what to do.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::metrics::reference;

fn file(path: &str) -> String {
    let path = format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every metric that an expression names.
fn named(expression: &str) -> BTreeSet<String> {
    let is_part = |one: char| one.is_ascii_alphanumeric() || one == '_' || one == ':';
    let words = expression.split(|one: char| !is_part(one));
    let metrics =
        words.filter(|word| word.starts_with("mainstay_") || word.starts_with("process_"));
    metrics.map(str::to_owned).collect()
}

/// A name is a family's, or one of the names under which a histogram's or a summary's samples stand.
fn check(expression: &str) -> usize {
    let known = reference();
    let names = named(expression);
    for name in &names {
        let of_family = |suffix: &str, kinds: &[&str]| {
            let family = name.strip_suffix(suffix).and_then(|base| known.get(base));
            family.is_some_and(|(kind, _)| kinds.contains(&kind.as_str()))
        };
        let plain = known.get(name);
        let is_plain = plain.is_some_and(|(kind, _)| kind == "counter" || kind == "gauge");
        assert!(
            is_plain
                || of_family("_bucket", &["histogram"])
                || of_family("_sum", &["histogram", "summary"])
                || of_family("_count", &["histogram", "summary"]),
            "{name} is no metric: {expression}"
        );
    }
    let braces = ['(', '[', '{'].iter().zip([')', ']', '}']);
    for (open, close) in braces {
        assert_eq!(
            expression.matches(*open).count(),
            expression.matches(close).count(),
            "{expression}"
        );
    }
    names.len()
}

#[test]
fn the_dashboard_shows_metrics_that_there_are() {
    let dashboard: Value =
        serde_json::from_str(&file("deploy/grafana/mainstay.json")).expect("JSON");
    let (mut panels, mut metrics, mut ids) = (0, BTreeSet::new(), BTreeSet::new());
    for panel in dashboard["panels"].as_array().expect("panels") {
        assert!(ids.insert(panel["id"].as_u64()), "{panel}");
        let grid = &panel["gridPos"];
        let end = grid["x"]
            .as_u64()
            .zip(grid["w"].as_u64())
            .map(|(x, w)| x + w);
        assert!(end.is_some_and(|end| end <= 24), "{panel}");
        if panel["type"] == "row" {
            continue;
        }
        panels += 1;
        for target in panel["targets"].as_array().expect("targets") {
            let expression = target["expr"].as_str().expect("an expression");
            assert!(check(expression) > 0, "{expression}");
            assert!(
                expression.contains("instance=~\"$instance\""),
                "{expression}"
            );
            metrics.extend(named(expression));
        }
    }
    assert!(
        panels >= 30 && metrics.len() >= 40,
        "{panels} {}",
        metrics.len()
    );
}

/// One rule: keys and values as they stand, without quotes.
type Rule = Vec<(String, String)>;

/// The few forms of YAML that the file of rules uses, and no others.
fn rules(text: &str) -> Vec<Rule> {
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    for expected in ["groups:", "  - name: mainstay", "    rules:"] {
        assert_eq!(lines.next(), Some(expected));
    }
    let mut rules: Vec<Rule> = Vec::new();
    for line in lines {
        assert!(
            !line.contains('\t') && line.trim_end() == line && !line.is_empty(),
            "{line:?}"
        );
        let indent = line.len() - line.trim_start().len();
        let line = line.trim_start();
        let entry = match (indent, line.strip_prefix("- ")) {
            (6, Some(entry)) => {
                rules.push(Rule::new());
                entry
            }
            (8 | 10, None) => line,
            _ => panic!("{indent}: {line}"),
        };
        let (key, value) = entry.split_once(':').expect("a key");
        let value = value.trim();
        let text = match value.strip_prefix('\'') {
            Some(rest) => {
                let inner = rest.strip_suffix('\'').expect("the quote is closed");
                assert!(!inner.replace("''", "").contains('\''), "{line}");
                inner.replace("''", "'")
            }
            None => {
                assert!(
                    !value.contains([
                        '{', '}', '[', ']', '"', '\'', '&', '*', '!', '|', '>', '%', '@'
                    ]) && !value.contains(": "),
                    "{line}"
                );
                value.to_owned()
            }
        };
        rules
            .last_mut()
            .expect("a rule")
            .push((key.to_owned(), text));
    }
    rules
}

#[test]
fn every_alert_is_about_metrics_that_there_are_and_says_what_to_do() {
    let guide = file("docs/operating/observability.md");
    let rules = rules(&file("deploy/prometheus/alerts.yml"));
    let mut names = BTreeSet::new();
    for rule in &rules {
        let keys: Vec<&str> = rule.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "alert",
                "expr",
                "for",
                "labels",
                "severity",
                "annotations",
                "summary",
                "runbook"
            ]
        );
        let value = |key: &str| &rule.iter().find(|(it, _)| it == key).expect("there").1;
        let name = value("alert");
        assert!(names.insert(name.clone()), "{name} stands twice");
        check(value("expr"));
        assert!(value("for").ends_with(['m', 'h']), "{name}");
        assert!(
            ["critical", "warning"].contains(&value("severity").as_str()),
            "{name}"
        );
        assert!(value("summary").len() > 20, "{name}");
        let anchor = format!("docs/operating/observability.md#{}", name.to_lowercase());
        assert_eq!(value("runbook"), &anchor);
        assert!(
            guide.contains(&format!("\n### {name}\n")),
            "{name} is not in the guide"
        );
    }
    assert!(names.len() >= 20);
    for metric in named(&guide) {
        let base = ["_bucket", "_sum", "_count", "_"]
            .iter()
            .fold(metric.as_str(), |name, end| {
                name.strip_suffix(end).unwrap_or(name)
            });
        assert!(
            reference().contains_key(base),
            "{metric} is in the guide and nowhere else"
        );
    }
}
