//! The routes: one table, one file per group of routes, and the translation between wire and machine.

mod actors;
mod backup;
mod batch;
mod bonds;
mod budgets;
mod changes;
mod claim;
mod control;
mod convert;
mod event_json;
mod events;
mod filters;
mod finish;
mod health;
mod heartbeat;
mod items;
mod keys;
mod lists;
mod names;
mod query;
mod queues;
mod roles;
mod route;
mod run_json;
mod run_policy;
mod runs;
mod schedule;
mod subscriptions;
mod table;
mod task_json;
mod tasks;
mod tenants;

pub(crate) use route::{Found, Route, find_route};
pub(crate) use table::ROUTES;
