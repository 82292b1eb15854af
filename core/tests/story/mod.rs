//! How scenario tables are read and told to a machine.

mod access;
mod actors;
mod attest;
mod batch;
mod bonds;
mod budget;
mod dead;
mod facts;
mod lane;
mod line;
mod operate;
mod queues;
mod schedule;
mod show;
mod tenants;
mod verbs;
mod webhooks;
mod world;

pub(crate) use line::read;
pub(crate) use world::World;
