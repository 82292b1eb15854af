//! The server's numbers as Prometheus text: what the engine counts and what the edge counts.

mod requests;
mod text;

pub(crate) use requests::Metrics;
pub(crate) use text::render;
