//! The Rust client of a Mainstay server: typed calls, retries that never do anything twice, and a worker loop.
//!
//! [`Client`] has one method for every route. [`Worker`] claims work, runs an async handler for each lease, keeps the leases alive
//! and reports the ends. [`wire`] holds the JSON bodies, shared with the server.

mod access;
mod actors;
mod attest;
mod audit;
mod calls;
mod client;
mod connect;
mod error;
mod events;
mod lists;
mod operator;
mod retry;
mod transport;
mod webhooks;
pub mod wire;
mod worker;
mod workflow;

pub use actors::ActorFilter;
pub use audit::AuditWalk;
pub use client::Client;
pub use error::{Error, Refusal};
pub use events::{EventFilter, EventFollower};
pub use lists::{BackupStream, Page, RunFilter, RunPages, TaskFilter, TaskPages};
pub use worker::{
    ActorOptions, Event, Lease, Signal, Stop, Summary, Verdict, Worker, WorkerOptions,
};
