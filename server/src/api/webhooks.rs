//! Webhooks: made, changed, switched, tested; their deliveries listed and sent again.

use std::sync::Arc;

use mainstay_client::wire;
use mainstay_core::limits::LIST_LIMIT_MAX;
use mainstay_core::{
    Answer, Command, DeliveriesOf, Delivery, DeliveryState, Hook, Outcome, Query, TaskId, Text,
    WebhookId, WebhookSpec, WebhookView,
};
use tokio::task::spawn_blocking;

use super::filters::invalid_page;
use super::tasks::reason_of;
use crate::edge::{Exchange, Failure, Placed, Reply, invalid_parameter};
use crate::json::{Subject, Writer};

/// What [`deliveries`] reads, as `name type`.
pub(crate) const DELIVERY_PARAMETERS: &[&str] = &[
    "state pending|delivered|failed",
    "before count",
    "limit limit",
];
/// Deliveries of a page when nothing is asked for.
const LIMIT_DEFAULT: u32 = 100;

fn webhook_of(exchange: &Exchange) -> Result<WebhookId, Failure> {
    read_webhook(exchange.target(0))
}

fn read_webhook(text: &str) -> Result<WebhookId, Failure> {
    text.parse().map_err(|_| {
        Failure::new("invalid_webhook_id", "invalid webhook id").text("webhook_id", text.to_owned())
    })
}

/// What is set, with the URL judged by the operator's rules.
fn read_spec(exchange: &Exchange, body: &wire::WebhookSpec<'_>) -> Result<WebhookSpec, Failure> {
    if body.url.len() <= mainstay_core::limits::WEBHOOK_URL_BYTES_MAX {
        let judged = exchange.edge.post.rules.check(&body.url);
        judged.map_err(|what| Subject::Request.wrong("url", what))?;
    }
    let texts = |list: &Option<Vec<wire::Str<'_>>>| {
        let list = list.as_deref().unwrap_or_default().iter();
        list.map(|text| Text::from(&**text)).collect()
    };
    let mut spec = WebhookSpec {
        name: Text::from(&*body.name),
        description: body.description.as_deref().map(Text::from),
        url: Text::from(&*body.url),
        events: body.events.iter().map(|text| Text::from(&**text)).collect(),
        queues: texts(&body.queues),
        kinds: texts(&body.kinds),
    };
    for list in [&mut spec.events, &mut spec.queues, &mut spec.kinds] {
        list.sort_unstable();
        list.dedup();
    }
    Ok(spec)
}

async fn ask_for(exchange: &Exchange, what: Hook) -> Result<Placed<Outcome>, Failure> {
    exchange.call(Command::Hook(Box::new(what))).await
}

/// A webhook of the caller's tenant.
async fn find(exchange: &Exchange, id: WebhookId) -> Result<(Box<WebhookView>, u64), Failure> {
    let placed = exchange.ask(Query::Webhook(id)).await?;
    match placed.value {
        Answer::Webhook(view) => Ok((view, placed.sequence)),
        _ => Err(not_found(id).at(placed.sequence)),
    }
}

fn not_found(id: WebhookId) -> Failure {
    Failure::new("webhook_not_found", "webhook not found").text("webhook_id", id.to_string())
}

/// `POST /api/v1/webhooks`.
pub(crate) async fn create(exchange: Exchange) -> Result<Reply, Failure> {
    let (chosen, keyed, spec, reason) = {
        let body: wire::WebhookSpec<'_> = exchange.read(Subject::Request)?;
        let chosen = body.webhook_id.as_deref().map(read_webhook).transpose()?;
        let keyed = exchange.keyed_id("webhook", TaskId(0), chosen.map(|_| "webhook_id"))?;
        let reason = body.reason.as_deref().map(Text::from);
        let spec = read_spec(&exchange, &body)?;
        (chosen, keyed.map(WebhookId), spec, reason)
    };
    // Without its key nothing is made whose secret could not be told.
    secret(&exchange, WebhookId(0), 1).await?;
    let what = Hook::Create {
        webhook: chosen.or(keyed),
        spec: spec.clone(),
        reason,
    };
    let placed = match (ask_for(&exchange, what).await, keyed) {
        (Err(failure), Some(id)) if failure.code() == "webhook_already_exists" => {
            let (known, sequence) = find(&exchange, id).await?;
            if known.webhook.spec != spec {
                return Err(exchange.key_conflict().at(sequence));
            }
            return Ok(secret_json(id, None, known.webhook.generation).at(sequence));
        }
        (answer, _) => answer?,
    };
    let Outcome::WebhookCreated(id) = placed.value else {
        return Err(Failure::internal());
    };
    let secret = secret(&exchange, id, 1).await?;
    Ok(secret_json(id, Some(secret), 1)
        .status(201)
        .at(placed.sequence))
}

/// The text of a secret, for the one time it is shown.
async fn secret(exchange: &Exchange, id: WebhookId, generation: u32) -> Result<String, Failure> {
    let (edge, tenant) = (Arc::clone(&exchange.edge), exchange.principal.tenant);
    let made = spawn_blocking(move || edge.post.root.secret(tenant, id, generation));
    let made = made.await.map_err(|_| Failure::internal())?;
    made.map(|secret| secret.reveal())
        .map_err(|_| Failure::not_ready("able to read webhook.key"))
}

fn secret_json(id: WebhookId, secret: Option<String>, generation: u32) -> Reply {
    let mut json = Writer::new();
    json.object().plain_field("webhook_id", &id);
    json.maybe("secret", secret, |json, secret| {
        json.string(&secret);
    });
    json.number_field("generation", generation).end_object();
    Reply::json(json.done())
}

/// `GET /api/v1/webhooks`.
pub(crate) async fn list(exchange: Exchange) -> Result<Reply, Failure> {
    let query = Query::Webhooks {
        all: false,
        after: None,
        limit: LIST_LIMIT_MAX,
    };
    let placed = exchange.ask(query).await?;
    let Answer::Webhooks(rows) = placed.value else {
        return Err(Failure::internal());
    };
    let mut json = Writer::with_capacity(64 + rows.len() * 768);
    json.object().name("webhooks").array();
    for row in &rows {
        write_webhook(&mut json, row);
    }
    json.end_array().end_object();
    Ok(Reply::json(json.done()).at(placed.sequence))
}

/// `GET /api/v1/webhooks/{webhook_id}`.
pub(crate) async fn one(exchange: Exchange) -> Result<Reply, Failure> {
    show(&exchange, webhook_of(&exchange)?).await
}

async fn show(exchange: &Exchange, id: WebhookId) -> Result<Reply, Failure> {
    let (view, sequence) = find(exchange, id).await?;
    let mut json = Writer::new();
    write_webhook(&mut json, &view);
    Ok(Reply::json(json.done()).at(sequence))
}

/// `PUT /api/v1/webhooks/{webhook_id}`.
pub(crate) async fn update(exchange: Exchange) -> Result<Reply, Failure> {
    let webhook = webhook_of(&exchange)?;
    let what = {
        let body: wire::WebhookSpec<'_> = exchange.read(Subject::Request)?;
        if body.webhook_id.is_some() {
            return Err(Subject::Request.wrong("webhook_id", "stands in the path"));
        }
        Hook::Update {
            webhook,
            spec: read_spec(&exchange, &body)?,
            reason: body.reason.as_deref().map(Text::from),
        }
    };
    ask_for(&exchange, what).await?;
    show(&exchange, webhook).await
}

/// `DELETE /api/v1/webhooks/{webhook_id}`.
pub(crate) async fn delete(exchange: Exchange) -> Result<Reply, Failure> {
    let (webhook, reason) = (webhook_of(&exchange)?, reason_of(&exchange)?);
    let placed = ask_for(&exchange, Hook::Delete { webhook, reason }).await?;
    Ok(changed(webhook, "deleted", &placed))
}

/// `POST /api/v1/webhooks/{webhook_id}/enable`.
pub(crate) async fn enable(exchange: Exchange) -> Result<Reply, Failure> {
    switch(&exchange, true).await
}

/// `POST /api/v1/webhooks/{webhook_id}/disable`.
pub(crate) async fn disable(exchange: Exchange) -> Result<Reply, Failure> {
    switch(&exchange, false).await
}

async fn switch(exchange: &Exchange, enabled: bool) -> Result<Reply, Failure> {
    let (webhook, reason) = (webhook_of(exchange)?, reason_of(exchange)?);
    let what = Hook::Switch {
        webhook,
        enabled,
        reason,
    };
    let placed = ask_for(exchange, what).await?;
    let status = if enabled { "enabled" } else { "disabled" };
    Ok(changed(webhook, status, &placed))
}

fn changed(webhook: WebhookId, status: &str, placed: &Placed<Outcome>) -> Reply {
    let changed = !matches!(placed.value, Outcome::WebhookChanged { changed: false });
    let mut json = Writer::new();
    json.object()
        .plain_field("webhook_id", &webhook)
        .string_field("status", status)
        .bool_field("changed", changed)
        .end_object();
    Reply::json(json.done()).at(placed.sequence)
}

/// `POST /api/v1/webhooks/{webhook_id}/rotate`.
pub(crate) async fn rotate(exchange: Exchange) -> Result<Reply, Failure> {
    let (webhook, reason) = (webhook_of(&exchange)?, reason_of(&exchange)?);
    let placed = ask_for(&exchange, Hook::Rotate { webhook, reason }).await?;
    let Outcome::WebhookRotated { generation } = placed.value else {
        return Err(Failure::internal());
    };
    let secret = secret(&exchange, webhook, generation).await?;
    Ok(secret_json(webhook, Some(secret), generation).at(placed.sequence))
}

/// `POST /api/v1/webhooks/{webhook_id}/test`.
pub(crate) async fn test(exchange: Exchange) -> Result<Reply, Failure> {
    let (webhook, reason) = (webhook_of(&exchange)?, reason_of(&exchange)?);
    let placed = ask_for(&exchange, Hook::Test { webhook, reason }).await?;
    requested(webhook, &placed)
}

/// `POST /api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver`.
pub(crate) async fn redeliver(exchange: Exchange) -> Result<Reply, Failure> {
    let (webhook, reason) = (webhook_of(&exchange)?, reason_of(&exchange)?);
    let text = exchange.target(1);
    let event = text.parse().map_err(|_| {
        Failure::new("invalid_delivery_id", "invalid delivery id")
            .text("delivery_id", text.to_owned())
    })?;
    let what = Hook::Redeliver {
        webhook,
        event,
        reason,
    };
    let placed = ask_for(&exchange, what).await?;
    requested(webhook, &placed)
}

fn requested(webhook: WebhookId, placed: &Placed<Outcome>) -> Result<Reply, Failure> {
    let Outcome::DeliveryRequested { event } = placed.value else {
        return Err(Failure::internal());
    };
    let mut json = Writer::new();
    json.object()
        .plain_field("webhook_id", &webhook)
        .number_field("delivery_id", event)
        .end_object();
    Ok(Reply::json(json.done()).status(202).at(placed.sequence))
}

/// `GET /api/v1/webhooks/{webhook_id}/deliveries`.
pub(crate) async fn deliveries(exchange: Exchange) -> Result<Reply, Failure> {
    let webhook = webhook_of(&exchange)?;
    let (of, before, limit) = read_page(&exchange)?;
    let query = Query::Deliveries {
        webhook,
        of,
        before,
        limit,
    };
    let placed = exchange.ask(query).await?;
    let Answer::Deliveries(rows) = placed.value else {
        return Err(not_found(webhook).at(placed.sequence));
    };
    let last = rows.last().filter(|_| rows.len() == limit as usize);
    let mut json = Writer::with_capacity(64 + rows.len() * 384);
    json.object().name("deliveries").array();
    for row in &rows {
        write_delivery(&mut json, row);
    }
    json.end_array();
    json.maybe("next", last, |json, last| {
        json.number(last.event);
    });
    json.end_object();
    Ok(Reply::json(json.done()).at(placed.sequence))
}

fn read_page(exchange: &Exchange) -> Result<(DeliveriesOf, u64, u32), Failure> {
    let of = exchange.parameter("state").map(|text| {
        let what = "must be pending, delivered or failed";
        let found = DeliveryState::find(text).map(DeliveriesOf::State);
        found.ok_or_else(|| invalid_parameter("state", what))
    });
    let before = exchange.parameter("before").map(|text| {
        let what = "must be a number that is not negative";
        text.parse().map_err(|_| invalid_parameter("before", what))
    });
    let limit = exchange.parameter("limit").map(|text| {
        let read = text.parse().ok();
        let within = read.filter(|limit| (1..=LIST_LIMIT_MAX).contains(limit));
        let message = || format!("limit must be between 1 and {LIST_LIMIT_MAX}");
        within.ok_or_else(|| invalid_page("limit", message()))
    });
    Ok((
        of.transpose()?.unwrap_or(DeliveriesOf::All),
        before.transpose()?.unwrap_or(u64::MAX),
        limit.transpose()?.unwrap_or(LIMIT_DEFAULT),
    ))
}

fn write_webhook(json: &mut Writer, view: &WebhookView) {
    let (row, spec) = (&view.webhook, &view.webhook.spec);
    let state = match row.disabled {
        None => "enabled",
        Some(_) => "disabled",
    };
    json.object()
        .plain_field("webhook_id", &view.id)
        .plain_field("tenant_id", &view.tenant)
        .string_field("name", &spec.name);
    json.maybe("description", spec.description.as_ref(), |json, text| {
        json.string(text);
    });
    json.string_field("url", &spec.url)
        .strings_field("events", &spec.events)
        .strings_field("queues", &spec.queues)
        .strings_field("kinds", &spec.kinds)
        .string_field("state", state);
    json.maybe("disabled", row.disabled.as_ref(), |json, off| {
        json.object()
            .instant_field("at", off.at)
            .string_field("why", &off.why);
        let by = Some(&off.by).filter(|by| !by.is_empty());
        json.maybe("by", by, |json, by| {
            json.string(by);
        });
        json.end_object();
    });
    json.number_field("generation", row.generation);
    let instant = |json: &mut Writer, name: &str, at| {
        json.maybe(name, at, |json, at| {
            json.instant(at);
        });
    };
    instant(json, "rotated_at", row.rotated_at);
    json.instant_field("created_at", row.created_at)
        .string_field("created_by", &row.created_by);
    instant(json, "updated_at", row.updated_at);
    json.number_field("cursor", row.cursor)
        .number_field("pending", view.pending);
    instant(json, "next_at", view.next_at);
    instant(json, "failing_since", row.failing_since);
    instant(json, "delivered_at", row.delivered_at);
    json.end_object();
}

fn write_delivery(json: &mut Writer, row: &Delivery) {
    json.object()
        .number_field("delivery_id", row.event)
        .string_field("event_type", &row.kind);
    json.maybe("task_id", row.task, |json, task| {
        json.plain(&task);
    });
    json.maybe("run_id", row.run, |json, run| {
        json.plain(&run);
    });
    json.string_field("state", row.state.name())
        .number_field("attempts", row.attempts)
        .instant_field("created_at", row.created_at);
    json.maybe("attempted_at", row.attempted_at, |json, at| {
        json.instant(at);
    });
    let next = (row.state == DeliveryState::Pending).then_some(row.next_at);
    json.maybe("next_at", next, |json, at| {
        json.instant(at);
    });
    let status = Some(row.status).filter(|status| *status > 0);
    json.maybe("last_status", status, |json, status| {
        json.number(status);
    });
    let error = Some(&row.error).filter(|error| !error.is_empty());
    json.maybe("last_error", error, |json, error| {
        json.string(error);
    });
    let took = row.attempted_at.map(|_| row.duration_ms);
    json.maybe("last_duration_ms", took, |json, took| {
        json.number(took);
    });
    json.end_object();
}
