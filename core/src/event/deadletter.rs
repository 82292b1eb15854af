//! Facts about dead letters.
//! Owns: their fields.
//! Never: drops or renumbers a field; old logs hold it.

use alloc::boxed::Box;

use crate::image::Revived;
use crate::{RunId, TaskId, Text};

facts! {
    /// A task that had ended goes on.
    TaskReopened {
        /// The task.
        task: TaskId,
        /// Which handler.
        kind: Text,
        /// Which lane.
        queue: Text,
        /// Everything else that is known of it: it may have left memory.
        row: Box<Revived>,
        /** By whom. */ by: Text,
    }
    /// A dead letter was tried again: a new run takes its place.
    RunRedriven {
        /// The dead letter.
        run: RunId,
        /// Its task.
        task: TaskId,
        /// The dead letter's number in the store.
        row_number: u64,
        /// The run that takes its place.
        new_run: RunId,
        /** By whom. */ by: Text,
        /// Why.
        reason: Option<Text>,
    }
    /// A dead letter was cleared away.
    DeadLetterCleared {
        /// The dead letter.
        run: RunId,
        /// Its task.
        task: TaskId,
        /// The dead letter's number in the store.
        row_number: u64,
        /// Which handler.
        kind: Text,
        /// Which lane.
        queue: Text,
        /// By whom; empty when its time was over.
        by: Text,
        /// Why.
        reason: Option<Text>,
    }
}
