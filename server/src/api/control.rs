//! The engine's switches.

use mainstay_core::{Answer, Command, Outcome, Query};

use super::tasks::reason_of;
use crate::edge::{Exchange, Failure, Placed, Reply};
use crate::json::Writer;

/// `GET /api/v1/engine`.
pub(crate) async fn engine(exchange: Exchange) -> Result<Reply, Failure> {
    let placed = exchange.ask(Query::Engine).await?;
    let Answer::Engine(view) = placed.value else {
        return Err(Failure::internal());
    };
    let mut json = Writer::new();
    json.object().bool_field("paused", view.paused);
    json.maybe("since", view.since, |json, at| {
        json.instant(at);
    });
    json.maybe("by", view.by.as_ref(), |json, by| {
        json.string(by);
    });
    json.maybe("reason", view.reason.as_ref(), |json, reason| {
        json.string(reason);
    });
    json.number_field("latest_sequence", placed.sequence);
    json.string_field("log_id", exchange.edge.log_id.to_str().unwrap_or_default());
    json.string_field("version", env!("CARGO_PKG_VERSION"))
        .end_object();
    Ok(Reply::json(json.done()).at(placed.sequence))
}

/// `POST /api/v1/engine/pause`.
pub(crate) async fn pause(exchange: Exchange) -> Result<Reply, Failure> {
    let reason = reason_of(&exchange)?;
    switched(exchange.call(Command::PauseEngine { reason }).await)
}

/// `POST /api/v1/engine/resume`.
pub(crate) async fn resume(exchange: Exchange) -> Result<Reply, Failure> {
    let reason = reason_of(&exchange)?;
    switched(exchange.call(Command::ResumeEngine { reason }).await)
}

/// A switch that stands already where it was asked to go is no error.
pub(super) fn switched(result: Result<Placed<Outcome>, Failure>) -> Result<Reply, Failure> {
    let (status, sequence) = match result {
        Ok(Placed {
            value, sequence, ..
        }) => match value {
            Outcome::EnginePaused | Outcome::QueuePaused => ("paused", Some(sequence)),
            Outcome::EngineResumed | Outcome::QueueResumed => ("resumed", Some(sequence)),
            _ => return Err(Failure::internal()),
        },
        Err(failure) => match failure.code() {
            "engine_already_paused" | "queue_already_paused" => {
                ("already_paused", failure.sequence)
            }
            "engine_not_paused" | "queue_not_paused" => ("already_resumed", failure.sequence),
            _ => return Err(failure),
        },
    };
    let mut json = Writer::new();
    json.object().string_field("status", status).end_object();
    let mut reply = Reply::json(json.done());
    reply.sequence = sequence;
    Ok(reply)
}
