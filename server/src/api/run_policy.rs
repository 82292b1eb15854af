//! A run policy between wire and machine: once, repeat, cron.

use mainstay_client::wire;
use mainstay_core::{Cron, Misfire, Overlap, Repeat, Schedule, TaskView, Text, Timestamp};

use super::names::Names;
use crate::edge::Failure;
use crate::json::{Subject, Writer, read_instant};

/// When a task runs.
#[derive(Debug, Default)]
pub(crate) struct When {
    /// When the one run is due; now when absent.
    pub(crate) run_at: Option<Timestamp>,
    /// More than one run.
    pub(crate) schedule: Option<Box<Schedule>>,
}

/// Reads a run policy; fields of another type are refused.
pub(crate) fn read_policy(
    subject: Subject,
    names: &mut Names,
    given: &wire::RunPolicySpec<'_>,
) -> Result<When, Failure> {
    const TYPES: [&str; 3] = ["once", "repeat", "cron"];
    let Some(at) = TYPES.iter().position(|kind| **kind == *given.kind) else {
        return Err(subject.wrong("run_policy.type", "must be once, repeat or cron"));
    };
    let stray = fields(given)
        .into_iter()
        .find(|(_, present, types)| *present && !types[at]);
    if let Some((field, ..)) = stray {
        let message = format!("does not belong to the type {}", TYPES[at]);
        return Err(subject.wrong(field, message));
    }
    let instant = |field, text: &Option<wire::Str<'_>>| read_at(subject, field, text.as_deref());
    Ok(match at {
        0 => When {
            run_at: instant("run_policy.run_at", &given.run_at)?,
            schedule: None,
        },
        1 => When::of(Schedule::Repeat(Repeat {
            count: given
                .count
                .ok_or_else(|| subject.wrong("run_policy.count", "is required"))?,
            interval_ms: given
                .interval_ms
                .ok_or_else(|| subject.wrong("run_policy.interval_ms", "is required"))?,
            start_at: instant("run_policy.start_at", &given.start_at)?,
        })),
        _ => When::of(Schedule::Cron(Box::new(read_cron(subject, names, given)?))),
    })
}

impl When {
    fn of(schedule: Schedule) -> When {
        When {
            run_at: None,
            schedule: Some(Box::new(schedule)),
        }
    }
}

/// Every field with whether it is there, and which types it belongs to: once, repeat, cron.
fn fields(given: &wire::RunPolicySpec<'_>) -> [(&'static str, bool, [bool; 3]); 13] {
    let once = [true, false, false];
    let repeat = [false, true, false];
    let cron = [false, false, true];
    [
        ("run_policy.run_at", given.run_at.is_some(), once),
        ("run_policy.count", given.count.is_some(), repeat),
        (
            "run_policy.interval_ms",
            given.interval_ms.is_some(),
            repeat,
        ),
        (
            "run_policy.start_at",
            given.start_at.is_some(),
            [false, true, true],
        ),
        ("run_policy.end_at", given.end_at.is_some(), cron),
        ("run_policy.expression", given.expression.is_some(), cron),
        ("run_policy.timezone", given.timezone.is_some(), cron),
        (
            "run_policy.max_occurrences",
            given.max_occurrences.is_some(),
            cron,
        ),
        ("run_policy.misfire", given.misfire.is_some(), cron),
        (
            "run_policy.misfire_grace_ms",
            given.misfire_grace_ms.is_some(),
            cron,
        ),
        (
            "run_policy.catch_up_max",
            given.catch_up_max.is_some(),
            cron,
        ),
        ("run_policy.overlap", given.overlap.is_some(), cron),
        ("run_policy.jitter_ms", given.jitter_ms.is_some(), cron),
    ]
}

fn read_cron(
    subject: Subject,
    names: &mut Names,
    given: &wire::RunPolicySpec<'_>,
) -> Result<Cron, Failure> {
    let expression = given.expression.as_deref();
    let expression =
        expression.ok_or_else(|| subject.wrong("run_policy.expression", "is required"))?;
    let mut cron = Cron {
        expression: Text::from(expression),
        max_occurrences: given.max_occurrences,
        start_at: read_at(subject, "run_policy.start_at", given.start_at.as_deref())?,
        end_at: read_at(subject, "run_policy.end_at", given.end_at.as_deref())?,
        ..Cron::default()
    };
    if let Some(timezone) = given.timezone.as_deref() {
        cron.timezone = names.share(timezone);
    }
    if let Some(misfire) = given.misfire {
        cron.misfire = match misfire {
            wire::Misfire::Skip => Misfire::Skip,
            wire::Misfire::RunOnce => Misfire::RunOnce,
            wire::Misfire::RunAll => Misfire::RunAll,
        };
    }
    if let Some(overlap) = given.overlap {
        cron.overlap = match overlap {
            wire::Overlap::Allow => Overlap::Allow,
            wire::Overlap::Skip => Overlap::Skip,
            wire::Overlap::QueueOne => Overlap::QueueOne,
            wire::Overlap::CancelPrevious => Overlap::CancelPrevious,
        };
    }
    cron.misfire_grace_ms = given.misfire_grace_ms.unwrap_or(cron.misfire_grace_ms);
    cron.catch_up_max = given.catch_up_max.unwrap_or(cron.catch_up_max);
    cron.jitter_ms = given.jitter_ms.unwrap_or(cron.jitter_ms);
    Ok(cron)
}

/// An instant in a field.
pub(crate) fn read_at(
    subject: Subject,
    field: &'static str,
    text: Option<&str>,
) -> Result<Option<Timestamp>, Failure> {
    text.map(|text| read_instant(text).map_err(|message| subject.wrong(field, message)))
        .transpose()
}

/// `run_policy` in the form it is asked for in, with every default, into an object that is open.
pub(crate) fn write_policy(json: &mut Writer, task: &TaskView) {
    json.name("run_policy").object();
    match task.schedule.as_deref().map(|view| &view.schedule) {
        None => {
            json.string_field("type", "once");
            // Due at once is what a task is without a run_at: then it was not asked for.
            if task.scheduled_at != task.created_at {
                json.instant_field("run_at", task.scheduled_at);
            }
        }
        Some(Schedule::Repeat(repeat)) => {
            json.string_field("type", "repeat")
                .number_field("count", repeat.count)
                .number_field("interval_ms", repeat.interval_ms);
            write_instant(json, "start_at", repeat.start_at);
        }
        Some(Schedule::Cron(cron)) => write_cron(json, cron),
    }
    json.end_object();
}

fn write_cron(json: &mut Writer, cron: &Cron) {
    let misfire = match cron.misfire {
        Misfire::Skip => wire::Misfire::Skip,
        Misfire::RunOnce => wire::Misfire::RunOnce,
        Misfire::RunAll => wire::Misfire::RunAll,
    };
    let overlap = match cron.overlap {
        Overlap::Allow => wire::Overlap::Allow,
        Overlap::Skip => wire::Overlap::Skip,
        Overlap::QueueOne => wire::Overlap::QueueOne,
        Overlap::CancelPrevious => wire::Overlap::CancelPrevious,
    };
    json.string_field("type", "cron")
        .string_field("expression", &cron.expression)
        .string_field("timezone", &cron.timezone);
    if let Some(max) = cron.max_occurrences {
        json.number_field("max_occurrences", max);
    }
    json.string_field("misfire", misfire.name())
        .number_field("misfire_grace_ms", cron.misfire_grace_ms)
        .number_field("catch_up_max", cron.catch_up_max)
        .string_field("overlap", overlap.name());
    write_instant(json, "start_at", cron.start_at);
    write_instant(json, "end_at", cron.end_at);
    json.number_field("jitter_ms", cron.jitter_ms);
}

fn write_instant(json: &mut Writer, name: &str, at: Option<Timestamp>) {
    if let Some(at) = at {
        json.instant_field(name, at);
    }
}
