//! A run, its history and its explanation as JSON.

use mainstay_core::{AttemptView, ChangeView, Explain, LeaseView, RunError, RunView, Text};

use super::budgets::{write_amounts, write_budgets};
use super::task_json::write_memos;
use crate::json::Writer;

/// Everything about a run but its token.
pub(crate) fn write_run(json: &mut Writer, run: &RunView) {
    json.object()
        .plain_field("run_id", &run.id)
        .plain_field("task_id", &run.task);
    json.plain_field("tenant_id", &run.tenant)
        .string_field("kind", &run.kind)
        .string_field("queue", &run.queue);
    json.string_field("state", run.state.name());
    json.instant_field("created_at", run.created_at)
        .instant_field("scheduled_at", run.scheduled_at);
    json.number_field("attempt_count", run.attempt_count)
        .number_field("failures", run.failures);
    json.number_field("lost_leases", run.lost_leases);
    maybe_text(json, "concurrency_key", run.concurrency_key.as_ref());
    json.maybe("current_attempt_id", run.current_attempt, |json, id| {
        json.plain(&id);
    });
    json.name("state_history").array();
    for change in &run.changes {
        write_change(json, change);
    }
    json.end_array().name("attempts").array();
    for attempt in &run.attempts {
        write_attempt(json, attempt);
    }
    json.end_array()
        .maybe("lease", run.lease.as_ref(), write_lease);
    if let Some(cancel) = &run.cancel_requested {
        json.name("cancel_requested")
            .object()
            .instant_field("at", cancel.at)
            .string_field("by", &cancel.by);
        maybe_text(json, "reason", cancel.reason.as_ref());
        json.instant_field("force_at", cancel.force_at).end_object();
    }
    json.bool_field("suspend_requested", run.suspend_requested);
    json.maybe("block_reason", run.block_reason, |json, code| {
        json.string(code);
    });
    maybe_text(json, "reason", run.reason.as_ref());
    json.maybe("output", run.output.as_ref(), |json, output| {
        json.raw(output);
    });
    write_memos(json, &run.checkpoints);
    if let Some(at) = run.retry_at {
        json.instant_field("retry_at", at);
    }
    json.name("budgets");
    write_budgets(json, &run.budgets);
    json.string_field("origin", run.origin.name());
    if let Some(at) = run.occurrence {
        json.instant_field("occurrence", at);
    }
    json.maybe("retry_of", run.retry_of, |json, id| {
        json.plain(&id);
    });
    if let Some(id) = run.redriven_by {
        json.plain_field("redriven_by", &id);
    }
    if let Some(at) = run.cleared_at {
        json.instant_field("cleared_at", at);
    }
    json.end_object();
}

fn maybe_text(json: &mut Writer, name: &str, text: Option<&Text>) {
    json.maybe(name, text, |json, text| {
        json.string(text);
    });
}

fn write_change(json: &mut Writer, change: &ChangeView) {
    json.object().maybe("from", change.from, |json, from| {
        json.string(from.name());
    });
    json.string_field("to", change.to.name())
        .instant_field("at", change.at);
    json.number_field("sequence", change.sequence)
        .string_field("cause", change.cause.name());
    maybe_text(json, "actor", change.actor.as_ref());
    json.end_object();
}

fn write_attempt(json: &mut Writer, attempt: &AttemptView) {
    json.object()
        .plain_field("attempt_id", &attempt.id)
        .number_field("number", attempt.number);
    json.instant_field("started_at", attempt.started_at);
    json.maybe("finished_at", attempt.finished_at, |json, at| {
        json.instant(at);
    });
    json.maybe("result", attempt.result, |json, result| {
        json.string(result.name());
    });
    json.maybe(
        "error",
        attempt.error.as_ref(),
        |json,
         RunError {
             code,
             message,
             retryable,
         }| {
            json.object()
                .string_field("code", code)
                .string_field("message", message);
            json.bool_field("retryable", *retryable).end_object();
        },
    );
    json.maybe("output", attempt.output.as_ref(), |json, output| {
        json.raw(output);
    });
    json.string_field("worker", &attempt.worker)
        .name("consumption");
    write_amounts(json, &attempt.consumption);
    json.end_object();
}

fn write_lease(json: &mut Writer, lease: &LeaseView) {
    json.object()
        .string_field("owner", &lease.owner)
        .instant_field("expires_at", lease.expires_at);
    json.instant_field("acquired_at", lease.acquired_at)
        .instant_field("updated_at", lease.updated_at);
    if let Some(progress) = &lease.progress {
        json.name("progress").raw(progress);
    }
    json.end_object();
}

/// Why a run is (not) running.
pub(crate) fn write_explain(json: &mut Writer, explain: &Explain) {
    json.object()
        .string_field("state", explain.state.name())
        .bool_field("runnable", explain.runnable);
    json.name("reasons").array();
    for block in &explain.reasons {
        json.object()
            .string_field("code", block.code)
            .string_field("message", &block.message);
        json.name("details").object();
        for (name, value, number) in &block.details {
            json.foreign_name(name);
            if *number {
                json.raw(value.as_bytes())
            } else {
                json.string(value)
            };
        }
        json.end_object().end_object();
    }
    json.end_array();
    if let Some(position) = explain.position {
        json.number_field("position", position);
    }
    json.string_field("would_run_when", &explain.would_run_when)
        .end_object();
}
