//! A life of bonded tasks: the machine and the model are told the same, and all that people see is compared after each act.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_core::{
    Amount, Answer, BudgetScope, BudgetSpec, Call, Claim, Command, Entry, Fence, Finish,
    FinishOutcome, Machine, Now, Outcome, Query, Rejection, Repeat, RunId, RunState, Schedule,
    TaskId, TaskSpec, Text, Timestamp,
};
use proptest::option;
use proptest::prelude::*;

use super::bonded::{Ask, Bonded, Budget};
use crate::shelf::Shelf;

const BASE_MS: u64 = 1_800_000_000_000;
/// Longer than any life.
const LEASE_MS: u64 = 86_400_000;
const DIMENSION: &str = "token";

/// One act; numbers count back from the newest.
#[derive(Clone, Debug)]
pub(crate) enum BondAct {
    Submit {
        parent: Option<usize>,
        needs: Vec<usize>,
        repeat: Option<(u32, u64)>,
        budget: Option<(u64, u64)>,
    },
    Declare {
        task: usize,
        need: usize,
    },
    Claim {
        max: u32,
    },
    Finish {
        run: usize,
        well: bool,
        used: u64,
    },
    Cancel {
        task: usize,
    },
    Replenish {
        task: usize,
        limit: u64,
    },
    Pass {
        ms: u64,
    },
    /// What changed is stored and what ended leaves memory; then, perhaps, another process begins with what was stored.
    Store {
        reload: Option<bool>,
    },
}

/// A whole life.
pub(crate) fn bond_acts() -> impl Strategy<Value = Vec<BondAct>> {
    let near = || prop_oneof![3 => 0..5usize, 1 => 0..40usize];
    let submit = (
        option::weighted(0.4, near()),
        prop::collection::vec(near(), 0..3),
        option::weighted(0.3, (1..5u32, 1..3000u64)),
        option::weighted(0.4, (1..10u64, 0..5u64)),
    );
    let submit = submit.prop_map(|(parent, needs, repeat, budget)| BondAct::Submit {
        parent,
        needs,
        repeat,
        budget: budget.map(|(limit, reserve)| (limit.max(reserve), reserve)),
    });
    let finish = (0..6usize, prop::bool::weighted(0.8), 0..6u64);
    let act = prop_oneof![
        8 => submit,
        2 => (near(), near()).prop_map(|(task, need)| BondAct::Declare { task, need }),
        6 => (1..6u32).prop_map(|max| BondAct::Claim { max }),
        8 => finish.prop_map(|(run, well, used)| BondAct::Finish { run, well, used }),
        1 => near().prop_map(|task| BondAct::Cancel { task }),
        3 => (near(), 1..12u64).prop_map(|(task, limit)| BondAct::Replenish { task, limit }),
        5 => (0..2500u64).prop_map(|ms| BondAct::Pass { ms }),
        2 => option::weighted(0.4, any::<bool>()).prop_map(|reload| BondAct::Store { reload }),
    ];
    prop::collection::vec(act, 30..120)
}

/// A machine, the model and what their numbers stand for.
pub(crate) struct BondLife {
    machine: Machine,
    model: Bonded,
    shelf: Shelf,
    log: Vec<(Now, Vec<Entry>)>,
    tasks: Vec<TaskId>,
    runs: Vec<RunId>,
    tokens: BTreeMap<usize, Fence>,
    seen: BTreeSet<&'static str>,
}

impl BondLife {
    pub(crate) fn new() -> BondLife {
        let mut life = BondLife {
            machine: Machine::new(11),
            model: Bonded::default(),
            shelf: Shelf::default(),
            log: Vec::new(),
            tasks: Vec::new(),
            runs: Vec::new(),
            tokens: BTreeMap::new(),
            seen: BTreeSet::new(),
        };
        life.start();
        life
    }

    /// Lives through the acts. Gives what was met: refusals, and states of tasks and runs.
    pub(crate) fn live(mut self, acts: &[BondAct]) -> BTreeSet<&'static str> {
        for act in acts {
            self.act(act);
            while let Ok(Outcome::Ticked { more: true }) = self.step(Command::Tick) {}
            self.compare(act);
        }
        self.seen
    }

    fn now(&self) -> Now {
        Now {
            id_seed: self.model.now.wrapping_mul(31),
            ..Now::at(Timestamp(BASE_MS + self.model.now), self.model.now)
        }
    }

    fn step(&mut self, command: Command) -> Result<Outcome, Rejection> {
        let now = self.now();
        let (step, _) = self.shelf.step(&mut self.machine, &now, Call::new(command));
        if let Err(refused) = &step.outcome {
            self.seen.insert(refused.code());
        }
        self.log.push((now, step.events));
        step.outcome
    }

    fn start(&mut self) {
        let start = Command::Start {
            incarnation: self.log.len() as u64 + 1,
            downtime_ms: 0,
        };
        self.step(start).expect("a start");
    }

    fn task(&self, back: usize) -> Option<usize> {
        let count = self.tasks.len();
        (count > 0).then(|| count - 1 - back % count)
    }

    fn act(&mut self, act: &BondAct) {
        match act {
            BondAct::Submit {
                parent,
                needs,
                repeat,
                budget,
            } => self.submit(*parent, needs, *repeat, *budget),
            BondAct::Declare { task, need } => {
                let Some((of, need)) = self.task(*task).zip(self.task(*need)) else {
                    return;
                };
                let expected = self.model.declare(of, need);
                let told = self.step(Command::DeclareDependencies {
                    task: self.tasks[of],
                    depends_on: vec![self.tasks[need]],
                });
                assert_eq!(told.map(drop).map_err(|why| why.code()), expected);
            }
            BondAct::Claim { max } => self.claim(*max),
            BondAct::Finish { run, well, used } => self.finish(*run, *well, *used),
            BondAct::Cancel { task } => {
                let Some(of) = self.task(*task) else { return };
                self.model.cancel(of);
                let (task, reason) = (self.tasks[of], None);
                self.step(Command::CancelTask { task, reason })
                    .expect("a cancel is always answered");
            }
            BondAct::Replenish { task, limit } => {
                let of = self.task(*task);
                let budget = of.and_then(|of| self.model.tasks[of].budget);
                let Some((of, budget)) = of.zip(budget) else {
                    return;
                };
                let limit = *limit.max(&budget.reserve);
                if self.model.state(of).is_terminal() {
                    return;
                }
                self.model.replenish(of, limit);
                let replenish = Command::ReplenishBudget {
                    scope: BudgetScope::Task(self.tasks[of]),
                    dimension: Text::from(DIMENSION),
                    new_limit: limit,
                };
                self.step(replenish).expect("a live task's budget");
            }
            BondAct::Pass { ms } => self.model.pass(*ms),
            BondAct::Store { reload } => self.store(*reload),
        }
    }

    fn submit(
        &mut self,
        parent: Option<usize>,
        needs: &[usize],
        repeat: Option<(u32, u64)>,
        budget: Option<(u64, u64)>,
    ) {
        let parent = parent.and_then(|back| self.task(back));
        let needs: BTreeSet<usize> = needs.iter().filter_map(|back| self.task(*back)).collect();
        let (count, interval_ms) = repeat.unwrap_or((1, 0));
        let now = self.model.now;
        let due = (0..u64::from(count)).map(|at| now + at * interval_ms);
        let ask = Ask {
            parent,
            needs: needs.clone(),
            budget: budget.map(|(limit, reserve)| Budget {
                limit,
                reserve,
                used: 0,
            }),
            due: due.collect(),
        };
        let mut spec = TaskSpec::new("work");
        spec.policy_mut().lease_ms = LEASE_MS;
        spec.schedule = repeat.map(|(count, interval_ms)| {
            Box::new(Schedule::Repeat(Repeat {
                count,
                interval_ms,
                start_at: None,
            }))
        });
        let bonds = spec.bonds_mut();
        bonds.parent = parent.map(|of| self.tasks[of]);
        bonds.depends_on = needs.iter().map(|of| self.tasks[*of]).collect();
        bonds.budgets = budget
            .map(|(limit, reserve)| BudgetSpec {
                dimension: Text::from(DIMENSION),
                limit,
                reserve: Some(reserve),
            })
            .into_iter()
            .collect();
        let expected = self.model.submit(ask);
        match (self.step(Command::Submit(Box::new(spec))), expected) {
            (Ok(Outcome::Submitted(told)), Ok(())) => {
                self.tasks.push(told.task);
                self.runs.push(told.run.run);
                self.runs.extend(told.more.iter().map(|run| run.run));
                assert_eq!(self.runs.len(), self.model.runs.len());
            }
            (Err(refused), Err(expected)) => assert_eq!(refused.code(), expected),
            (told, expected) => panic!("{told:?}, and the model says {expected:?}"),
        }
    }

    /// Whoever is granted may be granted, and all that may be granted is, up to what was asked for.
    fn claim(&mut self, max: u32) {
        let may: Vec<_> = (0..self.tasks.len())
            .map(|of| self.model.grantable(of))
            .collect();
        let claim = Claim {
            worker: Text::from("w"),
            queues: vec![Text::from("default")],
            max,
            ..Claim::default()
        };
        let Ok(Outcome::Claimed(grants)) = self.step(Command::Claim(Box::new(claim))) else {
            panic!("a plain claim was refused");
        };
        let mut counts = vec![0; may.len()];
        for grant in &grants {
            let run = self.runs.iter().position(|run| *run == grant.run);
            let run = run.expect("a run that was submitted");
            let task = self.model.runs[run].task;
            assert!(may[task].0.contains(&run), "{} was granted", grant.run);
            counts[task] += 1;
            self.model.runs[run].state = RunState::Running;
            self.tokens.insert(run, grant.fence);
        }
        let within = counts.iter().zip(&may).all(|(got, (_, most))| got <= most);
        assert!(within, "granted {counts:?} of {may:?}");
        let all: usize = may.iter().map(|(_, most)| most).sum();
        assert_eq!(grants.len(), all.min(max as usize), "of {may:?}");
        if may.iter().any(|(ready, most)| *most < ready.len()) {
            self.seen.insert("held back by a budget");
        }
    }

    fn finish(&mut self, back: usize, well: bool, used: u64) {
        let running =
            |(run, _): &(&usize, &Fence)| self.model.runs[**run].state == RunState::Running;
        let running: Vec<(usize, Fence)> = self
            .tokens
            .iter()
            .filter(running)
            .map(|(run, fence)| (*run, *fence))
            .collect();
        let Some((run, fence)) = running
            .iter()
            .rev()
            .nth(back % running.len().max(1))
            .copied()
        else {
            return;
        };
        let mut finish = Finish::success(self.runs[run], fence, None);
        if !well {
            finish.outcome = FinishOutcome::Failure;
        }
        let (dimension, amount) = (Text::from(DIMENSION), used);
        finish.consumption = vec![Amount { dimension, amount }];
        self.model.finish(run, well, used);
        self.step(Command::Finish(Box::new(finish)))
            .expect("a live token");
    }

    fn store(&mut self, reload: Option<bool>) {
        let cut = self.machine.take_cut();
        self.shelf.commit(cut);
        while self.machine.stored(self.shelf.through, 0, 5) {}
        let Some(fresh) = reload else { return };
        let mut machine = self.shelf.load(9, fresh);
        assert_eq!(machine.digest(), self.machine.digest());
        if fresh {
            self.shelf.forget_live();
            let cut = machine.take_cut();
            self.shelf.commit(cut);
        }
        self.machine = machine;
        self.start();
    }

    /// Everything that people see is what the model says.
    fn compare(&mut self, after: &BondAct) {
        assert_eq!(self.machine.verify(), Ok(()), "after {after:?}");
        let now = self.now();
        for (of, id) in self.tasks.iter().enumerate() {
            let Answer::Task(view) = self.shelf.answer(&self.machine, &now, Query::Task(*id))
            else {
                panic!("task {of} is not shown after {after:?}");
            };
            let (task, state) = (&self.model.tasks[of], self.model.state(of));
            assert_eq!(view.state, state, "task {of} after {after:?}");
            assert_eq!(view.runs_total as usize, task.runs.len());
            self.seen.insert(state.name());
            if let (Some(budget), [shown]) = (task.budget, &view.budgets[..]) {
                let told = (shown.limit, shown.consumed, shown.reserved);
                let known = (budget.limit, budget.used, self.model.held(of));
                assert_eq!(told, known, "the budget of task {of} after {after:?}");
            }
        }
        for (at, id) in self.runs.iter().enumerate() {
            let Answer::Run(view) = self.shelf.answer(&self.machine, &now, Query::Run(*id)) else {
                panic!("run {at} is not shown after {after:?}");
            };
            let run = &self.model.runs[at];
            assert_eq!(view.state, run.state, "run {at} after {after:?}");
            assert_eq!(view.scheduled_at, Timestamp(BASE_MS + run.due), "run {at}");
        }
    }
}
