//! Runs, leases and attempts moved one by one.
//! Owns: one method per command of that room, typed.
//! Never: decides, or knows more than the command.

use mainstay_core::{
    AttemptId, Bytes, Command, Fence, FinishOutcome, Outcome, RunError, RunId, RunState, Text,
    Timestamp,
};

use super::{CommandError, Handle};

impl Handle {
    /// Moves a run along one edge by hand. Gives where it stands.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `unknown_run`, `previous_state_mismatch` or `invalid_transition`.
    pub fn transition_run(
        &self,
        run: RunId,
        expected: RunState,
        to: RunState,
    ) -> Result<RunState, CommandError> {
        match self.command(Command::TransitionRun { run, expected, to })? {
            Outcome::RunTransitioned(state) => Ok(state),
            other => unreachable!("{other:?}"),
        }
    }

    /// Holds a ready run without starting work on it. Gives the token and the lease's end.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `unknown_run`, `lease_already_active` or `lease_invalid_run_state`, the latter with `block_reason` when the run is
    /// ready and something holds it back.
    pub fn acquire_lease(
        &self,
        run: RunId,
        owner: impl Into<Text>,
        lease_ms: Option<u64>,
    ) -> Result<(Fence, Timestamp), CommandError> {
        match self.command(Command::AcquireLease {
            run,
            owner: owner.into(),
            lease_ms,
        })? {
            Outcome::LeaseAcquired { fence, expires_at } => Ok((fence, expires_at)),
            other => unreachable!("{other:?}"),
        }
    }

    /// Puts the end of a lease later, at most a day ahead. Gives its end.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `unknown_run`, `lease_invalid_run_state`, `lease_missing_active`, `lease_owner_mismatch` or
    /// `lease_heartbeat_expiry_regression`.
    pub fn renew_lease(
        &self,
        run: RunId,
        owner: impl Into<Text>,
        expires_at: Timestamp,
    ) -> Result<Timestamp, CommandError> {
        match self.command(Command::RenewLease {
            run,
            owner: owner.into(),
            expires_at,
        })? {
            Outcome::LeaseRenewed { expires_at } => Ok(expires_at),
            other => unreachable!("{other:?}"),
        }
    }

    /// Ends a lease as if its time had come; `expires_at` is its end as the caller knows it. Gives where the run stands.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `unknown_run`, `lease_invalid_run_state`, `lease_missing_active`, `lease_owner_mismatch` or
    /// `lease_expiry_mismatch`.
    pub fn expire_lease(
        &self,
        run: RunId,
        owner: impl Into<Text>,
        expires_at: Timestamp,
    ) -> Result<RunState, CommandError> {
        match self.command(Command::ExpireLease {
            run,
            owner: owner.into(),
            expires_at,
        })? {
            Outcome::LeaseEnded(state) => Ok(state),
            other => unreachable!("{other:?}"),
        }
    }

    /// Gives a lease back; `expires_at` is its end as the caller knows it. Gives where the run stands.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `unknown_run`, `lease_invalid_run_state`, `lease_missing_active`, `lease_owner_mismatch` or
    /// `lease_expiry_mismatch`.
    pub fn release_lease(
        &self,
        run: RunId,
        owner: impl Into<Text>,
        expires_at: Timestamp,
    ) -> Result<RunState, CommandError> {
        match self.command(Command::ReleaseLease {
            run,
            owner: owner.into(),
            expires_at,
        })? {
            Outcome::LeaseEnded(state) => Ok(state),
            other => unreachable!("{other:?}"),
        }
    }

    /// Begins an attempt on a running run that has none. Gives its id and number; its deadline counts from here.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `unknown_run`, `attempt_start_requires_running` or `attempt_already_active`.
    pub fn start_attempt(&self, run: RunId) -> Result<(AttemptId, u32), CommandError> {
        match self.command(Command::StartAttempt { run })? {
            Outcome::AttemptStarted { attempt, number } => Ok((attempt, number)),
            other => unreachable!("{other:?}"),
        }
    }

    /// Ends an attempt by its id instead of its token. Gives where the run stands.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `unknown_run`, `attempt_finish_requires_running`, `attempt_finish_missing_active` or `attempt_mismatch`.
    pub fn finish_attempt(
        &self,
        run: RunId,
        attempt: AttemptId,
        outcome: FinishOutcome,
        output: Option<Bytes>,
        error: Option<RunError>,
    ) -> Result<RunState, CommandError> {
        match self.command(Command::FinishAttempt {
            run,
            attempt,
            outcome,
            output,
            error: error.map(Box::new),
        })? {
            Outcome::Finished(state) => Ok(state),
            other => unreachable!("{other:?}"),
        }
    }
}
