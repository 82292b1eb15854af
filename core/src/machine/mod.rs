//! The machine room: one way in (`step`), one way back (`replay`), one way to look (`answer`).

mod answer;
mod apply;
mod model;
mod react;
mod step;
mod tx;

pub(crate) use apply::{Apply, apply};
pub use model::{DirtyRow, Entry, Events, Facts, Machine, Now, Step, Woken};
pub(crate) use tx::Tx;

#[cfg(test)]
mod tests;
