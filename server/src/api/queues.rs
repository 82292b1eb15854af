//! Queues with what is counted in them.

use std::collections::BTreeMap;

use mainstay::store::Scope;
use mainstay_core::{Answer, PlaceRow, Query, RunState, TenantId};

use super::task_json::write_counts;
use crate::edge::{Exchange, Failure, Placed, Reply};
use crate::json::Writer;

/// Pairs of a queue and a kind that the counters show.
const STATS_PLACES_MAX: usize = 1000;
/// Pairs of a queue and a kind that the list of queues shows.
const QUEUES_PLACES_MAX: usize = 10_000;

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
    })
}

/// `GET /api/v1/queues`.
pub(crate) async fn queues(exchange: Exchange) -> Result<Reply, Failure> {
    let placed = ask_places(&exchange).await?;
    let queues = by_queue(&placed.value);
    let mut json = Writer::with_capacity(128 + placed.value.len() * 256);
    json.object().name("queues").array();
    for ((name, tenant), queue) in &queues {
        json.object()
            .string_field("name", name)
            .plain_field("tenant_id", tenant)
            .name("runs_by_state");
        write_counts(&mut json, &queue.counts);
        json.name("kinds").array();
        for (kind, counts) in &queue.kinds {
            json.object()
                .string_field("kind", kind)
                .name("runs_by_state");
            write_counts(&mut json, counts);
            json.end_object();
        }
        json.end_array().end_object();
    }
    json.end_array()
        .bool_field("truncated", placed.value.len() > QUEUES_PLACES_MAX)
        .end_object();
    Ok(Reply::json(json.done()).at(placed.sequence))
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
