//! Single tasks: submit, look, cancel.

use mainstay_client::wire;
use mainstay_core::{
    Answer, Command, Outcome, Query, Submitted, TaskCancel, TaskId, TaskView, TenantId, Text,
};

use super::batch::submit_status;
use super::convert;
use super::names::Names;
use super::task_json::{write_run_brief, write_runs, write_task};
use crate::edge::{Exchange, Failure, Placed, Reply};
use crate::json::{Subject, Writer};

/// `POST /api/v1/tasks`.
pub(crate) async fn submit(exchange: Exchange) -> Result<Reply, Failure> {
    let (call, durability) = {
        let mut spec: wire::TaskSpec<'_> = exchange.read(Subject::Task)?;
        let key = exchange.merge_key(spec.idempotency_key.as_deref(), "invalid_task")?;
        spec.idempotency_key = key.map(wire::Str::from);
        convert::submit(&exchange, &mut Names::default(), spec)?
    };
    let tenant = call.principal.tenant;
    let placed = exchange.call_with(call, durability).await?;
    let Outcome::Submitted(submitted) = placed.value else {
        return Err(Failure::internal());
    };
    if !placed.durable {
        return Ok(deferred(&submitted, placed.sequence));
    }
    let found = find_task(&exchange, tenant, submitted.task).await?;
    let view = found.value;
    // The view may be younger than the submit: what is answered reflects the later of the two.
    let sequence = placed.sequence.max(found.sequence);
    let mut json = Writer::with_capacity(1024 + view.payload.bytes.len());
    json.object().name("task");
    write_task(&mut json, &view);
    write_runs(&mut json, &view);
    json.bool_field("created", submitted.created)
        .number_field("sequence", sequence)
        .end_object();
    Ok(Reply::json(json.done())
        .status(if submitted.created { 201 } else { 200 })
        .at(sequence))
}

/// What is known of a task that is on its way to the disk: nobody sees it before it is there.
fn deferred(submitted: &Submitted, sequence: u64) -> Reply {
    let mut json = Writer::new();
    json.object().name("task").object();
    json.plain_field("id", &submitted.task)
        .end_object()
        .name("runs")
        .array();
    for run in std::iter::once(&submitted.run).chain(&submitted.more) {
        write_run_brief(&mut json, run);
    }
    json.end_array()
        .number_field("runs_total", submitted.runs_total)
        .bool_field("created", submitted.created)
        .bool_field("durable", false)
        .number_field("sequence", sequence)
        .end_object();
    let status = submit_status(submitted.created, false);
    Reply::json(json.done()).status(status).at(sequence)
}

/// `GET /api/v1/tasks/{task_id}`.
pub(crate) async fn get(exchange: Exchange) -> Result<Reply, Failure> {
    let found = find_task(&exchange, exchange.principal.tenant, exchange.task()?).await?;
    let mut json = Writer::with_capacity(1024 + found.value.payload.bytes.len());
    write_task(&mut json, &found.value);
    Ok(Reply::json(json.done()).at(found.sequence))
}

/// The task of this id in the tenant.
pub(crate) async fn find_task(
    exchange: &Exchange,
    tenant: TenantId,
    task: TaskId,
) -> Result<Placed<Box<TaskView>>, Failure> {
    let placed = exchange.ask_in(tenant, Query::Task(task)).await?;
    match placed.value {
        Answer::Task(value) => Ok(Placed {
            value,
            sequence: placed.sequence,
            durable: placed.durable,
        }),
        _ => Err(Failure::task_not_found(task).at(placed.sequence)),
    }
}

/// `POST /api/v1/tasks/{task_id}/cancel`.
pub(crate) async fn cancel(exchange: Exchange) -> Result<Reply, Failure> {
    let task = exchange.task()?;
    let reason = reason_of(&exchange)?;
    let placed = exchange.call(Command::CancelTask { task, reason }).await?;
    let Outcome::TaskCanceled(canceled) = placed.value else {
        return Err(Failure::internal());
    };
    let mut json = Writer::new();
    json.object()
        .plain_field("task_id", &task)
        .string_field("status", status_of(&canceled));
    json.number_field("runs_canceled", canceled.runs_canceled);
    json.number_field("runs_cancel_requested", canceled.runs_cancel_requested);
    json.number_field("runs_already_terminal", canceled.runs_already_terminal);
    json.number_field("runs_total", canceled.runs_total);
    json.number_field("descendants_canceled", canceled.descendants_canceled)
        .end_object();
    Ok(Reply::json(json.done()).at(placed.sequence))
}

fn status_of(canceled: &TaskCancel) -> &'static str {
    if canceled.already_canceled {
        "already_canceled"
    } else if canceled.already_terminal {
        "already_terminal"
    } else {
        "canceled"
    }
}

/// The reason in a body that may be empty.
pub(crate) fn reason_of(exchange: &Exchange) -> Result<Option<Text>, Failure> {
    let body: wire::ReasonBody<'_> = exchange.read(Subject::Request)?;
    Ok(body.reason.map(|reason| Text::from(&*reason)))
}
