//! Typed refusals: a command that is refused changes nothing and writes nothing.
//! Owns: every rejection's stable code, family, message and details.
//! Never: knows a status code; the edge maps families to them.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};
use core::fmt;

use crate::run::State;
use crate::{RunId, TaskId, TenantId, Text};

/// What kind of refusal it is; the edge gives each family one status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// The thing named does not exist in the caller's tenant.
    NotFound,
    /// The thing exists, but its present state forbids this.
    Conflict,
    /// What was asked for is not valid whatever the state.
    Invalid,
}

/// Why a command was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// A field of the task is missing, malformed or out of bounds.
    InvalidTask {
        /// The field's dotted path.
        field: &'static str,
        /// What it must be.
        message: String,
    },
    /// A field of another command is malformed or out of bounds.
    InvalidRequest {
        /// The field's dotted path.
        field: &'static str,
        /// What it must be.
        message: String,
    },
    /// Known, but not acted on by this version.
    NotSupported {
        /// The field's dotted path.
        field: String,
    },
    /// A limit of the system.
    LimitExceeded {
        /// Which.
        limit: &'static str,
        /// Its value.
        value: u64,
    },
    /// The chosen task id is taken.
    TaskAlreadyExists {
        /// The id.
        task: TaskId,
    },
    /// No such task.
    UnknownTask {
        /// The id.
        task: TaskId,
    },
    /// No such run.
    UnknownRun {
        /// The id.
        run: RunId,
    },
    /// No such tenant.
    UnknownTenant {
        /// The id.
        tenant: TenantId,
    },
    /// The idempotency key was used for a different request.
    IdempotencyConflict {
        /// The key.
        key: Text,
    },
    /// The token is not the live one. Nothing was changed.
    LeaseLost {
        /// The run.
        run: RunId,
    },
    /// The attempt has ended with another outcome, output or error.
    AlreadyFinished {
        /// The run.
        run: RunId,
        /// Its state.
        state: State,
    },
    /// The transition table has no such edge.
    InvalidTransition {
        /// From.
        from: State,
        /// To.
        to: State,
    },
    /// The run is not in the expected state.
    PreviousStateMismatch {
        /// Expected.
        expected: State,
        /// Actual.
        actual: State,
    },
    /// The machine does not stand at the expected sequence.
    NonMonotonicSequence {
        /// The machine's sequence.
        expected: u64,
        /// The caller's.
        provided: u64,
    },
    /// Only running runs can be suspended.
    RunSuspendRequiresRunning {
        /// Its state.
        state: State,
    },
    /// Only suspended runs can be resumed.
    RunResumeRequiresSuspended {
        /// Its state.
        state: State,
    },
    /// The checkpoint exists with another value.
    CheckpointConflict {
        /// Its name.
        name: Text,
    },
    /// The engine is paused already.
    EngineAlreadyPaused,
    /// The engine is not paused.
    EngineNotPaused,
    /// The log's sequence has reached its end.
    SequenceOverflow,
}

impl Rejection {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Rejection::InvalidTask { .. } => "invalid_task",
            Rejection::InvalidRequest { .. } => "invalid_request",
            Rejection::NotSupported { .. } => "not_supported",
            Rejection::LimitExceeded { .. } => "limit_exceeded",
            Rejection::TaskAlreadyExists { .. } => "task_already_exists",
            Rejection::UnknownTask { .. } => "unknown_task",
            Rejection::UnknownRun { .. } => "unknown_run",
            Rejection::UnknownTenant { .. } => "unknown_tenant",
            Rejection::IdempotencyConflict { .. } => "idempotency_conflict",
            Rejection::LeaseLost { .. } => "lease_lost",
            Rejection::AlreadyFinished { .. } => "already_finished",
            Rejection::InvalidTransition { .. } => "invalid_transition",
            Rejection::PreviousStateMismatch { .. } => "previous_state_mismatch",
            Rejection::NonMonotonicSequence { .. } => "non_monotonic_sequence",
            Rejection::RunSuspendRequiresRunning { .. } => "run_suspend_requires_running",
            Rejection::RunResumeRequiresSuspended { .. } => "run_resume_requires_suspended",
            Rejection::CheckpointConflict { .. } => "checkpoint_conflict",
            Rejection::EngineAlreadyPaused => "engine_already_paused",
            Rejection::EngineNotPaused => "engine_not_paused",
            Rejection::SequenceOverflow => "sequence_overflow",
        }
    }

    /// The family.
    #[must_use]
    pub fn family(&self) -> Family {
        match self {
            Rejection::InvalidTask { .. }
            | Rejection::InvalidRequest { .. }
            | Rejection::NotSupported { .. }
            | Rejection::LimitExceeded { .. } => Family::Invalid,
            Rejection::UnknownTask { .. }
            | Rejection::UnknownRun { .. }
            | Rejection::UnknownTenant { .. } => Family::NotFound,
            Rejection::TaskAlreadyExists { .. }
            | Rejection::IdempotencyConflict { .. }
            | Rejection::LeaseLost { .. }
            | Rejection::AlreadyFinished { .. }
            | Rejection::InvalidTransition { .. }
            | Rejection::PreviousStateMismatch { .. }
            | Rejection::NonMonotonicSequence { .. }
            | Rejection::RunSuspendRequiresRunning { .. }
            | Rejection::RunResumeRequiresSuspended { .. }
            | Rejection::CheckpointConflict { .. }
            | Rejection::EngineAlreadyPaused
            | Rejection::EngineNotPaused
            | Rejection::SequenceOverflow => Family::Conflict,
        }
    }

    /// What a program may want to read, by name. Numbers are decimal text with `true` as their third part.
    #[must_use]
    pub fn details(&self) -> Vec<(&'static str, String, bool)> {
        let text = |name, value: &dyn fmt::Display| (name, value.to_string(), false);
        let number = |name, value: u64| (name, value.to_string(), true);
        match self {
            Rejection::InvalidTask { field, .. } | Rejection::InvalidRequest { field, .. } => {
                vec![text("field", field)]
            }
            Rejection::NotSupported { field } => vec![text("field", field)],
            Rejection::LimitExceeded { limit, value } => {
                vec![text("limit", limit), number("value", *value)]
            }
            Rejection::TaskAlreadyExists { task } | Rejection::UnknownTask { task } => {
                vec![text("task_id", task)]
            }
            Rejection::UnknownRun { run } | Rejection::LeaseLost { run } => {
                vec![text("run_id", run)]
            }
            Rejection::UnknownTenant { tenant } => vec![text("tenant_id", tenant)],
            Rejection::IdempotencyConflict { key } => vec![text("idempotency_key", key)],
            Rejection::AlreadyFinished { run, state } => {
                vec![text("run_id", run), text("state", &state.name())]
            }
            Rejection::InvalidTransition { from, to } => {
                vec![text("from", &from.name()), text("to", &to.name())]
            }
            Rejection::PreviousStateMismatch { expected, actual } => {
                vec![
                    text("expected", &expected.name()),
                    text("actual", &actual.name()),
                ]
            }
            Rejection::NonMonotonicSequence { expected, provided } => {
                vec![number("expected", *expected), number("provided", *provided)]
            }
            Rejection::RunSuspendRequiresRunning { state }
            | Rejection::RunResumeRequiresSuspended { state } => {
                vec![text("state", &state.name())]
            }
            Rejection::CheckpointConflict { name } => vec![text("name", name)],
            Rejection::EngineAlreadyPaused
            | Rejection::EngineNotPaused
            | Rejection::SequenceOverflow => Vec::new(),
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Rejection::InvalidTask { field, message }
            | Rejection::InvalidRequest { field, message } => {
                format!("{field} {message}")
            }
            Rejection::NotSupported { field } => {
                format!("{field} is not supported by this version")
            }
            Rejection::LimitExceeded { limit, value } => {
                format!("the limit {limit} of {value} is exceeded")
            }
            Rejection::TaskAlreadyExists { task } => format!("task {task} already exists"),
            Rejection::UnknownTask { .. } => "task not found".into(),
            Rejection::UnknownRun { .. } => "run not found".into(),
            Rejection::UnknownTenant { .. } => "tenant not found".into(),
            Rejection::IdempotencyConflict { .. } => {
                "the idempotency key was used for a different request".into()
            }
            Rejection::LeaseLost { .. } => {
                "the lease is no longer held with this token; nothing was changed".into()
            }
            Rejection::AlreadyFinished { state, .. } => {
                format!(
                    "this attempt has ended with another outcome; the run is {}",
                    state.name()
                )
            }
            Rejection::InvalidTransition { from, to } => {
                format!("a run cannot go from {} to {}", from.name(), to.name())
            }
            Rejection::PreviousStateMismatch { expected, actual } => {
                format!("the run is {}, not {}", actual.name(), expected.name())
            }
            Rejection::NonMonotonicSequence { expected, provided } => {
                format!("the log stands at {expected}, not at {provided}")
            }
            Rejection::RunSuspendRequiresRunning { state } => {
                format!(
                    "only a running run can be suspended; this one is {}",
                    state.name()
                )
            }
            Rejection::RunResumeRequiresSuspended { state } => {
                format!(
                    "only a suspended run can be resumed; this one is {}",
                    state.name()
                )
            }
            Rejection::CheckpointConflict { name } => {
                format!("checkpoint {name} exists with another value")
            }
            Rejection::EngineAlreadyPaused => "the engine is already paused".into(),
            Rejection::EngineNotPaused => "the engine is not paused".into(),
            Rejection::SequenceOverflow => "the log's sequence has reached its end".into(),
        };
        f.write_str(&text)
    }
}

impl core::error::Error for Rejection {}
