//! A task as JSON.

use mainstay::store::TaskLine;
use mainstay_core::{
    Bytes, Extras, HoldPolicy, Jitter, Payload, Policy, RunState, SafetyLevel, Strategy,
    SubmittedRun, TaskView, Text,
};

use super::convert::default_type;
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
    write_run_policy(json, task);
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
    json.maybe("expires_at", task.extras.expires_at, |json, at| {
        json.instant(at);
    });
    json.maybe("traceparent", task.extras.traceparent.as_ref(), string);
    json.instant_field("created_at", task.created_at)
        .name("updated_at")
        .null();
    json.maybe("canceled_at", task.canceled_at, |json, at| {
        json.instant(at);
    });
    json.string_field("created_by", &task.created_by);
    json.name("runs_by_state");
    let mut counts = [0u64; RunState::ALL.len()];
    for run in &task.runs {
        counts[run.state as usize] += 1;
    }
    write_counts(json, &counts);
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
    write_run_policy(json, task);
    write_constraints(json, &task.policy);
    write_metadata(json, task.priority, Some(&task.extras));
    json.instant_field("created_at", task.created_at)
        .name("updated_at")
        .null();
    json.string_field("state", task.state.name()).end_object();
}

fn write_run_policy(json: &mut Writer, task: &TaskView) {
    json.name("run_policy")
        .object()
        .string_field("type", "once");
    // Due at once is what a task is without a run_at: then it was not asked for.
    if task.scheduled_at != task.created_at {
        json.instant_field("run_at", task.scheduled_at);
    }
    json.end_object();
}

/// `runs` and `runs_total`, into an object that is open.
pub(crate) fn write_runs(json: &mut Writer, task: &TaskView) {
    json.name("runs").array();
    for SubmittedRun {
        run,
        state,
        scheduled_at,
    } in &task.runs
    {
        json.object()
            .plain_field("run_id", run)
            .string_field("state", state.name());
        json.instant_field("scheduled_at", *scheduled_at)
            .end_object();
    }
    json.end_array().number_field("runs_total", task.runs_total);
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
        .string_field("safety_level", safety)
        .end_object();
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
