//! What each event about runs does to their rows: the only writer of those rows.
//! Owns: state changes, histories, counters, slots and alarms of runs.
//! Never: fails or decides.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::hold::{Ended, Grant, begin, close_attempt, hold, let_go};
use super::model::{
    AttemptResult, CancelRequest, Cause, Change, Fence, Hold, Origin, Past, Row, State,
    SuspendRequest,
};
use crate::event::{
    CheckpointSaved, ClaimRecorded, LeaseExtended, RunCancelRequested, RunCanceled, RunCompleted,
    RunCreated, RunFailed, RunReady, RunResumed, RunRetryScheduled, RunReturned, RunStarted,
    RunSuspendRequested, RunSuspended,
};
use crate::id::Minted;
use crate::image::KeyClass;
use crate::limits::HISTORY_KEPT;
use crate::machine::Apply;
use crate::state::{Armed, At, ClaimRecord, Held, Note, State as Tables};
use crate::task::{HoldPolicy, policy};
use crate::{Text, budget, dependency, queue, schedule};

/// Moves a run along one edge: history, counters, ready order, slots and alarm follow.
pub(super) fn change(state: &mut Tables, at: &At, run: u32, to: State, cause: Cause, actor: &Text) {
    let from = state.runs[run].state;
    debug_assert!(from.may_become(to), "{} -> {}", from.name(), to.name());
    state.stats.runs_by_state[from as usize] -= 1;
    state.stats.runs_by_state[to as usize] += 1;
    let place = state.task_of(run).place;
    state.places.count(place, from as usize, -1);
    state.places.count(place, to as usize, 1);
    let row = &mut state.runs[run];
    row.state = to;
    let changes = &mut row.past_mut().changes;
    if changes.len() == HISTORY_KEPT {
        changes.pop_front();
    }
    changes.push_back(Change {
        from,
        to,
        cause,
        at: at.wall,
        sequence: at.sequence,
        actor: actor.clone(),
    });
    // A run that is set aside may wait for children that its task never had: only what follows knows.
    if to == State::Suspended || state.is_followed(state.runs[run].task) {
        state.notes.push(Note::RunMoved(run, to));
    }
    match from {
        State::Suspended => {
            dependency::rise(state, run);
            budget::wait_ended(state, run);
        }
        State::Scheduled => schedule::left(state, run),
        State::Ready if to == State::Leased => queue::grant(state, run),
        State::Ready => queue::leave(state, run),
        State::Leased
        | State::Running
        | State::RetryWait
        | State::Completed
        | State::Failed
        | State::Canceled => {}
    }
    if from.is_held() != to.is_held() {
        queue::hold(state, at, run, to.is_held());
    }
    if to == State::Ready {
        queue::join(state, run);
    }
    if to.is_terminal() {
        end(state, at, run, to);
    } else if matches!(to, State::RetryWait | State::Suspended)
        && policy(state.task_of(run)).hold_policy == HoldPolicy::ReleaseOnRetry
    {
        queue::release_slot(state, run);
    }
}

/// Gives a task another priority: those of its runs that wait for a worker change lanes, each in its old order.
pub(crate) fn reprioritize(state: &mut Tables, task: u32, priority: i32) {
    let waiting = state.tasks[task].runs();
    let waiting = waiting.filter(|run| state.runs[*run].state == State::Ready);
    let waiting: Vec<u32> = waiting.collect();
    for run in &waiting {
        queue::leave(state, *run);
    }
    state.tasks[task].priority = priority;
    for run in waiting {
        queue::enter(state, run);
    }
}

fn end(state: &mut Tables, at: &At, run: u32, to: State) {
    queue::release_slot(state, run);
    let handle = state.runs[run].task;
    let task = &mut state.tasks[handle];
    task.runs_live -= 1;
    task.runs_completed += u32::from(to == State::Completed);
    if to == State::Failed
        && let Some(rare) = task.rare.as_deref_mut()
    {
        rare.runs_failed += 1;
    }
    if to == State::Failed {
        let place = task.place;
        state.places.count_dead(place, 1);
    }
    state.settle(at, handle);
}

fn cause_of(result: AttemptResult) -> Cause {
    match result {
        AttemptResult::Timeout => Cause::Timeout,
        AttemptResult::LeaseExpired => Cause::LeaseExpired,
        AttemptResult::Released => Cause::Released,
        AttemptResult::Success
        | AttemptResult::Failure
        | AttemptResult::Suspended
        | AttemptResult::Canceled => Cause::Finish,
    }
}

impl Apply for RunCreated {
    fn apply(&self, state: &mut Tables, at: &At) {
        let task = state
            .task_for_run(at.tenant, self.task)
            .expect("a run's task precedes it in the log");
        let born = [State::Scheduled, State::Ready][usize::from(self.ready)];
        if !self.chosen {
            state.minted = state.minted.max(Minted::of(self.run.0));
        }
        let row = Row {
            id: self.run,
            task,
            tenant: at.tenant,
            state: born,
            born,
            holds_key: false,
            parked: false,
            failures: 0,
            lost_leases: 0,
            attempt_count: 0,
            dirty: false,
            stored: false,
            created_at: at.wall,
            number: at.sequence,
            scheduled_at: self.scheduled_at,
            ready_order: 0,
            armed: Armed::default(),
            active: None,
            past: None,
        };
        if self.origin != Origin::Policy {
            // Its id may have been chosen.
            state.forget_twin_run(at.tenant, self.run);
        }
        let run = state.insert_run(row);
        if self.origin != Origin::Policy || self.occurrence.is_some() {
            let past = state.runs[run].past_mut();
            past.origin = self.origin;
            past.occurrence = self.occurrence;
            past.retry_of = self.retry_of;
        }
        state.touch_run(run);
        state.touch_task(task);
        let place = count_in(state, task, run, at.sequence);
        state.places.count(place, born as usize, 1);
        state.stats.runs_total += 1;
        state.stats.runs_by_state[born as usize] += 1;
        if self.ready {
            queue::join(state, run);
        }
        if let Some(occurrence) = self.occurrence {
            schedule::made(state, at, run, occurrence, self.ready);
        }
        state.rearm(run);
    }
}

/// A new run is one of its task's; gives the task's place.
fn count_in(state: &mut Tables, task: u32, run: u32, number: u64) -> u32 {
    let row = &state.tasks[task];
    let is_second = row.runs_total == 1;
    let first = row.run.get().filter(|_| is_second);
    let failed = first.is_some_and(|first| state.runs[first].state == State::Failed);
    state.link_run(task, run, number);
    let row = &mut state.tasks[task];
    if failed && let Some(rare) = row.rare.as_deref_mut() {
        // It may have ended while there was nothing rare to count it in.
        rare.runs_failed = 1;
    }
    row.runs_total += 1;
    row.runs_live += 1;
    row.place
}

impl Apply for RunReady {
    fn apply(&self, state: &mut Tables, at: &At) {
        let run = state.run_of(at.tenant, self.run);
        let cause = if state.runs[run].state == State::Scheduled {
            Cause::Due
        } else {
            Cause::Retry
        };
        change(state, at, run, State::Ready, cause, &Text::default());
        state.rearm(run);
    }
}

impl Apply for RunStarted {
    fn apply(&self, state: &mut Tables, at: &At) {
        let run = state.run_of(at.tenant, self.run);
        let fence = Fence {
            incarnation: self.incarnation,
            counter: self.counter,
        };
        let (holder, lease_ms, cause) = (&self.worker, self.lease_ms, Cause::Claim);
        let actor = self.actor.and_then(|id| state.actors.find(at.tenant, id));
        let grant = Grant {
            fence,
            holder,
            lease_ms,
            cause,
            actor: actor.map(|row| row.number),
        };
        hold(state, at, run, grant);
        change(state, at, run, State::Running, cause, holder);
        begin(state, at, run, self.number);
        state.rearm(run);
    }
}

impl Apply for LeaseExtended {
    fn apply(&self, state: &mut Tables, at: &At) {
        let run = state.run_of(at.tenant, self.run);
        if let Some(active) = state.runs[run].active.as_mut() {
            active.expires = at.steady.plus_ms(self.lease_ms);
            active.expires_at = at.wall.plus_ms(self.lease_ms);
        }
        state.rearm(run);
    }
}

impl Apply for RunCompleted {
    fn apply(&self, state: &mut Tables, at: &At) {
        let run = state.run_of(at.tenant, self.run);
        let (result, after) = (AttemptResult::Success, State::Completed);
        let ended = Ended::new(result, &None, &self.output, after);
        let worker = close_attempt(state, at, run, ended);
        state.runs[run].past_mut().output = self.output.clone();
        change(state, at, run, after, Cause::Finish, &worker);
        state.rearm(run);
    }
}

impl Apply for RunRetryScheduled {
    fn apply(&self, state: &mut Tables, at: &At) {
        let run = state.run_of(at.tenant, self.run);
        let after = State::RetryWait;
        let ended = Ended::new(self.result, &self.error, &self.output, after);
        let worker = close_attempt(state, at, run, ended);
        let past = state.runs[run].past_mut();
        past.retry_due = at.steady.plus_ms(self.delay_ms);
        past.retry_at = at.wall.plus_ms(self.delay_ms);
        change(state, at, run, after, cause_of(self.result), &worker);
        state.rearm(run);
    }
}

impl Apply for RunReturned {
    fn apply(&self, state: &mut Tables, at: &At) {
        let run = state.run_of(at.tenant, self.run);
        let after = State::Ready;
        let ended = Ended::new(self.result, &self.error, &self.output, after);
        let worker = close_attempt(state, at, run, ended);
        change(
            state,
            at,
            run,
            State::RetryWait,
            cause_of(self.result),
            &worker,
        );
        change(state, at, run, State::Ready, cause_of(self.result), &worker);
        state.rearm(run);
    }
}

impl Apply for RunFailed {
    fn apply(&self, state: &mut Tables, at: &At) {
        let run = state.run_of(at.tenant, self.run);
        let after = State::Failed;
        let ended = Ended::new(self.result, &self.error, &self.output, after);
        let worker = close_attempt(state, at, run, ended);
        change(state, at, run, after, self.cause, &worker);
        state.rearm(run);
    }
}

impl Apply for RunSuspended {
    fn apply(&self, state: &mut Tables, at: &At) {
        let run = state.run_of(at.tenant, self.run);
        let after = State::Suspended;
        let ended = Ended::new(self.result, &self.error, &self.output, after);
        let worker = close_attempt(state, at, run, ended);
        let past = state.runs[run].past_mut();
        past.reason = self.reason.clone();
        past.hold = self.hold;
        change(state, at, run, after, Cause::Suspend, &worker);
        if self.hold == Hold::Budget {
            budget::wait(state, run);
        }
        if self.hold == Hold::Children {
            dependency::fall_asleep(state, run);
            state.touch_task(state.runs[run].task);
        }
        state.rearm(run);
    }
}

impl Apply for RunCanceled {
    fn apply(&self, state: &mut Tables, at: &At) {
        let run = state.run_of(at.tenant, self.run);
        let after = State::Canceled;
        if let Some(result) = self.result {
            let mut ended = Ended::new(result, &self.error, &self.output, after);
            // Not by its worker's word: whatever that reports afterwards is not this end.
            ended.reported &= !matches!(self.cause, Cause::Force | Cause::Transition);
            close_attempt(state, at, run, ended);
        } else {
            let_go(state, run);
        }
        state.runs[run].past_mut().reason = self.reason.clone();
        change(state, at, run, after, self.cause, &self.by);
        state.rearm(run);
    }
}

impl Apply for RunCancelRequested {
    fn apply(&self, state: &mut Tables, at: &At) {
        let run = state.run_of(at.tenant, self.run);
        let task = state.task_of(run).canceled_at().is_some();
        if let Some(active) = state.runs[run].active.as_mut() {
            active.cancel = Some(Box::new(CancelRequest {
                at: at.wall,
                force: at.steady.plus_ms(self.grace_ms),
                force_at: at.wall.plus_ms(self.grace_ms),
                by: self.by.clone(),
                reason: self.reason.clone(),
                task,
                why: self.cause.clone(),
            }));
        }
        state.rearm(run);
    }
}

impl Apply for RunSuspendRequested {
    fn apply(&self, state: &mut Tables, at: &At) {
        let run = state.run_of(at.tenant, self.run);
        if let Some(active) = state.runs[run].active.as_mut() {
            let (by, reason) = (self.by.clone(), self.reason.clone());
            active.suspend = Some(Box::new(SuspendRequest {
                at: at.wall,
                by,
                reason,
                budget: self.budget,
            }));
        }
    }
}

impl Apply for RunResumed {
    fn apply(&self, state: &mut Tables, at: &At) {
        let run = state.run_of(at.tenant, self.run);
        let past: &mut Past = state.runs[run].past_mut();
        past.resume_payload = self.payload.clone();
        past.reason = None;
        let cause = self.cause.as_deref().map_or(Cause::Resume, |why| why.cause);
        change(state, at, run, State::Ready, cause, &self.by);
        state.runs[run].past_mut().hold = Hold::Hand;
        state.rearm(run);
    }
}

impl Apply for CheckpointSaved {
    fn apply(&self, state: &mut Tables, at: &At) {
        let run = state.run_of(at.tenant, self.run);
        let past = state.runs[run].past_mut();
        past.checkpoint_bytes += self.name.len() + self.value.len();
        past.checkpoints
            .insert(self.name.clone(), self.value.clone());
    }
}

impl Apply for ClaimRecorded {
    fn apply(&self, state: &mut Tables, at: &At) {
        let claim = Some(Box::new(ClaimRecord {
            runs: self.runs.clone(),
            tenants: self.tenants.clone(),
            counters: self.counters.clone(),
        }));
        let held = Held {
            digest: self.digest,
            claim,
            ..Held::default()
        };
        let scope = (at.tenant, KeyClass::Claim, self.key.clone());
        state.keys.hold(scope, at.wall, held);
    }
}
