//! What may be set of a webhook.
//! Owns: the rules of its fields.
//! Never: judges where a URL leads: that is seen when it is connected to.

use alloc::format;
use alloc::vec::Vec;

use super::model::WebhookSpec;
use crate::Text;
use crate::event::PublicType;
use crate::limits;
use crate::machine::Tx;
use crate::platform::Capability;
use crate::rejection::Rejection;

/// Stands for every type of event.
pub(super) const ALL_EVENTS: &str = "*";

fn invalid(field: &'static str, message: &str) -> Rejection {
    Rejection::InvalidRequest {
        field,
        message: message.into(),
    }
}

pub(super) fn limit(limit: &'static str, value: usize) -> Rejection {
    Rejection::LimitExceeded {
        limit,
        value: value as u64,
    }
}

/// Refuses who may not manage a tenant.
pub(super) fn check_may(tx: &Tx<'_>) -> Result<(), Rejection> {
    if tx.principal.may.has(Capability::Admin) {
        return Ok(());
    }
    Err(Rejection::Forbidden {
        required: Text::from(Capability::Admin.name()),
    })
}

/// What is set, with its lists in order and nothing twice.
pub(super) fn check_spec(spec: &WebhookSpec) -> Result<WebhookSpec, Rejection> {
    limits::check_name("name", &spec.name)?;
    let described = spec.description.as_ref().map_or(0, |text| text.len());
    if described > limits::DESCRIPTION_BYTES_MAX {
        return Err(limit("description_bytes", limits::DESCRIPTION_BYTES_MAX));
    }
    if spec.url.len() > limits::WEBHOOK_URL_BYTES_MAX {
        return Err(limit("webhook_url_bytes", limits::WEBHOOK_URL_BYTES_MAX));
    }
    let is_visible = spec.url.bytes().all(|byte| byte.is_ascii_graphic());
    let has_scheme = spec.url.starts_with("https://") || spec.url.starts_with("http://");
    if !is_visible || !has_scheme {
        return Err(invalid(
            "url",
            "must begin with https:// and be visible ASCII",
        ));
    }
    if spec.events.is_empty() {
        return Err(invalid("events", "must name at least one type, or *"));
    }
    let mut checked = spec.clone();
    for list in [&mut checked.events, &mut checked.queues, &mut checked.kinds] {
        if list.len() > limits::WEBHOOK_FILTER_MAX {
            return Err(limit("webhook_filter", limits::WEBHOOK_FILTER_MAX));
        }
        list.sort_unstable();
        list.dedup();
    }
    let unknown = |name: &&Text| &***name != ALL_EVENTS && PublicType::find(name).is_none();
    if let Some(name) = spec.events.iter().find(unknown) {
        let known: Vec<&str> = crate::event::PUBLIC_TYPES
            .iter()
            .map(|known| known.name)
            .collect();
        let message = format!(
            "{name:?} is not a type of event; there are {}",
            known.join(", ")
        );
        return Err(invalid("events", &message));
    }
    for (field, list) in [("queues", &spec.queues), ("kinds", &spec.kinds)] {
        for name in list {
            limits::check_name(field, name)?;
        }
    }
    Ok(checked)
}
