//! The actor room: who works, what each is able to do, and who fell silent.

mod apply;
mod claimant;
mod deregister;
mod drain;
mod heartbeat;
mod index;
mod model;
mod presence;
mod register;
mod workforce;

pub(crate) use claimant::claimant;
pub(crate) use deregister::{deregister, silent};
pub(crate) use drain::drain;
pub(crate) use heartbeat::heartbeat;
pub(crate) use index::{Index, restore, verify};
pub use model::{Departure, Registration};
pub(crate) use model::{Row, check};
pub(crate) use presence::Presence;
pub(crate) use register::register;
pub(crate) use workforce::{has_able, view, views, workforce};
