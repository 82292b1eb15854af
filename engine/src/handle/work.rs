//! What workers report, and what they are told.
//! Owns: one method per command of that room, typed.
//! Never: decides, or knows more than the command.

use mainstay_core::{
    Amount, Beat, BudgetView, Bytes, CheckpointPut, Command, Directive, Fence, Finish,
    HeartbeatItem, Outcome, RunId, RunState, Text,
};

use super::{CommandError, Handle};

impl Handle {
    /// Keeps a lease alive, and hears what to do. Only a renewal by more than 5 minutes is written.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `unknown_run` or `lease_lost`.
    pub fn heartbeat(&self, beat: HeartbeatItem) -> Result<Beat, CommandError> {
        match self.command(Command::Heartbeat(beat))? {
            Outcome::Beat(told) => Ok(told),
            other => unreachable!("{other:?}"),
        }
    }

    /// Ends an attempt. The same end again is the same answer. Gives where the run stands.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `unknown_run`, `lease_lost`, `already_finished`, `checkpoint_conflict`, `attempt_finish_requires_running` or
    /// `attempt_finish_missing_active`.
    pub fn finish(&self, finish: Finish) -> Result<RunState, CommandError> {
        match self.command(Command::Finish(Box::new(finish)))? {
            Outcome::Finished(state) => Ok(state),
            other => unreachable!("{other:?}"),
        }
    }

    /// Saves a named memo inside an attempt.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `unknown_run`, `lease_lost` or `checkpoint_conflict`.
    pub fn checkpoint(&self, put: CheckpointPut) -> Result<(), CommandError> {
        match self.command(Command::Checkpoint(Box::new(put)))? {
            Outcome::CheckpointSaved => Ok(()),
            other => unreachable!("{other:?}"),
        }
    }

    /// Reports what a running attempt uses as it goes, and hears what to do.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `unknown_run` or `lease_lost`.
    pub fn consume(
        &self,
        run: RunId,
        fence: Fence,
        consumption: Vec<Amount>,
    ) -> Result<(Vec<BudgetView>, Directive), CommandError> {
        match self.command(Command::Consume {
            run,
            fence,
            consumption,
        })? {
            Outcome::Consumed { budgets, directive } => Ok((budgets, directive)),
            other => unreachable!("{other:?}"),
        }
    }

    /// Tells a running run's worker to suspend it.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `unknown_run` or `run_suspend_requires_running`.
    pub fn suspend_run(&self, run: RunId, reason: Option<Text>) -> Result<(), CommandError> {
        match self.command(Command::SuspendRun { run, reason })? {
            Outcome::RunSuspendRequested => Ok(()),
            other => unreachable!("{other:?}"),
        }
    }

    /// Makes a suspended run ready again; the payload (JSON text) is handed to its next attempt.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `unknown_run` or `run_resume_requires_suspended`.
    pub fn resume_run(&self, run: RunId, payload: Option<Bytes>) -> Result<(), CommandError> {
        match self.command(Command::ResumeRun { run, payload })? {
            Outcome::RunResumed => Ok(()),
            other => unreachable!("{other:?}"),
        }
    }

    /// Cancels a run: at once while nobody works on it or with `force`, else its worker is told and has the task's grace. Canceling one that
    /// has ended is an answer, not an error.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `unknown_run`.
    pub fn cancel_run(
        &self,
        run: RunId,
        force: bool,
        reason: Option<Text>,
    ) -> Result<Outcome, CommandError> {
        self.command(Command::CancelRun { run, force, reason })
    }

    /// Tries a dead letter again. Gives the run that takes its place.
    ///
    /// # Errors
    /// [`CommandError`].
    pub fn retry_run(&self, run: RunId, reason: Option<Text>) -> Result<RunId, CommandError> {
        match self.command(Command::RetryRun { run, reason })? {
            Outcome::RunRetried { run, .. } => Ok(run),
            other => unreachable!("{other:?}"),
        }
    }

    /// Clears a dead letter away.
    ///
    /// # Errors
    /// [`CommandError`].
    pub fn clear_dead_letter(&self, run: RunId, reason: Option<Text>) -> Result<(), CommandError> {
        self.command(Command::ClearDeadLetter { run, reason })
            .map(|_| ())
    }
}
