//! A task as JSON.

use mainstay::store::TaskLine;
use mainstay_core::{
    Bytes, Extras, HoldPolicy, Jitter, Payload, Policy, RunState, SafetyLevel, Strategy,
    SubmittedRun, TaskView, Text,
};

use super::bonds::write_bonds;
use super::convert::default_type;
use super::run_policy::write_policy;
use crate::json::Writer;

/// Everything about a task.
pub(crate) fn write_task(json: &mut Writer, task: &TaskView) {
    json.object()
        .plain_field("id", &task.id)
        .plain_field("tenant_id", &task.tenant);
    json.string_field("kind", &task.kind)
        .string_field("queue", &task.queue);
    json.string_field("state", task.state.name());
    write_payload(json, &task.payload, task.extras.content_type.as_ref());
    write_policy(json, task);
    write_constraints(json, &task.policy);
    write_retry(json, &task.policy);
    write_metadata(json, task.priority, Some(&task.extras));
    let string = |json: &mut Writer, text: &Text| {
        json.string(text);
    };
    json.maybe(
        "idempotency_key",
        task.extras.idempotency_key.as_ref(),
        string,
    );
    json.maybe("unique_key", task.extras.unique_key.as_ref(), string);
    json.maybe("expires_at", task.extras.expires_at, |json, at| {
        json.instant(at);
    });
    json.maybe("traceparent", task.extras.traceparent.as_ref(), string);
    json.instant_field("created_at", task.created_at);
    json.maybe("updated_at", task.updated_at, |json, at| {
        json.instant(at);
    });
    json.maybe("canceled_at", task.canceled_at, |json, at| {
        json.instant(at);
    });
    json.string_field("created_by", &task.created_by);
    write_bonds(json, task);
    json.name("runs_by_state");
    write_counts(json, &task.runs_by_state);
    write_runs(json, task);
    json.end_object();
}

/// What a list shows of a task.
pub(crate) fn write_task_line(json: &mut Writer, line: &TaskLine) {
    let task = &line.view;
    json.object()
        .plain_field("id", &task.id)
        .plain_field("tenant_id", &line.tenant);
    json.string_field("kind", &task.kind)
        .string_field("queue", &task.queue);
    write_policy(json, task);
    write_constraints(json, &task.policy);
    write_metadata(json, task.priority, Some(&task.extras));
    json.instant_field("created_at", task.created_at);
    json.maybe("updated_at", task.updated_at, |json, at| {
        json.instant(at);
    });
    if let Some(parent) = task.bond.as_deref().and_then(|bond| bond.parent) {
        json.plain_field("parent_task_id", &parent);
    }
    json.string_field("state", task.state.name()).end_object();
}

/// `runs` and `runs_total`, into an object that is open.
pub(crate) fn write_runs(json: &mut Writer, task: &TaskView) {
    json.name("runs").array();
    for run in &task.runs {
        write_run_brief(json, run);
    }
    json.end_array().number_field("runs_total", task.runs_total);
}

/// A run in a few words.
pub(crate) fn write_run_brief(json: &mut Writer, run: &SubmittedRun) {
    json.object()
        .plain_field("run_id", &run.run)
        .string_field("state", run.state.name())
        .instant_field("scheduled_at", run.scheduled_at)
        .end_object();
}

/// Counts by state, as an object.
pub(crate) fn write_counts(json: &mut Writer, counts: &[u64; RunState::ALL.len()]) {
    json.object();
    for (state, count) in RunState::ALL.iter().zip(counts) {
        json.number_field(state.name(), *count);
    }
    json.end_object();
}

/// `payload` byte for byte or `payload_base64`, and `content_type`, into an object that is open.
pub(crate) fn write_payload(json: &mut Writer, payload: &Payload, media: Option<&Text>) {
    if payload.binary {
        json.name("payload_base64").base64(&payload.bytes);
    } else {
        json.name("payload").raw(&payload.bytes);
    }
    json.string_field(
        "content_type",
        media.map_or(default_type(payload), |media| media),
    );
}

/// `metadata`, into an object that is open.
pub(crate) fn write_metadata(json: &mut Writer, priority: i32, extras: Option<&Extras>) {
    let tags = extras
        .map(|extras| extras.tags.as_slice())
        .unwrap_or_default();
    json.name("metadata")
        .object()
        .strings_field("tags", tags)
        .number_field("priority", priority);
    if let Some(description) = extras.and_then(|extras| extras.description.as_ref()) {
        json.string_field("description", description);
    }
    json.end_object();
}

/// Named JSON values as one object, into an object that is open.
pub(crate) fn write_memos(json: &mut Writer, memos: &[(Text, Bytes)]) {
    json.name("checkpoints").object();
    for (name, value) in memos {
        json.foreign_name(name).raw(value);
    }
    json.end_object();
}

fn write_constraints(json: &mut Writer, policy: &Policy) {
    json.name("constraints").object();
    json.number_field("max_attempts", policy.max_attempts)
        .number_field("max_lost_leases", policy.max_lost_leases);
    json.maybe("timeout_ms", policy.timeout_ms, |json, ms| {
        json.number(ms);
    });
    json.number_field("lease_ms", policy.lease_ms)
        .number_field("cancel_grace_ms", policy.cancel_grace_ms);
    json.maybe(
        "concurrency_key",
        policy.concurrency_key.as_ref(),
        |json, key| {
            json.string(key);
        },
    );
    json.number_field("concurrency_limit", policy.concurrency_limit);
    let hold = match policy.hold_policy {
        HoldPolicy::HoldDuringRetry => "hold_during_retry",
        HoldPolicy::ReleaseOnRetry => "release_on_retry",
    };
    let safety = match policy.safety_level {
        SafetyLevel::Pure => "pure",
        SafetyLevel::Idempotent => "idempotent",
        SafetyLevel::Transactional => "transactional",
    };
    json.string_field("hold_policy", hold)
        .string_field("safety_level", safety);
    if !policy.required_capabilities.is_empty() {
        json.strings_field("required_capabilities", &policy.required_capabilities);
    }
    json.maybe("fairness_key", policy.fairness_key.as_ref(), |json, key| {
        json.string(key);
    });
    json.end_object();
}

fn write_retry(json: &mut Writer, policy: &Policy) {
    let retry = &policy.retry;
    let strategy = match retry.strategy {
        Strategy::Fixed => "fixed",
        Strategy::Exponential => "exponential",
    };
    let jitter = match retry.jitter {
        Jitter::Full => "full",
        Jitter::None => "none",
    };
    json.name("retry")
        .object()
        .string_field("strategy", strategy)
        .number_field("initial_ms", retry.initial_ms);
    json.name("multiplier")
        .raw(decimal(retry.multiplier_milli).as_bytes());
    json.number_field("max_ms", retry.max_ms)
        .string_field("jitter", jitter);
    json.strings_field("non_retryable", &retry.non_retryable)
        .end_object();
}

/// Thousandths as the shortest decimal: `2`, `1.5`, `1.001`.
fn decimal(milli: u32) -> String {
    let text = format!("{}.{:03}", milli / 1000, milli % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn thousandths_are_the_shortest_decimal() {
        assert_eq!(
            [
                decimal(2000),
                decimal(1500),
                decimal(1001),
                decimal(100_000)
            ],
            ["2", "1.5", "1.001", "100"]
        );
    }
}
