//! Lists of tasks and of runs.

use mainstay::store::{From, ListError, Listed, Page, RunLine, StoreError, TaskLine};

use super::filters::{Given, invalid_page, run_ask, task_ask, too_far};
use super::task_json::write_task_line;
use crate::edge::{Exchange, Failure, Read, Reading, Reply, invalid_parameter};
use crate::json::Writer;

/// Bytes of a row, about.
const ROW_BYTES: usize = 512;

/// `GET /api/v1/tasks`.
pub(crate) async fn tasks(exchange: Exchange) -> Result<Reply, Failure> {
    let ask = task_ask(exchange.scope, Given(&exchange.parameters))?;
    let page = ask.page.clone();
    let read = exchange
        .read_stored(Reading::List, move |library| library.tasks(&ask))
        .await?;
    answer(&exchange, "tasks", &page, read, |json, line: &TaskLine| {
        write_task_line(json, line);
    })
}

/// `GET /api/v1/runs`.
pub(crate) async fn runs(exchange: Exchange) -> Result<Reply, Failure> {
    let ask = run_ask(exchange.scope, Given(&exchange.parameters))?;
    let page = ask.page.clone();
    let read = exchange
        .read_stored(Reading::List, move |library| library.runs(&ask))
        .await?;
    answer(&exchange, "runs", &page, read, write_run_line)
}

/// A page as an answer.
pub(super) fn answer<T>(
    exchange: &Exchange,
    name: &str,
    page: &Page,
    read: Read<Result<Listed<T>, ListError>>,
    write: impl Fn(&mut Writer, &T),
) -> Result<Reply, Failure> {
    let listed = read.value.map_err(|error| refused(exchange, error))?;
    let mut json = Writer::with_capacity(128 + listed.rows.len() * ROW_BYTES);
    json.object().name(name).array();
    for row in &listed.rows {
        write(&mut json, row);
    }
    let offset = match page.from {
        From::Offset(offset) => offset,
        From::Cursor(_) => 0,
    };
    json.end_array()
        .number_field("limit", page.limit)
        .number_field("offset", offset);
    json.maybe("next_cursor", listed.next_cursor, |json, cursor| {
        json.string(&exchange.seal_cursor(&cursor));
    });
    json.end_object();
    Ok(Reply::json(json.done())
        .at(listed.checkpoint)
        .stale(read.stale))
}

fn write_run_line(json: &mut Writer, line: &RunLine) {
    json.object()
        .plain_field("run_id", &line.id)
        .plain_field("task_id", &line.task)
        .plain_field("tenant_id", &line.tenant);
    json.string_field("kind", &line.kind)
        .string_field("queue", &line.queue)
        .string_field("state", line.state.name());
    json.instant_field("created_at", line.created_at)
        .instant_field("scheduled_at", line.scheduled_at)
        .number_field("attempt_count", line.attempt_count);
    json.maybe(
        "concurrency_key",
        line.concurrency_key.as_ref(),
        |json, key| {
            json.string(key);
        },
    );
    json.end_object();
}

pub(super) fn refused(exchange: &Exchange, error: ListError) -> Failure {
    match error {
        ListError::CursorExpired => {
            let oldest = exchange.handle().metrics().log_oldest_sequence;
            let message = "the cursor is of another log; begin again without one";
            Failure::new("cursor_expired", message).number("oldest", oldest.saturating_sub(1))
        }
        ListError::CursorInvalid => Failure::invalid_cursor(),
        ListError::Limit => invalid_page("limit", ListError::Limit.to_string()),
        ListError::Offset => too_far(),
        ListError::Query(what) => invalid_parameter("q", &what),
        ListError::Store(error) => unreadable(&error),
    }
}

/// What cannot be read is the operator's to know, not the caller's.
pub(super) fn unreadable(_error: &StoreError) -> Failure {
    Failure::not_ready("not able to read its store")
}
