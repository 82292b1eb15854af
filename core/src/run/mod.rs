//! The run room: occurrences of tasks, their attempts and leases.

mod apply;
mod attempt;
mod cancel;
mod checkpoint;
mod claim;
mod close;
mod consume;
mod explain;
mod finish;
mod heartbeat;
mod hold;
mod lane;
mod lease;
mod model;
mod retry;
mod suspend;
mod tick;
mod transition;
mod wake;

pub(crate) use apply::reprioritize;
pub(crate) use attempt::{end as end_attempt, start as start_attempt};
pub(crate) use cancel::{Called, call_off, call_off_for, decide as cancel};
pub(crate) use checkpoint::{
    decide as checkpoint, fits as checkpoint_fits, room as checkpoint_room,
};
pub(crate) use claim::decide as claim;
pub(crate) use consume::decide as consume;
pub(crate) use explain::{block_reason, explain};
pub(crate) use finish::{attempted, decide as finish};
pub(crate) use heartbeat::decide as heartbeat;
pub(crate) use lease::{acquire, expire, keep, release};
pub(crate) use model::{Active, Attempt, CancelRequest, Change, Past, Row, SuspendRequest};
pub use model::{AttemptResult, Cause, Fence, Hold, Origin, RunError, State, TRANSITIONS};
pub(crate) use suspend::{resume, suspend};
pub(crate) use tick::{decide as tick, strand};
pub(crate) use transition::decide as transition;
pub(crate) use wake::{sleeper, sleepers, wake};

#[cfg(test)]
mod tests;
