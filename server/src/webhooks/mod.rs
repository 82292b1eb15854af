//! Webhooks: events of a tenant, sent to those outside who asked for them.

mod event;
mod places;
mod root;
mod rules;
mod run;
mod sender;
mod sign;
#[cfg(test)]
mod tests;

pub use rules::WebhookRules;
pub(crate) use run::{Post, run};
