//! The queue room: the order of ready runs, what holds them back, the engine's pause.

mod apply;
mod configure;
mod foresee;
mod gate;
mod index;
mod lane;
mod model;
mod order;
mod pause;
mod pick;
mod sets;
mod slots;
mod turns;
mod waiting;
mod workers;

pub(crate) use configure::{check, configure, pause as pause_queue, resume as resume_queue};
pub(crate) use foresee::{Foreseen, foresee};
pub(crate) use gate::{Closed, Refused, admits, closed, count_held, grant, hold, join, recount};
pub(crate) use index::{Index, lane_of};
pub use model::{QueueConfig, RateLimit};
pub(crate) use model::{QueueRow, restore};
pub(crate) use pause::{pause, resume};
pub(crate) use pick::Pick;
pub(crate) use slots::{can_grant, holders, release_slot, slots_for, take_slot};
pub(crate) use waiting::{Blocker, enter, leave, park, parked, refusal, reopen};
pub(crate) use workers::Workers;
