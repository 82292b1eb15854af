//! How an act on many runs begins, whoever asks for it, and how it is shown.

use std::time::Duration;

use mainstay::store::{ListError, MatchAsk, Matches, Scope};
use mainstay_client::wire;
use mainstay_core::limits::REASON_BYTES_MAX;
use mainstay_core::{
    Action, Answer, BeginOperation, Command, Operate, OperationId, OperationState, OperationView,
    Outcome, Query, Rejection, Selection, TaskId, TenantId, Text, Timestamp,
};
use tokio::time::{Instant, sleep};

use super::filters::{Given, selection};
use super::lists::refused;
use crate::edge::{Exchange, Failure, Placed, Reading, Reply, wire_code};
use crate::json::{Subject, Writer};

/// Runs that a dry run names.
const PREVIEW_MAX: u32 = 100;
/// How long a small one is waited for before it is answered as it stands.
const SMALL_MAX: Duration = Duration::from_secs(1);
/// The first pause between two looks at one that goes on, and the longest.
const LOOKS: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(50));

/// An act on many runs that is asked for.
pub(super) struct Asked {
    pub(super) action: Action,
    pub(super) filter: Selection,
    pub(super) dry_run: bool,
    pub(super) expected_count: Option<u64>,
    pub(super) reason: Option<Text>,
}

/// What the asking came to.
pub(super) enum Begun {
    /// Nothing happened: what it would act on.
    Preview(Matches),
    /// It goes on, or is over already.
    Started(Started),
}

/// An operation that was begun, now or by an earlier request with the same key.
pub(super) struct Started {
    pub(super) id: OperationId,
    pub(super) created: bool,
}

/// A body's filter, by the rules of the list's parameters.
pub(super) fn read_filter(filter: &wire::RunFilter<'_>) -> Result<Selection, Failure> {
    let pairs: Vec<(&'static str, String)> = filter
        .pairs()
        .map(|(name, value)| (name, value.to_owned()))
        .collect();
    selection(Given(&pairs)).map_err(|failure| {
        let message = format!("cannot be: {}", failure.message());
        Subject::Request.wrong("filter", message)
    })
}

/// Counts what matches and begins to act on it. Asking again with the same key finds the first operation, however many match by now.
pub(super) async fn begin(
    exchange: &Exchange,
    tenant: TenantId,
    asked: &Asked,
) -> Result<Begun, Failure> {
    if let Err(message) = asked.filter.check(asked.action) {
        return Err(Subject::Request.wrong("filter", message));
    }
    // A key that finds an earlier operation is no way around it.
    if asked
        .reason
        .as_ref()
        .is_some_and(|reason| reason.len() > REASON_BYTES_MAX)
    {
        let message = format!("the limit reason_bytes of {REASON_BYTES_MAX} is exceeded");
        return Err(Failure::new("limit_exceeded", message)
            .text("limit", "reason_bytes")
            .number("value", REASON_BYTES_MAX as u64));
    }
    let keyed = exchange.keyed_id("operation", TaskId::default(), None)?;
    let keyed = keyed.map(OperationId);
    if let Some(id) = keyed.filter(|_| !asked.dry_run)
        && let Some(known) = find(exchange, tenant, id).await?
    {
        let operation = &known.value.operation;
        let same = operation.action == asked.action && *operation.filter == asked.filter;
        return match same {
            true => Ok(Begun::Started(Started { id, created: false })),
            false => Err(exchange.key_conflict().at(known.sequence)),
        };
    }
    let found = count(exchange, Scope::Tenant(tenant), asked).await?;
    if asked.dry_run {
        return Ok(Begun::Preview(found));
    }
    let begin = BeginOperation {
        operation: keyed,
        action: asked.action,
        filter: Box::new(asked.filter.clone()),
        matched: found.total,
        through: found.through,
        until: found.until,
        reason: asked.reason.clone(),
        ..BeginOperation::default()
    };
    let mut call = exchange.call_of(Command::Operate(Box::new(Operate::Begin(begin))));
    call.principal.tenant = tenant;
    let placed = exchange.call_by(call).await.map_err(|failure| {
        // Somebody else used the key for something else a moment ago.
        match failure.code() {
            "operation_already_exists" => exchange.key_conflict(),
            _ => failure,
        }
    })?;
    let Outcome::OperationStarted { operation, created } = placed.value else {
        return Err(Failure::internal());
    };
    Ok(Begun::Started(Started {
        id: operation,
        created,
    }))
}

/// What matches, by a store that holds everything durable, as far as it catches up: as many as were expected.
pub(super) async fn count(
    exchange: &Exchange,
    scope: Scope,
    asked: &Asked,
) -> Result<Matches, Failure> {
    let ask = MatchAsk {
        scope,
        action: asked.action,
        filter: asked.filter.clone(),
        after: 0,
        through: 0,
        until: Timestamp(0),
        limit: PREVIEW_MAX,
    };
    let now = exchange.handle().sequence();
    let read = exchange
        .read_stored_at(Reading::List, now, move |library| library.matches(&ask))
        .await?;
    let found = read.value.map_err(|error| match error {
        ListError::Query(what) => Subject::Request.wrong("filter", format!("cannot be: {what}")),
        error => refused(exchange, error),
    })?;
    match asked.expected_count {
        Some(expected) if expected != found.total => {
            let message = "another number of runs matches than was expected; nothing happened";
            Err(Failure::new("expected_count_mismatch", message)
                .number("expected", expected)
                .number("actual", found.total)
                .at(found.through))
        }
        _ => Ok(found),
    }
}

/// An operation, if there is one of this id.
async fn find(
    exchange: &Exchange,
    tenant: TenantId,
    id: OperationId,
) -> Result<Option<Placed<OperationView>>, Failure> {
    let placed = exchange.ask_in(tenant, Query::Operation(id)).await?;
    let (sequence, durable) = (placed.sequence, placed.durable);
    Ok(match placed.value {
        Answer::Operation(view) => Some(Placed {
            value: *view,
            sequence,
            durable,
        }),
        _ => None,
    })
}

/// An operation; the same answer for a foreign id as for one that never was.
pub(super) async fn get(
    exchange: &Exchange,
    tenant: TenantId,
    operation: OperationId,
) -> Result<Placed<OperationView>, Failure> {
    let found = find(exchange, tenant, operation).await?;
    found.ok_or_else(|| Failure::from(Rejection::UnknownOperation { operation }))
}

/// Where an operation stands once it is over, or once so much time has passed.
pub(super) async fn settled(
    exchange: &Exchange,
    tenant: TenantId,
    id: OperationId,
    until: Instant,
) -> Result<Placed<OperationView>, Failure> {
    let mut pause = LOOKS.0;
    loop {
        let view = get(exchange, tenant, id).await?;
        let over = view.value.operation.state != OperationState::Running;
        if over || Instant::now() + pause >= until {
            return Ok(view);
        }
        sleep(pause).await;
        pause = (pause * 2).min(LOOKS.1);
    }
}

/// The answer to a request that begins an operation: a preview, or the operation, final when it is small.
pub(super) async fn answer(exchange: &Exchange, asked: &Asked) -> Result<Reply, Failure> {
    let tenant = exchange.principal.tenant;
    match begin(exchange, tenant, asked).await? {
        Begun::Preview(found) => {
            let mut json = Writer::with_capacity(128 + found.first.len() * 40);
            json.object()
                .string_field("action", asked.action.name())
                .number_field("matched", found.total)
                .name("run_ids")
                .array();
            for run in &found.first {
                json.plain(&run.id);
            }
            json.end_array().end_object();
            Ok(Reply::json(json.done()).at(found.through))
        }
        Begun::Started(started) => {
            let view = settled(exchange, tenant, started.id, Instant::now() + SMALL_MAX).await?;
            let status = if started.created { 201 } else { 200 };
            Ok(show(&view.value).status(status).at(view.sequence))
        }
    }
}

/// An operation as an answer.
pub(super) fn show(view: &OperationView) -> Reply {
    let mut json = Writer::with_capacity(1024);
    write(&mut json, view);
    Reply::json(json.done())
}

/// Writes an operation.
pub(super) fn write(json: &mut Writer, view: &OperationView) {
    let operation = &view.operation;
    json.object()
        .plain_field("operation_id", &view.id)
        .plain_field("tenant_id", &view.tenant)
        .string_field("action", operation.action.name())
        .name("filter");
    write_filter(json, &operation.filter);
    json.maybe("reason", operation.reason.as_ref(), |json, reason| {
        json.string(reason);
    });
    json.string_field("state", operation.state.name())
        .number_field("matched", operation.matched)
        .number_field("done", operation.done)
        .number_field("refused_total", operation.refused_total)
        .name("refused")
        .array();
    for refused in &operation.refused {
        json.object()
            .plain_field("run_id", &refused.run)
            .string_field("code", wire_code(&refused.code))
            .end_object();
    }
    json.end_array()
        .instant_field("created_at", operation.created_at)
        .string_field("created_by", &operation.created_by);
    json.maybe("finished_at", operation.finished_at, |json, at| {
        json.instant(at);
    });
    json.end_object();
}

fn write_filter(json: &mut Writer, filter: &Selection) {
    json.object();
    if let Some(state) = filter.state {
        json.string_field("state", state.name());
    }
    if let Some(task) = filter.task {
        json.plain_field("task_id", &task);
    }
    for (name, text) in [
        ("queue", &filter.queue),
        ("kind", &filter.kind),
        ("tag", &filter.tag),
        ("worker", &filter.worker),
        ("error_code", &filter.error_code),
        ("fingerprint", &filter.fingerprint),
        ("q", &filter.q),
    ] {
        if let Some(text) = text {
            json.string_field(name, text);
        }
    }
    for (name, at) in [
        ("created_after", filter.created_after),
        ("created_before", filter.created_before),
    ] {
        if let Some(at) = at {
            json.instant_field(name, at);
        }
    }
    json.end_object();
}
