//! The webhook room: who outside is told of a tenant's events, how far they were told, and what could not be delivered yet.

mod apply;
mod check;
mod hook;
mod index;
mod manage;
mod model;
mod report;
mod send;
mod view;

pub use hook::Hook;
pub(crate) use hook::hook;
pub(crate) use index::Webhooks;
pub(crate) use model::WebhookForm;
pub use model::{
    Attempted, Delivery, DeliveryState, Disabled, Report, Settled, Webhook, WebhookSpec,
};
pub(crate) use report::{given_up_entry, missed_entry};
pub use view::{DeliveriesOf, WebhookView};
pub(crate) use view::{deliveries, webhook, webhooks};
