//! Queues: what is counted in them, and what somebody set.

use std::collections::BTreeMap;

use mainstay::store::Scope;
use mainstay_client::wire;
use mainstay_core::{
    Answer, Command, PlaceRow, Query, QueueConfig, QueueView, RateLimit, RunState, TenantId, Text,
};

use super::control::switched;
use super::task_json::write_counts;
use super::tasks::reason_of;
use crate::edge::{Exchange, Failure, Placed, Reply};
use crate::json::{Subject, Writer};

/// Pairs of a queue and a kind that the counters show.
const STATS_PLACES_MAX: usize = 1000;
/// Pairs of a queue and a kind that the list of queues shows.
const QUEUES_PLACES_MAX: usize = 10_000;

type Rows = BTreeMap<Text, QueueView>;
type Counts = [u64; RunState::ALL.len()];

/// One queue.
#[derive(Default)]
struct Queue<'a> {
    counts: Counts,
    kinds: Vec<(&'a str, &'a Counts)>,
}

/// Every place that the caller may see, in the order they were first named.
pub(super) async fn ask_places(exchange: &Exchange) -> Result<Placed<Vec<PlaceRow>>, Failure> {
    let placed = exchange.ask(Query::Places).await?;
    let Answer::Places(mut value) = placed.value else {
        return Err(Failure::internal());
    };
    if let Scope::Tenant(tenant) = exchange.scope {
        value.retain(|place| place.tenant == tenant);
    }
    Ok(Placed {
        value,
        sequence: placed.sequence,
        durable: placed.durable,
    })
}

/// The queues with settings of their own, by name.
async fn ask_rows(exchange: &Exchange) -> Result<Placed<Rows>, Failure> {
    let placed = exchange.ask(Query::Queues).await?;
    let Answer::Queues(rows) = placed.value else {
        return Err(Failure::internal());
    };
    let named = rows.into_iter().map(|row| (row.name.clone(), row));
    Ok(Placed {
        value: named.collect(),
        sequence: placed.sequence,
        durable: placed.durable,
    })
}

/// `GET /api/v1/queues`.
pub(crate) async fn queues(exchange: Exchange) -> Result<Reply, Failure> {
    let rows = ask_rows(&exchange).await?;
    let placed = ask_places(&exchange).await?;
    let tenant = exchange.principal.tenant;
    let mut queues = by_queue(&placed.value);
    for name in rows.value.keys() {
        queues.entry((name, tenant)).or_default();
    }
    let mut json = Writer::with_capacity(128 + placed.value.len() * 256);
    json.object().name("queues").array();
    for ((name, of), queue) in &queues {
        let row = rows.value.get(*name).filter(|_| *of == tenant);
        write_queue(&mut json, name, *of, queue, row);
    }
    json.end_array()
        .bool_field("truncated", placed.value.len() > QUEUES_PLACES_MAX)
        .end_object();
    Ok(Reply::json(json.done()).at(placed.sequence))
}

/// `GET /api/v1/queues/{name}`.
pub(crate) async fn one(exchange: Exchange) -> Result<Reply, Failure> {
    show(&exchange, exchange.name(0)).await
}

async fn show(exchange: &Exchange, name: Text) -> Result<Reply, Failure> {
    let rows = ask_rows(exchange).await?;
    let placed = ask_places(exchange).await?;
    let tenant = exchange.principal.tenant;
    let row = rows.value.get(&name);
    let queues = by_queue(&placed.value);
    let none = Queue::default();
    let queue = match queues.get(&(&*name, tenant)) {
        Some(queue) => queue,
        None if row.is_some() => &none,
        None => return Err(Failure::queue_not_found(name).at(placed.sequence)),
    };
    let mut json = Writer::new();
    write_queue(&mut json, &name, tenant, queue, row);
    Ok(Reply::json(json.done()).at(placed.sequence))
}

/// `PUT /api/v1/queues/{name}`.
pub(crate) async fn configure(exchange: Exchange) -> Result<Reply, Failure> {
    let name = exchange.name(0);
    let (command, reason) = read_settings(&exchange, &name)?;
    let placed = exchange.call_because(command, reason).await?;
    let reply = show(&exchange, name).await?;
    let sequence = reply.sequence.unwrap_or_default().max(placed.sequence);
    Ok(reply.at(sequence))
}

fn read_settings(exchange: &Exchange, name: &Text) -> Result<(Command, Option<Text>), Failure> {
    let body: wire::QueueSettings<'_> = exchange.read(Subject::Request)?;
    let command = Command::ConfigureQueue {
        queue: name.clone(),
        config: QueueConfig {
            concurrency_limit: body.concurrency_limit,
            rate_limit: body.rate_limit.map(|rate| RateLimit {
                per_ms: rate.per_ms,
                max: rate.max,
            }),
            weight: body.weight,
        },
    };
    Ok((command, body.reason.as_deref().map(Text::from)))
}

/// `POST /api/v1/queues/{name}/pause`.
pub(crate) async fn pause(exchange: Exchange) -> Result<Reply, Failure> {
    let (queue, reason) = (exchange.name(0), reason_of(&exchange)?);
    switched(exchange.call(Command::PauseQueue { queue, reason }).await)
}

/// `POST /api/v1/queues/{name}/resume`.
pub(crate) async fn resume(exchange: Exchange) -> Result<Reply, Failure> {
    let (queue, reason) = (exchange.name(0), reason_of(&exchange)?);
    switched(exchange.call(Command::ResumeQueue { queue, reason }).await)
}

fn write_queue(
    json: &mut Writer,
    name: &str,
    tenant: TenantId,
    queue: &Queue<'_>,
    row: Option<&QueueView>,
) {
    json.object()
        .string_field("name", name)
        .plain_field("tenant_id", &tenant);
    write_settings(json, row);
    let held = queue.counts[RunState::Leased as usize] + queue.counts[RunState::Running as usize];
    json.number_field("held", held).name("runs_by_state");
    write_counts(json, &queue.counts);
    json.name("kinds").array();
    for (kind, counts) in &queue.kinds {
        json.object()
            .string_field("kind", kind)
            .name("runs_by_state");
        write_counts(json, counts);
        json.end_object();
    }
    json.end_array().end_object();
}

fn write_settings(json: &mut Writer, row: Option<&QueueView>) {
    let config = row.map(|row| &row.config);
    let limit = config.and_then(|config| config.concurrency_limit);
    json.maybe("concurrency_limit", limit, |json, limit| {
        json.number(limit);
    });
    let rate = config.and_then(|config| config.rate_limit);
    json.maybe("rate_limit", rate, |json, rate| {
        json.object()
            .number_field("per_ms", rate.per_ms)
            .number_field("max", rate.max)
            .end_object();
    });
    let weight = config.and_then(|config| config.weight).unwrap_or(1);
    json.number_field("weight", weight)
        .bool_field("paused", row.is_some_and(|row| row.paused));
    let Some(row) = row.filter(|row| row.paused) else {
        return;
    };
    if let Some(at) = row.since {
        json.instant_field("paused_since", at);
    }
    if let Some(by) = &row.by {
        json.string_field("paused_by", by);
    }
    if let Some(reason) = &row.reason {
        json.string_field("paused_reason", reason);
    }
}

/// Queues by name, each with its kinds by name.
fn by_queue(places: &[PlaceRow]) -> BTreeMap<(&str, TenantId), Queue<'_>> {
    let mut queues: BTreeMap<(&str, TenantId), Queue<'_>> = BTreeMap::new();
    for place in places.iter().take(QUEUES_PLACES_MAX) {
        let queue = queues.entry((&place.queue, place.tenant)).or_default();
        for (sum, count) in queue.counts.iter_mut().zip(place.counts) {
            *sum += count;
        }
        queue.kinds.push((&place.kind, &place.counts));
    }
    for queue in queues.values_mut() {
        queue.kinds.sort_unstable_by_key(|(kind, _)| *kind);
    }
    queues
}

/// `by_queue`, into an object that is open.
pub(super) fn write_by_queue(json: &mut Writer, places: &[PlaceRow]) {
    json.name("by_queue").array();
    for place in places.iter().take(STATS_PLACES_MAX) {
        json.object()
            .string_field("queue", &place.queue)
            .string_field("kind", &place.kind)
            .plain_field("tenant_id", &place.tenant)
            .name("runs_by_state");
        write_counts(json, &place.counts);
        json.end_object();
    }
    json.end_array()
        .bool_field("by_queue_truncated", places.len() > STATS_PLACES_MAX);
}

#[cfg(test)]
mod tests {
    use super::by_queue;
    use mainstay_core::{PlaceRow, TenantId};

    #[test]
    fn places_are_summed_by_queue_and_stand_by_name() {
        let place = |place, queue: &str, kind: &str, ready| PlaceRow {
            place,
            tenant: TenantId::DEFAULT,
            queue: queue.into(),
            kind: kind.into(),
            counts: [0, ready, 0, 0, 0, 0, 0, 0, 1],
            dead_letters: 0,
        };
        let places = [
            place(0, "mail", "send", 1),
            place(1, "default", "a", 2),
            place(2, "mail", "check", 3),
        ];
        let queues = by_queue(&places);
        let names: Vec<_> = queues.keys().map(|(name, _)| *name).collect();
        assert_eq!(names, ["default", "mail"]);
        let mail = &queues[&("mail", TenantId::DEFAULT)];
        assert_eq!(mail.counts, [0, 4, 0, 0, 0, 0, 0, 0, 2]);
        let kinds: Vec<_> = mail.kinds.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(kinds, ["check", "send"]);
    }
}
