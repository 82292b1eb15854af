//! Acts on many runs, typed.
//! Owns: beginning one on what the store holds, looking at it, stopping it.
//! Never: decides, or does a piece itself.

use std::time::{Duration, Instant};

use mainstay_core::{
    Action, Answer, BeginOperation, Command, Operate, OperationId, OperationState, OperationView,
    Outcome, Query, Rejection, Selection, Text, Timestamp,
};
use mainstay_store::{MatchAsk, Scope};

use super::{CommandError, Handle};
use crate::call::CallError;

/// How long the store is waited for before its runs are counted.
const CATCH_UP_MAX: Duration = Duration::from_secs(10);

impl Handle {
    /// Begins to act on every run that matches now; it goes on by itself, also after a restart.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `invalid_request` or `limit_exceeded`.
    pub fn begin_operation(
        &self,
        action: Action,
        filter: Selection,
        reason: Option<Text>,
    ) -> Result<OperationId, CommandError> {
        let failed = |cause: String| CommandError::Call(CallError::Stopped { cause });
        let library = self.library();
        let library = library.ok_or_else(|| failed("there is no store".to_owned()))?;
        if !self.wait_stored(self.sequence(), CATCH_UP_MAX) {
            return Err(failed("the store does not catch up".to_owned()));
        }
        let found = library.matches(&MatchAsk {
            scope: Scope::Tenant(self.principal.tenant),
            action,
            filter: filter.clone(),
            after: 0,
            through: 0,
            until: Timestamp(0),
            limit: 0,
        });
        let found = found.map_err(|error| failed(error.to_string()))?;
        let begin = Operate::Begin(BeginOperation {
            action,
            filter: Box::new(filter),
            matched: found.total,
            through: found.through,
            until: found.until,
            reason,
            ..BeginOperation::default()
        });
        match self.command(Command::Operate(Box::new(begin)))? {
            Outcome::OperationStarted { operation, .. } => Ok(operation),
            other => unreachable!("{other:?}"),
        }
    }

    /// Stops an operation, as whoever this handle acts for; gives how it ended. What it did stays done.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `unknown_operation`.
    pub fn cancel_operation(
        &self,
        operation: OperationId,
        reason: Option<Text>,
    ) -> Result<OperationState, CommandError> {
        let cancel = Operate::Cancel { operation, reason };
        match self.command(Command::Operate(Box::new(cancel)))? {
            Outcome::OperationEnded(state) => Ok(state),
            other => unreachable!("{other:?}"),
        }
    }

    /// Where an operation stands.
    ///
    /// # Errors
    /// [`CommandError`]; `unknown_operation` when there is none of this id.
    pub fn operation(&self, operation: OperationId) -> Result<OperationView, CommandError> {
        let query = Query::Operation(operation);
        match self.ask(self.principal.tenant, query).wait()?.value {
            Answer::Operation(view) => Ok(*view),
            _ => Err(Rejection::UnknownOperation { operation }.into()),
        }
    }

    /// Blocks until an operation is over, at most so long; gives where it stands then.
    ///
    /// # Errors
    /// As [`Handle::operation`].
    pub fn wait_operation(
        &self,
        operation: OperationId,
        timeout: Duration,
    ) -> Result<OperationView, CommandError> {
        let until = Instant::now() + timeout;
        loop {
            let view = self.operation(operation)?;
            let over = view.operation.state != OperationState::Running;
            if over || Instant::now() >= until {
                return Ok(view);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
