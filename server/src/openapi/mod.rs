//! The OpenAPI 3.1 document, built from the table of routes and a compact list of schemas.

mod access;
mod actors;
mod bulk;
mod document;
mod headers;
mod jobs;
mod kinds;
mod leases;
mod links;
mod operators;
mod reading;
mod schemas;
mod trail;
mod webhooks;
mod workflow;

pub(crate) use document::document;
