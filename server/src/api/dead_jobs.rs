//! Dead letters, as those who administer jobs know them: grouped, tried again, cleared away.

use std::time::{Duration, Instant};

use mainstay::Durability;
use mainstay::store::{DeadAsk, DeadLetter, ListError};
use mainstay_client::wire;
use mainstay_core::limits::LIST_LIMIT_MAX;
use mainstay_core::{Call, Command, Fingerprint, Outcome, Principal, Rejection, RunId, Text};

use super::jobs::{ONE_MAX, within};
use super::lists::unreadable;
use super::tasks::reason_of;
use crate::edge::{Exchange, Failure, Reading, Reply};
use crate::json::{Subject, Writer};

/// How long a command about all dead letters may take.
const ALL_MAX: Duration = Duration::from_secs(5);
/// Dead letters that are dealt with at a time.
const PIECE: u32 = 500;
/// Refused ones that an answer names.
const REFUSED_SHOWN_MAX: usize = 100;

/// `GET /admin/jobs/dead-letter`.
pub(crate) async fn list(exchange: Exchange) -> Result<Reply, Failure> {
    let ask = DeadAsk {
        scope: exchange.scope,
        kind: None,
        fingerprint: None,
        limit: LIST_LIMIT_MAX,
    };
    let read = exchange
        .read_stored(Reading::List, move |library| library.dead_groups(&ask))
        .await?;
    let found = read.value.map_err(broken)?;
    let mut json = Writer::with_capacity(128 + found.groups.len() * 320);
    json.object().name("groups").array();
    for group in &found.groups {
        json.object()
            .plain_field("fingerprint", &group.fingerprint)
            .string_field("job_type", &group.kind);
        for (name, text) in [
            ("error_code", &group.error_code),
            ("error_message", &group.error_message),
        ] {
            json.maybe(name, text.as_ref(), |json, text| {
                json.string(text);
            });
        }
        json.number_field("count", group.count)
            .instant_field("last_at", group.last_at)
            .plain_field("last_job_id", &group.last)
            .end_object();
    }
    json.end_array()
        .number_field("total", found.total)
        .string_field("message", &format!("{} dead letters", found.total))
        .end_object();
    let reply = Reply::json(json.done()).at(found.checkpoint);
    Ok(reply.stale(read.stale))
}

/// `POST /admin/jobs/{job_id}/retry`.
pub(crate) async fn retry(exchange: Exchange) -> Result<Reply, Failure> {
    let (run, reason) = (exchange.run()?, reason_of(&exchange)?);
    let command = Command::RetryRun { run, reason };
    let placed = match within(ONE_MAX, exchange.call(command)).await {
        // What is no dead letter is nothing to be tried again here.
        Err(failure) if failure.code() == "not_dead_lettered" => {
            return Err(Failure::run_not_found(run));
        }
        other => other?,
    };
    let Outcome::RunRetried { run, .. } = placed.value else {
        return Err(Failure::internal());
    };
    let mut json = Writer::new();
    json.object()
        .bool_field("success", true)
        .string_field("message", "Job queued for retry")
        .plain_field("run_id", &run)
        .end_object();
    Ok(Reply::json(json.done()).at(placed.sequence))
}

/// `POST /admin/jobs/retry-all`.
pub(crate) async fn retry_all(exchange: Exchange) -> Result<Reply, Failure> {
    let done = all(&exchange, "retried", |run, reason| Command::RetryRun {
        run,
        reason,
    })
    .await?;
    let mut json = Writer::new();
    json.object()
        .number_field("retried", done.count)
        .string_field("message", &format!("{} jobs queued for retry", done.count))
        .name("refused")
        .array();
    for (run, rejection) in &done.refused {
        json.object()
            .plain_field("job_id", run)
            .string_field("error", rejection.code())
            .string_field("message", &rejection.to_string())
            .end_object();
    }
    json.end_array().end_object();
    Ok(Reply::json(json.done()).at(done.sequence))
}

/// `POST /admin/jobs/dead-letter/clear`.
pub(crate) async fn clear(exchange: Exchange) -> Result<Reply, Failure> {
    let done = all(&exchange, "cleared", |run, reason| {
        Command::ClearDeadLetter { run, reason }
    })
    .await?;
    let message = format!("{} jobs removed from dead letter queue", done.count);
    let mut json = Writer::new();
    json.object()
        .number_field("cleared", done.count)
        .string_field("message", &message)
        .end_object();
    Ok(Reply::json(json.done()).at(done.sequence))
}

/// What became of all dead letters that matched.
#[derive(Default)]
struct Done {
    count: u64,
    refused: Vec<(RunId, Rejection)>,
    sequence: u64,
}

/// Deals with every dead letter that matches and was one when this began, a piece at a time. What it did stays done.
async fn all(
    exchange: &Exchange,
    counted: &'static str,
    command: fn(RunId, Option<Text>) -> Command,
) -> Result<Done, Failure> {
    exchange.refuse_expectation()?;
    let (ask, expected, dry_run, reason) = asked(exchange)?;
    let until = Instant::now() + ALL_MAX;
    let filter = ask.clone();
    let read = exchange
        .read_stored(Reading::List, move |library| library.dead_groups(&filter))
        .await?;
    let found = read.value.map_err(broken)?;
    if let Some(expected) = expected.filter(|expected| *expected != found.total) {
        let message = "another number of dead letters matches than was expected";
        return Err(Failure::new("expected_count_mismatch", message)
            .number("expected", expected)
            .number("actual", found.total));
    }
    let mut done = Done {
        sequence: found.checkpoint,
        ..Done::default()
    };
    if dry_run {
        done.count = found.total;
        return Ok(done);
    }
    let (mut after, last) = (0, found.checkpoint);
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let applied = if done.count > 0 {
                "applied"
            } else {
                "not_applied"
            };
            return Err(late(counted, &done, applied));
        }
        let piece = next(exchange, &ask, after).await?;
        let piece: Vec<DeadLetter> = piece.into_iter().filter(|it| it.number <= last).collect();
        let Some(end) = piece.last() else {
            return Ok(done);
        };
        after = end.number;
        let calls = piece.iter().map(|letter| Call {
            principal: Principal {
                tenant: letter.tenant,
                ..exchange.principal.clone()
            },
            ..exchange.call_of(command(letter.id, reason.clone()))
        });
        let calls = exchange.call_many(calls.collect(), Durability::Immediate);
        let Ok(placed) = tokio::time::timeout(left, calls).await else {
            return Err(late(counted, &done, "unknown"));
        };
        let placed = placed?;
        done.sequence = placed.sequence;
        for (letter, outcome) in piece.iter().zip(placed.value) {
            match outcome {
                Ok(_) => done.count += 1,
                Err(rejection) if done.refused.len() < REFUSED_SHOWN_MAX => {
                    done.refused.push((letter.id, rejection));
                }
                Err(_) => {}
            }
        }
    }
}

type Asked = (DeadAsk, Option<u64>, bool, Option<Text>);

fn asked(exchange: &Exchange) -> Result<Asked, Failure> {
    let body: wire::DeadJobs<'_> = exchange.read(Subject::Request)?;
    let fingerprint = body.fingerprint.as_deref().map(|text| {
        let wrong = || Subject::Request.wrong("fingerprint", "must be 16 hexadecimal digits");
        Fingerprint::parse(text).ok_or_else(wrong)
    });
    let ask = DeadAsk {
        scope: exchange.scope,
        kind: body.job_type.as_deref().map(Text::from),
        fingerprint: fingerprint.transpose()?,
        limit: PIECE,
    };
    let reason = body.reason.as_deref().map(Text::from);
    Ok((
        ask,
        body.expected_count,
        body.dry_run.unwrap_or(false),
        reason,
    ))
}

async fn next(exchange: &Exchange, ask: &DeadAsk, after: u64) -> Result<Vec<DeadLetter>, Failure> {
    let ask = ask.clone();
    let read = exchange
        .read_stored(Reading::List, move |library| {
            library.dead_letters(&ask, after)
        })
        .await?;
    read.value.map_err(broken)
}

fn late(counted: &'static str, done: &Done, applied: &'static str) -> Failure {
    let message = format!(
        "not done within {} ms; ask again for the rest",
        ALL_MAX.as_millis()
    );
    Failure::new("request_timeout", message)
        .text("applied", applied)
        .number(counted, done.count)
        .at(done.sequence)
}

fn broken(error: ListError) -> Failure {
    match error {
        ListError::Store(error) => unreadable(&error),
        _ => Failure::internal(),
    }
}
