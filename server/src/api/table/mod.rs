//! The table of routes, in parts.

mod access;
mod actors;
mod all;
mod attest;
mod bulk;
mod jobs;
mod rules;
mod runs;
mod system;
mod tasks;
mod webhooks;

pub(crate) use all::ROUTES;
