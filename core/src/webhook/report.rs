//! What was sent: how far a webhook has come, and when what failed is sent again.
//! Owns: the schedule of retries, when a webhook is switched off by itself, what the incident ledger says.
//! Never: refuses what has happened; sends.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::manage::find;
use super::model::{Attempted, Delivery, DeliveryState, Report, Settled, Webhook};
use crate::event::{WebhookEventsMissed, WebhookReported, WebhookSwitched};
use crate::id::mix;
use crate::machine::Tx;
use crate::outcome::Outcome;
use crate::rejection::Rejection;
use crate::state::State;
use crate::{Bytes, Text, WebhookId, limits};

const SECOND_MS: u64 = 1000;
const MINUTE_MS: u64 = 60 * SECOND_MS;
const HOUR_MS: u64 = 60 * MINUTE_MS;

/// How long after each failure the next attempt comes, before jitter: 75 hours and a half in all.
const SCHEDULE_MS: [u64; 10] = [
    5 * SECOND_MS,
    MINUTE_MS,
    5 * MINUTE_MS,
    30 * MINUTE_MS,
    2 * HOUR_MS,
    5 * HOUR_MS,
    10 * HOUR_MS,
    14 * HOUR_MS,
    20 * HOUR_MS,
    24 * HOUR_MS,
];
/// A receiver may ask to be left alone for so long.
const RETRY_AFTER_MS_MAX: u64 = 24 * HOUR_MS;
/// Nothing but failures for so long switch a webhook off.
const FAILING_MS_MAX: u64 = 120 * HOUR_MS;
/// The status by which a receiver says that it is there no more.
const GONE: u32 = 410;

/// Decides what follows from what was sent. What a webhook knows already, and what it never asked for, changes nothing.
pub(super) fn report(tx: &mut Tx<'_>, report: &Report) -> Result<Outcome, Rejection> {
    let row = find(tx, report.webhook)?;
    let settled = settle(tx, row, report)?;
    let cursor = report.cursor.clamp(row.cursor, tx.state().sequence);
    let moved = cursor > row.cursor;
    let missed = report
        .missed
        .filter(|(first, last)| first <= last && *last <= cursor && *first > row.cursor);
    let is_gone = settled.iter().any(|one| one.status == GONE);
    if let Some((first, last)) = missed {
        tx.emit(WebhookEventsMissed {
            webhook: report.webhook,
            first,
            last,
        });
    }
    if moved || !settled.is_empty() {
        tx.emit(WebhookReported {
            webhook: report.webhook,
            cursor,
            settled,
        });
    }
    switch_off(tx, report.webhook, is_gone);
    Ok(Outcome::WebhookReported)
}

/// What each attempt comes to.
fn settle(tx: &Tx<'_>, row: &Webhook, report: &Report) -> Result<Vec<Settled>, Rejection> {
    if report.attempts.len() > limits::REPORTED_MAX {
        return Err(super::check::limit("reported", limits::REPORTED_MAX));
    }
    let mut settled: Vec<Settled> = Vec::with_capacity(report.attempts.len());
    for attempt in &report.attempts {
        let is_word = |text: &Text| text.is_empty() || limits::is_name(text);
        if !is_word(&attempt.error) || !limits::is_name(&attempt.kind) {
            return Err(Rejection::InvalidRequest {
                field: "attempts",
                message: "name an error or a type that cannot be".into(),
            });
        }
        let webhooks = &tx.state().webhooks;
        let known = webhooks.delivery(tx.tenant, report.webhook, attempt.event);
        let is_due = match known {
            Some(known) => known.state == DeliveryState::Pending,
            None => attempt.event > row.cursor && attempt.event <= report.cursor,
        };
        let is_again = settled.iter().any(|one| one.event == attempt.event);
        if is_due && !is_again {
            settled.push(judge(report.webhook, known, attempt));
        }
    }
    Ok(settled)
}

fn judge(webhook: WebhookId, known: Option<&Delivery>, attempt: &Attempted) -> Settled {
    let failures = known.map_or(0, |known| known.failures);
    let is_taken = (200..300).contains(&attempt.status) && attempt.error.is_empty();
    let next = delay(webhook, attempt.event, failures);
    let (state, delay_ms) = match next {
        _ if is_taken => (DeliveryState::Delivered, 0),
        Some(delay_ms) if attempt.status != GONE && !attempt.is_lost => {
            let asked = attempt.retry_after_ms.min(RETRY_AFTER_MS_MAX);
            (DeliveryState::Pending, delay_ms.max(asked))
        }
        _ => (DeliveryState::Failed, 0),
    };
    Settled {
        event: attempt.event,
        kind: attempt.kind.clone(),
        task: attempt.task,
        run: attempt.run,
        state,
        status: attempt.status,
        error: attempt.error.clone(),
        duration_ms: attempt.duration_ms,
        delay_ms,
    }
}

/// Milliseconds until the attempt after this many failures and one more: the schedule's, and up to a tenth besides, so that what failed
/// together does not come back together. `None` when nobody tries any more.
fn delay(webhook: WebhookId, event: u64, failures: u32) -> Option<u64> {
    let base = *SCHEDULE_MS.get(failures as usize)?;
    let seed = webhook.0 as u64 ^ (webhook.0 >> 64) as u64 ^ mix(event) ^ u64::from(failures);
    Some(base + mix(seed) % (base / 10 + 1))
}

fn switch_off(tx: &mut Tx<'_>, webhook: WebhookId, is_gone: bool) {
    let Ok(row) = find(tx, webhook) else {
        return;
    };
    let since = row.failing_since;
    let is_failing = since.is_some_and(|since| since.plus_ms(FAILING_MS_MAX) <= tx.now.wall);
    if row.disabled.is_none() && (is_gone || is_failing) {
        let why = if is_gone { "gone" } else { "failing" };
        tx.emit(WebhookSwitched {
            webhook,
            enabled: false,
            why: Text::from(why),
            by: Text::default(),
        });
    }
}

/// What the incident ledger says of a delivery that nobody tries any more. Every part is a name, an id or a number.
pub(crate) fn given_up_entry(state: &State, tenant: u32, webhook: WebhookId, event: u64) -> Bytes {
    let name = state.webhooks.find(tenant, webhook);
    let name = name.map(|row| row.spec.name.clone()).unwrap_or_default();
    let row = state.webhooks.delivery(tenant, webhook, event);
    let row = row.cloned().unwrap_or_default();
    let id = |id: Option<String>| id.map_or_else(|| "null".into(), |id| format!("\"{id}\""));
    let text = format!(
        r#"{{"incident":"webhook_delivery_failed","webhook_id":"{webhook}","webhook_name":"{name}","delivery_id":"{event}","event_type":"{}","event_sequence":{event},"task_id":{},"run_id":{},"attempts":{},"last_status":{},"last_error":"{}"}}"#,
        row.kind,
        id(row.task.map(|task| format!("{task}"))),
        id(row.run.map(|run| format!("{run}"))),
        row.attempts,
        row.status,
        row.error,
    );
    Bytes::from(text.as_bytes())
}

/// What the incident ledger says of events that nobody looked at in time.
pub(crate) fn missed_entry(
    state: &State,
    tenant: u32,
    webhook: WebhookId,
    span: (u64, u64),
) -> Bytes {
    let name = state.webhooks.find(tenant, webhook);
    let name = name.map(|row| row.spec.name.clone()).unwrap_or_default();
    let (first, last) = span;
    let text = format!(
        r#"{{"incident":"webhook_events_missed","webhook_id":"{webhook}","webhook_name":"{name}","first_sequence":{first},"last_sequence":{last}}}"#
    );
    Bytes::from(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::{SCHEDULE_MS, delay};
    use crate::WebhookId;

    #[test]
    fn a_delay_is_its_schedules_and_at_most_a_tenth_more_and_always_the_same() {
        for event in [1, 2, 77, u64::MAX] {
            for (failures, base) in SCHEDULE_MS.iter().enumerate() {
                let found = delay(WebhookId(7), event, failures as u32).unwrap();
                assert!((*base..=base + base / 10).contains(&found));
                assert_eq!(Some(found), delay(WebhookId(7), event, failures as u32));
            }
            assert_eq!(delay(WebhookId(7), event, 10), None);
        }
    }
}
