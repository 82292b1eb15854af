//! Answers to what the machine asks about calendars.
//! Owns: the calendars that were read before, and how many instants one answer names.
//! Never: lists what it can count.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::zoned::Calendar;
use mainstay_core::{
    Ask, Cron, Instants, RunState, Schedule, TaskView, Text, Timestamp, Unfit, limits,
};

/// Calendars that are kept to be asked again.
const CALENDARS_KEPT: usize = 4096;
/// Instants of one preview.
const PREVIEW_MAX: usize = 1000;

type Read = Result<Arc<Calendar>, Unfit>;

/// Calendars by expression and zone: each is read once.
#[derive(Debug, Default)]
pub(crate) struct Calendars {
    read: BTreeMap<(Text, Text), Read>,
}

impl Calendars {
    fn read(&mut self, cron: &Cron) -> Read {
        let name = (cron.expression.clone(), cron.timezone.clone());
        if let Some(known) = self.read.get(&name) {
            return known.clone();
        }
        let calendar = Calendar::parse(&cron.expression, &cron.timezone).map(Arc::new);
        if self.read.len() >= CALENDARS_KEPT {
            self.read.clear();
        }
        self.read.insert(name, calendar.clone());
        calendar
    }

    /// Answers a question about instants.
    pub(crate) fn answer(&mut self, ask: &Ask) -> Result<Instants, Unfit> {
        let calendar = self.read(&ask.cron)?;
        Ok(answer(&calendar, ask))
    }
}

fn answer(calendar: &Calendar, ask: &Ask) -> Instants {
    let end = ask.cron.end_at.unwrap_or(Timestamp::MAX);
    let after = ask.after;
    let mut through = ask.through.min(end).max(after);
    let mut passed = calendar.count(after, through);
    if passed > ask.most {
        through = nth(calendar, after, through, ask.most);
        passed = ask.most;
    }
    let coming = calendar.after(ask.through.max(after));
    let coming = coming.filter(|coming| passed < ask.most && *coming <= end);
    let mut recent = Vec::new();
    let (mut fresh, mut missed, mut at) = (0, 0, through);
    while (recent.len() as u64) < passed {
        let Some(instant) = calendar.up_to(at).filter(|instant| *instant > after) else {
            break;
        };
        if instant >= ask.fresh_from && fresh < limits::CATCH_UP_MAX {
            fresh += 1;
        } else if missed < ask.missed_max {
            missed += 1;
        } else {
            break;
        }
        recent.push(instant);
        at = Timestamp(instant.0.saturating_sub(1));
    }
    recent.reverse();
    let first = if passed > 0 {
        calendar.after(after)
    } else {
        None
    };
    Instants {
        passed,
        first,
        recent,
        coming,
    }
}

/// The instant with which there have been `most` of them after `after`.
fn nth(calendar: &Calendar, after: Timestamp, through: Timestamp, most: u64) -> Timestamp {
    let (mut low, mut high) = (after.0 / 1000, through.0 / 1000);
    while low < high {
        let middle = low + (high - low) / 2;
        if calendar.count(after, Timestamp(middle * 1000)) >= most {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Timestamp(low * 1000)
}

/// The first instants of a schedule that is submitted at `from`, at most `count` of them and at most 1000.
///
/// # Errors
/// [`Unfit`]: which field of the run policy is none, and why.
pub fn schedule_preview(
    schedule: &Schedule,
    from: Timestamp,
    count: usize,
) -> Result<Vec<Timestamp>, Unfit> {
    let count = count.min(PREVIEW_MAX);
    match schedule {
        Schedule::Repeat(repeat) => {
            let start = repeat.start_at.unwrap_or(from);
            let instants = (0..repeat.count).map_while(|k| {
                let span = repeat.interval_ms.checked_mul(k.into())?;
                let at = Timestamp(start.0.checked_add(span)?);
                (at <= Timestamp::MAX).then_some(at)
            });
            Ok(instants.take(count).collect())
        }
        Schedule::Cron(cron) => {
            let most = cron.max_occurrences.unwrap_or(u64::MAX);
            next_instants(cron, from, most.min(count as u64))
        }
    }
}

/// The instants that a task's schedule will come to, the future run's first, at most `count` of them and at most 1000. A schedule that has
/// ended has none; one that is paused would come to them.
///
/// # Errors
/// [`Unfit`], when the calendar is understood no more.
pub fn coming_instants(task: &TaskView, count: usize) -> Result<Vec<Timestamp>, Unfit> {
    let count = count.min(PREVIEW_MAX);
    let cron = task.schedule.as_deref().and_then(|schedule| {
        let cron = schedule.schedule.cron()?;
        Some((schedule, cron))
    });
    let Some((schedule, cron)) = cron else {
        // All its runs are made: those whose time has not come are in memory.
        let waiting = task
            .runs
            .iter()
            .filter(|run| run.state == RunState::Scheduled);
        return Ok(waiting.map(|run| run.scheduled_at).take(count).collect());
    };
    let Some(next) = schedule.next.filter(|_| !schedule.ended && count > 0) else {
        return Ok(Vec::new());
    };
    let most = cron.max_occurrences.unwrap_or(u64::MAX);
    let most = most
        .saturating_sub(schedule.occurrences.saturating_add(1))
        .min(count as u64 - 1);
    let mut cron = cron.clone();
    cron.end_at = [cron.end_at, task.extras.expires_at]
        .into_iter()
        .flatten()
        .min();
    let mut instants = vec![next];
    instants.extend(next_instants(&cron, next, most)?);
    Ok(instants)
}

fn next_instants(cron: &Cron, from: Timestamp, most: u64) -> Result<Vec<Timestamp>, Unfit> {
    let calendar = Calendar::parse(&cron.expression, &cron.timezone)?;
    let start = cron.start_at.map_or(0, |start| start.0.saturating_sub(1));
    let end = cron.end_at.unwrap_or(Timestamp::MAX);
    let mut at = from.max(Timestamp(start));
    let mut instants = Vec::new();
    while (instants.len() as u64) < most {
        let Some(next) = calendar.after(at).filter(|next| *next <= end) else {
            break;
        };
        instants.push(next);
        at = next;
    }
    Ok(instants)
}
