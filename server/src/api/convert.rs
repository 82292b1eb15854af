//! From the wire's task to the machine's: what only the edge can see is checked here, every limit again in the machine.

use base64::Engine as _;
use mainstay::Durability;
use mainstay_client::wire;
use mainstay_core::{
    Bytes, Call, Command, Extras, HoldPolicy, Jitter, Payload, Policy, Retry, SafetyLevel,
    Strategy, TaskId, TaskSpec, TenantId, Text,
};

use super::bonds::read_bonds;
use super::names::Names;
use super::run_policy::{When, read_at, read_policy};
use crate::edge::{Exchange, Failure, read_task};
use crate::json::Subject;

const JSON_TYPE: &str = "application/json";
/// What bytes without a media type are.
pub(crate) const BYTES_TYPE: &str = "application/octet-stream";

/// The default media type of a payload's form.
pub(crate) fn default_type(payload: &Payload) -> &'static str {
    if payload.binary {
        BYTES_TYPE
    } else {
        JSON_TYPE
    }
}

/// A task to submit: in which tenant, when it is answered, and the task itself, with its id if the client chose one.
type Wanted = (TenantId, Durability, (Option<TaskId>, TaskSpec));

/// What the wire's task asks for.
pub(crate) fn task_of(
    exchange: &Exchange,
    names: &mut Names,
    spec: wire::TaskSpec<'_>,
) -> Result<Wanted, Failure> {
    let durability = match spec.durability {
        Some(wire::Durability::Deferred) => Durability::Deferred,
        Some(wire::Durability::Immediate) | None => Durability::Immediate,
    };
    let tenant = exchange.tenant_of(Subject::Task, spec.tenant_id.as_deref())?;
    Ok((tenant, durability, task(exchange, names, &spec)?))
}

/// The call that submits this task, and when it is answered.
pub(crate) fn submit(
    exchange: &Exchange,
    names: &mut Names,
    spec: wire::TaskSpec<'_>,
) -> Result<(Call, Durability), Failure> {
    let (tenant, durability, (id, task)) = task_of(exchange, names, spec)?;
    let task = Box::new(task);
    let mut call = exchange.call_of(match id {
        Some(id) => Command::SubmitAs(id, task),
        None => Command::Submit(task),
    });
    call.principal.tenant = tenant;
    Ok((call, durability))
}

/// A task that an attempt submits with its end: a child of the run's task, and of its tenant.
pub(crate) fn child(
    exchange: &Exchange,
    names: &mut Names,
    spec: &wire::TaskSpec<'_>,
) -> Result<(Option<TaskId>, TaskSpec), Failure> {
    let given = [
        ("parent_task_id", spec.parent_task_id.is_some()),
        ("parent_run", spec.parent_run.is_some()),
        ("tenant_id", spec.tenant_id.is_some()),
        ("durability", spec.durability.is_some()),
    ];
    if let Some((field, _)) = given.into_iter().find(|(_, given)| *given) {
        return Err(Subject::Task.wrong(field, "follows from the run that submits the child"));
    }
    task(exchange, names, spec)
}

/// The task, and its id if the client chose one.
fn task(
    exchange: &Exchange,
    names: &mut Names,
    spec: &wire::TaskSpec<'_>,
) -> Result<(Option<TaskId>, TaskSpec), Failure> {
    let id = spec.id.as_deref().map(read_task).transpose()?;
    let payload = payload(spec)?;
    exchange.check_size("payload_bytes", Some(payload.bytes.len()))?;
    let when = match &spec.run_policy {
        Some(given) => read_policy(Subject::Task, names, given)?,
        None => When::default(),
    };
    let metadata = spec.metadata.as_ref();
    let task = TaskSpec {
        kind: names.share(&spec.kind),
        queue: names.share(spec.queue.as_deref().unwrap_or("default")),
        run_at: when.run_at,
        priority: metadata.and_then(|metadata| metadata.priority).unwrap_or(0),
        policy: policy(names, spec)?,
        extras: extras(names, spec, &payload)?,
        payload,
        schedule: when.schedule,
        bonds: read_bonds(exchange, names, spec)?,
    };
    Ok((id, task))
}

fn invalid(field: &'static str, message: &str) -> Failure {
    Subject::Task.wrong(field, message)
}

/// JSON text as shared bytes.
pub(crate) fn json_bytes(json: &wire::Json<'_>) -> Bytes {
    Bytes::from(json.text().as_bytes())
}

fn payload(spec: &wire::TaskSpec<'_>) -> Result<Payload, Failure> {
    match (&spec.payload, &spec.payload_base64) {
        (Some(_), Some(_)) => Err(invalid("payload_base64", "and payload exclude each other")),
        (Some(json), None) => Ok(Payload {
            bytes: json_bytes(json),
            binary: false,
        }),
        (None, Some(text)) => {
            let bytes = base64::engine::general_purpose::STANDARD
                .decode(text.as_bytes())
                .map_err(|_| invalid("payload_base64", "must be base64 with its padding"))?;
            Ok(Payload {
                bytes: Bytes::from(bytes),
                binary: true,
            })
        }
        (None, None) => Ok(Payload::default()),
    }
}

fn policy(names: &mut Names, spec: &wire::TaskSpec<'_>) -> Result<Option<Box<Policy>>, Failure> {
    if spec.constraints.is_none() && spec.retry.is_none() {
        return Ok(None);
    }
    let mut policy = Policy::default();
    if let Some(given) = &spec.constraints {
        set(&mut policy.max_attempts, given.max_attempts);
        set(&mut policy.max_lost_leases, given.max_lost_leases);
        policy.timeout_ms = given.timeout_ms;
        set(&mut policy.lease_ms, given.lease_ms);
        set(&mut policy.cancel_grace_ms, given.cancel_grace_ms);
        policy.concurrency_key = given.concurrency_key.as_ref().map(|key| names.share(key));
        set(&mut policy.concurrency_limit, given.concurrency_limit);
        set(&mut policy.hold_policy, given.hold_policy.map(hold_policy));
        set(
            &mut policy.safety_level,
            given.safety_level.map(safety_level),
        );
        if let Some(capabilities) = &given.required_capabilities {
            policy.required_capabilities = required(names, capabilities)?;
        }
        policy.fairness_key = given.fairness_key.as_ref().map(|key| names.share(key));
    }
    if let Some(given) = &spec.retry {
        policy.retry = retry(names, given)?;
    }
    // Whoever spells the defaults out gets a task that costs no more than one that does not.
    Ok((policy != Policy::default()).then(|| Box::new(policy)))
}

/// Absent or some: an empty list would say nothing, and is more likely a mistake.
fn required(names: &mut Names, given: &[wire::Str<'_>]) -> Result<Vec<Text>, Failure> {
    if given.is_empty() {
        let message = "must be absent, or name at least one capability";
        return Err(invalid("constraints.required_capabilities", message));
    }
    Ok(given.iter().map(|name| names.share(name)).collect())
}

fn set<T>(field: &mut T, given: Option<T>) {
    if let Some(value) = given {
        *field = value;
    }
}

fn hold_policy(given: wire::HoldPolicy) -> HoldPolicy {
    match given {
        wire::HoldPolicy::HoldDuringRetry => HoldPolicy::HoldDuringRetry,
        wire::HoldPolicy::ReleaseOnRetry => HoldPolicy::ReleaseOnRetry,
    }
}

fn safety_level(given: wire::SafetyLevel) -> SafetyLevel {
    match given {
        wire::SafetyLevel::Pure => SafetyLevel::Pure,
        wire::SafetyLevel::Idempotent => SafetyLevel::Idempotent,
        wire::SafetyLevel::Transactional => SafetyLevel::Transactional,
    }
}

fn retry(names: &mut Names, given: &wire::RetrySpec<'_>) -> Result<Retry, Failure> {
    let mut retry = Retry::default();
    set(
        &mut retry.strategy,
        given.strategy.map(|strategy| match strategy {
            wire::Strategy::Fixed => Strategy::Fixed,
            wire::Strategy::Exponential => Strategy::Exponential,
        }),
    );
    set(&mut retry.initial_ms, given.initial_ms);
    set(&mut retry.max_ms, given.max_ms);
    set(
        &mut retry.jitter,
        given.jitter.map(|jitter| match jitter {
            wire::Jitter::Full => Jitter::Full,
            wire::Jitter::None => Jitter::None,
        }),
    );
    if let Some(multiplier) = given.multiplier {
        if !(1.0..=1000.0).contains(&multiplier) {
            return Err(invalid(
                "retry.multiplier",
                "must be a number from 1 to 1000",
            ));
        }
        retry.multiplier_milli = (multiplier * 1000.0).round() as u32;
    }
    if let Some(codes) = &given.non_retryable {
        retry.non_retryable = codes.iter().map(|code| names.share(code)).collect();
    }
    Ok(retry)
}

fn extras(
    names: &mut Names,
    spec: &wire::TaskSpec<'_>,
    payload: &Payload,
) -> Result<Option<Box<Extras>>, Failure> {
    let metadata = spec.metadata.as_ref();
    let text = |given: Option<&wire::Str<'_>>| given.map(|text| Text::from(&**text));
    let media = spec
        .content_type
        .as_deref()
        .filter(|given| *given != default_type(payload));
    let tags = metadata
        .and_then(|metadata| metadata.tags.as_deref())
        .unwrap_or_default();
    let extras = Extras {
        content_type: media.map(|media| names.share(media)),
        tags: tags.iter().map(|tag| names.share(tag)).collect(),
        description: text(metadata.and_then(|metadata| metadata.description.as_ref())),
        traceparent: text(spec.traceparent.as_ref()),
        idempotency_key: text(spec.idempotency_key.as_ref()),
        expires_at: read_at(Subject::Task, "expires_at", spec.expires_at.as_deref())?,
        unique_key: text(spec.unique_key.as_ref()),
    };
    Ok((extras != Extras::default()).then(|| Box::new(extras)))
}
