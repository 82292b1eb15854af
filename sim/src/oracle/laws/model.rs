//! What the laws remember of a wide world: tasks, runs, queues, budgets and subscriptions, as their events tell it.

use std::collections::{BTreeMap, BTreeSet};

use mainstay::{
    ActorId, AttemptResult, BudgetScope, Bytes, Fence, Filter, Hold, HoldPolicy, QueueConfig,
    RunError, RunId, RunState, SubscriptionId, TaskId, TaskSpec, TaskState, Text,
};

use super::attested::Attested;
use super::instants::Ledger;
use crate::oracle::model::{Verdict, demand, is_edge, policy_of};

/// A budget as its events tell it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Purse {
    pub(crate) limit: u64,
    pub(crate) reserve: u64,
    pub(crate) consumed: u64,
    /// Its exhaustion was said in this period.
    pub(crate) said: bool,
    /// Thresholds that were passed in this period.
    pub(crate) passed: BTreeSet<u32>,
}

/// A task.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) spec: TaskSpec,
    pub(crate) runs: Vec<RunId>,
    pub(crate) canceled: bool,
    pub(crate) parent: Option<TaskId>,
    pub(crate) children: Vec<TaskId>,
    pub(crate) unmet: BTreeSet<TaskId>,
    /// Its schedule makes no further run.
    pub(crate) schedule_ended: bool,
    /// Instants of its schedule that came to a run, were missed or were skipped.
    pub(crate) instants: BTreeSet<u64>,
    pub(crate) occurrences: u64,
    pub(crate) ledger: Ledger,
    /// Its schedule makes no runs for a while.
    pub(crate) schedule_paused: bool,
    pub(crate) purses: BTreeMap<Text, Purse>,
    pub(crate) created_at: u64,
    pub(crate) may_be_gone: bool,
}

/// An attempt that ended.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub(crate) fence: Fence,
    pub(crate) result: AttemptResult,
    pub(crate) output: Option<Bytes>,
    pub(crate) error: Option<RunError>,
    pub(crate) reported: bool,
    pub(crate) after: RunState,
}

/// A lease.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    pub(crate) fence: Fence,
    /// No attempt has begun.
    pub(crate) idle: bool,
    pub(crate) cancel: bool,
    /// What it holds of budgets: whose, of what, how much.
    pub(crate) reserved: Vec<(Option<TaskId>, Text, u64)>,
    /// The registered actor that holds it.
    pub(crate) actor: Option<ActorId>,
}

/// A registered actor.
#[derive(Clone, Debug)]
pub(crate) struct Actor {
    pub(crate) capabilities: Vec<Text>,
    /// How long it may be silent.
    pub(crate) patience_ms: u64,
    /// When it was last heard of, on the steady clock, as far as events tell.
    pub(crate) heard: u64,
    pub(crate) draining: bool,
}

/// A run.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) task: TaskId,
    pub(crate) state: RunState,
    pub(crate) scheduled_at: u64,
    /// The instant of its schedule that it stands for.
    pub(crate) instant: Option<u64>,
    pub(crate) ready_order: u64,
    pub(crate) granted: u32,
    pub(crate) lease: Option<Lease>,
    pub(crate) holds_key: bool,
    /// What will release it, while it is suspended.
    pub(crate) hold: Hold,
    pub(crate) ended: Vec<Ended>,
    pub(crate) output: Option<Bytes>,
    /// It had ended when a store was lost that alone held it.
    pub(crate) may_be_gone: bool,
}

/// A subscription.
#[derive(Clone, Debug)]
pub(crate) struct Subscription {
    pub(crate) task: TaskId,
    pub(crate) filter: Filter,
    pub(crate) canceled: bool,
    /// Happenings that it has still to act on.
    pub(crate) pending: u32,
    /// Happenings of the command at hand that it acted on.
    pub(crate) heard: u32,
}

/// A queue with settings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queue {
    pub(crate) config: QueueConfig,
    pub(crate) paused: bool,
    /// Steady times of its starts since its rate was set.
    pub(crate) starts: Vec<u64>,
    /// When, in microseconds, the even pace of its rates is caught up with at the latest: what earlier rates left behind is in it.
    pub(crate) paced_until_us: u64,
}

impl Queue {
    /// A run of it starts.
    pub(crate) fn start(&mut self, steady: u64) {
        self.starts.push(steady);
        if let Some(rate) = self.config.rate_limit {
            self.paced_until_us = self.paced_until_us.max(steady * 1000) + pace_us(rate);
        }
    }

    /// Whether starts under an earlier rate may hold its runs back although the present one has room.
    pub(crate) fn may_owe(&self, steady: u64) -> bool {
        self.config.rate_limit.is_some_and(|rate| {
            let burst = pace_us(rate) * rate.max.saturating_sub(1);
            self.paced_until_us > steady * 1000 + burst
        })
    }
}

/// Microseconds between two starts at the even pace.
fn pace_us(rate: mainstay::RateLimit) -> u64 {
    (rate.per_ms * 1000).div_ceil(rate.max)
}

/// What one command did that a subscription may wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// A subscription was triggered by hand.
    ByHand(SubscriptionId),
    /// A custom event was published.
    Event(Text),
    /// A run of a task came to a state.
    Moved(TaskId, RunState),
    /// A budget's use passed a threshold.
    Passed(TaskId, Text, u32),
}

/// What all tenants share.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shared {
    pub(crate) sequence: u64,
    pub(crate) wall: u64,
    pub(crate) steady: u64,
    pub(crate) incarnation: u64,
    pub(crate) last_counter: u64,
    pub(crate) last_id: u128,
    pub(crate) order: u64,
    pub(crate) paused: bool,
}

/// Everything the laws know of one tenant: another one's tasks, queues and budgets are not here, whatever their names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Laws {
    pub(crate) shared: Shared,
    pub(crate) tasks: BTreeMap<TaskId, Task>,
    pub(crate) runs: BTreeMap<RunId, Run>,
    pub(crate) queues: BTreeMap<Text, Queue>,
    /// The tenant's own budgets.
    pub(crate) purses: BTreeMap<Text, Purse>,
    pub(crate) subscriptions: BTreeMap<SubscriptionId, Subscription>,
    pub(crate) actors: BTreeMap<ActorId, Actor>,
    pub(crate) attested: Attested,
    /// Tasks that somebody waits for, completed before the command at hand.
    pub(crate) completed: BTreeSet<TaskId>,
    /// Of the command at hand.
    pub(crate) heard: Vec<Heard>,
    /// Runs that subscriptions woke in it.
    pub(crate) woken: BTreeSet<RunId>,
}

impl std::ops::Deref for Laws {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.shared
    }
}

impl std::ops::DerefMut for Laws {
    fn deref_mut(&mut self) -> &mut Shared {
        &mut self.shared
    }
}

impl Laws {
    pub(crate) fn task(&self, id: TaskId) -> Result<&Task, String> {
        self.tasks
            .get(&id)
            .ok_or_else(|| format!("task {id} is not in the log"))
    }

    pub(crate) fn task_mut(&mut self, id: TaskId) -> Result<&mut Task, String> {
        self.tasks
            .get_mut(&id)
            .ok_or_else(|| format!("task {id} is not in the log"))
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

    /// A task's state, derived from all its runs and all its descendants.
    pub(crate) fn state(&self, id: TaskId) -> Result<TaskState, String> {
        let task = self.task(id)?;
        if task.canceled {
            return Ok(TaskState::Canceled);
        }
        let (mut live, mut completed) = (task.runs.is_empty(), false);
        for run in &task.runs {
            let state = self.run(*run)?.state;
            live |= !state.is_terminal();
            completed |= state == RunState::Completed;
        }
        let is_cron = task
            .spec
            .schedule
            .as_deref()
            .is_some_and(|schedule| schedule.cron().is_some());
        if live || (is_cron && !task.schedule_ended) {
            return Ok(TaskState::Active);
        }
        if self.has_live_descendants(id)? {
            return Ok(TaskState::WaitingForChildren);
        }
        Ok(if completed {
            TaskState::Completed
        } else {
            TaskState::Failed
        })
    }

    /// Whether a descendant has not ended: of a canceled one, as long as a run of it is still to be called off.
    pub(crate) fn has_live_descendants(&self, id: TaskId) -> Result<bool, String> {
        for child in &self.task(id)?.children {
            if !self.state(*child)?.is_terminal() || self.has_live_descendants(*child)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the task or one above it is canceled.
    pub(crate) fn is_fenced(&self, id: TaskId) -> Result<bool, String> {
        let mut at = Some(id);
        while let Some(task) = at {
            let row = self.task(task)?;
            if row.canceled {
                return Ok(true);
            }
            at = row.parent;
        }
        Ok(false)
    }

    /// Moves a run along one edge; slots and the order of becoming ready follow.
    pub(crate) fn go(&mut self, id: RunId, to: RunState) -> Verdict {
        let policy = policy_of(&self.task(self.run(id)?.task)?.spec);
        let (keyed, hold_policy) = (policy.concurrency_key.is_some(), policy.hold_policy);
        let order = self.order + 1;
        let run = self.run_mut(id)?;
        let from = run.state;
        demand!(
            is_edge(from, to),
            "run {id} went from {} to {}",
            from.name(),
            to.name()
        );
        run.state = to;
        run.holds_key |= to == RunState::Leased && keyed;
        let waits = matches!(to, RunState::RetryWait | RunState::Suspended);
        if to.is_terminal() || waits && hold_policy == HoldPolicy::ReleaseOnRetry {
            run.holds_key = false;
        }
        // A slot taken with a lease on which no work began goes back with it, unless an earlier attempt kept it.
        let kept = run.granted > 0 && hold_policy == HoldPolicy::HoldDuringRetry;
        if from == RunState::Leased && to == RunState::Ready && !kept {
            run.holds_key = false;
        }
        let task = run.task;
        if to == RunState::Ready {
            run.ready_order = order;
            self.order = order;
        }
        self.heard.push(Heard::Moved(task, to));
        Ok(())
    }

    /// Runs of a queue that somebody holds.
    pub(crate) fn held_in(&self, queue: &Text) -> Result<usize, String> {
        let mut held = 0;
        for run in self.runs.values().filter(|run| run.lease.is_some()) {
            held += usize::from(self.task(run.task)?.spec.queue == *queue);
        }
        Ok(held)
    }

    /// What running attempts hold of a dimension: of a task's budget, or of the tenant's.
    pub(crate) fn reserved(&self, task: Option<TaskId>, dimension: &Text) -> u64 {
        let leases = self.runs.values().filter_map(|run| run.lease.as_ref());
        let held = leases.flat_map(|lease| &lease.reserved);
        held.filter(|(whose, what, _)| *whose == task && what == dimension)
            .map(|(_, _, amount)| amount)
            .sum()
    }

    /// What an attempt at a task's run holds of each budget that covers it.
    pub(crate) fn shares(&self, id: TaskId) -> Result<Vec<(Option<TaskId>, Text, u64)>, String> {
        let own = &self.task(id)?.purses;
        let mut shares = Vec::new();
        for (dimension, purse) in own {
            shares.push((Some(id), dimension.clone(), purse.reserve));
        }
        for (dimension, purse) in &self.purses {
            let reserve = own.get(dimension).unwrap_or(purse).reserve;
            shares.push((None, dimension.clone(), reserve));
        }
        Ok(shares)
    }

    /// Schedules that would never end, and budgets that may be used up.
    pub(crate) fn closable(&self) -> (Vec<TaskId>, Vec<(BudgetScope, Text)>) {
        let goes_on = |(id, task): (&TaskId, &Task)| {
            let schedule = task.spec.schedule.as_deref();
            let is_cron = schedule.is_some_and(|schedule| schedule.cron().is_some());
            (is_cron && !task.schedule_ended).then_some(*id)
        };
        let crons = self.tasks.iter().filter_map(goes_on).collect();
        let of_tenant = self.purses.keys();
        let mut purses: Vec<_> = of_tenant
            .map(|name| (BudgetScope::Tenant, name.clone()))
            .collect();
        for (id, task) in &self.tasks {
            let names = task.purses.keys();
            purses.extend(names.map(|name| (BudgetScope::Task(*id), name.clone())));
        }
        (crons, purses)
    }

    pub(crate) fn all_ended(&self) -> bool {
        let runs_ended = self.runs.values().all(|run| run.state.is_terminal());
        let ended = |id: &TaskId| self.state(*id).is_ok_and(TaskState::is_terminal);
        runs_ended && self.tasks.keys().all(ended)
    }

    /// How many runs are in each state.
    pub(crate) fn by_state(&self) -> [u64; 9] {
        let mut counts = [0; 9];
        for run in self.runs.values() {
            counts[run.state as usize] += 1;
        }
        counts
    }

    /// A store was lost where the log does not reach back: what has ended by now may be gone.
    pub(crate) fn forget(&mut self) {
        self.attested.forget();
        for run in self.runs.values_mut() {
            run.may_be_gone |= run.state.is_terminal();
        }
        let ended: Vec<TaskId> = self.tasks.keys().copied().collect();
        for id in ended {
            let is_over = self.state(id).is_ok_and(TaskState::is_terminal);
            if let Some(task) = self.tasks.get_mut(&id).filter(|_| is_over) {
                task.may_be_gone = true;
            }
        }
    }

    pub(crate) fn may_be_gone(&self, task: TaskId) -> bool {
        self.tasks.get(&task).is_some_and(|task| task.may_be_gone)
    }
}
