//! The machine room: one way in (`step`), one way back (`replay`), one way to look (`answer`).

mod access;
mod answer;
mod apply;
mod checkpoint;
mod facts;
mod hear;
mod model;
mod operate;
mod overview;
mod react;
mod step;
mod tx;
mod views;

pub(crate) use apply::{Apply, apply};
pub(crate) use checkpoint::Pending;
pub use facts::{Facts, Wanted};
pub use model::{Entry, Events, Machine, Now, Step, Woken};
pub(crate) use react::{doom, reach};
pub(crate) use tx::Tx;

#[cfg(test)]
mod tests;
