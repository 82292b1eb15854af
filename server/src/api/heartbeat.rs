//! Keeping leases alive.

use mainstay_client::wire;
use mainstay_core::{Beat, Call, Command, Fence, HeartbeatItem, Outcome, RunId};

use super::batch::read_aside;
use super::convert::json_bytes;
use super::items::Items;
use crate::edge::{Exchange, Failure, Reply, read_run};
use crate::json::{Subject, Writer, read_items};

/// `POST /api/v1/leases/heartbeat`.
pub(crate) async fn many(exchange: Exchange) -> Result<Reply, Failure> {
    exchange.refuse_expectation()?;
    let (exchange, items) = read_aside(exchange, read_many).await?;
    let mut json = Writer::with_capacity(32 + items.items.len() * 128);
    json.object().name("results").array();
    let write = |run: String, result, _| write_result(&mut json, &run, &result);
    let sequence = items.settle(&exchange, "leases", write).await?.sequence;
    json.end_array().end_object();
    Ok(Reply::json(json.done()).at(sequence).unwritten())
}

fn read_many(exchange: &Exchange) -> Result<Items<String>, Failure> {
    let (beats, _) = read_items(
        &exchange.body.bytes,
        "leases",
        Subject::Request,
        |batch: wire::HeartbeatBatch<'_>| (batch.leases, false),
    )?;
    let mut items = Items::with_capacity(beats.len());
    for (index, beat) in beats.into_iter().enumerate() {
        let beat: wire::Heartbeat<'_> = match beat {
            Ok(beat) => beat,
            Err(failure) => {
                items.fail(String::new(), failure);
                continue;
            }
        };
        let name = beat.run_id.as_deref().unwrap_or_default().to_owned();
        let named = named_run(exchange, beat.run_id.as_deref(), &beat.token);
        let call = named.and_then(|(run, fence)| {
            call_in(
                exchange,
                beat.tenant_id.as_deref(),
                command(run, fence, &beat),
            )
        });
        match call {
            Ok(call) => items.call(name, call),
            Err(failure) => items.fail(name, failure.within("leases", index)),
        }
    }
    Ok(items)
}

fn command(run: RunId, fence: Fence, beat: &wire::Heartbeat<'_>) -> Command {
    let progress = beat.progress.as_ref().map(json_bytes);
    Command::Heartbeat(HeartbeatItem {
        run,
        fence,
        lease_ms: beat.lease_ms,
        progress,
    })
}

/// The run and the fence that an item names. A token that cannot be read is one that is not held.
pub(crate) fn named_run(
    exchange: &Exchange,
    run_id: Option<&str>,
    token: &str,
) -> Result<(RunId, Fence), Failure> {
    let Some(text) = run_id else {
        return Err(Failure::new("invalid_request", "run_id is required").text("field", "run_id"));
    };
    let run = read_run(text)?;
    Ok((run, exchange.fence(run, token)?))
}

/// A call about a lease of the tenant that its holder names, as a claim over all tenants told it.
pub(crate) fn call_in(
    exchange: &Exchange,
    tenant: Option<&str>,
    command: Command,
) -> Result<Call, Failure> {
    let mut call = exchange.call_of(command);
    call.principal.tenant = exchange.tenant_of(Subject::Request, tenant)?;
    Ok(call)
}

/// The run of the path; a body that names another is refused.
pub(crate) fn path_run(exchange: &Exchange, named: Option<&str>) -> Result<RunId, Failure> {
    let run = exchange.run()?;
    match named {
        Some(text) if read_run(text)? != run => Err(Failure::new(
            "invalid_request",
            "run_id differs from the run in the path",
        )
        .text("field", "run_id")),
        _ => Ok(run),
    }
}

fn write_result(json: &mut Writer, run: &str, result: &Result<Outcome, Failure>) {
    json.object().string_field("run_id", run);
    match result {
        Ok(Outcome::Beat(beat)) => write_beat(json, beat),
        Ok(_) => Failure::internal().write_fields(json),
        // The one error that every worker must expect is answered in the contract's short form.
        Err(failure) if failure.code() == "lease_lost" => {
            json.string_field("error", failure.code());
        }
        Err(failure) => failure.write_fields(json),
    }
    json.end_object();
}

fn write_beat(json: &mut Writer, beat: &Beat) {
    json.instant_field("expires_at", beat.expires_at)
        .string_field("directive", beat.directive.name());
}

/// `POST /api/v1/runs/{run_id}/heartbeat`.
pub(crate) async fn one(exchange: Exchange) -> Result<Reply, Failure> {
    let (run, call): (RunId, Call) = {
        let beat: wire::Heartbeat<'_> = exchange.read(Subject::Request)?;
        let run = path_run(&exchange, beat.run_id.as_deref())?;
        let fence = exchange.fence(run, &beat.token)?;
        let tenant = beat.tenant_id.as_deref();
        (run, call_in(&exchange, tenant, command(run, fence, &beat))?)
    };
    let placed = exchange.call_by(call).await?;
    let Outcome::Beat(beat) = placed.value else {
        return Err(Failure::internal());
    };
    let mut json = Writer::new();
    json.object().plain_field("run_id", &run);
    write_beat(&mut json, &beat);
    json.end_object();
    Ok(Reply::json(json.done()).at(placed.sequence).unwritten())
}
