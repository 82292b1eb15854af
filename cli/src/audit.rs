//! `audit`: the trail as a table, as lines, and whether it is what was written.

use std::path::Path;

use mainstay_client::wire::{AuditEntry, AuditGap, AuditReport};

use crate::args::{AuditCommand, Global};
use crate::connection::{self, LONG_PATIENCE, SHORT_PATIENCE};
use crate::exit::{Code, Failure};
use crate::ops;
use crate::screen::Screen;

const HEAD: [&str; 6] = ["sequence", "at", "who", "what", "target", "reason"];

/// `audit …`
pub(crate) async fn audit(
    global: &Global,
    command: &AuditCommand,
    screen: Screen,
) -> Result<Code, Failure> {
    match command {
        AuditCommand::List { after, limit } => list(global, *after, *limit, screen).await,
        AuditCommand::Export { after } => export(global, *after, screen).await,
        AuditCommand::Verify {
            directory: Some(directory),
        } => Ok(show_report(screen, &verify_directory(directory)?)),
        AuditCommand::Verify { directory: None } => {
            let client = connection::client(global, LONG_PATIENCE)?;
            Ok(show_report(screen, &client.verify_audit().await?))
        }
    }
}

async fn list(global: &Global, after: u64, limit: u32, screen: Screen) -> Result<Code, Failure> {
    let client = connection::client(global, SHORT_PATIENCE)?;
    let page = client.audit(after, Some(limit)).await?;
    if screen.is_json() {
        screen.json(&page);
        return Ok(Code::Done);
    }
    let rows: Vec<_> = page.entries.iter().map(row).collect();
    screen.table(&HEAD, &rows);
    if page.entries.len() >= limit as usize {
        screen.note(&format!("there is more: --after {}", page.next));
    }
    Ok(Code::Done)
}

fn row(entry: &AuditEntry) -> Vec<String> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    vec![
        entry.sequence.to_string(),
        entry.at.clone(),
        entry.who.clone(),
        entry.what.clone(),
        text(&entry.target),
        text(&entry.reason),
    ]
}

async fn export(global: &Global, after: u64, screen: Screen) -> Result<Code, Failure> {
    let client = connection::client(global, SHORT_PATIENCE)?;
    let mut walk = client.audit_walk(after);
    while let Some(entry) = walk.next().await? {
        if !screen.json(&entry) {
            break;
        }
    }
    Ok(Code::Done)
}

fn verify_directory(directory: &Path) -> Result<AuditReport, Failure> {
    let report = mainstay::verify_audit(directory);
    let report = report.map_err(|error| ops::failed(directory, error))?;
    let gaps = report.gaps.into_iter().map(|gap| AuditGap {
        from: gap.from,
        to: gap.to,
        file: gap.file,
        offset: gap.offset,
        frame: gap.frame,
        message: gap.message,
    });
    Ok(AuditReport {
        from: report.from,
        to: report.to,
        head_hash: report
            .head_hash
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
        entries: report.entries,
        oldest: report.trail_after,
        gaps: gaps.collect(),
        gaps_more: report.gaps_more,
    })
}

fn show_report(screen: Screen, report: &AuditReport) -> Code {
    if screen.is_json() {
        screen.json(report);
    } else {
        screen.pairs(&[
            ("events", format!("{} to {}", report.from, report.to)),
            ("head hash", report.head_hash.clone()),
            ("entries", format!("{} compared", report.entries)),
            ("trail", format!("whole after event {}", report.oldest)),
        ]);
        for gap in &report.gaps {
            let place = match gap.offset {
                0 => gap.file.clone(),
                offset => format!("{} at byte {offset}", gap.file),
            };
            let text = format!(
                "events {} to {}: {place}: {}",
                gap.from, gap.to, gap.message
            );
            screen.line(&crate::screen::clean(&text));
        }
        if report.gaps_more > 0 {
            screen.line(&format!("and {} more", report.gaps_more));
        }
        let verdict = match report.gaps.len() {
            0 => "everything is what was written",
            _ => "something is not what was written",
        };
        screen.line(verdict);
    }
    match report.gaps.is_empty() {
        true => Code::Done,
        false => Code::Failed,
    }
}
