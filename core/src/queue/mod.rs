//! The queue room: the order of ready runs, concurrency keys, the engine's pause.

mod apply;
mod index;
mod lane;
mod model;
mod pause;
mod slots;

pub(crate) use index::Index;
pub use model::{QueueConfig, RateLimit};
pub(crate) use model::{QueueRow, restore};
pub(crate) use pause::{pause, resume};
pub(crate) use slots::{
    can_grant, holders, lane_of, park, release_slot, scout_left, take_slot, unparked_first,
};
