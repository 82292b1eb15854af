//! The model of bonded tasks: repeats, prerequisites, parents and budgets, told from the commands alone and settled by asking everybody
//! again until nothing changes.

use std::collections::BTreeSet;

use mainstay_core::{RunState, TaskState};

/// Depth of a hierarchy at most.
const DEPTH_MAX: usize = 8;
/// From a cancel to the end of a run whose worker says nothing.
const GRACE_MS: u64 = 5000;

/// What may be spent by a task.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    pub(crate) limit: u64,
    pub(crate) reserve: u64,
    pub(crate) used: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) parent: Option<usize>,
    pub(crate) needs: BTreeSet<usize>,
    pub(crate) canceled: bool,
    pub(crate) budget: Option<Budget>,
    pub(crate) runs: Vec<usize>,
}

#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) task: usize,
    pub(crate) due: u64,
    pub(crate) state: RunState,
    /// When it is taken from its worker.
    force_at: Option<u64>,
}

/// Everything, by number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bonded {
    pub(crate) now: u64,
    pub(crate) tasks: Vec<Task>,
    pub(crate) runs: Vec<Run>,
}

/// What is asked for with a task.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) parent: Option<usize>,
    pub(crate) needs: BTreeSet<usize>,
    pub(crate) budget: Option<Budget>,
    /// When its runs are due.
    pub(crate) due: Vec<u64>,
}

impl Bonded {
    fn children(&self, of: usize) -> impl Iterator<Item = usize> {
        let all = self.tasks.iter().enumerate();
        all.filter(move |(_, task)| task.parent == Some(of))
            .map(|(at, _)| at)
    }

    fn above(&self, of: usize) -> Vec<usize> {
        let mut all: Vec<usize> = Vec::new();
        let mut at = self.tasks[of].parent;
        while let Some(parent) = at {
            all.push(parent);
            at = self.tasks[parent].parent;
        }
        all
    }

    pub(crate) fn state(&self, of: usize) -> TaskState {
        let task = &self.tasks[of];
        let states: Vec<RunState> = task.runs.iter().map(|run| self.runs[*run].state).collect();
        if task.canceled {
            TaskState::Canceled
        } else if !states.iter().all(|state| state.is_terminal()) {
            TaskState::Active
        } else if self.has_live_below(of) {
            TaskState::WaitingForChildren
        } else if states.contains(&RunState::Completed) {
            TaskState::Completed
        } else {
            TaskState::Failed
        }
    }

    fn has_live_below(&self, of: usize) -> bool {
        self.children(of)
            .any(|child| !self.state(child).is_terminal() || self.has_live_below(child))
    }

    fn is_over(&self, of: usize) -> bool {
        self.state(of).is_terminal()
    }

    fn needs_are_met(&self, of: usize) -> bool {
        let mut needs = self.tasks[of].needs.iter();
        needs.all(|need| self.state(*need) == TaskState::Completed)
    }

    /// Whether waiting for `needs`, here or below, would come back to `of` or to one above it.
    fn comes_back(&self, of: usize, needs: &BTreeSet<usize>) -> bool {
        let mut goals = self.above(of);
        goals.push(of);
        let mut ahead: Vec<usize> = needs.iter().copied().collect();
        let mut seen = BTreeSet::new();
        while let Some(at) = ahead.pop() {
            if self.is_over(at) || !seen.insert(at) {
                continue;
            }
            if goals.contains(&at) {
                return true;
            }
            ahead.extend(self.tasks[at].needs.iter().copied());
            ahead.extend(self.children(at));
        }
        false
    }

    /// Adds a task, or says why not.
    pub(crate) fn submit(&mut self, ask: Ask) -> Result<(), &'static str> {
        if let Some(parent) = ask.parent {
            if self.is_over(parent) {
                return Err("parent_terminal");
            }
            if self.above(parent).len() + 2 > DEPTH_MAX {
                return Err("hierarchy_too_deep");
            }
            if self.comes_back(parent, &ask.needs) {
                return Err("dependency_cycle");
            }
        }
        let number = self.tasks.len();
        let first = self.runs.len();
        self.runs.extend(ask.due.iter().map(|due| Run {
            task: number,
            due: *due,
            state: RunState::Scheduled,
            force_at: None,
        }));
        self.tasks.push(Task {
            parent: ask.parent,
            needs: ask.needs,
            canceled: false,
            budget: ask.budget,
            runs: (first..self.runs.len()).collect(),
        });
        self.settle();
        Ok(())
    }

    /// Makes a task depend on another, or says why not.
    pub(crate) fn declare(&mut self, of: usize, need: usize) -> Result<(), &'static str> {
        if of == need {
            return Err("dependency_cycle");
        }
        let waits = |run: &usize| {
            let state = self.runs[*run].state;
            matches!(state, RunState::Scheduled | RunState::Ready)
        };
        if self.is_over(of) || !self.tasks[of].runs.iter().all(waits) {
            return Err("task_already_started");
        }
        if !self.tasks[of].needs.contains(&need) && self.comes_back(of, &BTreeSet::from([need])) {
            return Err("dependency_cycle");
        }
        self.tasks[of].needs.insert(need);
        self.settle();
        Ok(())
    }

    pub(crate) fn cancel(&mut self, of: usize) {
        self.call_off(of);
        self.settle();
    }

    fn call_off(&mut self, of: usize) {
        if self.is_over(of) {
            return;
        }
        let below: Vec<usize> = self.children(of).collect();
        self.tasks[of].canceled = true;
        for run in self.tasks[of].runs.clone() {
            let force_at = self.now + GRACE_MS;
            let run = &mut self.runs[run];
            match run.state {
                RunState::Scheduled | RunState::Ready => run.state = RunState::Canceled,
                RunState::Running => run.force_at = run.force_at.or(Some(force_at)),
                _ => {}
            }
        }
        below.into_iter().for_each(|child| self.call_off(child));
    }

    /// A worker says how a run went and what it used.
    pub(crate) fn finish(&mut self, run: usize, well: bool, used: u64) {
        let task = self.runs[run].task;
        if let Some(budget) = &mut self.tasks[task].budget {
            budget.used += used;
        }
        let run = &mut self.runs[run];
        run.state = match (well, run.force_at) {
            (true, _) => RunState::Completed,
            (false, Some(_)) => RunState::Canceled,
            (false, None) => RunState::Failed,
        };
        self.settle();
    }

    /// A new period of a task's budget.
    pub(crate) fn replenish(&mut self, of: usize, limit: u64) {
        let budget = self.tasks[of].budget.as_mut();
        let budget = budget.expect("a budget to replenish");
        (budget.limit, budget.used) = (limit, 0);
    }

    /// Time passes.
    pub(crate) fn pass(&mut self, ms: u64) {
        self.now += ms;
        self.settle();
    }

    /// What follows of everything that was said, until nothing more does.
    fn settle(&mut self) {
        loop {
            let before: Vec<RunState> = self.runs.iter().map(|run| run.state).collect();
            for of in 0..self.tasks.len() {
                let lost = |need: &usize| {
                    matches!(self.state(*need), TaskState::Failed | TaskState::Canceled)
                };
                if self.tasks[of].needs.iter().any(lost) {
                    self.call_off(of);
                }
            }
            for at in 0..self.runs.len() {
                let (due, task) = (self.runs[at].due <= self.now, self.runs[at].task);
                let forced = self.runs[at]
                    .force_at
                    .is_some_and(|force| force <= self.now);
                match self.runs[at].state {
                    RunState::Scheduled if due && self.needs_are_met(task) => {
                        self.runs[at].state = RunState::Ready;
                    }
                    RunState::Running if forced => self.runs[at].state = RunState::Canceled,
                    _ => {}
                }
            }
            if self.runs.iter().map(|run| run.state).eq(before) {
                return;
            }
        }
    }

    /// What the running attempts of a task hold of its budget.
    pub(crate) fn held(&self, of: usize) -> u64 {
        let task = &self.tasks[of];
        let running = |run: &&usize| self.runs[**run].state == RunState::Running;
        let count = task.runs.iter().filter(running).count() as u64;
        count * task.budget.map_or(0, |budget| budget.reserve)
    }

    /// Ready runs of a task that may be granted at all, and how many of them at once.
    pub(crate) fn grantable(&self, of: usize) -> (Vec<usize>, usize) {
        let task = &self.tasks[of];
        if !self.needs_are_met(of) {
            return (Vec::new(), 0);
        }
        let ready = |run: &usize| self.runs[*run].state == RunState::Ready;
        let ready: Vec<usize> = task.runs.iter().copied().filter(ready).collect();
        let most = match task.budget {
            None => ready.len(),
            Some(budget) if budget.used >= budget.limit => 0,
            Some(budget) if budget.reserve == 0 => ready.len(),
            Some(budget) => {
                let left = budget.limit.saturating_sub(budget.used + self.held(of));
                ready.len().min((left / budget.reserve) as usize)
            }
        };
        (ready, most)
    }
}
