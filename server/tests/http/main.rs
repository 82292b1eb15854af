//! The server through real sockets: an engine in a temporary directory, raw bytes in, raw bytes out.

mod access;
mod actors;
mod approvals;
mod audit;
mod backup;
mod connections;
mod control;
mod dead_letters;
mod document;
mod envelopes;
mod events;
mod harness;
mod jobs;
mod lists;
mod matrix;
mod query;
mod queues;
mod refusals;
mod schema;
mod stories;
mod tasks;
mod tokens;
mod workers;
