//! What people set on a queue: its limits and its share, its pause.
//! Owns: the three decisions.
//! Never: touches a run; a queue that opens tells the shell, which tries the claims that wait.

use alloc::format;
use alloc::string::String;

use super::model::{QueueConfig, RateLimit};
use crate::event::{QueueConfigured, QueuePaused, QueueResumed};
use crate::machine::Tx;
use crate::outcome::Outcome;
use crate::rejection::Rejection;
use crate::{Text, limits};

fn invalid(field: &'static str, message: impl Into<String>) -> Rejection {
    let message = message.into();
    Rejection::InvalidRequest { field, message }
}

fn within(field: &'static str, value: u64, most: u64) -> Result<(), Rejection> {
    if (1..=most).contains(&value) {
        Ok(())
    } else {
        Err(invalid(field, format!("must be between 1 and {most}")))
    }
}

/// Names of queues are kept for good, so their number is limited.
fn check_name(tx: &Tx<'_>, queue: &Text) -> Result<(), Rejection> {
    limits::check_name("queue", queue)?;
    let named = tx.state().places.names_of(tx.tenant);
    if named >= limits::NAMES_PER_TENANT_MAX && !tx.state().knows_name(tx.tenant, queue) {
        return Err(Rejection::LimitExceeded {
            limit: "kinds_and_queues",
            value: limits::NAMES_PER_TENANT_MAX as u64,
        });
    }
    Ok(())
}

/// The limits of a queue's settings.
///
/// # Errors
/// The first field that is out of bounds.
pub(crate) fn check(config: &QueueConfig) -> Result<(), Rejection> {
    if let Some(limit) = config.concurrency_limit {
        let most = limits::CONCURRENCY_LIMIT_MAX.into();
        within("concurrency_limit", limit.into(), most)?;
    }
    if let Some(RateLimit { per_ms, max }) = config.rate_limit {
        within("rate_limit.per_ms", per_ms, limits::SPAN_MS_MAX)?;
        // A start per microsecond is the finest pace there is.
        within("rate_limit.max", max, per_ms * 1000)?;
    }
    if let Some(weight) = config.weight {
        within("weight", weight.into(), limits::WEIGHT_MAX.into())?;
    }
    Ok(())
}

/// Decides a queue's settings.
pub(crate) fn configure(
    tx: &mut Tx<'_>,
    queue: &Text,
    config: &QueueConfig,
) -> Result<Outcome, Rejection> {
    check_name(tx, queue)?;
    check(config)?;
    let by = tx.principal.name.clone();
    tx.emit(QueueConfigured {
        queue: queue.clone(),
        concurrency_limit: config.concurrency_limit,
        rate_per_ms: config.rate_limit.map(|limit| limit.per_ms),
        rate_max: config.rate_limit.map(|limit| limit.max),
        weight: config.weight,
        by,
    });
    Ok(Outcome::QueueConfigured)
}

fn is_paused(tx: &Tx<'_>, queue: &Text) -> bool {
    let state = tx.state();
    let queue = state.names.find(queue);
    let row = queue.and_then(|queue| state.queues.row(tx.tenant, queue));
    row.is_some_and(|row| row.switch.paused)
}

/// Decides a queue's pause.
pub(crate) fn pause(
    tx: &mut Tx<'_>,
    queue: &Text,
    reason: Option<&Text>,
) -> Result<Outcome, Rejection> {
    limits::check_reason(reason)?;
    check_name(tx, queue)?;
    let queue = queue.clone();
    if is_paused(tx, &queue) {
        return Err(Rejection::QueueAlreadyPaused { queue });
    }
    let (by, reason) = (tx.principal.name.clone(), reason.cloned());
    tx.emit(QueuePaused { queue, by, reason });
    Ok(Outcome::QueuePaused)
}

/// Decides that a queue grants again.
pub(crate) fn resume(
    tx: &mut Tx<'_>,
    queue: &Text,
    reason: Option<&Text>,
) -> Result<Outcome, Rejection> {
    limits::check_reason(reason)?;
    check_name(tx, queue)?;
    let queue = queue.clone();
    if !is_paused(tx, &queue) {
        return Err(Rejection::QueueNotPaused { queue });
    }
    let (by, reason) = (tx.principal.name.clone(), reason.cloned());
    tx.emit(QueueResumed { queue, by, reason });
    Ok(Outcome::QueueResumed)
}
