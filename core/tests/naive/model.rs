//! The model: maps and lists without indexes, which follow the events and say what a claim must grant.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_core::{
    Bytes, Cause, Entry, Event, Fence, HoldPolicy, Now, RunId, RunState, TaskId, TaskSpec,
    Timestamp, limits,
};

/// A run as the model knows it.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) spec: TaskSpec,
    pub(crate) state: RunState,
    pub(crate) ready_order: u64,
    pub(crate) grants: u32,
    pub(crate) holds_key: bool,
    pub(crate) live: Option<Fence>,
    pub(crate) output: Option<Bytes>,
    pub(crate) ended_at: Option<Timestamp>,
}

/// What an idempotency key was last used for.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) at: Timestamp,
    /// The run of the task that it made, for submits.
    pub(crate) run: Option<RunId>,
    pub(crate) task: Option<TaskId>,
}

/// What must be true, told by events alone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) tasks: BTreeMap<TaskId, TaskSpec>,
    pub(crate) runs: BTreeMap<RunId, Run>,
    pub(crate) order: Vec<RunId>,
    pub(crate) tokens: Vec<(RunId, Fence)>,
    pub(crate) keys: BTreeMap<String, Key>,
    issued: BTreeSet<u64>,
    paused: bool,
    now: Timestamp,
    ready_counter: u64,
    last_run: u128,
}

impl Run {
    fn key(&self) -> Option<(&str, u32)> {
        let policy = self.spec.policy.as_deref()?;
        let key = policy.concurrency_key.as_deref()?;
        Some((key, policy.concurrency_limit))
    }

    fn releases(&self) -> bool {
        let policy = self.spec.policy.as_deref();
        policy.is_some_and(|policy| policy.hold_policy == HoldPolicy::ReleaseOnRetry)
    }

    /// Not started by its `expires_at`.
    fn is_late(&self, now: &Now) -> bool {
        let extras = self.spec.extras.as_deref();
        let expires = extras.and_then(|extras| extras.expires_at);
        self.grants == 0 && expires.is_some_and(|at| at <= now.wall)
    }
}

impl Model {
    /// Follows one event.
    pub(crate) fn follow(&mut self, now: &Now, entry: &Entry) {
        self.now = now.wall;
        match &entry.event {
            Event::TaskCreated(e) => {
                let extras = e.spec.extras.as_deref();
                if let Some(key) = extras.and_then(|extras| extras.idempotency_key.as_deref()) {
                    self.use_key(format!("submit {key}"), Some(e.task));
                }
                let before = self.tasks.insert(e.task, (*e.spec).clone());
                assert!(before.is_none(), "a task was created twice");
            }
            Event::RunCreated(e) => {
                assert!(e.run.0 > self.last_run, "minted ids must increase");
                self.last_run = e.run.0;
                let state = RunState::Scheduled;
                let run = Run {
                    spec: self.tasks[&e.task].clone(),
                    state,
                    ready_order: 0,
                    grants: 0,
                    holds_key: false,
                    live: None,
                    output: None,
                    ended_at: None,
                };
                let keys = self.keys.values_mut();
                let of_task = keys.filter(|key| key.task == Some(e.task));
                of_task.for_each(|key| key.run = Some(e.run));
                assert!(self.runs.insert(e.run, run).is_none(), "a run exists twice");
                self.order.push(e.run);
                if e.ready {
                    self.become_ready(e.run);
                }
            }
            Event::RunReady(e) => {
                let from = self.live_run(e.run).state;
                assert!(matches!(from, RunState::Scheduled | RunState::RetryWait));
                self.become_ready(e.run);
            }
            Event::RunStarted(e) => self.start(e),
            Event::LeaseExtended(e) => assert!(self.live_run(e.run).live.is_some()),
            Event::RunCompleted(e) => self.end_attempt(e.run, RunState::Completed, &e.output),
            Event::RunRetryScheduled(e) => self.end_attempt(e.run, RunState::RetryWait, &None),
            Event::RunReturned(e) => {
                self.end_attempt(e.run, RunState::RetryWait, &None);
                self.become_ready(e.run);
            }
            Event::RunFailed(e) => self.end_attempt(e.run, RunState::Failed, &None),
            Event::RunSuspended(e) => self.end_attempt(e.run, RunState::Suspended, &None),
            Event::RunCanceled(e) => {
                let held = self.live_run(e.run).live.is_some();
                assert_eq!(held, e.result.is_some(), "an attempt ends with its run");
                if e.cause == Cause::Expired {
                    assert_eq!(self.runs[&e.run].grants, 0, "a started task expired");
                }
                self.enter(e.run, RunState::Canceled);
            }
            Event::RunCancelRequested(e) => assert!(self.live_run(e.run).live.is_some()),
            Event::RunSuspendRequested(e) => assert!(self.live_run(e.run).live.is_some()),
            Event::RunResumed(e) => {
                assert_eq!(self.live_run(e.run).state, RunState::Suspended);
                self.become_ready(e.run);
            }
            Event::CheckpointSaved(e) => assert!(self.live_run(e.run).live.is_some()),
            Event::TaskCanceled(e) => assert!(self.tasks.contains_key(&e.task)),
            Event::EnginePaused(_) => self.paused = true,
            Event::EngineResumed(_) => self.paused = false,
            Event::ClaimRecorded(e) => self.use_key(format!("claim {}", e.key), None),
            Event::EngineStarted(_) | Event::ClockAdopted(_) => {}
            newer => panic!("these lives know no {newer:?}"),
        }
    }

    fn use_key(&mut self, key: String, task: Option<TaskId>) {
        let (at, run) = (self.now, None);
        self.keys.insert(key, Key { at, run, task });
    }

    /// What a key stands for now: a day from its use, as long as its task lives, and a day from its task's end.
    pub(crate) fn key(&self, key: &str, now: &Now) -> Option<&Key> {
        let key = self.keys.get(key)?;
        let day = |from: Timestamp| from.plus_ms(limits::KEY_HELD_MS) > now.wall;
        let by_task = key.run.is_some_and(|run| {
            let ended = self.runs[&run].ended_at;
            ended.is_none_or(day)
        });
        (day(key.at) || by_task).then_some(key)
    }

    fn live_run(&mut self, id: RunId) -> &mut Run {
        let run = self.runs.get_mut(&id).expect("an event about a known run");
        assert!(!run.state.is_terminal(), "an event about a finished run");
        run
    }

    fn become_ready(&mut self, id: RunId) {
        self.ready_counter += 1;
        let order = self.ready_counter;
        self.live_run(id).ready_order = order;
        self.enter(id, RunState::Ready);
    }

    fn start(&mut self, e: &mainstay_core::events::RunStarted) {
        assert!(!self.paused, "a grant while the engine is paused");
        assert!(self.issued.insert(e.counter), "a token was issued twice");
        let fence = Fence {
            incarnation: e.incarnation,
            counter: e.counter,
        };
        self.tokens.push((e.run, fence));
        let run = self.live_run(e.run);
        assert_eq!(run.state, RunState::Ready, "only ready runs are granted");
        run.grants += 1;
        assert_eq!(run.grants, e.number, "attempts are numbered from 1");
        run.holds_key = run.key().is_some();
        run.live = Some(fence);
        self.enter(e.run, RunState::Running);
        self.check_slots();
    }

    fn end_attempt(&mut self, id: RunId, to: RunState, output: &Option<Bytes>) {
        let run = self.live_run(id);
        assert!(run.live.is_some(), "an attempt ends that nobody had");
        run.output = output.clone();
        self.enter(id, to);
    }

    fn enter(&mut self, id: RunId, to: RunState) {
        let now = self.now;
        let run = self.live_run(id);
        run.state = to;
        run.ended_at = to.is_terminal().then_some(now);
        if !to.is_held() {
            run.live = None;
        }
        let waits = matches!(to, RunState::RetryWait | RunState::Suspended);
        if to.is_terminal() || waits && run.releases() {
            run.holds_key = false;
        }
    }

    fn holders(&self, key: &str) -> impl Iterator<Item = u32> {
        let holders = self.runs.values().filter(|run| run.holds_key);
        holders
            .filter_map(Run::key)
            .filter(move |(held, _)| *held == key)
            .map(|(_, limit)| limit)
    }

    fn check_slots(&self) {
        for (key, _) in self.runs.values().filter_map(Run::key) {
            let count = self.holders(key).count() as u32;
            let least = self.holders(key).min().unwrap_or(u32::MAX);
            assert!(count <= least, "{count} holders of {key}, at most {least}");
        }
    }

    /// Whether the run's key, if it has one, has room for it.
    pub(crate) fn has_room(&self, run: &Run) -> bool {
        let Some((key, limit)) = run.key().filter(|_| !run.holds_key) else {
            return true;
        };
        let least = self.holders(key).min().unwrap_or(limit).min(limit);
        (self.holders(key).count() as u32) < least
    }

    /// What a claim must grant, in order: priority, then the order of becoming ready, past those held back.
    pub(crate) fn claim(&self, now: &Now, queues: &[&str], kinds: &[&str], max: u32) -> Vec<RunId> {
        let mut model = self.clone();
        let mut grants = Vec::new();
        let mut ready: Vec<RunId> = self.order.clone();
        ready.retain(|id| {
            let run = &self.runs[id];
            run.state == RunState::Ready
                && !self.paused
                && !run.is_late(now)
                && queues.contains(&&*run.spec.queue)
                && (kinds.is_empty() || kinds.contains(&&*run.spec.kind))
        });
        ready.sort_by_key(|id| {
            let run = &self.runs[id];
            (-i64::from(run.spec.priority), run.ready_order)
        });
        for id in ready {
            if grants.len() < max as usize && model.has_room(&model.runs[&id]) {
                let run = model.live_run(id);
                run.holds_key = run.key().is_some();
                run.state = RunState::Running;
                grants.push(id);
            }
        }
        grants
    }
}
