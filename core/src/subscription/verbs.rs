//! Subscribing, unsubscribing, and publishing events of one's own.
//! Owns: the decisions and their limits.
//! Never: acts on what a subscription waited for: `machine/hear.rs` does.

use alloc::boxed::Box;

use super::index::rows;
use super::model::Filter;
use crate::event::{CustomEventPublished, SubscriptionCanceled, SubscriptionCreated};
use crate::limits;
use crate::machine::Tx;
use crate::outcome::Outcome;
use crate::rejection::Rejection;
use crate::{Bytes, SubscriptionId, TaskId, Text};

fn invalid(field: &'static str, message: &str) -> Rejection {
    Rejection::InvalidRequest {
        field,
        message: message.into(),
    }
}

fn check_key(field: &'static str, key: &Text) -> Result<(), Rejection> {
    if key.is_empty() || key.len() > limits::EVENT_KEY_BYTES_MAX {
        return Err(invalid(field, "must have 1 to 255 bytes"));
    }
    Ok(())
}

/// A filter's own fields, and that the task it watches exists.
fn check_filter(tx: &Tx<'_>, filter: &Filter) -> Result<(), Rejection> {
    let watched = match filter {
        Filter::Custom(key) => return check_key("filter.key", key),
        Filter::TaskCompleted(task) | Filter::RunStateChanged(task, _) => *task,
        Filter::BudgetThreshold(task, dimension, percent) => {
            limits::check_name("filter.dimension", dimension)?;
            if !(1..=100).contains(percent) {
                return Err(invalid("filter.percent", "must be between 1 and 100"));
            }
            *task
        }
    };
    if tx.knows_task(watched) {
        Ok(())
    } else {
        Err(Rejection::UnknownTask { task: watched })
    }
}

/// Decides a subscription.
pub(crate) fn subscribe(
    tx: &mut Tx<'_>,
    id: TaskId,
    subscription: Option<SubscriptionId>,
    filter: &Filter,
) -> Result<Outcome, Rejection> {
    let task = tx.live_task(id)?;
    if subscription == Some(SubscriptionId(0)) {
        return Err(invalid("subscription_id", "must not be the nil UUID"));
    }
    check_filter(tx, filter)?;
    let state = tx.state();
    if let Some(subscription) = subscription
        && state.watches.task(tx.tenant, subscription).is_some()
    {
        return Err(Rejection::SubscriptionAlreadyExists { subscription });
    }
    let live = rows(state, task).iter().filter(|row| !row.canceled).count();
    check_room("subscriptions", live, limits::SUBSCRIPTIONS_MAX)?;
    check_room(
        "subscriptions_to_one_thing",
        state.watches.count(tx.tenant, filter),
        limits::WATCHERS_MAX,
    )?;
    let chosen = subscription.is_some();
    let subscription = subscription.unwrap_or_else(|| tx.mint_subscription());
    let by = tx.principal.name.clone();
    tx.emit(SubscriptionCreated {
        subscription,
        task: id,
        filter: Box::new(filter.clone()),
        by,
        chosen,
    });
    Ok(Outcome::Subscribed(subscription))
}

fn check_room(limit: &'static str, taken: usize, most: usize) -> Result<(), Rejection> {
    if taken < most {
        return Ok(());
    }
    Err(Rejection::LimitExceeded {
        limit,
        value: most as u64,
    })
}

/// The task of a subscription that still waits.
pub(crate) fn task_of(tx: &Tx<'_>, subscription: SubscriptionId) -> Result<u32, Rejection> {
    let task = tx.state().watches.task(tx.tenant, subscription);
    let task = task.ok_or(Rejection::UnknownSubscription { subscription })?;
    let mut rows = rows(tx.state(), task).iter();
    if rows.any(|row| row.id == subscription && row.canceled) {
        return Err(Rejection::SubscriptionAlreadyCanceled { subscription });
    }
    Ok(task)
}

/// Decides the end of a subscription.
pub(crate) fn unsubscribe(
    tx: &mut Tx<'_>,
    subscription: SubscriptionId,
) -> Result<Outcome, Rejection> {
    task_of(tx, subscription)?;
    let by = tx.principal.name.clone();
    tx.emit(SubscriptionCanceled { subscription, by });
    Ok(Outcome::Unsubscribed)
}

/// Checks events before they are published.
pub(crate) fn check_events(events: &[(Text, Option<Bytes>)]) -> Result<(), Rejection> {
    if events.len() > limits::CUSTOM_EVENTS_PER_FINISH_MAX {
        return Err(Rejection::LimitExceeded {
            limit: "custom_events",
            value: limits::CUSTOM_EVENTS_PER_FINISH_MAX as u64,
        });
    }
    let mut bytes = 0;
    for (key, payload) in events {
        check_key("key", key)?;
        bytes += payload.as_ref().map_or(0, |payload| payload.len());
    }
    if bytes > limits::PAYLOAD_BYTES_MAX {
        return Err(Rejection::LimitExceeded {
            limit: "payload_bytes",
            value: limits::PAYLOAD_BYTES_MAX as u64,
        });
    }
    Ok(())
}

/// Decides an event of somebody's own. Answers how many wait for it.
pub(crate) fn publish(
    tx: &mut Tx<'_>,
    key: &Text,
    payload: Option<&Bytes>,
) -> Result<Outcome, Rejection> {
    check_events(&[(key.clone(), payload.cloned())])?;
    let filter = Filter::Custom(key.clone());
    let met = tx.state().watches.count(tx.tenant, &filter);
    let by = tx.principal.name.clone();
    tx.emit(CustomEventPublished {
        key: key.clone(),
        payload: payload.cloned(),
        by,
    });
    Ok(Outcome::Triggered(met as u32))
}
