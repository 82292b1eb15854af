//! The reference model's tables: maps and lists, no indexes, no cleverness.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use mainstay::{
    AttemptResult, Bytes, Cause, Claim, Fence, HoldPolicy, Policy, RunError, RunId, RunState,
    TaskId, TaskSpec, Text,
};

/// What the model says when something is not as the design demands.
pub(crate) type Verdict = Result<(), String>;

/// A renewal beyond this is an event.
pub(crate) const LONG_RENEWAL_MS: u64 = 300_000;

/// Refuses unless something holds.
macro_rules! demand {
    ($holds:expr, $($text:tt)+) => {
        if !$holds {
            return Err(format!($($text)+));
        }
    };
}
pub(crate) use demand;

/// A task.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) spec: TaskSpec,
    pub(crate) run: Option<RunId>,
    pub(crate) canceled: bool,
    pub(crate) created_at: u64,
    pub(crate) incarnation: u64,
}

/// The task's constraints, with defaults.
pub(crate) fn policy_of(spec: &TaskSpec) -> &Policy {
    static DEFAULT: LazyLock<Policy> = LazyLock::new(Policy::default);
    spec.policy.as_deref().unwrap_or(&DEFAULT)
}

/// An ended attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    pub(crate) number: u32,
    pub(crate) fence: Fence,
    pub(crate) worker: Text,
    pub(crate) result: AttemptResult,
    pub(crate) error: Option<RunError>,
    pub(crate) output: Option<Bytes>,
    /// Whether its worker said so.
    pub(crate) reported: bool,
    pub(crate) after: RunState,
}

/// A cancel that waits for the worker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CancelWish {
    pub(crate) force: u64,
    pub(crate) by_task: bool,
}

/// A live lease with its attempt.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    pub(crate) fence: Fence,
    pub(crate) number: u32,
    pub(crate) worker: Text,
    pub(crate) lease_ms: u64,
    /// When it ends at the earliest, on the steady clock: grants, extensions and answered heartbeats.
    pub(crate) end: u64,
    /// When the log says it ends, on both clocks.
    pub(crate) recorded_end: u64,
    pub(crate) recorded_end_wall: u64,
    /// When it ends at the earliest, on the recorded clock, as workers are told.
    pub(crate) end_wall: u64,
    pub(crate) deadline: Option<u64>,
    pub(crate) cancel: Option<CancelWish>,
    pub(crate) suspend: bool,
}

/// A run.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) task: TaskId,
    pub(crate) state: RunState,
    pub(crate) scheduled_at: u64,
    pub(crate) created_at: u64,
    /// Its place in the order of becoming ready.
    pub(crate) ready_order: u64,
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) granted: u32,
    pub(crate) failures: u32,
    pub(crate) lost: u32,
    pub(crate) lease: Option<Lease>,
    pub(crate) holds: bool,
    pub(crate) retry_due: u64,
    pub(crate) output: Option<Bytes>,
    pub(crate) checkpoints: BTreeMap<Text, Bytes>,
    pub(crate) resume_payload: Option<Bytes>,
    /// Every state it was in, with the event and the cause.
    pub(crate) path: Vec<(RunState, u64, Cause)>,
    /// It was finished when a store was lost that alone held it.
    pub(crate) may_be_gone: bool,
}

/// What an idempotency key of a submit stands for.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) task: TaskId,
    pub(crate) spec: TaskSpec,
    pub(crate) held_at: u64,
    /// It was held when a store was lost that alone held it.
    pub(crate) may_be_gone: bool,
}

/// What an idempotency key of a claim stands for.
#[derive(Clone, Debug)]
pub(crate) struct ClaimKey {
    pub(crate) claim: Claim,
    pub(crate) grants: Vec<(RunId, Fence)>,
}

/// The whole reference model.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) sequence: u64,
    pub(crate) wall: u64,
    pub(crate) steady: u64,
    pub(crate) incarnation: u64,
    pub(crate) paused: bool,
    pub(crate) tasks: BTreeMap<TaskId, Task>,
    pub(crate) runs: BTreeMap<RunId, Run>,
    pub(crate) fences: BTreeMap<Fence, RunId>,
    pub(crate) last_counter: u64,
    pub(crate) last_id: u128,
    pub(crate) keys: BTreeMap<Text, Key>,
    pub(crate) claim_keys: BTreeMap<Text, ClaimKey>,
    pub(crate) order: u64,
}

/// The edges of the state machine, from the design, not from the code.
pub(crate) fn is_edge(from: RunState, to: RunState) -> bool {
    use RunState::{
        Canceled, Completed, Failed, Leased, Ready, RetryWait, Running, Scheduled, Suspended,
    };
    match from {
        Scheduled => matches!(to, Ready | Canceled),
        Ready => matches!(to, Leased | Canceled),
        Leased => matches!(to, Ready | Running | Canceled),
        Running => matches!(to, Completed | Failed | Canceled | RetryWait | Suspended),
        RetryWait => matches!(to, Ready | Failed | Canceled),
        Suspended => matches!(to, Ready | Canceled),
        Completed | Failed | Canceled => false,
    }
}

impl Model {
    /// A store was lost where the log does not reach back: what is finished now, and every key, may be gone.
    pub(crate) fn forget(&mut self) {
        for run in self.runs.values_mut() {
            run.may_be_gone |= run.state.is_terminal();
        }
        for key in self.keys.values_mut() {
            key.may_be_gone = true;
        }
    }

    /// Whether a task may be gone with its run.
    pub(crate) fn may_be_gone(&self, task: TaskId) -> bool {
        let run = self.tasks.get(&task).and_then(|task| task.run);
        run.is_some_and(|run| self.is_gone(run))
    }

    /// Whether a run is not there, or may not be.
    pub(crate) fn is_gone(&self, run: RunId) -> bool {
        self.runs.get(&run).is_none_or(|run| run.may_be_gone)
    }

    pub(crate) fn run(&self, id: RunId) -> Result<&Run, String> {
        self.runs
            .get(&id)
            .ok_or_else(|| format!("run {id} is not in the log"))
    }

    pub(crate) fn run_mut(&mut self, id: RunId) -> Result<&mut Run, String> {
        self.runs
            .get_mut(&id)
            .ok_or_else(|| format!("run {id} is not in the log"))
    }

    pub(crate) fn task_of(&self, run: RunId) -> Result<&Task, String> {
        let task = self.run(run)?.task;
        self.tasks
            .get(&task)
            .ok_or_else(|| format!("task {task} of run {run} is not in the log"))
    }

    pub(crate) fn policy(&self, run: RunId) -> Result<&Policy, String> {
        self.task_of(run).map(|task| policy_of(&task.spec))
    }

    /// Moves a run along one edge; slots and the order of becoming ready follow.
    pub(crate) fn go(&mut self, id: RunId, to: RunState, cause: Cause) -> Verdict {
        let policy = self.policy(id)?;
        let (keyed, hold_policy) = (policy.concurrency_key.is_some(), policy.hold_policy);
        let (sequence, order) = (self.sequence, self.order + 1);
        let run = self.run_mut(id)?;
        let from = run.state;
        demand!(
            is_edge(from, to),
            "run {id} went from {} to {}",
            from.name(),
            to.name()
        );
        run.state = to;
        run.path.push((to, sequence, cause));
        if to == RunState::Leased && keyed {
            run.holds = true;
        }
        let waits = matches!(to, RunState::RetryWait | RunState::Suspended);
        if to.is_terminal() || waits && hold_policy == HoldPolicy::ReleaseOnRetry {
            run.holds = false;
        }
        if to == RunState::Ready {
            run.ready_order = order;
            self.order = order;
        }
        Ok(())
    }

    /// Whether the run's concurrency key has room for it.
    pub(crate) fn has_room(&self, id: RunId) -> Result<bool, String> {
        let policy = self.policy(id)?;
        let Some(key) = &policy.concurrency_key else {
            return Ok(true);
        };
        if self.run(id)?.holds {
            return Ok(true);
        }
        let mut holders = 0;
        let mut limit = policy.concurrency_limit;
        for (other, _) in self.runs.iter().filter(|(_, run)| run.holds) {
            let theirs = self.policy(*other)?;
            if theirs.concurrency_key.as_ref() == Some(key) {
                holders += 1;
                limit = limit.min(theirs.concurrency_limit);
            }
        }
        Ok(holders < limit)
    }

    /// Whether the task was not started before its `expires_at`.
    pub(crate) fn is_expired(&self, id: RunId, wall: u64) -> Result<bool, String> {
        let expires = self
            .task_of(id)?
            .spec
            .extras
            .as_ref()
            .and_then(|extras| extras.expires_at);
        Ok(self.run(id)?.granted == 0 && expires.is_some_and(|at| at.0 <= wall))
    }

    /// Runs that wait for a worker, in the order in which a claim must take them.
    pub(crate) fn ready_for(&self, claim: &Claim) -> Result<Vec<RunId>, String> {
        let mut found = Vec::new();
        let ready = |(_, run): &(&RunId, &Run)| run.state == RunState::Ready;
        for (id, run) in self.runs.iter().filter(ready) {
            let spec = &self.task_of(*id)?.spec;
            let wanted = claim.queues.contains(&spec.queue)
                && (claim.kinds.is_empty() || claim.kinds.contains(&spec.kind));
            if wanted {
                found.push((-i64::from(spec.priority), run.ready_order, *id));
            }
        }
        found.sort_unstable();
        Ok(found.into_iter().map(|(_, _, id)| id).collect())
    }

    /// The first run that this claim could take now.
    pub(crate) fn first_for(&self, claim: &Claim, wall: u64) -> Result<Option<RunId>, String> {
        if self.paused {
            return Ok(None);
        }
        for id in self.ready_for(claim)? {
            if !self.is_expired(id, wall)? && self.has_room(id)? {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// How many runs are in each state.
    pub(crate) fn by_state(&self) -> [u64; 9] {
        let mut counts = [0; 9];
        for run in self.runs.values() {
            counts[run.state as usize] += 1;
        }
        counts
    }

    pub(crate) fn all_ended(&self) -> bool {
        self.runs.values().all(|run| run.state.is_terminal())
    }
}
