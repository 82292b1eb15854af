//! What some commands carry.
//! Owns: a task's changes and a run's memo, as they are asked for.
//! Never: decides.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::run::Fence;
use crate::schedule::Schedule;
use crate::{Bytes, RunId, TaskId, Text};

/// Changes to a task that exists. What is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskPatch {
    /// The task.
    pub task: TaskId,
    /// Higher first.
    pub priority: Option<i32>,
    /// Its tags.
    pub tags: Option<Vec<Text>>,
    /// Text for people; empty takes it away.
    pub description: Option<Text>,
    /// Its schedule; only a cron task's, and only by another cron.
    pub schedule: Option<Box<Schedule>>,
    /// Whether its schedule stops for a while; only of a cron task.
    pub paused: Option<bool>,
}

/// Save a named memo inside a running attempt. The same name and value again is no conflict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointPut {
    /// The run.
    pub run: RunId,
    /// The lease's token.
    pub fence: Fence,
    /// The memo's name, 1..=255 bytes.
    pub name: Text,
    /// The memo (JSON text).
    pub value: Bytes,
}
