//! `cargo xtask scale`: what an engine costs with many runs, as a table, kept as one line of JSON per run.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::{bench, cargo};

/// One file, a line per call, oldest first.
const HISTORY: &str = "bench/history/scale.jsonl";

/// What is measured unless told: kind, runs, payload bytes, bytes of payloads kept in memory.
const CASES: &[[&str; 4]] = &[
    ["queued", "100000", "256", "0"],
    ["queued", "1000000", "256", "0"],
    ["queued", "10000000", "256", "0"],
    ["finished", "10000000", "256", "0"],
    ["queued", "1000000", "1024", "0"],
    ["queued", "1000000", "1024", "2000000000"],
];

/// The table's columns: what stands in the result, and the heading.
const COLUMNS: &[(&str, &str)] = &[
    ("kind", "kind"),
    ("runs", "runs"),
    ("payload_bytes", "payload B"),
    ("payload_cache_bytes", "cache B"),
    ("accepted_per_s", "accepted/s"),
    ("stored_per_s", "stored/s"),
    ("commit_us_per_run", "commit µs/run"),
    ("rss_bytes_per_run", "RSS B/run"),
    ("restart_rss_bytes", "RSS after restart"),
    ("log_bytes_per_run", "log B/run"),
    ("store_bytes_per_run", "store B/run"),
    ("restart_ms", "restart ms"),
    ("tail_events", "tail events"),
    ("runs_first_us", "first page µs"),
    ("runs_last_us", "last page µs"),
    ("runs_search_all_us", "search µs"),
];

/// Builds the measuring program, runs the cases whose number of runs is at most `runs_max`, prints a table and keeps it.
pub(crate) fn run(root: &Path, runs_max: u64) -> Result<(), String> {
    let build = [
        "build",
        "--release",
        "--locked",
        "--package",
        "mainstay-engine",
        "--example",
        "scale",
    ];
    cargo::run(root, &build, &[])?;
    let mut results = Vec::new();
    for case in CASES {
        let runs: u64 = case[1].parse().unwrap_or(u64::MAX);
        if runs <= runs_max {
            eprintln!("measuring {} runs, {}", case[1], case[0]);
            results.push(measure(root, case)?);
        }
    }
    print_table(&results);
    bench::keep(root, HISTORY, results)
}

fn measure(root: &Path, case: &[&str; 4]) -> Result<Value, String> {
    let program = root.join("target/release/examples/scale");
    let output = Command::new(&program).args(case).output();
    let output = output.map_err(|error| format!("scale: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("scale failed ({}): {said}", output.status));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("scale: {error}"))
}

fn print_table(results: &[Value]) {
    for (field, heading) in COLUMNS {
        print!("{heading:<18}");
        for result in results {
            let shown = match &result[*field] {
                // The median and the 99th of a hundred.
                Value::Array(pair) if pair.len() == 2 => format!("{} / {}", pair[0], pair[1]),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            print!("{shown:>16}");
        }
        println!();
    }
}
