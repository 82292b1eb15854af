//! Ending attempts, and saving memos inside them.

use mainstay_client::wire;
use mainstay_core::{
    Bytes, Call, CheckpointPut, Command, Fence, Finish, FinishOutcome, Outcome, RunError, RunId,
    RunState, TaskId, TaskSpec, Text,
};

use super::batch::{RunCount, read_aside};
use super::budgets::read_amounts;
use super::convert::{self, json_bytes};
use super::heartbeat::{call_in, named_run, path_run};
use super::items::Items;
use super::names::Names;
use crate::edge::{Exchange, Failure, Reply};
use crate::json::{Subject, Writer, read_items};

/// `POST /api/v1/leases/finish`.
pub(crate) async fn many(exchange: Exchange) -> Result<Reply, Failure> {
    exchange.refuse_expectation()?;
    let (exchange, items) = read_aside(exchange, read_many).await?;
    let mut json = Writer::with_capacity(48 + items.items.len() * 80);
    json.object().name("results").array();
    let write = |run: Named, result, _| write_result(&mut json, &run, &result);
    let sequence = items.settle(&exchange, "results", write).await?.sequence;
    json.end_array()
        .number_field("sequence", sequence)
        .end_object();
    Ok(Reply::json(json.done()).at(sequence))
}

/// A run as an item named it.
enum Named {
    /// With what the end would begin, if it does not end the run.
    Run(RunId, &'static [&'static str]),
    Text(String),
}

/// What a suspension begins: nothing of it, when the run was to be canceled and ends with it.
fn begun(end: &wire::Finish<'_>) -> &'static [&'static str] {
    let some = |count: Option<usize>| count.is_some_and(|count| count > 0);
    let children = some(end.children.as_ref().map(Vec::len));
    let events = some(end.custom_events.as_ref().map(Vec::len));
    match (end.outcome, children, events) {
        (wire::FinishOutcome::Suspended, true, true) => &["children", "custom_events"],
        (wire::FinishOutcome::Suspended, true, false) => &["children"],
        (wire::FinishOutcome::Suspended, false, true) => &["custom_events"],
        _ => &[],
    }
}

/// Where the run stands, and what of its end was not begun.
fn write_state(json: &mut Writer, state: RunState, begun: &[&str]) {
    json.string_field("state", state.name());
    if state == RunState::Canceled && !begun.is_empty() {
        json.name("dropped").array();
        for what in begun {
            json.string(what);
        }
        json.end_array();
    }
}

fn read_many(exchange: &Exchange) -> Result<Items<Named>, Failure> {
    let (ends, _) = read_items(
        &exchange.body.bytes,
        "results",
        Subject::Request,
        |batch: wire::FinishBatch<'_>| (batch.results, false),
    )?;
    let mut names = Names::default();
    let mut runs = RunCount::default();
    let mut items = Items::with_capacity(ends.len());
    for (index, end) in ends.into_iter().enumerate() {
        let end: wire::Finish<'_> = match end {
            Ok(end) => end,
            Err(failure) => {
                items.fail(Named::Text(String::new()), failure);
                continue;
            }
        };
        let named = named_run(exchange, end.run_id.as_deref(), &end.token);
        let built = named
            .and_then(|(run, fence)| Ok((run, call(exchange, &mut names, (run, fence), &end)?)));
        match built {
            Ok((run, call)) => {
                runs.add(&call)?;
                items.call(Named::Run(run, begun(&end)), call);
            }
            Err(failure) => {
                let name = end.run_id.as_deref().unwrap_or_default().to_owned();
                items.fail(Named::Text(name), failure.within("results", index));
            }
        }
    }
    Ok(items)
}

fn write_result(json: &mut Writer, run: &Named, result: &Result<Outcome, Failure>) {
    json.object().name("run_id");
    let begun = match run {
        Named::Run(run, begun) => {
            json.plain(run);
            *begun
        }
        Named::Text(text) => {
            json.string(text);
            &[]
        }
    };
    match result {
        Ok(Outcome::Finished(state)) => write_state(json, *state, begun),
        Ok(_) => Failure::internal().write_fields(json),
        Err(failure) => failure.write_fields(json),
    }
    json.end_object();
}

/// The call that ends an attempt in the worker's words.
fn call(
    exchange: &Exchange,
    names: &mut Names,
    (run, fence): (RunId, Fence),
    end: &wire::Finish<'_>,
) -> Result<Call, Failure> {
    exchange.check_size(
        "output_bytes",
        end.output.as_ref().map(|output| output.text().len()),
    )?;
    let checkpoints = end.checkpoints.iter().flatten();
    let command = Command::Finish(Box::new(Finish {
        run,
        fence,
        outcome: outcome(end.outcome),
        output: end.output.as_ref().map(json_bytes),
        error: end
            .error
            .as_ref()
            .map(|error| Box::new(run_error(names, error))),
        retry_after_ms: end.retry_after_ms,
        reason: end.reason.as_ref().map(|reason| Text::from(&**reason)),
        checkpoints: checkpoints
            .map(|(name, value)| (names.share(name), json_bytes(value)))
            .collect(),
        consumption: read_amounts(names, end.consumption.as_deref().unwrap_or_default()),
        children: children(exchange, names, end.children.as_deref().unwrap_or_default())?,
        custom_events: custom_events(exchange, end.custom_events.as_deref().unwrap_or_default())?,
    }));
    call_in(exchange, end.tenant_id.as_deref(), command)
}

fn children(
    exchange: &Exchange,
    names: &mut Names,
    given: &[wire::TaskSpec<'_>],
) -> Result<Vec<(Option<TaskId>, TaskSpec)>, Failure> {
    let read = |(index, spec)| {
        let read = convert::child(exchange, names, spec);
        let place = |failure: Failure| failure.number("index", index as u64);
        read.map_err(|failure| place(failure.within("children", index)))
    };
    given.iter().enumerate().map(read).collect()
}

fn custom_events(
    exchange: &Exchange,
    given: &[wire::CustomEvent<'_>],
) -> Result<Vec<(Text, Option<Bytes>)>, Failure> {
    let read = |event: &wire::CustomEvent<'_>| {
        let payload = event.payload.as_ref().map(json_bytes);
        exchange.check_size(
            "payload_bytes",
            payload.as_ref().map(|payload| payload.len()),
        )?;
        Ok((Text::from(&*event.key), payload))
    };
    given.iter().map(read).collect()
}

fn outcome(given: wire::FinishOutcome) -> FinishOutcome {
    match given {
        wire::FinishOutcome::Success => FinishOutcome::Success,
        wire::FinishOutcome::Failure => FinishOutcome::Failure,
        wire::FinishOutcome::Suspended => FinishOutcome::Suspended,
        wire::FinishOutcome::Canceled => FinishOutcome::Canceled,
        wire::FinishOutcome::Released => FinishOutcome::Released,
    }
}

fn run_error(names: &mut Names, given: &wire::FinishError<'_>) -> RunError {
    RunError {
        code: names.share(given.code.as_deref().unwrap_or("failed")),
        message: Text::from(given.message.as_deref().unwrap_or_default()),
        retryable: given.retryable.unwrap_or(true),
    }
}

/// `POST /api/v1/runs/{run_id}/finish`.
pub(crate) async fn one(exchange: Exchange) -> Result<Reply, Failure> {
    let (exchange, (run, call, begun)) = read_aside(exchange, |exchange| {
        let end: wire::Finish<'_> = exchange.read(Subject::Request)?;
        let run = path_run(exchange, end.run_id.as_deref())?;
        let fence = exchange.fence(run, &end.token)?;
        let call = call(exchange, &mut Names::default(), (run, fence), &end)?;
        RunCount::default().add(&call)?;
        Ok((run, call, begun(&end)))
    })
    .await?;
    let placed = exchange.call_by(call).await?;
    let Outcome::Finished(state) = placed.value else {
        return Err(Failure::internal());
    };
    let mut json = Writer::new();
    json.object().plain_field("run_id", &run);
    write_state(&mut json, state, begun);
    let sequence = placed.sequence;
    json.number_field("sequence", sequence).end_object();
    Ok(Reply::json(json.done()).at(sequence))
}

/// `POST /api/v1/runs/{run_id}/checkpoints`.
pub(crate) async fn checkpoint(exchange: Exchange) -> Result<Reply, Failure> {
    let (exchange, (run, name, call)) = read_aside(exchange, |exchange| {
        let body: wire::Checkpoint<'_> = exchange.read(Subject::Request)?;
        let run = exchange.run()?;
        let name = Text::from(&*body.name);
        let command = Command::Checkpoint(Box::new(CheckpointPut {
            run,
            fence: exchange.fence(run, &body.token)?,
            name: name.clone(),
            value: json_bytes(&body.value),
        }));
        let call = call_in(exchange, body.tenant_id.as_deref(), command)?;
        Ok((run, name, call))
    })
    .await?;
    let placed = exchange.call_by(call).await?;
    let mut json = Writer::new();
    json.object()
        .plain_field("run_id", &run)
        .string_field("name", &name);
    json.number_field("sequence", placed.sequence).end_object();
    Ok(Reply::json(json.done()).at(placed.sequence))
}
