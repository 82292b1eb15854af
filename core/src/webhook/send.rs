//! Sending on request: an event again, or one that says nothing.
//! Owns: these decisions.
//! Never: sends.

use super::manage::find;
use crate::event::DeliveryRequested;
use crate::machine::Tx;
use crate::outcome::Outcome;
use crate::rejection::Rejection;
use crate::{Text, WebhookId};

/// The type of an event that says nothing: only ever sent to who asked for it.
const TEST: &str = "webhook_test";

fn check_enabled(tx: &Tx<'_>, webhook: WebhookId) -> Result<(), Rejection> {
    match find(tx, webhook)?.disabled {
        None => Ok(()),
        Some(_) => Err(Rejection::WebhookDisabled { webhook }),
    }
}

/// Decides that an event is sent again now, with its whole schedule before it. One that is pending is sent now.
pub(super) fn redeliver(
    tx: &mut Tx<'_>,
    webhook: WebhookId,
    event: u64,
) -> Result<Outcome, Rejection> {
    check_enabled(tx, webhook)?;
    let known = tx.state().webhooks.delivery(tx.tenant, webhook, event);
    let Some(known) = known else {
        return Err(Rejection::UnknownDelivery { event });
    };
    let kind = known.kind.clone();
    request(tx, webhook, event, kind);
    Ok(Outcome::DeliveryRequested { event })
}

/// Decides a test. Its delivery is named by the event that asks for it.
pub(super) fn test(tx: &mut Tx<'_>, webhook: WebhookId) -> Result<Outcome, Rejection> {
    check_enabled(tx, webhook)?;
    request(tx, webhook, 0, Text::from(TEST));
    Ok(Outcome::DeliveryRequested {
        event: tx.state().sequence,
    })
}

fn request(tx: &mut Tx<'_>, webhook: WebhookId, event: u64, kind: Text) {
    let by = tx.principal.name.clone();
    tx.emit(DeliveryRequested {
        webhook,
        event,
        kind,
        by,
    });
}
