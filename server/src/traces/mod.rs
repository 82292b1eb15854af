//! Traces: spans made of the log's events and of requests, sent to a collector over OTLP.

mod context;
mod cursor;
mod export;
mod otlp;
mod queue;
mod reader;
mod request;
mod settings;
mod span;
mod story;
mod tracer;

pub(crate) use context::Context;
pub(crate) use request::Served;
pub use settings::Otel;
pub(crate) use tracer::Tracer;
