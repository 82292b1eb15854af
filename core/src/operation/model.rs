//! The nouns of operations.
//! Owns: what is done to which runs, an operation's row, and what can be asked about operations.
//! Never: decides.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::codec::{Field, Malformed, Value};
use crate::codec::{nested, put_record, record, take_record};
use crate::deadletter::Fingerprint;
use crate::ledger::words;
use crate::limits::{OPERATION_PIECE_MAX, REASON_BYTES_MAX};
use crate::rejection::Rejection;
use crate::run::State;
use crate::time::Timestamp;
use crate::{OperationId, RunId, TaskId, Text};

words! {
    /// What is done to each run of an operation.
    Action {
        /// It is canceled, as one run is.
        #[default]
        Cancel = 0 "cancel",
        /// A dead letter is tried again.
        Retry = 1 "retry",
        /// A suspended run goes on.
        Resume = 2 "resume",
        /// A dead letter is cleared away.
        Clear = 3 "clear",
    }
    /// Where an operation stands.
    OperationState {
        /// Not all of its runs were looked at.
        #[default]
        Running = 0 "running",
        /// All of them were.
        Done = 1 "done",
        /// Somebody stopped it; what it did stays done.
        Canceled = 2 "canceled",
    }
}

impl Action {
    /// Whether it is about dead letters.
    #[must_use]
    pub fn is_of_dead(self) -> bool {
        matches!(self, Action::Retry | Action::Clear)
    }

    /// Whether a run in this state can be one of those it is about.
    fn fits(self, state: State) -> bool {
        match self {
            Action::Cancel => !state.is_terminal(),
            Action::Retry | Action::Clear => state == State::Failed,
            Action::Resume => state == State::Suspended,
        }
    }
}

/// Which runs are acted on, of those that an action can be about. Filters are ANDed; without any it is all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// In this state.
    pub state: Option<State>,
    /// Of this task.
    pub task: Option<TaskId>,
    /// In this queue.
    pub queue: Option<Text>,
    /// Of this kind.
    pub kind: Option<Text>,
    /// Of tasks with this tag.
    pub tag: Option<Text>,
    /// Held by this worker, or last worked on by it.
    pub worker: Option<Text>,
    /// Whose last ended attempt had this error.
    pub error_code: Option<Text>,
    /// Dead letters with this fingerprint: 16 hexadecimal digits.
    pub fingerprint: Option<Text>,
    /// Created then or later.
    pub created_after: Option<Timestamp>,
    /// Created before.
    pub created_before: Option<Timestamp>,
    /// Of tasks with these words.
    pub q: Option<Text>,
}
record!(Selection {
    1 state, 2 task, 3 queue, 4 kind, 5 tag, 6 worker, 7 error_code, 8 fingerprint, 9 created_after, 10 created_before, 11 q,
});

impl Selection {
    /// Whether an action can be about such runs at all.
    ///
    /// # Errors
    /// What it must be, in words.
    pub fn check(&self, action: Action) -> Result<(), &'static str> {
        if self.state.is_some_and(|state| !action.fits(state)) {
            return Err("names a state in which the action does nothing");
        }
        if let Some(text) = &self.fingerprint
            && (Fingerprint::parse(text).is_none() || !action.is_of_dead())
        {
            return Err("has a fingerprint that no dead letter of the action can have");
        }
        let texts = [
            &self.queue,
            &self.kind,
            &self.tag,
            &self.worker,
            &self.error_code,
            &self.q,
        ];
        let long = |text: &Text| text.len() > REASON_BYTES_MAX;
        if texts.into_iter().flatten().any(long) {
            return Err("has a text of more than 1024 bytes");
        }
        Ok(())
    }
}

/// A run that an operation could not act on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refused {
    /// The run.
    pub run: RunId,
    /// Why: the code of the refusal, or `already_canceled` or `already_terminal`.
    pub code: Text,
}
record!(Refused { 1 run, 2 code });
nested!(Refused);

/// What is done, or was, to many runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operation {
    /// The sequence of the event that made it.
    pub number: u64,
    /// What is done.
    pub action: Action,
    /// To which runs.
    pub filter: Box<Selection>,
    /// What their failures had canceled is tried again with them.
    pub with_dependents: bool,
    /// Why.
    pub reason: Option<Text>,
    /// Where it stands.
    pub state: OperationState,
    /// How many runs there were when it began.
    pub matched: u64,
    /// Only runs with numbers up to this one.
    pub through: u64,
    /// Only runs that ended by then, for dead letters.
    pub until: Timestamp,
    /// Runs with numbers up to this one were looked at.
    pub cursor: u64,
    /// Runs that were acted on.
    pub done: u64,
    /// Runs that were refused.
    pub refused_total: u64,
    /// The first of them.
    pub refused: Vec<Refused>,
    /// When it began.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: Text,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}
record!(Operation {
    1 number, 2 action, 3 filter, 4 with_dependents, 5 reason, 6 state, 7 matched, 8 through, 9 until, 10 cursor, 11 done,
    12 refused_total, 13 refused, 14 created_at, 15 created_by, 16 finished_at,
});

impl Operation {
    /// Whether a piece is the next one of it.
    pub(crate) fn takes(&self, piece: &OperationPiece) -> Result<(), Rejection> {
        let wrong = |field, message: &str| {
            Err(Rejection::InvalidRequest {
                field,
                message: message.into(),
            })
        };
        if self.state != OperationState::Running || piece.after != self.cursor {
            return wrong("after", "is not where the operation stands");
        }
        if piece.runs.len() > OPERATION_PIECE_MAX {
            return wrong("runs", "are more than a piece has");
        }
        let last = piece.runs.last().map_or(self.cursor, |(number, _)| *number);
        let ordered = piece.runs.is_sorted_by(|one, other| one.0 < other.0);
        let first = piece
            .runs
            .first()
            .is_none_or(|(number, _)| *number > self.cursor);
        if !ordered || !first || !(last..=self.through).contains(&piece.cursor) {
            return wrong("runs", "are not in order between both ends of the piece");
        }
        Ok(())
    }
}

/// An act on many runs that is to begin. Whoever asks has counted the runs as of one event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BeginOperation {
    /// Its id; minted when absent. Beginning it again under a chosen id finds it.
    pub operation: Option<OperationId>,
    /// What is to be done.
    pub action: Action,
    /// To which runs.
    pub filter: Box<Selection>,
    /// What their failures had canceled is tried again with them; only for [`Action::Retry`].
    pub with_dependents: bool,
    /// How many runs match.
    pub matched: u64,
    /// As of this event: later runs are left alone.
    pub through: u64,
    /// And of this instant: dead letters that died later are left alone.
    pub until: Timestamp,
    /// Why.
    pub reason: Option<Text>,
}

/// The next runs of an operation, and where it stands afterwards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperationPiece {
    /// The operation.
    pub operation: OperationId,
    /// Where it stands; refused when it does not.
    pub after: u64,
    /// The runs with their numbers, in order, at most [`crate::limits::OPERATION_PIECE_MAX`].
    pub runs: Vec<(u64, RunId)>,
    /// Everything up to this number is looked at then.
    pub cursor: u64,
    /// Whether nothing is left afterwards.
    pub last: bool,
}

/// What can be asked about operations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operate {
    /// Begin one.
    Begin(BeginOperation),
    /// Stop one.
    Cancel {
        /// The operation.
        operation: OperationId,
        /// Why.
        reason: Option<Text>,
    },
    /// Do its next piece.
    Advance(OperationPiece),
}

impl Operate {
    /// The stable number of this kind of command in the log's command records.
    pub(crate) fn code(&self) -> u64 {
        match self {
            Operate::Begin(_) => 42,
            Operate::Cancel { .. } => 43,
            Operate::Advance(_) => 44,
        }
    }

    /// Why, for acts of control: a piece is what its operation was asked for.
    pub(crate) fn control_reason(&self) -> Option<Option<&Text>> {
        match self {
            Operate::Begin(begin) => Some(begin.reason.as_ref()),
            Operate::Cancel { reason, .. } => Some(reason.as_ref()),
            Operate::Advance(_) => None,
        }
    }
}
