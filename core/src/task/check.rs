//! Every rule a task must meet before anything is written.
//! Owns: the limits of a task's fields, with the field's name in each refusal.
//! Never: looks at the state.

use alloc::format;
use alloc::string::String;

use super::model::{Extras, Payload, Policy, Retry, TaskSpec};
use crate::rejection::Rejection;
use crate::time::Timestamp;
use crate::{Text, budget, limits, schedule};

/// Whether an idempotency key, if there is one, has an allowed size.
pub(crate) fn check_key(key: Option<&Text>) -> Result<(), String> {
    match key {
        Some(key) if key.is_empty() || key.len() > limits::IDEMPOTENCY_KEY_BYTES_MAX => {
            Err("must have 1 to 255 bytes".into())
        }
        _ => Ok(()),
    }
}

/// The limits of a list of capabilities, required or had.
pub(crate) fn check_capabilities(capabilities: &[Text]) -> Result<(), String> {
    if capabilities.len() > limits::CAPABILITIES_MAX {
        return Err(format!(
            "must name at most {} capabilities",
            limits::CAPABILITIES_MAX
        ));
    }
    let fits = |name: &Text| (1..=limits::CAPABILITY_BYTES_MAX).contains(&name.len());
    if capabilities.iter().all(fits) {
        Ok(())
    } else {
        Err(format!(
            "must have 1 to {} bytes each",
            limits::CAPABILITY_BYTES_MAX
        ))
    }
}

/// The refusal of a field.
pub(crate) fn invalid(field: &'static str, message: impl Into<String>) -> Result<(), Rejection> {
    Err(Rejection::InvalidTask {
        field,
        message: message.into(),
    })
}

/// Whether a field lies within its bounds.
pub(crate) fn within(
    field: &'static str,
    value: u64,
    least: u64,
    most: u64,
) -> Result<(), Rejection> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        invalid(field, format!("must be between {least} and {most}"))
    }
}

fn sized(field: &'static str, text: Option<&Text>, most: usize) -> Result<(), Rejection> {
    match text {
        Some(text) if text.len() > most => {
            invalid(field, format!("must have at most {most} bytes"))
        }
        _ => Ok(()),
    }
}

/// Checks a whole task.
pub(crate) fn check(spec: &TaskSpec, payload_bytes_max: usize) -> Result<(), Rejection> {
    if !limits::is_name(&spec.kind) {
        return invalid("kind", limits::NAME_FORM);
    }
    if !limits::is_name(&spec.queue) {
        return invalid("queue", limits::NAME_FORM);
    }
    if spec.run_at.is_some_and(|at| at > Timestamp::MAX) {
        return invalid("run_policy.run_at", "must be before the year 10000");
    }
    if let Some(schedule) = &spec.schedule {
        if spec.run_at.is_some() {
            return invalid("run_policy.run_at", "goes with type `once` alone");
        }
        schedule::check(schedule)?;
    }
    check_payload(&spec.payload, payload_bytes_max)?;
    if let Some(policy) = &spec.policy {
        check_policy(policy)?;
    }
    if let Some(bonds) = &spec.bonds {
        budget::check_specs(&bonds.budgets)?;
    }
    match &spec.extras {
        Some(extras) => check_extras(extras),
        None => Ok(()),
    }
}

fn check_payload(payload: &Payload, most: usize) -> Result<(), Rejection> {
    let field = if payload.binary {
        "payload_base64"
    } else {
        "payload"
    };
    if payload.bytes.len() > most {
        return invalid(field, format!("must have at most {most} bytes"));
    }
    if !payload.binary && payload.bytes.is_empty() {
        return invalid(field, "must be JSON text");
    }
    Ok(())
}

fn check_policy(policy: &Policy) -> Result<(), Rejection> {
    within(
        "constraints.max_attempts",
        policy.max_attempts.into(),
        1,
        limits::ATTEMPTS_MAX.into(),
    )?;
    within(
        "constraints.max_lost_leases",
        policy.max_lost_leases.into(),
        0,
        limits::LOST_LEASES_MAX.into(),
    )?;
    if let Some(ms) = policy.timeout_ms {
        within("constraints.timeout_ms", ms, 1, limits::SPAN_MS_MAX)?;
    }
    within(
        "constraints.lease_ms",
        policy.lease_ms,
        limits::LEASE_MS_MIN,
        limits::LEASE_MS_MAX,
    )?;
    within(
        "constraints.cancel_grace_ms",
        policy.cancel_grace_ms,
        0,
        limits::CANCEL_GRACE_MS_MAX,
    )?;
    if policy
        .concurrency_key
        .as_ref()
        .is_some_and(|key| key.is_empty())
    {
        return invalid("constraints.concurrency_key", "must not be empty");
    }
    sized(
        "constraints.concurrency_key",
        policy.concurrency_key.as_ref(),
        limits::CONCURRENCY_KEY_BYTES_MAX,
    )?;
    within(
        "constraints.concurrency_limit",
        policy.concurrency_limit.into(),
        1,
        limits::CONCURRENCY_LIMIT_MAX.into(),
    )?;
    check_capabilities(&policy.required_capabilities).map_err(|message| {
        let field = "constraints.required_capabilities";
        Rejection::InvalidTask { field, message }
    })?;
    sized(
        "constraints.fairness_key",
        policy.fairness_key.as_ref(),
        limits::FAIRNESS_KEY_BYTES_MAX,
    )?;
    check_retry(&policy.retry)
}

fn check_retry(retry: &Retry) -> Result<(), Rejection> {
    within("retry.initial_ms", retry.initial_ms, 0, limits::SPAN_MS_MAX)?;
    within("retry.max_ms", retry.max_ms, 0, limits::SPAN_MS_MAX)?;
    within(
        "retry.multiplier",
        retry.multiplier_milli.into(),
        1000,
        1_000_000,
    )
    .map_err(|_| Rejection::InvalidTask {
        field: "retry.multiplier",
        message: "must be between 1 and 1000".into(),
    })?;
    if retry.non_retryable.len() > limits::NON_RETRYABLE_MAX {
        return invalid("retry.non_retryable", "must name at most 100 codes");
    }
    for code in &retry.non_retryable {
        sized(
            "retry.non_retryable",
            Some(code),
            limits::ERROR_CODE_BYTES_MAX,
        )?;
    }
    Ok(())
}

/// Checks a task's tags.
pub(super) fn check_tags(tags: &[Text]) -> Result<(), Rejection> {
    if tags.len() > limits::TAGS_MAX {
        return invalid("metadata.tags", "must name at most 32 tags");
    }
    for tag in tags {
        if tag.is_empty() {
            return invalid("metadata.tags", "must not be empty");
        }
        sized("metadata.tags", Some(tag), limits::TAG_BYTES_MAX)?;
    }
    Ok(())
}

/// Checks a task's description.
pub(super) fn check_description(description: Option<&Text>) -> Result<(), Rejection> {
    let most = limits::DESCRIPTION_BYTES_MAX;
    sized("metadata.description", description, most)
}

fn check_extras(extras: &Extras) -> Result<(), Rejection> {
    check_tags(&extras.tags)?;
    check_description(extras.description.as_ref())?;
    sized(
        "content_type",
        extras.content_type.as_ref(),
        limits::CONTENT_TYPE_BYTES_MAX,
    )?;
    sized(
        "traceparent",
        extras.traceparent.as_ref(),
        limits::TRACEPARENT_BYTES_MAX,
    )?;
    if extras.expires_at.is_some_and(|at| at > Timestamp::MAX) {
        return invalid("expires_at", "must be before the year 10000");
    }
    let unique = extras.unique_key.as_ref();
    if unique.is_some_and(|key| key.is_empty() || key.len() > limits::UNIQUE_KEY_BYTES_MAX) {
        return invalid("unique_key", "must have 1 to 255 bytes");
    }
    check_key(extras.idempotency_key.as_ref()).map_err(|message| Rejection::InvalidTask {
        field: "idempotency_key",
        message,
    })
}
