//! Health, counters, metrics, and the document that describes the API.

use mainstay::Status;
use mainstay::store::Scope;
use mainstay_core::{Answer, AttemptResult, Query, Spans, StatsReport};

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

/// Counters and times of whose rows the request's lists show.
pub(super) async fn ask_report(exchange: &Exchange) -> Result<Placed<Box<StatsReport>>, Failure> {
    let all = exchange.scope == Scope::All;
    let placed = exchange.ask(Query::Report { all }).await?;
    let Answer::Report(value) = placed.value else {
        return Err(Failure::internal());
    };
    Ok(Placed {
        value,
        sequence: placed.sequence,
        durable: placed.durable,
    })
}

/// The mean of spans, in milliseconds; 0 of none.
pub(super) fn mean_ms(spans: &Spans) -> f64 {
    // To a hundredth: what is beyond it is nobody's.
    let hundredths = u128::from(spans.sum_ms) * 100 / u128::from(spans.count.max(1));
    hundredths as f64 / 100.0
}

fn write_spans(json: &mut Writer, name: &str, spans: &Spans) {
    json.name(name)
        .object()
        .number_field("count", spans.count)
        .name("avg_ms")
        .real(mean_ms(spans))
        .number_field("p50_ms", spans.p50_ms)
        .number_field("p95_ms", spans.p95_ms)
        .number_field("p99_ms", spans.p99_ms)
        .number_field("max_ms", spans.max_ms)
        .end_object();
}

/// `GET /api/v1/stats`.
pub(crate) async fn stats(exchange: Exchange) -> Result<Reply, Failure> {
    let (report, places) = tokio::join!(ask_report(&exchange), ask_places(&exchange));
    let Placed {
        value: report,
        sequence,
        ..
    } = report?;
    let stats = &report.counters;
    let mut json = Writer::new();
    json.object()
        .number_field("total_tasks", stats.tasks_total)
        .number_field("total_runs", stats.runs_total);
    json.number_field("attempts_total", stats.attempts_total)
        .name("attempts_by_result")
        .object();
    for (result, count) in AttemptResult::ALL.iter().zip(stats.attempts_by_result) {
        json.number_field(result.name(), count);
    }
    json.end_object().name("runs_by_state");
    write_counts(&mut json, &stats.runs_by_state);
    json.number_field("latest_sequence", sequence)
        .bool_field("paused", stats.paused);
    json.maybe("oldest_ready_at", stats.oldest_ready_at, |json, at| {
        json.instant(at);
    });
    write_by_queue(&mut json, &places?.value);
    write_execution(&mut json, &report);
    json.end_object();
    Ok(Reply::json(json.done()).at(sequence))
}

fn write_execution(json: &mut Writer, report: &StatsReport) {
    json.name("execution").object();
    write_spans(json, "life", &report.life);
    write_spans(json, "last_hour", &report.hour);
    json.end_object().name("execution_by_kind").array();
    for kind in &report.kinds {
        json.object().plain_field("tenant_id", &kind.tenant);
        json.maybe("kind", kind.kind.as_ref(), |json, kind| {
            json.string(kind);
        });
        write_spans(json, "life", &kind.life);
        write_spans(json, "last_hour", &kind.hour);
        json.end_object();
    }
    json.end_array();
}

/// `GET /metrics`.
pub(crate) async fn metrics(exchange: Exchange) -> Result<Reply, Failure> {
    // A stopped engine answers no question, but its own numbers are just what an operator needs then.
    let overview = exchange.ask(Query::Overview).await.ok();
    let overview = overview.and_then(|placed| match placed.value {
        Answer::Overview(told) => Some(told),
        _ => None,
    });
    let workforce = exchange.ask(Query::Workforce).await.ok();
    let workforce = workforce.and_then(|placed| match placed.value {
        Answer::Workforce(told) => Some(told),
        _ => None,
    });
    Ok(Reply::text(metrics::render(
        &exchange.edge,
        overview.as_deref(),
        workforce.as_ref(),
    )))
}

/// `GET /api/v1/openapi.json`.
pub(crate) async fn openapi(_exchange: Exchange) -> Result<Reply, Failure> {
    Ok(Reply::json(openapi::document().to_vec()))
}
