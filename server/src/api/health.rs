//! Health, counters, metrics, and the document that describes the API.

use mainstay::Status;
use mainstay::store::Scope;
use mainstay_core::{Answer, AttemptResult, PlaceRow, Query, RunState, Stats};

use super::queues::{ask_places, write_by_queue};
use super::task_json::write_counts;
use crate::edge::{Exchange, Failure, Placed, Reply};
use crate::json::Writer;
use crate::{metrics, openapi};

/// `GET /healthz`: the process lives and answers.
pub(crate) async fn healthz(_exchange: Exchange) -> Result<Reply, Failure> {
    Ok(status("ok"))
}

/// `GET /ready`: it takes work.
pub(crate) async fn ready(exchange: Exchange) -> Result<Reply, Failure> {
    Ok(match exchange.handle().status() {
        Status::Ready => status("ready"),
        Status::Draining => status("draining").status(503),
        Status::ReadOnly { .. } => status("storage_full").status(503),
        Status::Stopped { .. } => status("stopped").status(503),
    })
}

fn status(word: &str) -> Reply {
    let mut json = Writer::new();
    json.object().string_field("status", word).end_object();
    Reply::json(json.done())
}

async fn ask_stats(exchange: &Exchange) -> Result<Placed<Box<Stats>>, Failure> {
    let placed = exchange.ask(Query::Stats).await?;
    let Answer::Stats(value) = placed.value else {
        return Err(Failure::internal());
    };
    Ok(Placed {
        value,
        sequence: placed.sequence,
        durable: placed.durable,
    })
}

/// `GET /api/v1/stats`.
pub(crate) async fn stats(exchange: Exchange) -> Result<Reply, Failure> {
    let (stats, places) = tokio::join!(ask_stats(&exchange), ask_places(&exchange));
    let Placed {
        value: stats,
        sequence,
        ..
    } = stats?;
    let places = places?.value;
    // What is counted over all tenants is nobody's but the operator's.
    let all = (exchange.scope == Scope::All).then_some(&*stats);
    let counts = all.map_or_else(|| count(&places), |all| all.runs_by_state);
    let mut json = Writer::new();
    json.object();
    json.maybe("total_tasks", all, |json, all| {
        json.number(all.tasks_total);
    });
    json.number_field(
        "total_runs",
        all.map_or(counts.iter().sum(), |all| all.runs_total),
    );
    json.maybe("attempts_total", all, |json, all| {
        json.number(all.attempts_total);
    });
    json.name("attempts_by_result").object();
    let results = all.map(|all| AttemptResult::ALL.iter().zip(all.attempts_by_result));
    for (result, count) in results.into_iter().flatten() {
        json.number_field(result.name(), count);
    }
    json.end_object().name("runs_by_state");
    write_counts(&mut json, &counts);
    json.number_field("latest_sequence", sequence)
        .bool_field("paused", stats.paused);
    let oldest = all.and_then(|all| all.oldest_ready_at);
    json.maybe("oldest_ready_at", oldest, |json, at| {
        json.instant(at);
    });
    write_by_queue(&mut json, &places);
    json.end_object();
    Ok(Reply::json(json.done()).at(sequence))
}

/// The runs of these places, by state.
fn count(places: &[PlaceRow]) -> [u64; RunState::ALL.len()] {
    let mut all = [0; RunState::ALL.len()];
    for place in places {
        for (all, count) in all.iter_mut().zip(place.counts) {
            *all += count;
        }
    }
    all
}

/// `GET /metrics`.
pub(crate) async fn metrics(exchange: Exchange) -> Result<Reply, Failure> {
    // A stopped engine answers no question, but its own numbers are just what an operator needs then.
    let stats = ask_stats(&exchange).await.ok().map(|placed| placed.value);
    let workforce = exchange.ask(Query::Workforce).await.ok();
    let workforce = workforce.and_then(|placed| match placed.value {
        Answer::Workforce(told) => Some(told),
        _ => None,
    });
    Ok(Reply::text(metrics::render(
        &exchange.edge,
        stats.as_deref(),
        workforce.as_ref(),
    )))
}

/// `GET /api/v1/openapi.json`.
pub(crate) async fn openapi(_exchange: Exchange) -> Result<Reply, Failure> {
    Ok(Reply::json(openapi::document().to_vec()))
}
