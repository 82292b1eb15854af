//! What the events of the direct lane do to runs: leases, attempts and transitions by hand.
//! Owns: held runs on which no attempt has begun, and runs moved by hand.
//! Never: fails or decides.

use super::apply::change;
use super::hold::{Ended, Grant, begin, close_attempt, hold, let_go};
use super::model::{AttemptResult, Cause, Fence, State};
use crate::event::{
    AttemptStarted, LeaseAcquired, LeaseEnded, RunBegan, RunRescheduled, RunTransitioned,
};
use crate::machine::Apply;
use crate::state::{At, State as Tables};
use crate::task::{HoldPolicy, policy};
use crate::{queue, schedule};

impl Apply for LeaseAcquired {
    fn apply(&self, state: &mut Tables, at: &At) {
        let run = state.run_of(at.tenant, self.run);
        let fence = Fence {
            incarnation: self.incarnation,
            counter: self.counter,
        };
        let grant = Grant {
            fence,
            holder: &self.owner,
            lease_ms: self.lease_ms,
            cause: Cause::Lease,
            actor: None,
        };
        hold(state, at, run, grant);
        state.rearm(run);
    }
}

impl Apply for RunBegan {
    fn apply(&self, state: &mut Tables, at: &At) {
        let run = state.run_of(at.tenant, self.run);
        change(state, at, run, State::Running, Cause::Transition, &self.by);
        state.rearm(run);
    }
}

impl Apply for AttemptStarted {
    fn apply(&self, state: &mut Tables, at: &At) {
        let run = state.run_of(at.tenant, self.run);
        begin(state, at, run, self.number);
        state.rearm(run);
    }
}

impl Apply for LeaseEnded {
    /// What the lease took goes back with it, unless an earlier attempt had taken it already.
    fn apply(&self, state: &mut Tables, at: &At) {
        let run = state.run_of(at.tenant, self.run);
        let_go(state, run);
        let kept = state.runs[run].attempt_count > 0
            && policy(state.task_of(run)).hold_policy == HoldPolicy::HoldDuringRetry;
        if !kept {
            queue::release_slot(state, run);
        }
        change(state, at, run, State::Ready, self.cause, &self.by);
        state.rearm(run);
    }
}

impl Apply for RunTransitioned {
    fn apply(&self, state: &mut Tables, at: &At) {
        let run = state.run_of(at.tenant, self.run);
        let result = match self.to {
            State::Completed => AttemptResult::Success,
            State::Failed => AttemptResult::Failure,
            State::Suspended => AttemptResult::Suspended,
            State::Canceled => AttemptResult::Canceled,
            State::Scheduled | State::Ready | State::Leased | State::Running | State::RetryWait => {
                AttemptResult::Released
            }
        };
        let ended = Ended {
            result,
            error: &None,
            output: &None,
            after: self.to,
            // Whatever its worker reports afterwards is not this end.
            reported: false,
        };
        close_attempt(state, at, run, ended);
        if self.to == State::RetryWait {
            let past = state.runs[run].past_mut();
            past.retry_due = at.steady.plus_ms(self.delay_ms);
            past.retry_at = at.wall.plus_ms(self.delay_ms);
        }
        change(state, at, run, self.to, Cause::Transition, &self.by);
        state.rearm(run);
    }
}

impl Apply for RunRescheduled {
    fn apply(&self, state: &mut Tables, at: &At) {
        let run = state.run_of(at.tenant, self.run);
        let row = &mut state.runs[run];
        row.scheduled_at = self.scheduled_at;
        if self.occurrence.is_some() {
            row.past_mut().occurrence = self.occurrence;
        }
        schedule::moved(state, run, self.occurrence, self.cause);
        state.rearm(run);
    }
}
