//! Dead letters: listed, grouped, cleared away.

use mainstay::store::{DeadAsk, DeadGroups, DeadLetter};
use mainstay_client::wire;
use mainstay_core::{Action, Command, Outcome, Text};

use super::filters::{Given, page, selection};
use super::lists::{answer as listed, refused};
use super::operations::{Asked, answer, read_filter};
use super::tasks::reason_of;
use crate::edge::{Exchange, Failure, Reading, Reply};
use crate::json::{Subject, Writer};

/// What the list is asked by, as `name type`.
pub(crate) const PARAMETERS: &[&str] = &[
    "limit limit",
    "offset offset",
    "cursor cursor",
    "group =fingerprint",
    "task_id uuid",
    "queue name",
    "kind name",
    "tag tag",
    "worker worker",
    "error_code error_code",
    "fingerprint fingerprint",
    "created_after instant",
    "created_before instant",
    "q string",
];

/// `GET /api/v1/dead-letters`.
pub(crate) async fn list(exchange: Exchange) -> Result<Reply, Failure> {
    let given = Given(&exchange.parameters);
    let ask = DeadAsk {
        scope: exchange.scope,
        filter: selection(given)?,
        page: page(given)?,
    };
    if given.choice("group", &[()], |()| "fingerprint")?.is_some() {
        return groups(&exchange, ask).await;
    }
    let page = ask.page.clone();
    let read = exchange
        .read_stored(Reading::List, move |library| library.dead_letters(&ask))
        .await?;
    listed(&exchange, "dead_letters", &page, read, write_letter)
}

async fn groups(exchange: &Exchange, ask: DeadAsk) -> Result<Reply, Failure> {
    let read = exchange
        .read_stored(Reading::List, move |library| library.dead_groups(&ask))
        .await?;
    let found = read.value.map_err(|error| refused(exchange, error))?;
    let mut json = Writer::with_capacity(128 + found.groups.len() * 320);
    json.object();
    write_groups(&mut json, &found, ("kind", "last_run_id"));
    json.number_field("total", found.total).end_object();
    let reply = Reply::json(json.done()).at(found.checkpoint);
    Ok(reply.stale(read.stale))
}

/// Writes groups; kind and run have other names for those who administer jobs.
pub(super) fn write_groups(json: &mut Writer, found: &DeadGroups, names: (&str, &str)) {
    json.name("groups").array();
    for group in &found.groups {
        json.object()
            .plain_field("fingerprint", &group.fingerprint)
            .string_field(names.0, &group.kind);
        for (name, text) in [
            ("error_code", &group.error_code),
            ("error_message", &group.error_message),
        ] {
            json.maybe(name, text.as_ref(), |json, text| {
                json.string(text);
            });
        }
        json.number_field("count", group.count)
            .instant_field("last_at", group.last_at)
            .plain_field(names.1, &group.last)
            .end_object();
    }
    json.end_array();
}

fn write_letter(json: &mut Writer, letter: &DeadLetter) {
    json.object()
        .plain_field("run_id", &letter.id)
        .plain_field("task_id", &letter.task)
        .plain_field("tenant_id", &letter.tenant)
        .string_field("kind", &letter.kind)
        .string_field("queue", &letter.queue)
        .plain_field("fingerprint", &letter.fingerprint);
    for (name, text) in [
        ("error_code", &letter.error_code),
        ("error_message", &letter.error_message),
    ] {
        json.maybe(name, text.as_ref(), |json, text| {
            json.string(text);
        });
    }
    json.number_field("attempt_count", letter.attempt_count)
        .instant_field("created_at", letter.created_at)
        .instant_field("scheduled_at", letter.scheduled_at)
        .instant_field("failed_at", letter.failed_at)
        .end_object();
}

/// `POST /api/v1/dead-letters/clear`.
pub(crate) async fn clear(exchange: Exchange) -> Result<Reply, Failure> {
    let asked = {
        let body: wire::ClearDeadLetters<'_> = exchange.read(Subject::Request)?;
        Asked {
            action: Action::Clear,
            filter: read_filter(&body.filter)?,
            dry_run: body.dry_run.unwrap_or(false),
            expected_count: body.expected_count,
            reason: body.reason.as_deref().map(Text::from),
        }
    };
    answer(&exchange, &asked).await
}

/// `DELETE /api/v1/dead-letters/{run_id}`.
pub(crate) async fn clear_one(exchange: Exchange) -> Result<Reply, Failure> {
    let (run, reason) = (exchange.run()?, reason_of(&exchange)?);
    let command = Command::ClearDeadLetter { run, reason };
    let placed = exchange.call(command).await?;
    let Outcome::DeadLetterCleared = placed.value else {
        return Err(Failure::internal());
    };
    let mut json = Writer::new();
    json.object()
        .plain_field("run_id", &run)
        .string_field("status", "cleared")
        .end_object();
    Ok(Reply::json(json.done()).at(placed.sequence))
}
