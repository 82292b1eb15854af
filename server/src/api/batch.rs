//! Submitting many tasks at once.

use mainstay::Durability;
use mainstay_client::wire;
use mainstay_core::limits::RUNS_PER_REQUEST_MAX;
use mainstay_core::{Call, Command, Outcome, Submitted};

use super::convert;
use super::items::{Items, Settled};
use super::names::Names;
use crate::edge::{Exchange, Failure, Form, Reply};
use crate::json::{Subject, Writer, read_items, read_lines};

/// Bodies from this size on are read on a thread that may block, so that they do not hold up other requests.
pub(crate) const BIG_BODY_BYTES: usize = 1 << 20;

/// `POST /api/v1/tasks/batch`.
pub(crate) async fn submit(exchange: Exchange) -> Result<Reply, Failure> {
    let (exchange, asked) = read_aside(exchange, |exchange| {
        let (specs, atomic) = read_specs(exchange)?;
        if atomic {
            convert_together(exchange, specs)
        } else {
            exchange.refuse_expectation()?;
            convert_all(exchange, specs).map(Asked::Apart)
        }
    })
    .await?;
    let mut json = Writer::new();
    json.object().name("results").array();
    let settled = match asked {
        Asked::Apart(items) => {
            let write = |(), result, durable| write_item(&mut json, &result, durable);
            items.settle(&exchange, "tasks", write).await?
        }
        Asked::Together(call, durability) => {
            let placed = exchange.call_with(*call, durability).await?;
            let Outcome::SubmittedAll(told) = placed.value else {
                return Err(Failure::internal());
            };
            for told in told {
                write_item(&mut json, &Ok(Outcome::Submitted(told)), placed.durable);
            }
            Settled {
                sequence: placed.sequence,
                durable: placed.durable,
            }
        }
    };
    json.end_array().number_field("sequence", settled.sequence);
    if !settled.durable {
        json.bool_field("durable", false);
    }
    json.end_object();
    Ok(Reply::json(json.done()).at(settled.sequence))
}

/// What a batch asks of the engine.
enum Asked {
    /// Each task by itself.
    Apart(Items<()>),
    /// All of them or none.
    Together(Box<Call>, Durability),
}

type Specs<'a> = Vec<Result<wire::TaskSpec<'a>, Failure>>;

fn read_specs(exchange: &Exchange) -> Result<(Specs<'_>, bool), Failure> {
    let body = &exchange.body.bytes;
    match exchange.form {
        Form::Lines => Ok((read_lines(body, "tasks", Subject::Task)?, false)),
        Form::Json => read_items(
            body,
            "tasks",
            Subject::Task,
            |batch: wire::SubmitBatch<'_>| (batch.tasks, batch.atomic.unwrap_or(false)),
        ),
    }
}

fn convert_all(exchange: &Exchange, specs: Specs<'_>) -> Result<Items<()>, Failure> {
    let mut runs = RunCount::default();
    let mut names = Names::default();
    let mut items = Items::with_capacity(specs.len());
    let mut deferred = 0;
    for (index, spec) in specs.into_iter().enumerate() {
        let convert = |spec| {
            convert::submit(exchange, &mut names, spec)
                .map_err(|failure| failure.within("tasks", index))
        };
        match spec.and_then(convert) {
            Ok((call, durability)) => {
                runs.add(&call)?;
                deferred += usize::from(durability == Durability::Deferred);
                items.call((), call);
            }
            Err(failure) => items.fail((), failure),
        }
    }
    // One frame holds many tasks: while one of them is waited for, so are the others.
    if deferred == items.calls.len() && deferred > 0 {
        items.durability = Durability::Deferred;
    }
    Ok(items)
}

/// One call for all tasks: the first that cannot be read refuses them all.
fn convert_together(exchange: &Exchange, specs: Specs<'_>) -> Result<Asked, Failure> {
    let mut names = Names::default();
    let mut call = exchange.call_of(Command::SubmitAll(Vec::new()));
    let mut tasks = Vec::with_capacity(specs.len());
    let mut deferred = 0;
    for (index, spec) in specs.into_iter().enumerate() {
        let mut convert = |spec| -> Result<(), Failure> {
            let (tenant, durability, task) = convert::task_of(exchange, &mut names, spec)?;
            if index > 0 && tenant != call.principal.tenant {
                let message = "must be the same for every task of an atomic batch";
                return Err(Subject::Task.wrong("tenant_id", message));
            }
            call.principal.tenant = tenant;
            deferred += usize::from(durability == Durability::Deferred);
            tasks.push(task);
            Ok(())
        };
        let read =
            spec.and_then(|spec| convert(spec).map_err(|failure| failure.within("tasks", index)));
        read.map_err(|failure| failure.number("index", index as u64))?;
    }
    let durability = match deferred > 0 && deferred == tasks.len() {
        true => Durability::Deferred,
        false => Durability::Immediate,
    };
    call.command = Command::SubmitAll(tasks);
    Ok(Asked::Together(Box::new(call), durability))
}

/// How many runs a request makes.
#[derive(Debug, Default)]
pub(crate) struct RunCount(usize);

impl RunCount {
    /// Adds the runs that a call makes; beyond the limit the whole request is refused.
    pub(crate) fn add(&mut self, call: &Call) -> Result<(), Failure> {
        self.0 += call.command.runs_made();
        if self.0 <= RUNS_PER_REQUEST_MAX {
            return Ok(());
        }
        let message = format!("a request makes at most {RUNS_PER_REQUEST_MAX} runs");
        Err(Failure::new("limit_exceeded", message)
            .text("limit", "runs_per_request")
            .number("value", RUNS_PER_REQUEST_MAX as u64))
    }
}

fn write_item(json: &mut Writer, result: &Result<Outcome, Failure>, durable: bool) {
    json.object();
    match result {
        Ok(Outcome::Submitted(Submitted {
            task,
            run,
            more,
            created,
            ..
        })) => {
            json.number_field("status", submit_status(*created, durable))
                .plain_field("task_id", task);
            json.name("run_ids").array().plain(&run.run);
            for run in more {
                json.plain(&run.run);
            }
            json.end_array();
        }
        Ok(_) => write_failure(json, &Failure::internal()),
        Err(failure) => write_failure(json, failure),
    }
    json.end_object();
}

/// Accepted but not on disk yet, created, or found.
pub(crate) fn submit_status(created: bool, durable: bool) -> u16 {
    match (created, durable) {
        (true, false) => 202,
        (true, true) => 201,
        (false, _) => 200,
    }
}

fn write_failure(json: &mut Writer, failure: &Failure) {
    json.number_field("status", failure.status());
    failure.write_fields(json);
}

/// Reads a body here when it is small, and on a blocking thread when it is big.
pub(crate) async fn read_aside<T: Send + 'static>(
    exchange: Exchange,
    read: impl FnOnce(&Exchange) -> Result<T, Failure> + Send + 'static,
) -> Result<(Exchange, T), Failure> {
    if exchange.body.bytes.len() < BIG_BODY_BYTES {
        let value = read(&exchange)?;
        return Ok((exchange, value));
    }
    let both =
        tokio::task::spawn_blocking(move || read(&exchange).map(|value| (exchange, value))).await;
    both.unwrap_or_else(|_| Err(Failure::internal()))
}
