//! Dead letters, as those who administer jobs know them: grouped, tried again, cleared away.

use std::time::Duration;

use mainstay::store::{DeadAsk, ListError, Page, Scope};
use mainstay_client::wire;
use mainstay_core::limits::{LIST_LIMIT_MAX, OPERATION_REFUSED_SHOWN_MAX};
use mainstay_core::{
    Action, Answer, Command, Operation, OperationState, Outcome, Query, Selection, TenantId, Text,
};
use tokio::time::Instant;

use super::dead_letters::write_groups;
use super::jobs::{ONE_MAX, within};
use super::lists::unreadable;
use super::operations::{Asked, Begun, begin, count, read_filter, settled};
use super::tasks::reason_of;
use crate::edge::{Exchange, Failure, Placed, Reading, Reply, find_code, wire_code};
use crate::json::{Subject, Writer};

/// How long a command about all dead letters is waited for.
const ALL_MAX: Duration = Duration::from_secs(5);

/// `GET /admin/jobs/dead-letter`.
pub(crate) async fn list(exchange: Exchange) -> Result<Reply, Failure> {
    let ask = DeadAsk {
        scope: exchange.scope,
        filter: Selection::default(),
        page: Page::first(LIST_LIMIT_MAX),
    };
    let read = exchange
        .read_stored(Reading::List, move |library| library.dead_groups(&ask))
        .await?;
    let found = read.value.map_err(broken)?;
    let mut json = Writer::with_capacity(128 + found.groups.len() * 320);
    json.object();
    write_groups(&mut json, &found, ("job_type", "last_job_id"));
    json.number_field("total", found.total)
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
    let done = all(&exchange, Action::Retry, "retried").await?;
    let operation = &done.value;
    let mut json = Writer::new();
    json.object()
        .number_field("retried", operation.done)
        .string_field(
            "message",
            &format!("{} jobs queued for retry", operation.done),
        )
        .name("refused")
        .array();
    for refused in &operation.refused {
        let code = wire_code(&refused.code);
        json.object()
            .plain_field("job_id", &refused.run)
            .string_field("error", code)
            .string_field(
                "message",
                find_code(code).map_or(code, |known| known.meaning),
            )
            .end_object();
    }
    json.end_array().end_object();
    Ok(Reply::json(json.done()).at(done.sequence))
}

/// `POST /admin/jobs/dead-letter/clear`.
pub(crate) async fn clear(exchange: Exchange) -> Result<Reply, Failure> {
    let done = all(&exchange, Action::Clear, "cleared").await?;
    let cleared = done.value.done;
    let mut json = Writer::new();
    json.object()
        .number_field("cleared", cleared)
        .string_field(
            "message",
            &format!("{cleared} jobs removed from dead letter queue"),
        )
        .end_object();
    Ok(Reply::json(json.done()).at(done.sequence))
}

/// Acts on every dead letter that matches and was one when this began: an operation of each tenant, which goes on when nobody waits for it
/// any longer.
async fn all(
    exchange: &Exchange,
    action: Action,
    counted: &'static str,
) -> Result<Placed<Operation>, Failure> {
    let mut asked = asked(exchange, action)?;
    let found = count(exchange, exchange.scope, &asked).await?;
    let mut done = Placed {
        value: Operation::default(),
        sequence: found.through,
        durable: true,
    };
    if asked.dry_run {
        done.value.done = found.total;
        return Ok(done);
    }
    // It holds of all tenants together.
    asked.expected_count = None;
    let mut begun = Vec::new();
    for tenant in tenants(exchange).await? {
        if let Begun::Started(started) = begin(exchange, tenant, &asked).await? {
            begun.push((tenant, started.id));
        }
    }
    let until = Instant::now() + ALL_MAX;
    let mut late = None;
    for (tenant, id) in begun {
        let view = settled(exchange, tenant, id, until).await?;
        let operation = view.value.operation;
        done.value.done += operation.done;
        done.value.refused.extend(operation.refused);
        done.sequence = view.sequence;
        if operation.state == OperationState::Running {
            late = Some(id);
        }
    }
    done.value.refused.truncate(OPERATION_REFUSED_SHOWN_MAX);
    let Some(id) = late else { return Ok(done) };
    let message = format!(
        "not done within {} ms; it goes on as an operation",
        ALL_MAX.as_millis()
    );
    Err(Failure::new("request_timeout", message)
        .text("applied", "applied")
        .text("operation_id", id.to_string())
        .number(counted, done.value.done)
        .at(done.sequence))
}

/// Whose jobs the caller administers.
async fn tenants(exchange: &Exchange) -> Result<Vec<TenantId>, Failure> {
    match (exchange.scope, exchange.ask(Query::Tenants).await?.value) {
        (Scope::Tenant(tenant), _) => Ok(vec![tenant]),
        (Scope::All, Answer::Tenants(all)) => Ok(all.iter().map(|tenant| tenant.id).collect()),
        (Scope::All, _) => Err(Failure::internal()),
    }
}

fn asked(exchange: &Exchange, action: Action) -> Result<Asked, Failure> {
    let body: wire::DeadJobs<'_> = exchange.read(Subject::Request)?;
    let filter = wire::RunFilter {
        kind: body.job_type,
        fingerprint: body.fingerprint,
        ..wire::RunFilter::default()
    };
    Ok(Asked {
        action,
        filter: read_filter(&filter)?,
        dry_run: body.dry_run.unwrap_or(false),
        expected_count: body.expected_count,
        reason: body.reason.as_deref().map(Text::from),
    })
}

fn broken(error: ListError) -> Failure {
    match error {
        ListError::Store(error) => unreadable(&error),
        _ => Failure::internal(),
    }
}
