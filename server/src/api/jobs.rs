//! Jobs, as those who administer them know them: runs, their counters, what became of them.

use std::future::Future;
use std::time::Duration;

use mainstay::store::{From, JobAsk, JobLine, JobPage, ListError};
use mainstay_core::limits::{LIST_LIMIT_MAX, LIST_OFFSET_MAX};
use mainstay_core::{Command, Outcome, RunState};
use tokio::time::timeout;

use super::filters::{Given, invalid_page, page, too_far};
use super::health::{ask_report, mean_ms};
use super::lists::unreadable;
use super::tasks::reason_of;
use crate::edge::{Exchange, Failure, Read, Reading, Reply, invalid_parameter};
use crate::json::Writer;

/// What the list is asked by, as `name type`.
pub(crate) const LIST_PARAMETERS: &[&str] = &[
    "status scheduled|ready|leased|running|retry_wait|suspended|completed|failed|canceled",
    "job_type name",
    "q string",
    "limit limit",
    "offset offset",
];
/// What the history is asked by, as `name type`.
pub(crate) const HISTORY_PARAMETERS: &[&str] = &["page page", "page_size limit", "search string"];

/// Rows of a page of the history when nothing is asked for.
const PAGE_SIZE: u64 = 50;
/// How long one command about one job may take.
pub(super) const ONE_MAX: Duration = Duration::from_secs(1);

/// `GET /admin/jobs/list`.
pub(crate) async fn list(exchange: Exchange) -> Result<Reply, Failure> {
    let given = Given(&exchange.parameters);
    let page = page(given)?;
    let From::Offset(offset) = page.from else {
        return Err(Failure::internal());
    };
    let ask = JobAsk {
        scope: exchange.scope,
        state: given.choice("status", RunState::ALL, |state| state.name())?,
        ended: false,
        kind: given.word("job_type")?,
        q: exchange.parameter("q").map(str::to_owned),
        limit: page.limit,
        offset: offset.into(),
    };
    let read = find(&exchange, ask, "q").await?;
    let found = &read.value;
    let mut json = Writer::with_capacity(128 + found.rows.len() * 160);
    json.object().name("jobs").array();
    for job in &found.rows {
        begin(&mut json, job);
        json.name("priority").number(job.priority).end_object();
    }
    let shown = found.rows.len();
    json.end_array()
        .number_field("total", found.total)
        .string_field("message", &format!("{shown} of {} jobs", found.total))
        .end_object();
    Ok(replied(json, &read))
}

/// `GET /admin/jobs/history`.
pub(crate) async fn history(exchange: Exchange) -> Result<Reply, Failure> {
    let page = natural(&exchange, "page", 1, u64::MAX)?;
    let page_size = natural(&exchange, "page_size", PAGE_SIZE, LIST_LIMIT_MAX.into())?;
    let before = (page - 1).saturating_mul(page_size);
    if before > u64::from(LIST_OFFSET_MAX) {
        let message = format!("page must begin within the first {LIST_OFFSET_MAX} jobs");
        return Err(invalid_page("page", message));
    }
    let ask = JobAsk {
        scope: exchange.scope,
        state: None,
        ended: true,
        kind: None,
        q: exchange.parameter("search").map(str::to_owned),
        limit: page_size as u32,
        offset: before,
    };
    let read = find(&exchange, ask, "search").await?;
    let found = &read.value;
    let mut json = Writer::with_capacity(160 + found.rows.len() * 320);
    json.object().name("jobs").array();
    for job in &found.rows {
        begin(&mut json, job);
        json.name("priority").number(job.priority);
        write_end(&mut json, job);
        json.end_object();
    }
    json.end_array()
        .number_field("page", page)
        .number_field("page_size", page_size)
        .number_field("total_count", found.total)
        .bool_field("has_prev", page > 1)
        .bool_field("has_next", before.saturating_add(page_size) < found.total)
        .end_object();
    Ok(replied(json, &read))
}

/// `GET /admin/jobs/stats`.
pub(crate) async fn stats(exchange: Exchange) -> Result<Reply, Failure> {
    let report = ask_report(&exchange).await?;
    let (counters, life) = (&report.value.counters, &report.value.life);
    let sum = |states: &[RunState]| -> u64 {
        let counts = states
            .iter()
            .map(|one| counters.runs_by_state[*one as usize]);
        counts.sum()
    };
    let pending = [
        RunState::Scheduled,
        RunState::Ready,
        RunState::RetryWait,
        RunState::Suspended,
    ];
    let (completed, failed) = (sum(&[RunState::Completed]), sum(&[RunState::Failed]));
    let rate = match completed + failed {
        0 => 100.0,
        ended => completed as f64 * 100.0 / ended as f64,
    };
    let mut json = Writer::new();
    json.object()
        .number_field("total_enqueued", counters.runs_total)
        .number_field("running", sum(&[RunState::Leased, RunState::Running]))
        .number_field("pending", sum(&pending))
        .number_field("completed", completed)
        .number_field("failed", failed)
        .number_field("dead_letter", report.value.dead_letters)
        .name("avg_execution_ms")
        .real(mean_ms(life))
        .number_field("p95_execution_ms", life.p95_ms)
        .number_field("p99_execution_ms", life.p99_ms)
        .name("success_rate")
        .real(rate)
        .string_field("message", &format!("{} jobs", counters.runs_total))
        .end_object();
    Ok(Reply::json(json.done()).at(report.sequence))
}

/// `POST /admin/jobs/{job_id}/cancel`.
pub(crate) async fn cancel(exchange: Exchange) -> Result<Reply, Failure> {
    let (run, reason) = (exchange.run()?, reason_of(&exchange)?);
    let force = false;
    let command = Command::CancelRun { run, force, reason };
    let placed = within(ONE_MAX, exchange.call(command)).await?;
    match placed.value {
        Outcome::RunCanceled | Outcome::RunCancelRequested => {}
        Outcome::RunAlreadyCanceled | Outcome::RunAlreadyTerminal => {
            return Err(Failure::run_not_found(run).at(placed.sequence));
        }
        _ => return Err(Failure::internal()),
    }
    let mut json = Writer::new();
    json.object()
        .bool_field("success", true)
        .string_field("message", "Job cancellation requested")
        .end_object();
    Ok(Reply::json(json.done()).at(placed.sequence))
}

/// What one command came to, or that nobody waited for its answer any longer: the engine may still apply it.
pub(super) async fn within<T>(
    time: Duration,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    timeout(time, work).await.unwrap_or_else(|_| {
        let message = format!("no answer within {} ms", time.as_millis());
        Err(Failure::new("request_timeout", message).text("applied", "unknown"))
    })
}

async fn find(
    exchange: &Exchange,
    ask: JobAsk,
    search: &'static str,
) -> Result<Read<JobPage>, Failure> {
    let read = exchange
        .read_stored(Reading::List, move |library| library.jobs(&ask))
        .await?;
    let value = read.value.map_err(|error| match error {
        ListError::Query(what) => invalid_parameter(search, &what),
        ListError::Store(error) => unreadable(&error),
        ListError::Offset => too_far(),
        ListError::Limit | ListError::CursorExpired | ListError::CursorInvalid => {
            Failure::internal()
        }
    })?;
    let stale = read.stale;
    Ok(Read { value, stale })
}

fn replied(json: Writer, read: &Read<JobPage>) -> Reply {
    let reply = Reply::json(json.done()).at(read.value.checkpoint);
    reply.stale(read.stale)
}

/// A whole number of at least 1.
fn natural(exchange: &Exchange, name: &'static str, usual: u64, most: u64) -> Result<u64, Failure> {
    let Some(text) = exchange.parameter(name) else {
        return Ok(usual);
    };
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = is_number.then(|| text.parse().unwrap_or(u64::MAX));
    let fits = number.filter(|number| (1..=most).contains(number));
    fits.ok_or_else(|| match most {
        u64::MAX => invalid_page(name, format!("{name} must be a positive integer")),
        _ => invalid_page(name, format!("{name} must be between 1 and {most}")),
    })
}

fn begin(json: &mut Writer, job: &JobLine) {
    json.object()
        .plain_field("id", &job.id)
        .string_field("job_type", &job.kind)
        .string_field("status", job.state.name())
        .instant_field("created_at", job.created_at);
}

fn write_end(json: &mut Writer, job: &JobLine) {
    json.maybe("finished_at", job.finished_at, |json, at| {
        json.instant(at);
    });
    json.number_field("attempt_count", job.attempt_count);
    for (name, text) in [
        ("error_code", &job.error_code),
        ("error_message", &job.error_message),
    ] {
        json.maybe(name, text.as_ref(), |json, text| {
            json.string(text);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{Failure, within};
    use std::time::Duration;

    #[tokio::test]
    async fn a_command_that_nobody_answers_in_time_says_that_it_may_yet_be_applied() {
        let never = std::future::pending::<Result<(), Failure>>();
        let late = within(Duration::from_millis(1), never).await;
        let late = late.expect_err("too late");
        assert_eq!((late.code(), late.status()), ("request_timeout", 408));
        let body = String::from_utf8(late.body()).expect("text");
        assert!(body.contains(r#""applied":"unknown""#), "{body}");
        let done = within(Duration::from_secs(60), async { Ok(7) }).await;
        assert_eq!(done.ok(), Some(7));
    }
}
