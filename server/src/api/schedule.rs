//! What is coming: the instants of a schedule that somebody thinks of, and of a task's own.

use mainstay_client::wire;
use mainstay_core::{Answer, Cron, Query, Repeat, RunState, Schedule, TaskView, Timestamp};

use super::names::Names;
use super::run_policy::{When, read_policy};
use super::tasks::find_task;
use crate::edge::{Exchange, Failure, Placed, Reply, invalid_parameter};
use crate::json::{Subject, Writer};

/// Instants shown unless asked otherwise.
const SHOWN: u32 = 10;
/// Instants shown at most.
const SHOWN_MAX: u32 = 1000;

/// `POST /api/v1/schedule/preview`.
pub(crate) async fn preview(exchange: Exchange) -> Result<Reply, Failure> {
    let (when, next) = {
        let body: wire::PreviewBody<'_> = exchange.read(Subject::Request)?;
        let when = read_policy(Subject::Request, &mut Names::default(), &body.run_policy)?;
        (when, body.next.unwrap_or(SHOWN))
    };
    if !(1..=SHOWN_MAX).contains(&next) {
        let message = format!("must be between 1 and {SHOWN_MAX}");
        return Err(Subject::Request.wrong("next", message));
    }
    let now = now(&exchange).await?;
    let instants = instants_of(&when, now.value, next as usize)?;
    Ok(answer(&instants, now.sequence))
}

/// `GET /api/v1/tasks/{task_id}/schedule`.
pub(crate) async fn of_task(exchange: Exchange) -> Result<Reply, Failure> {
    let next = match exchange.parameter("next") {
        None => Some(SHOWN),
        Some(text) => text
            .parse()
            .ok()
            .filter(|next| (1..=SHOWN_MAX).contains(next)),
    };
    let message = format!("must be a number from 1 to {SHOWN_MAX}");
    let next = next.ok_or_else(|| invalid_parameter("next", &message))?;
    let found = find_task(&exchange, exchange.principal.tenant, exchange.task()?).await?;
    let now = now(&exchange).await?;
    let instants = coming(&found.value, now.value, next as usize)?;
    Ok(answer(&instants, found.sequence))
}

/// Recorded time: what schedules run on.
async fn now(exchange: &Exchange) -> Result<Placed<Timestamp>, Failure> {
    let placed = exchange.ask(Query::Stats).await?;
    match placed.value {
        Answer::Stats(stats) => Ok(Placed {
            value: stats.now,
            sequence: placed.sequence,
        }),
        _ => Err(Failure::internal()),
    }
}

fn answer(instants: &[Timestamp], sequence: u64) -> Reply {
    let mut json = Writer::with_capacity(32 + instants.len() * 28);
    json.object().name("occurrences").array();
    for at in instants {
        json.instant(*at);
    }
    json.end_array().end_object();
    Reply::json(json.done()).at(sequence)
}

/// The first instants of a schedule that would begin now.
fn instants_of(when: &When, now: Timestamp, next: usize) -> Result<Vec<Timestamp>, Failure> {
    match when.schedule.as_deref() {
        None => Ok(vec![when.run_at.unwrap_or(now)]),
        Some(Schedule::Repeat(repeat)) => even(repeat, now, next),
        Some(Schedule::Cron(cron)) => calendar(cron, now, next),
    }
}

/// Run k is due at start + k × interval.
fn even(repeat: &Repeat, now: Timestamp, next: usize) -> Result<Vec<Timestamp>, Failure> {
    let start = repeat.start_at.unwrap_or(now);
    let wrong = || Subject::Request.wrong("run_policy.interval_ms", "ends beyond the calendar");
    (0..u64::from(repeat.count))
        .take(next)
        .map(|k| {
            let after = k.checked_mul(repeat.interval_ms);
            let at = after.and_then(|after| start.0.checked_add(after));
            at.filter(|at| *at <= Timestamp::MAX.0)
                .map(Timestamp)
                .ok_or_else(wrong)
        })
        .collect()
}

/// The instants of a calendar after now.
fn calendar(_cron: &Cron, _now: Timestamp, _next: usize) -> Result<Vec<Timestamp>, Failure> {
    Err(Failure::not_supported("run_policy.type"))
}

/// What is still to come of a task.
fn coming(task: &TaskView, now: Timestamp, next: usize) -> Result<Vec<Timestamp>, Failure> {
    let cron = task
        .schedule
        .as_deref()
        .and_then(|view| Some((view, view.schedule.cron()?)));
    let Some((view, cron)) = cron else {
        let waiting = task
            .runs
            .iter()
            .filter(|run| run.state == RunState::Scheduled);
        return Ok(waiting.take(next).map(|run| run.scheduled_at).collect());
    };
    if view.ended {
        return Ok(Vec::new());
    }
    calendar(cron, now, next)
}
