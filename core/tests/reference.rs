//! The reference pages that are written from the machine's own tables.

use std::fmt::Write as _;

use mainstay_core::{AttemptResult, Cause, Hold, Origin, RunState, TRANSITIONS, TaskState};

fn rows<T: Copy>(
    out: &mut String,
    title: &str,
    said: &str,
    all: &[T],
    name: impl Fn(T) -> &'static str,
    meaning: impl Fn(T) -> &'static str,
) {
    let _ = write!(
        out,
        "\n## {title}\n\n{said}\n\n| name | meaning |\n|---|---|\n"
    );
    for one in all {
        let _ = writeln!(out, "| `{}` | {} |", name(*one), meaning(*one).trim());
    }
}

fn states() -> String {
    let mut out = String::from(
        "# States, transitions and causes\n\nGenerated from `core/src/run/model.rs` and `core/src/task/model.rs`; do not edit.\n",
    );
    rows(
        &mut out,
        "Run states",
        "A run is in exactly one of them. The last three are final for ever.",
        RunState::ALL,
        RunState::name,
        RunState::meaning,
    );
    let _ = write!(
        out,
        "\n## Transitions\n\nExactly these edges; anything else is refused as `invalid_transition`.\n\n| from | to |\n|---|---|\n"
    );
    for from in RunState::ALL {
        let to: Vec<String> = TRANSITIONS
            .iter()
            .filter(|(edge, _)| edge == from)
            .map(|(_, to)| format!("`{}`", to.name()))
            .collect();
        let to = if to.is_empty() {
            String::from("nothing")
        } else {
            to.join(", ")
        };
        let _ = writeln!(out, "| `{}` | {to} |", from.name());
    }
    rows(
        &mut out,
        "Task states",
        "Derived from the task's runs and descendants.",
        TaskState::ALL,
        TaskState::name,
        TaskState::meaning,
    );
    rows(
        &mut out,
        "Results of attempts",
        "How an attempt ended.",
        AttemptResult::ALL,
        AttemptResult::name,
        AttemptResult::meaning,
    );
    rows(
        &mut out,
        "Causes",
        "Why a run changed its state: `cause` in `state_history`.",
        Cause::ALL,
        Cause::name,
        Cause::meaning,
    );
    rows(
        &mut out,
        "What releases a suspended run",
        "A suspension keeps its own release.",
        Hold::ALL,
        Hold::name,
        Hold::meaning,
    );
    rows(
        &mut out,
        "Origins",
        "Where a run comes from.",
        Origin::ALL,
        Origin::name,
        Origin::meaning,
    );
    out
}

fn numbers() -> String {
    let mut out = String::from(
        "# Limits\n\nGenerated from `core/src/limits.rs`; do not edit. What goes beyond one is refused with an error that names it, and changes\n\
         nothing. Some can be set lower or higher when the server starts; see [the data directory](../operating/data-directory.md).\n\n\
         | limit | value | of what |\n|---|---|---|\n",
    );
    for (name, meaning, value) in mainstay_core::limits::ALL {
        let _ = writeln!(
            out,
            "| `{}` | {value} | {} |",
            name.to_lowercase(),
            meaning.trim()
        );
    }
    out
}

fn is_written(name: &str, text: &str) {
    let path = format!("{}/../docs/reference/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("MAINSTAY_BLESS").is_some() {
        std::fs::write(&path, text).expect("docs/reference can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == text,
        "docs/reference/{name} differs from the code; run the test again with MAINSTAY_BLESS=1"
    );
}

#[test]
fn the_reference_of_states_is_these_tables() {
    is_written("states.md", &states());
}

#[test]
fn the_reference_of_limits_is_this_file() {
    is_written("limits.md", &numbers());
}
