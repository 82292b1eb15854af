//! Single runs: look, explain, cancel, suspend, resume, try again.

use mainstay_client::wire;
use mainstay_core::{Answer, Call, Command, Outcome, Query, RunId, Text};

use super::convert::json_bytes;
use super::run_json::{write_explain, write_run};
use super::subscriptions::run_state;
use super::tasks::reason_of;
use crate::edge::{Exchange, Failure, Placed, Reply, invalid_parameter};
use crate::json::{Subject, Writer};

/// `GET /api/v1/runs/{run_id}`.
pub(crate) async fn get(exchange: Exchange) -> Result<Reply, Failure> {
    let run = exchange.run()?;
    let placed = exchange.ask(Query::Run(run)).await?;
    let Answer::Run(view) = placed.value else {
        return Err(Failure::run_not_found(run).at(placed.sequence));
    };
    let mut json = Writer::with_capacity(4096);
    write_run(&mut json, &view);
    Ok(Reply::json(json.done()).at(placed.sequence))
}

/// `GET /api/v1/runs/{run_id}/explain`.
pub(crate) async fn explain(exchange: Exchange) -> Result<Reply, Failure> {
    let run = exchange.run()?;
    let placed = exchange.ask(Query::Explain(run)).await?;
    let Answer::Explain(explain) = placed.value else {
        return Err(Failure::run_not_found(run).at(placed.sequence));
    };
    let mut json = Writer::new();
    write_explain(&mut json, &explain);
    Ok(Reply::json(json.done()).at(placed.sequence))
}

/// `POST /api/v1/runs/{run_id}/cancel`.
pub(crate) async fn cancel(exchange: Exchange) -> Result<Reply, Failure> {
    let force = match exchange.parameter("force") {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(invalid_parameter("force", "must be true or false")),
    };
    let run = exchange.run()?;
    let reason = reason_of(&exchange)?;
    change(&exchange, run, Command::CancelRun { run, force, reason }).await
}

/// `POST /api/v1/runs/{run_id}/suspend`.
pub(crate) async fn suspend(exchange: Exchange) -> Result<Reply, Failure> {
    let run = exchange.run()?;
    let reason = reason_of(&exchange)?;
    change(&exchange, run, Command::SuspendRun { run, reason }).await
}

/// `POST /api/v1/runs/{run_id}/resume`.
pub(crate) async fn resume(exchange: Exchange) -> Result<Reply, Failure> {
    let run = exchange.run()?;
    let (payload, reason) = {
        let body: wire::ResumeRun<'_> = exchange.read(Subject::Request)?;
        (
            body.payload.as_ref().map(json_bytes),
            body.reason.as_deref().map(Text::from),
        )
    };
    exchange.check_size(
        "payload_bytes",
        payload.as_ref().map(|payload| payload.len()),
    )?;
    let placed = exchange
        .call_because(Command::ResumeRun { run, payload }, reason)
        .await?;
    changed(run, &placed)
}

/// `POST /api/v1/runs/{run_id}/retry`.
pub(crate) async fn retry(exchange: Exchange) -> Result<Reply, Failure> {
    let run = exchange.run()?;
    let (reason, expected_state) = {
        let body: wire::RetryRun<'_> = exchange.read(Subject::Request)?;
        let reason = body.reason.as_deref().map(Text::from);
        (reason, body.expected_state.map(run_state))
    };
    let call = Call {
        expected_state,
        ..exchange.call_of(Command::RetryRun { run, reason })
    };
    let placed = exchange.call_by(call).await?;
    let Outcome::RunRetried { run, retry_of } = placed.value else {
        return Err(Failure::internal());
    };
    let mut json = Writer::new();
    json.object()
        .plain_field("run_id", &run)
        .plain_field("retry_of", &retry_of)
        .end_object();
    Ok(Reply::json(json.done()).status(201).at(placed.sequence))
}

async fn change(exchange: &Exchange, run: RunId, command: Command) -> Result<Reply, Failure> {
    changed(run, &exchange.call(command).await?)
}

fn changed(run: RunId, placed: &Placed<Outcome>) -> Result<Reply, Failure> {
    let status = match placed.value {
        Outcome::RunCanceled => "canceled",
        Outcome::RunCancelRequested => "cancel_requested",
        Outcome::RunAlreadyCanceled => "already_canceled",
        Outcome::RunAlreadyTerminal => "already_terminal",
        Outcome::RunSuspendRequested => "suspend_requested",
        Outcome::RunResumed => "resumed",
        _ => return Err(Failure::internal()),
    };
    let mut json = Writer::new();
    json.object()
        .plain_field("run_id", &run)
        .string_field("status", status)
        .end_object();
    Ok(Reply::json(json.done()).at(placed.sequence))
}
