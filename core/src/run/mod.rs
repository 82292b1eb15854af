//! The run room: occurrences of tasks, their attempts and leases.

mod apply;
mod cancel;
mod checkpoint;
mod claim;
mod close;
mod explain;
mod finish;
mod heartbeat;
mod lane;
mod model;
mod retry;
mod suspend;
mod tick;

pub(crate) use cancel::{Called, call_off, decide as cancel};
pub(crate) use checkpoint::{
    decide as checkpoint, fits as checkpoint_fits, room as checkpoint_room,
};
pub(crate) use claim::decide as claim;
pub(crate) use explain::{block_reason, explain};
pub(crate) use finish::decide as finish;
pub(crate) use heartbeat::decide as heartbeat;
pub(crate) use model::{Active, Attempt, CancelRequest, Change, Past, Row, SuspendRequest};
pub use model::{AttemptResult, Cause, Fence, Hold, Origin, RunError, State, TRANSITIONS};
pub(crate) use suspend::{resume, suspend};
pub(crate) use tick::decide as tick;

#[cfg(test)]
mod tests;
