//! The laws: what must hold of every event and answer in worlds that use everything a task can be.

mod actors;
mod answers;
mod asked;
mod attested;
mod calendar;
mod events;
mod hearing;
mod instants;
mod model;
mod runs;
mod spending;
mod starts;
mod tasks;
mod tenants;
mod turns;

pub(crate) use calendar::is_summer_in_berlin;
pub(crate) use tenants::Tenants;
