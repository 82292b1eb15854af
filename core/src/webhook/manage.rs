//! Making, changing, switching and removing webhooks.
//! Owns: these decisions.
//! Never: sees a secret: only how often it was changed is known here.

use alloc::boxed::Box;

use super::check::{check_spec, limit};
use super::model::{Webhook, WebhookSpec};
use crate::event::{
    WebhookCreated, WebhookDeleted, WebhookRotated, WebhookSwitched, WebhookUpdated,
};
use crate::limits;
use crate::machine::Tx;
use crate::outcome::Outcome;
use crate::rejection::Rejection;
use crate::{Text, WebhookId};

pub(super) fn find<'a>(tx: &'a Tx<'_>, webhook: WebhookId) -> Result<&'a Webhook, Rejection> {
    let found = tx.state().webhooks.find(tx.tenant, webhook);
    found.ok_or(Rejection::UnknownWebhook { webhook })
}

/// Decides a new webhook. It is told of what happens from now on.
pub(super) fn create(
    tx: &mut Tx<'_>,
    chosen: Option<WebhookId>,
    spec: &WebhookSpec,
) -> Result<Outcome, Rejection> {
    let spec = check_spec(spec)?;
    if chosen == Some(WebhookId(0)) {
        return Err(Rejection::InvalidRequest {
            field: "webhook_id",
            message: "must not be the nil UUID".into(),
        });
    }
    if let Some(webhook) = chosen
        && find(tx, webhook).is_ok()
    {
        return Err(Rejection::WebhookAlreadyExists { webhook });
    }
    if tx.state().webhooks.count(tx.tenant) >= limits::WEBHOOKS_MAX {
        return Err(limit("webhooks", limits::WEBHOOKS_MAX));
    }
    let webhook = chosen.unwrap_or_else(|| tx.mint_webhook());
    let by = tx.principal.name.clone();
    tx.emit(WebhookCreated {
        webhook,
        spec: Box::new(spec),
        by,
        chosen: chosen.is_some(),
    });
    Ok(Outcome::WebhookCreated(webhook))
}

/// Decides what a webhook is from now on.
pub(super) fn update(
    tx: &mut Tx<'_>,
    webhook: WebhookId,
    spec: &WebhookSpec,
) -> Result<Outcome, Rejection> {
    let known = find(tx, webhook)?;
    let spec = check_spec(spec)?;
    if known.spec == spec {
        return Ok(Outcome::WebhookChanged { changed: false });
    }
    let by = tx.principal.name.clone();
    tx.emit(WebhookUpdated {
        webhook,
        spec: Box::new(spec),
        by,
    });
    Ok(Outcome::WebhookChanged { changed: true })
}

/// Decides the end of a webhook.
pub(super) fn delete(tx: &mut Tx<'_>, webhook: WebhookId) -> Result<Outcome, Rejection> {
    find(tx, webhook)?;
    let by = tx.principal.name.clone();
    tx.emit(WebhookDeleted { webhook, by });
    Ok(Outcome::WebhookChanged { changed: true })
}

/// Decides a new secret.
pub(super) fn rotate(tx: &mut Tx<'_>, webhook: WebhookId) -> Result<Outcome, Rejection> {
    let generation = find(tx, webhook)?.generation.saturating_add(1);
    let by = tx.principal.name.clone();
    tx.emit(WebhookRotated {
        webhook,
        generation,
        by,
    });
    Ok(Outcome::WebhookRotated { generation })
}

/// Decides whether events are sent.
pub(super) fn switch(
    tx: &mut Tx<'_>,
    webhook: WebhookId,
    enabled: bool,
) -> Result<Outcome, Rejection> {
    let changed = find(tx, webhook)?.disabled.is_none() != enabled;
    if changed {
        let by = tx.principal.name.clone();
        let why = if enabled { "" } else { "requested" };
        tx.emit(WebhookSwitched {
            webhook,
            enabled,
            why: Text::from(why),
            by,
        });
    }
    Ok(Outcome::WebhookChanged { changed })
}
