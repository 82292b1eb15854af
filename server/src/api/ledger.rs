//! Ledgers: entries are appended and listed, and never changed.

use mainstay::store::LedgerAsk;
use mainstay_client::wire;
use mainstay_core::{ActorId, AppendLedger, Attest, Command, LedgerRow, Outcome, Text};

use super::audit::after_and_limit;
use super::convert::json_bytes;
use super::filters::Given;
use super::heartbeat::call_in;
use super::lists::refused;
use crate::edge::{Exchange, Failure, Reading, Reply};
use crate::json::{Subject, Writer};

/// What [`list`] reads, as `name type`.
pub(crate) const LEDGER_PARAMETERS: &[&str] = &["ledger_key name", "after position", "limit limit"];
/// Bytes of an entry, about.
const ENTRY_BYTES: usize = 512;

/// `POST /api/v1/ledger`.
pub(crate) async fn append(exchange: Exchange) -> Result<Reply, Failure> {
    let call = {
        let body: wire::LedgerAppend<'_> = exchange.read(Subject::Request)?;
        let payload = json_bytes(&body.payload);
        exchange.check_size("payload_bytes", Some(payload.len()))?;
        let key = exchange.merge_key(body.idempotency_key.as_deref(), "invalid_request")?;
        let append = AppendLedger {
            key: Text::from(&*body.ledger_key),
            payload,
            actor: body.actor_id.as_deref().map(read_actor).transpose()?,
            idempotency_key: key.as_deref().map(Text::from),
        };
        let command = Command::Attest(Box::new(Attest::Append(append)));
        call_in(&exchange, body.tenant_id.as_deref(), command)?
    };
    let placed = exchange.call_by(call).await?;
    let Outcome::LedgerAppended { sequence, created } = placed.value else {
        return Err(Failure::internal());
    };
    let mut json = Writer::new();
    json.object()
        .number_field("sequence", sequence)
        .bool_field("created", created)
        .end_object();
    let status = if created { 201 } else { 200 };
    Ok(Reply::json(json.done()).status(status).at(placed.sequence))
}

fn read_actor(text: &str) -> Result<ActorId, Failure> {
    let wrong = |_| Subject::Request.wrong("actor_id", "must be a UUID that is not nil");
    text.parse().map_err(wrong)
}

/// `GET /api/v1/ledger`.
pub(crate) async fn list(exchange: Exchange) -> Result<Reply, Failure> {
    let (after, limit) = after_and_limit(&exchange)?;
    let ask = LedgerAsk {
        scope: exchange.scope,
        key: Given(&exchange.parameters).word("ledger_key")?,
        after,
        limit,
    };
    let read = exchange
        .read_stored(Reading::List, move |library| library.ledger(&ask))
        .await?;
    let page = read.value.map_err(|error| refused(&exchange, error))?;
    let mut json = Writer::with_capacity(64 + page.rows.len() * ENTRY_BYTES);
    json.object().name("entries").array();
    for row in &page.rows {
        write_entry(&mut json, row);
    }
    json.end_array()
        .number_field("next", page.next)
        .end_object();
    Ok(Reply::json(json.done())
        .at(page.checkpoint)
        .stale(read.stale))
}

fn write_entry(json: &mut Writer, row: &LedgerRow) {
    json.object()
        .number_field("sequence", row.sequence)
        .instant_field("at", row.at)
        .plain_field("tenant_id", &row.tenant)
        .string_field("ledger_key", &row.key)
        .string_field("by", &row.by);
    json.maybe("actor_id", row.actor, |json, actor| {
        json.plain(&actor);
    });
    json.name("payload").raw(&row.payload);
    json.end_object();
}
