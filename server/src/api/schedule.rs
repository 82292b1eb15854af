//! What is coming: the instants of a schedule that somebody thinks of, and of a task's own.

use mainstay_client::wire;
use mainstay_core::{Answer, Query, Rejection, Timestamp, Unfit, check_schedule};

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
    let instants = mainstay::coming_instants(&found.value, next as usize).map_err(unfit)?;
    Ok(answer(&instants, found.sequence))
}

/// Recorded time: what schedules run on.
async fn now(exchange: &Exchange) -> Result<Placed<Timestamp>, Failure> {
    let placed = exchange.ask(Query::Stats).await?;
    match placed.value {
        Answer::Stats(stats) => Ok(Placed {
            value: stats.now,
            sequence: placed.sequence,
            durable: placed.durable,
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
    let Some(schedule) = when.schedule.as_deref() else {
        return Ok(vec![when.run_at.unwrap_or(now)]);
    };
    check_schedule(schedule).map_err(|refused| match refused {
        Rejection::InvalidTask { field, message } => Subject::Request.wrong(field, message),
        other => other.into(),
    })?;
    mainstay::schedule_preview(schedule, now, next).map_err(unfit)
}

/// A field that is no part of a calendar.
fn unfit(unfit: Unfit) -> Failure {
    Subject::Request.wrong(unfit.field, unfit.message)
}
