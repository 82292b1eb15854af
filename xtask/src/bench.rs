//! `cargo xtask bench`: the released binary's own benchmarks, kept as one line of JSON per run.

use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::cargo;

/// One file, a line per run, oldest first.
const HISTORY: &str = "bench/history/bench.jsonl";
const MODES: &[&str] = &["submit", "lifecycle"];

/// Builds the binary, runs both modes, prints what they report (the raw disk's sync time is part of it)
/// and appends it to the history.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    cargo::run(
        root,
        &[
            "build",
            "--release",
            "--locked",
            "--package",
            "mainstay-cli",
        ],
        &[],
    )?;
    let mut results = Vec::new();
    for mode in MODES {
        let result = measure(root, mode)?;
        println!("{mode}: {result:#}");
        println!(
            "{mode}: raw disk, one sync: p50 {} µs",
            result["raw_fdatasync_p50_us"]
        );
        results.push(result);
    }
    keep(root, HISTORY, results)
}

/// Appends results to a history, with when, what and where they were measured.
pub(crate) fn keep(root: &Path, history: &str, results: Vec<Value>) -> Result<(), String> {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let line = json!({
        "unix_seconds": seconds,
        "commit": commit(root),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "results": results,
    });
    append(&root.join(history), &line).map_err(|error| format!("{history}: {error}"))?;
    println!("appended to {history}");
    Ok(())
}

fn measure(root: &Path, mode: &str) -> Result<Value, String> {
    let program = root.join("target/release/mainstay");
    let output = Command::new(&program)
        .args(["bench", "--json", "--mode", mode])
        .current_dir(root)
        .output();
    let output = output.map_err(|error| format!("mainstay bench: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!(
            "mainstay bench --mode {mode} failed ({}): {said}",
            output.status
        ));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("mainstay bench --mode {mode}: {error}"))
}

/// The commit that was measured, if git tells.
fn commit(root: &Path) -> Value {
    let output = Command::new("git")
        .args(["describe", "--always", "--dirty"])
        .current_dir(root)
        .output();
    let text = output
        .ok()
        .filter(|output| output.status.success())
        .map(|output| output.stdout);
    text.map_or(Value::Null, |text| {
        json!(String::from_utf8_lossy(&text).trim())
    })
}

fn append(path: &Path, line: &Value) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)?;
    std::io::Write::write_all(&mut file, format!("{line}\n").as_bytes())
}
