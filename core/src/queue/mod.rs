//! The queue room: the order of ready runs, concurrency keys, the engine's pause.

mod apply;
mod index;
mod lane;
mod model;
mod pause;
mod slots;
mod waiting;

pub(crate) use index::{Index, lane_of};
pub use model::{QueueConfig, RateLimit};
pub(crate) use model::{QueueRow, restore};
pub(crate) use pause::{pause, resume};
pub(crate) use slots::{can_grant, holders, release_slot, take_slot};
pub(crate) use waiting::{Blocker, enter, leave, park, parked, refusal, reopen};
