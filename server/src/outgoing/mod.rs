//! Outgoing: one request to another server, over a connection of our own that nobody can bend.

mod error;
mod network;
mod reach;
mod send;
mod target;
#[cfg(test)]
mod tests;
mod tls;
mod way;

pub(crate) use error::OutgoingError;
pub(crate) use network::Network;
pub(crate) use reach::Reach;
pub(crate) use send::{Ask, Outgoing};
pub(crate) use target::Target;
pub(crate) use tls::Roots;
pub(crate) use way::{SystemWay, Way};
