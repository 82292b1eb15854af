//! `doctor`: reads a data directory without changing it and tells whether everything in it holds.

use std::fmt::Display;
use std::path::Path;

use mainstay::doctor;
use serde::Serialize;

use crate::args::DoctorArgs;
use crate::exit::{Code, Failure};
use crate::screen::Screen;

/// What was found, as it is written.
#[derive(Debug, Default, Serialize)]
struct Report {
    /// The last event that replays.
    sequence: u64,
    frames: u64,
    events: u64,
    segments: usize,
    /// Runs that have not ended.
    live_runs: u64,
    damage: Vec<Damage>,
    /// Tails that were never acknowledged, kept aside by earlier starts.
    quarantine: Vec<Quarantined>,
    /// Whatever else there is to tell, in words.
    findings: Vec<String>,
    /// Digest of the replayed state.
    digest: String,
}

#[derive(Debug, Serialize)]
struct Damage {
    file: String,
    offset: u64,
    explanation: String,
}

#[derive(Debug, Serialize)]
struct Quarantined {
    file: String,
    bytes: u64,
}

/// Checks the directory and tells what was found.
pub(crate) fn examine(args: &DoctorArgs, screen: Screen) -> Result<Code, Failure> {
    if args.repair {
        let message = "--repair is not in this version; `doctor` only reads";
        return Err(Failure::new(Code::NotUnderstood, "not_supported", message));
    }
    let directory = &args.directory;
    let seen = doctor::examine(directory).map_err(|error| {
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

fn report(directory: &Path, seen: doctor::Report) -> Report {
    let mut report = Report {
        sequence: seen.sequence,
        frames: seen.log.frames,
        events: seen.log.events,
        segments: seen.log.segments.len(),
        live_runs: seen.live_runs,
        findings: seen.findings,
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
    if let Some(holder) = seen.log.held_by {
        report.findings.push(format!(
            "held by {holder}: what it wrote while this was read is not covered"
        ));
    }
    for file in seen.log.quarantine {
        let bytes = directory
            .join(&file)
            .metadata()
            .map_or(0, |meta| meta.len());
        report.quarantine.push(Quarantined { file, bytes });
    }
    report
}

fn show(screen: Screen, report: &Report, is_clean: bool) {
    let number = |value: &dyn Display| value.to_string();
    screen.pairs(&[
        ("sequence", number(&report.sequence)),
        ("frames", number(&report.frames)),
        ("events", number(&report.events)),
        ("segments", number(&report.segments)),
        ("live runs", number(&report.live_runs)),
    ]);
    for tail in &report.quarantine {
        screen.line(&format!(
            "quarantined: {} ({} bytes, never acknowledged)",
            tail.file, tail.bytes
        ));
    }
    for finding in &report.findings {
        screen.line(&format!("note: {finding}"));
    }
    for damage in &report.damage {
        screen.line(&format!(
            "DAMAGE: {} at offset {}: {}",
            damage.file, damage.offset, damage.explanation
        ));
    }
    let verdict = if is_clean {
        "all is well"
    } else {
        "damage found; keep a copy of the directory"
    };
    screen.line(verdict);
}
