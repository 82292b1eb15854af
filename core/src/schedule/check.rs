//! Every rule a schedule must meet before anything is written.
//! Owns: the limits of a schedule's fields, and when the runs of a repeat are due.
//! Never: looks at the state, or reads a calendar: whether an expression means anything is for the shell to say.

use super::model::{Cron, Repeat, Schedule};
use crate::limits;
use crate::rejection::Rejection;
use crate::task::{invalid, within};
use crate::time::Timestamp;

/// Checks the fields of a schedule.
///
/// # Errors
/// `invalid_task` with the first field that is out of bounds.
pub fn check(schedule: &Schedule) -> Result<(), Rejection> {
    match schedule {
        Schedule::Repeat(repeat) => check_repeat(repeat),
        Schedule::Cron(cron) => check_cron(cron),
    }
}

fn check_repeat(repeat: &Repeat) -> Result<(), Rejection> {
    let most = limits::REPEAT_COUNT_MAX.into();
    within("run_policy.count", repeat.count.into(), 1, most)?;
    let interval = repeat.interval_ms;
    within("run_policy.interval_ms", interval, 1, limits::SPAN_MS_MAX)?;
    representable("run_policy.start_at", repeat.start_at)
}

fn check_cron(cron: &Cron) -> Result<(), Rejection> {
    for (field, text) in [
        ("run_policy.expression", &cron.expression),
        ("run_policy.timezone", &cron.timezone),
    ] {
        let bytes = text.len() as u64;
        within(field, bytes, 1, limits::EXPRESSION_BYTES_MAX as u64).map_err(|_| {
            Rejection::InvalidTask {
                field,
                message: alloc::format!("must have 1 to {} bytes", limits::EXPRESSION_BYTES_MAX),
            }
        })?;
    }
    if let Some(most) = cron.max_occurrences {
        within(
            "run_policy.max_occurrences",
            most,
            1,
            limits::OCCURRENCES_MAX,
        )?;
    }
    let grace = cron.misfire_grace_ms;
    within("run_policy.misfire_grace_ms", grace, 0, limits::SPAN_MS_MAX)?;
    let most = limits::CATCH_UP_MAX.into();
    within("run_policy.catch_up_max", cron.catch_up_max.into(), 1, most)?;
    within(
        "run_policy.jitter_ms",
        cron.jitter_ms,
        0,
        limits::JITTER_MS_MAX,
    )?;
    representable("run_policy.start_at", cron.start_at)?;
    representable("run_policy.end_at", cron.end_at)?;
    match (cron.start_at, cron.end_at) {
        (Some(start), Some(end)) if end < start => {
            invalid("run_policy.end_at", "must not be before start_at")
        }
        _ => Ok(()),
    }
}

fn representable(field: &'static str, at: Option<Timestamp>) -> Result<(), Rejection> {
    match at {
        Some(at) if at > Timestamp::MAX => invalid(field, "must be before the year 10000"),
        _ => Ok(()),
    }
}

impl Repeat {
    /// When run `k` is due, from 0; `start` is when the first one is.
    pub(crate) fn instant(&self, start: Timestamp, k: u32) -> Option<Timestamp> {
        let span = self.interval_ms.checked_mul(k.into())?;
        let at = Timestamp(start.0.checked_add(span)?);
        (at <= Timestamp::MAX).then_some(at)
    }

    /// Whether every one of its instants can be written.
    pub(crate) fn check_instants(&self, start: Timestamp) -> Result<(), Rejection> {
        match self.instant(start, self.count.saturating_sub(1)) {
            Some(_) => Ok(()),
            None => invalid(
                "run_policy.interval_ms",
                "must put the last run before the year 10000",
            ),
        }
    }
}
