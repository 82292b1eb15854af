//! `doctor`: reads a data directory without changing it and tells whether everything in it holds.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use mainstay::doctor::{self, StoreReport};
use serde::Serialize;
use serde_json::{Value, json};

use crate::args::DoctorArgs;
use crate::exit::{Code, Failure};
use crate::ops::{Bar, failed};
use crate::screen::Screen;

/// What was found, as it is written.
#[derive(Debug, Default, Serialize)]
struct Report {
    /// The last event that replays.
    sequence: u64,
    /// The event that the replay began after.
    base_sequence: u64,
    frames: u64,
    events: u64,
    segments: usize,
    /// Runs that have not ended.
    live_runs: u64,
    store: Value,
    snapshots: Vec<Snapshot>,
    damage: Vec<Damage>,
    /// Tails that were never acknowledged, kept aside by earlier starts.
    quarantine: Vec<Kept>,
    /// Files that nobody needs.
    leftovers: Vec<Kept>,
    /// Whatever else there is to tell, in words.
    findings: Vec<String>,
    /// Digest of the replayed state.
    digest: String,
}

#[derive(Debug, Serialize)]
struct Snapshot {
    sequence: u64,
    sound: bool,
}

#[derive(Debug, Serialize)]
struct Damage {
    file: String,
    offset: u64,
    explanation: String,
}

#[derive(Debug, Serialize)]
struct Kept {
    file: String,
    bytes: u64,
}

/// Checks the directory and tells what was found.
pub(crate) fn examine(args: &DoctorArgs, screen: Screen) -> Result<Code, Failure> {
    let directory = &args.directory;
    if let Some(what) = &args.repair {
        return repair(directory, what, screen);
    }
    let mut bar = Bar::new(screen);
    let seen = doctor::examine_telling(directory, &mut |at| bar.tell(at));
    drop(bar);
    let seen = seen.map_err(|error| {
        Failure::new(
            Code::CannotCreate,
            "directory_not_readable",
            format!("{}: {error}", directory.display()),
        )
    })?;
    let is_clean = seen.is_clean();
    if seen.log.log_id.is_none() && is_clean {
        let message = format!(
            "{} is not a data directory: there is no log in it",
            directory.display()
        );
        return Err(Failure::new(
            Code::NotUnderstood,
            "not_a_data_directory",
            message,
        ));
    }
    let report = report(directory, seen);
    if screen.is_json() {
        screen.json(&report);
    } else {
        show(screen, &report, is_clean);
    }
    Ok(if is_clean { Code::Done } else { Code::Failed })
}

fn repair(directory: &Path, what: &str, screen: Screen) -> Result<Code, Failure> {
    if what != "store" {
        let message = format!(
            "--repair {what} is not in this version: only a store can be set aside (--repair store); damage in the log is repaired by \
             restoring a backup"
        );
        return Err(Failure::new(Code::NotUnderstood, "not_supported", message));
    }
    let mut bar = Bar::new(screen);
    let repaired = doctor::set_store_aside(directory, &mut |at| bar.tell(at));
    drop(bar);
    let repaired = repaired.map_err(|error| failed(directory, error))?;
    if screen.is_json() {
        screen.json(&json!({"kept_as": repaired.kept_as, "made_again_from": repaired.from}));
        return Ok(Code::Done);
    }
    match &repaired.kept_as {
        Some(path) => screen.line(&format!("the store is kept as {}", path.display())),
        None => screen.line("there was no store"),
    };
    screen.line(&format!(
        "the next start makes it again from {}",
        repaired.from
    ));
    Ok(Code::Done)
}

fn kept(directory: &Path, file: String) -> Kept {
    let meta = directory.join(&file).metadata();
    Kept {
        file,
        bytes: meta.map_or(0, |meta| meta.len()),
    }
}

fn store_json(store: &StoreReport) -> Value {
    match store {
        StoreReport::Unasked => Value::Null,
        StoreReport::Missing => json!({"state": "missing"}),
        StoreReport::Unusable => json!({"state": "damaged"}),
        StoreReport::Sound(seen) => json!({
            "state": "sound", "sequence": seen.sequence, "tasks": seen.tasks, "runs": seen.runs,
            "live_rows": seen.live_rows, "payloads": seen.payloads, "digest": seen.digest,
        }),
    }
}

fn report(directory: &Path, seen: doctor::Report) -> Report {
    let damage = |finding: String| Damage {
        file: String::new(),
        offset: 0,
        explanation: finding,
    };
    let snapshots = seen.snapshots.iter().map(|snapshot| Snapshot {
        sequence: snapshot.sequence,
        sound: snapshot.problem.is_none(),
    });
    let leftovers = seen.leftovers.iter().map(PathBuf::as_path);
    let mut report = Report {
        sequence: seen.sequence,
        base_sequence: seen.base_sequence,
        frames: seen.log.frames,
        events: seen.log.events,
        segments: seen.log.segments.len(),
        live_runs: seen.live_runs,
        store: store_json(&seen.store),
        snapshots: snapshots.collect(),
        damage: seen.findings.into_iter().map(damage).collect(),
        leftovers: leftovers
            .map(|path| kept(directory, path.display().to_string()))
            .collect(),
        findings: seen.notes,
        digest: seen.digest,
        ..Report::default()
    };
    for finding in seen.log.findings {
        if finding.is_damage {
            let (file, offset, explanation) = (finding.file, finding.offset, finding.explanation);
            report.damage.push(Damage {
                file,
                offset,
                explanation,
            });
        } else {
            report.findings.push(format!(
                "{} at offset {}: {}",
                finding.file, finding.offset, finding.explanation
            ));
        }
    }
    // What stands in a file first: the rest mostly follows from it.
    report.damage.sort_by_key(|damage| damage.file.is_empty());
    if let Some(holder) = seen.log.held_by {
        report.findings.push(format!(
            "held by {holder}: what it wrote while this was read is not covered"
        ));
    }
    let quarantine = seen.log.quarantine.into_iter();
    report.quarantine = quarantine.map(|file| kept(directory, file)).collect();
    report
}

fn show(screen: Screen, report: &Report, is_clean: bool) {
    let number = |value: &dyn Display| value.to_string();
    let store = &report.store;
    let of_store = |name: &str| store.get(name).map(number_of).unwrap_or_default();
    let stored = match store.get("state").and_then(Value::as_str) {
        Some("sound") => format!(
            "sound, {} tasks and {} runs at event {}",
            of_store("tasks"),
            of_store("runs"),
            of_store("sequence")
        ),
        Some(state) => state.to_owned(),
        None => "not looked at".to_owned(),
    };
    let sound = report.snapshots.iter().filter(|one| one.sound).count();
    screen.pairs(&[
        ("sequence", number(&report.sequence)),
        ("frames", number(&report.frames)),
        ("events", number(&report.events)),
        ("segments", number(&report.segments)),
        ("live runs", number(&report.live_runs)),
        ("store", stored),
        (
            "snapshots",
            format!("{sound} of {} sound", report.snapshots.len()),
        ),
    ]);
    for tail in &report.quarantine {
        screen.line(&format!(
            "quarantined: {} ({} bytes, never acknowledged)",
            tail.file, tail.bytes
        ));
    }
    for file in &report.leftovers {
        screen.line(&format!(
            "leftover: {} ({} bytes, not used by the engine)",
            file.file, file.bytes
        ));
    }
    for finding in &report.findings {
        screen.line(&format!("note: {finding}"));
    }
    for damage in &report.damage {
        let place = if damage.file.is_empty() {
            String::new()
        } else {
            format!("{} at offset {}: ", damage.file, damage.offset)
        };
        screen.line(&format!("DAMAGE: {place}{}", damage.explanation));
    }
    let verdict = if is_clean {
        "all is well"
    } else {
        "damage found; keep a copy of the directory"
    };
    screen.line(verdict);
}

fn number_of(value: &Value) -> String {
    value.to_string()
}
