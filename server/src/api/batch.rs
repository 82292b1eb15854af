//! Submitting many tasks at once.

use mainstay_client::wire;
use mainstay_core::{Call, Outcome, Submitted};

use super::convert;
use super::items::Items;
use super::names::Names;
use crate::edge::{Exchange, Failure, Form, Reply};
use crate::json::{Subject, Writer, read_items, read_lines};

/// Bodies from this size on are read on a thread that may block, so that they do not hold up other requests.
pub(crate) const BIG_BODY_BYTES: usize = 1 << 20;

/// `POST /api/v1/tasks/batch`.
pub(crate) async fn submit(exchange: Exchange) -> Result<Reply, Failure> {
    exchange.refuse_single_headers()?;
    let (exchange, items) = read_aside(exchange, |exchange| {
        let (specs, atomic) = read_specs(exchange)?;
        if atomic {
            Err(Failure::not_supported("atomic"))
        } else {
            Ok(convert_all(exchange, specs))
        }
    })
    .await?;
    let mut json = Writer::with_capacity(32 + items.items.len() * 128);
    json.object().name("results").array();
    let sequence = items
        .settle(&exchange, "tasks", |(), result| {
            write_item(&mut json, &result)
        })
        .await?;
    json.end_array()
        .number_field("sequence", sequence)
        .end_object();
    Ok(Reply::json(json.done()).at(sequence))
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

fn convert_all(exchange: &Exchange, specs: Specs<'_>) -> Items<()> {
    let mut names = Names::default();
    let mut items = Items::with_capacity(specs.len());
    for (index, spec) in specs.into_iter().enumerate() {
        let convert = |spec| {
            convert::submit(exchange, &mut names, spec)
                .map_err(|failure| failure.within("tasks", index))
        };
        match spec.and_then(convert) {
            Ok(command) => items.call(
                (),
                Call {
                    expected_sequence: None,
                    ..exchange.call_of(command)
                },
            ),
            Err(failure) => items.fail((), failure),
        }
    }
    items
}

fn write_item(json: &mut Writer, result: &Result<Outcome, Failure>) {
    json.object();
    match result {
        Ok(Outcome::Submitted(Submitted {
            task, run, created, ..
        })) => {
            json.number_field("status", if *created { 201 } else { 200 })
                .plain_field("task_id", task);
            json.name("run_ids").array().plain(&run.run).end_array();
        }
        Ok(_) => write_failure(json, &Failure::internal()),
        Err(failure) => write_failure(json, failure),
    }
    json.end_object();
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
