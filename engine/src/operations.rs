//! The runner of operations: it looks up which runs come next and asks for the next piece, as any caller would.
//! Owns: how much one piece is, and whose turn it is.
//! Never: decides, or remembers anything: where an operation stands is in its row.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mainstay_core::limits::{OPERATION_PIECE_BYTES_MAX, OPERATION_PIECE_MAX};
use mainstay_core::{
    Answer, Call, Command, Operate, OperationPiece, OperationView, Principal, Query, TenantId, Text,
};
use mainstay_store::{ListError, MatchAsk, Matched, Scope};

use crate::Handle;
use crate::call::{CallError, Pending, Replied, block_until};
use crate::inbox::Decided;
use crate::shared::Shared;

/// How long the runner rests when nothing goes on; a beginning wakes it.
const REST: Duration = Duration::from_secs(60);
/// How long it rests when the engine is busy, short of room, or its store is behind.
const PAUSE: Duration = Duration::from_millis(100);
/// How often somebody who waits for an answer looks whether one can still come.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Where the runner rests until an operation begins.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    rung: Mutex<bool>,
    changed: Condvar,
}

impl Bell {
    fn lock(&self) -> MutexGuard<'_, bool> {
        self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An operation began, or everything ends.
    pub(crate) fn ring(&self) {
        *self.lock() = true;
        self.changed.notify_all();
    }

    fn rest(&self, most: Duration) {
        let rung = self.lock();
        let waited = self.changed.wait_timeout_while(rung, most, |rung| !*rung);
        let mut rung = waited.unwrap_or_else(PoisonError::into_inner).0;
        *rung = false;
    }
}

/// What a look at the operations came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// A piece was asked for.
    Taken,
    /// Nothing goes on.
    Idle,
    /// What goes on has to wait.
    Later,
    /// The engine ends.
    Over,
}

/// The runner.
struct Runner {
    handle: Handle,
    shared: Arc<Shared>,
    /// The number of the operation that had its turn last: each has one piece at a time.
    last: u64,
}

/// The runner's thread.
pub(crate) fn run(shared: Arc<Shared>) {
    let mut runner = Runner {
        handle: Handle::new(Arc::clone(&shared)),
        shared,
        last: 0,
    };
    loop {
        match runner.turn() {
            Turn::Taken => {}
            Turn::Idle => runner.shared.operations.rest(REST),
            Turn::Later => runner.shared.operations.rest(PAUSE),
            Turn::Over => return,
        }
    }
}

impl Runner {
    fn turn(&mut self) -> Turn {
        if self.is_over() {
            return Turn::Over;
        }
        let next = Query::NextOperation(self.last);
        let asked = self.handle.ask(TenantId::DEFAULT, next);
        let view = match self.wait(asked) {
            Ok(Answer::Operation(view)) => view,
            Ok(_) => return Turn::Idle,
            Err(turn) => return turn,
        };
        self.last = view.operation.number;
        match self.piece_of(&view) {
            Ok(command) => self.ask(&view, command),
            Err(turn) => turn,
        }
    }

    fn is_over(&self) -> bool {
        self.shared.is_stopped() || self.shared.backlog.is_closed()
    }

    /// The next piece of an operation, by what the store holds.
    fn piece_of(&self, view: &OperationView) -> Result<Operate, Turn> {
        let operation = &view.operation;
        if !self.handle.wait_stored(operation.through, PAUSE) {
            return Err(Turn::Later);
        }
        let Some(library) = self.handle.library() else {
            return Err(Turn::Later);
        };
        let ask = MatchAsk {
            scope: Scope::Tenant(view.tenant),
            action: operation.action,
            filter: (*operation.filter).clone(),
            after: operation.cursor,
            through: operation.through,
            until: operation.until,
            limit: OPERATION_PIECE_MAX as u32,
        };
        match library.next_matches(&ask) {
            Ok(found) => Ok(Operate::Advance(piece(view, &found))),
            // It could be searched for when it began.
            Err(ListError::Query(what)) => Ok(Operate::Cancel {
                operation: view.id,
                reason: Some(Text::from(what.as_str())),
            }),
            Err(error) => {
                self.shared.note(error.to_string());
                Err(Turn::Later)
            }
        }
    }

    /// Asks for it in the name of whoever began the operation.
    fn ask(&self, view: &OperationView, command: Operate) -> Turn {
        let principal = Principal {
            tenant: view.tenant,
            name: view.operation.created_by.clone(),
            ..Principal::default()
        };
        let call = Call::by(&principal, Command::Operate(Box::new(command)));
        let decided: Result<Decided, Turn> = self.wait(self.handle.call(call));
        match decided {
            // A refusal means that somebody canceled it meanwhile: the next look sees that.
            Ok(_) => Turn::Taken,
            Err(turn) => turn,
        }
    }

    /// Waits for an answer as long as one can come.
    fn wait<T>(&self, mut pending: Pending<T>) -> Result<T, Turn> {
        loop {
            let until = Instant::now() + LOOK_AGAIN;
            let Some(answer) = block_until(&mut pending, until) else {
                match self.is_over() {
                    true => return Err(Turn::Over),
                    false => continue,
                }
            };
            return match answer {
                Ok(Replied { value, .. }) => Ok(value),
                Err(CallError::Busy { .. } | CallError::StorageFull { .. }) => Err(Turn::Later),
                Err(_) => Err(Turn::Over),
            };
        }
    }
}

/// As many of these runs as one piece may bring back payloads for.
fn piece(view: &OperationView, found: &[Matched]) -> OperationPiece {
    let mut bytes = 0;
    let mut taken = Vec::new();
    for run in found {
        bytes += run.payload_bytes;
        if bytes > OPERATION_PIECE_BYTES_MAX as u64 && !taken.is_empty() {
            break;
        }
        taken.push((run.number, run.id));
    }
    let last = taken.len() == found.len() && found.len() < OPERATION_PIECE_MAX;
    let through = view.operation.through;
    OperationPiece {
        operation: view.id,
        after: view.operation.cursor,
        cursor: match taken.last() {
            Some((end, _)) if !last => *end,
            _ => through,
        },
        runs: taken,
        last,
    }
}
