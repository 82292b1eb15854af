//! Facts: what has happened, in the past tense. The log is made of these; only `apply` and the codec understand them.
//! Owns: every event's fields.
//! Never: drops or renumbers a variant; old logs hold it.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::codec::{Malformed, Record};
use crate::machine::Apply;
use crate::run::{AttemptResult, Cause, RunError};
use crate::state::{At, State};
use crate::time::Timestamp;
use crate::{Bytes, RunId, TaskId, TaskSpec, Text};

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident = $tag:literal { $($(#[$fdoc:meta])* $field:ident : $type:ty),* $(,)? })+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, Default, PartialEq, Eq)]
            pub struct $name { $($(#[$fdoc])* pub $field: $type),* }
        )+

        /// One fact. Its tag in the log is its number here, for ever.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Event { $($(#[$doc])* $name($name)),+ }

        /// The kinds of facts, by tag.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EventKind { $($(#[$doc])* $name = $tag),+ }

        impl EventKind {
            /// Every kind, in tag order.
            pub const ALL: &'static [EventKind] = &[$(EventKind::$name),+];

            /// The kind's name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(EventKind::$name => stringify!($name)),+ }
            }
        }

        impl Event {
            /// This fact's kind.
            #[must_use]
            pub fn kind(&self) -> EventKind {
                match self { $(Event::$name(_) => EventKind::$name),+ }
            }
        }

        impl Apply for Event {
            fn apply(&self, state: &mut State, at: &At) {
                match self { $(Event::$name(event) => event.apply(state, at)),+ }
            }
        }

        impl Event {
            /// Appends this event's fields.
            pub(crate) fn put(&self, out: &mut Vec<u8>) {
                match self { $(Event::$name(event) => event.put(out)),+ }
            }

            /// Reads the fields of an event with this tag; `None` for a tag of a later version.
            pub(crate) fn read(tag: u64, body: &[u8]) -> Option<Result<Event, Malformed>> {
                match tag {
                    $($tag => Some($name::read(body).map(Event::$name)),)+
                    _ => None,
                }
            }
        }

        $(impl From<$name> for Event {
            fn from(event: $name) -> Event { Event::$name(event) }
        })+
    };
}

events! {
    /// A task was accepted.
    TaskCreated = 1 {
        /// The task.
        task: TaskId,
        /// What was asked for.
        spec: Box<TaskSpec>,
        /// By whom.
        by: Text,
    }
    /// A run of a task exists.
    RunCreated = 2 {
        /// The run.
        run: RunId,
        /// Its task.
        task: TaskId,
        /// When it is due.
        scheduled_at: Timestamp,
        /// Whether it is ready at once rather than scheduled.
        ready: bool,
    }
    /// A scheduled run came due, or a retry's delay passed.
    RunReady = 3 {
        /// The run.
        run: RunId,
    }
    /// A worker was granted the run and works on it.
    RunStarted = 4 {
        /// The run.
        run: RunId,
        /// The attempt's number, from 1.
        number: u32,
        /// The token's incarnation.
        incarnation: u64,
        /// The token's counter.
        counter: u64,
        /// Who works.
        worker: Text,
        /// The lease in milliseconds.
        lease_ms: u64,
    }
    /// A lease was renewed by more than 5 minutes.
    LeaseExtended = 5 {
        /// The run.
        run: RunId,
        /// The lease from this instant on, in milliseconds.
        lease_ms: u64,
    }
    /// The run ended well.
    RunCompleted = 6 {
        /// The run.
        run: RunId,
        /// What it produced (JSON text).
        output: Option<Bytes>,
    }
    /// An attempt failed or timed out and another will follow.
    RunRetryScheduled = 7 {
        /// The run.
        run: RunId,
        /// How the attempt ended.
        result: AttemptResult,
        /// What went wrong.
        error: Option<Box<RunError>>,
        /// What it produced nevertheless.
        output: Option<Bytes>,
        /// Milliseconds until the run is ready again.
        delay_ms: u64,
    }
    /// The lease ended without an outcome, or the worker gave the run back: it is ready again at once.
    RunReturned = 8 {
        /// The run.
        run: RunId,
        /// How the attempt ended.
        result: AttemptResult,
        /// Why, in the worker's words.
        reason: Option<Text>,
        /// What a worker that gave it back had produced.
        output: Option<Bytes>,
        /// What a worker that gave it back reported.
        error: Option<Box<RunError>>,
    }
    /// The run ended badly: a dead letter.
    RunFailed = 9 {
        /// The run.
        run: RunId,
        /// How its last attempt ended.
        result: AttemptResult,
        /// What went wrong.
        error: Option<Box<RunError>>,
        /// What it produced nevertheless.
        output: Option<Bytes>,
        /// Why there is no further attempt.
        cause: Cause,
    }
    /// The run was set aside until somebody resumes it.
    RunSuspended = 10 {
        /// The run.
        run: RunId,
        /// How the attempt ended.
        result: AttemptResult,
        /// Why.
        reason: Option<Text>,
        /// What went wrong, when the attempt failed under a suspend directive.
        error: Option<Box<RunError>>,
        /// What it produced so far.
        output: Option<Bytes>,
    }
    /// The run was canceled.
    RunCanceled = 11 {
        /// The run.
        run: RunId,
        /// How its attempt ended, when one was running.
        result: Option<AttemptResult>,
        /// Why it is canceled.
        cause: Cause,
        /// By whom; empty for the machine itself.
        by: Text,
        /// Why, in words.
        reason: Option<Text>,
        /// What went wrong in the attempt.
        error: Option<Box<RunError>>,
        /// What the attempt produced nevertheless.
        output: Option<Bytes>,
    }
    /// A running run's worker is told to stop.
    RunCancelRequested = 12 {
        /// The run.
        run: RunId,
        /// Milliseconds until it is canceled anyway.
        grace_ms: u64,
        /// By whom.
        by: Text,
        /// Why.
        reason: Option<Text>,
    }
    /// A running run's worker is told to suspend it.
    RunSuspendRequested = 13 {
        /// The run.
        run: RunId,
        /// By whom.
        by: Text,
        /// Why.
        reason: Option<Text>,
    }
    /// A suspended run is ready again.
    RunResumed = 14 {
        /// The run.
        run: RunId,
        /// Handed to the next attempt (JSON text).
        payload: Option<Bytes>,
        /// By whom.
        by: Text,
    }
    /// A named memo was saved inside an attempt.
    CheckpointSaved = 15 {
        /// The run.
        run: RunId,
        /// The memo's name.
        name: Text,
        /// The memo (JSON text).
        value: Bytes,
    }
    /// A task was canceled; its runs' own events follow.
    TaskCanceled = 16 {
        /// The task.
        task: TaskId,
        /// By whom.
        by: Text,
        /// Why.
        reason: Option<Text>,
    }
    /// A claim with an idempotency key was granted.
    ClaimRecorded = 17 {
        /// The key.
        key: Text,
        /// The runs granted.
        runs: Vec<RunId>,
        /// The token counters granted, in the same order.
        counters: Vec<u64>,
        /// Digest of what was asked for.
        digest: u128,
    }
    /// No work is granted any more.
    EnginePaused = 18 {
        /// By whom.
        by: Text,
        /// Why.
        reason: Option<Text>,
    }
    /// Work is granted again.
    EngineResumed = 19 {
        /// By whom.
        by: Text,
        /// Why.
        reason: Option<Text>,
    }
    /// A process opened the data directory; deadlines of live attempts move by the downtime.
    EngineStarted = 20 {
        /// Its incarnation.
        incarnation: u64,
        /// Recorded milliseconds since the last frame before it.
        downtime_ms: u64,
    }
    /// Recorded time took over a forward jump of the wall clock.
    ClockAdopted = 21 {
        /// By how many milliseconds.
        ahead_ms: u64,
    }
}
