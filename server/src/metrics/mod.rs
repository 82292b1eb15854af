//! The server's numbers as Prometheus text: what the engine counts and what the edge counts.

mod engine;
mod process;
mod render;
mod requests;
mod table;
mod text;
mod traces;
mod webhooks;
mod work;

pub(crate) use render::render;
pub(crate) use requests::Metrics;
pub(crate) use traces::TraceCounts;
pub(crate) use webhooks::WebhookCounts;
