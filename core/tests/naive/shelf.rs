//! A life with a shelf: cuts are taken and committed, finished rows leave memory, processes die and begin from what was committed.

use mainstay_core::{
    Answer, Call, Claim, Command, Cut, Facts, Machine, Outcome, Payload, Query, Rejection, RunId,
    TaskId, TaskView, TenantId, Text,
};

use super::act::Act;
use super::life::{Life, QUEUES, texts};

/// What a look-up in the store was good for.
pub(super) fn looked_up_for(kind: u64, outcome: &Result<Outcome, Rejection>) -> &'static str {
    match (kind, outcome) {
        (1, Ok(Outcome::Submitted(found))) if !found.created => "left: submit found",
        (1, Ok(_)) => "left: submit anew",
        (1, Err(Rejection::TaskAlreadyExists { .. })) => "left: id taken",
        (1, Err(Rejection::IdempotencyConflict { .. })) => "left: key conflict",
        (2, Ok(_)) => "left: claim again",
        (1 | 2, Err(_)) => "left: refused otherwise",
        (3, Err(Rejection::LeaseLost { .. })) => "left: late beat",
        (4, Ok(_)) => "left: finish again",
        (4, Err(Rejection::AlreadyFinished { .. })) => "left: other finish",
        (4, Err(Rejection::LeaseLost { .. })) => "left: late finish",
        (5, Err(Rejection::LeaseLost { .. })) => "left: late checkpoint",
        (6, Ok(_)) => "left: cancel",
        (6, Err(Rejection::PreviousStateMismatch { .. })) => "left: other state",
        (7, Ok(_)) => "left: cancel task",
        (8, Err(_)) => "left: suspend",
        (9, Err(_)) => "left: resume",
        (_, other) => panic!("command {kind} came to {other:?} after a look-up"),
    }
}

fn assert_same(shown: &[String], before: &[String]) {
    assert_eq!(shown.len(), before.len());
    for (shown, before) in shown.iter().zip(before) {
        assert_eq!(shown, before);
    }
}

impl Life {
    pub(super) fn shelf_act(&mut self, act: &Act) {
        let digest = self.machine.digest();
        match act {
            Act::Cut => {
                let cut = self.machine.take_cut();
                assert_eq!(self.machine.dirty_rows(), 0);
                assert_eq!(cut.through, self.machine.sequence());
                self.waiting.push_back(cut);
            }
            Act::Store {
                cuts,
                merge,
                budget,
                limit,
                rounds,
            } => {
                self.commit(*cuts, *merge);
                for _ in 0..*rounds {
                    if !self.leave(*budget, *limit) {
                        break;
                    }
                }
            }
            Act::Reload { downtime_ms, fresh } => return self.reload(*downtime_ms, *fresh),
            other => panic!("{other:?} is no act of the shelf"),
        }
        assert_eq!(digest, self.machine.digest(), "leaving is no event");
        self.check_tasks();
    }

    /// At the end everything is stored, and everything that is finished leaves.
    pub(super) fn end(&mut self) {
        self.shelf.check_round_trip();
        let before = self.shown();
        self.shelf_act(&Act::Cut);
        self.commit(usize::MAX, true);
        while self.leave(0, 20) {}
        self.shelf.check_round_trip();
        assert_same(&self.shown(), &before);
        self.check_views();
        let tasks = self.model.tasks.keys();
        tasks.for_each(|id| self.check_task(*id));
    }

    fn commit(&mut self, cuts: usize, merge: bool) {
        let cuts = cuts.min(self.waiting.len());
        let cuts: Vec<Cut> = self.waiting.drain(..cuts).collect();
        let mut merged = self.shelf.clone();
        if merge && let Some(one) = cuts.iter().cloned().reduce(Cut::merge) {
            merged.commit(one);
        }
        cuts.into_iter().for_each(|cut| self.shelf.commit(cut));
        if merge {
            assert!(merged == self.shelf, "merged or not, it is the same");
        }
    }

    /// One piece of what may leave; false when nothing is left to leave.
    fn leave(&mut self, budget: u64, limit: usize) -> bool {
        let before = self.machine.rows();
        let more = self.machine.stored(self.shelf.through, budget, limit);
        assert_eq!(self.machine.verify(), Ok(()));
        self.check_tasks();
        let after = self.machine.rows();
        assert!(before.1 - after.1 <= limit && before.0 - after.0 <= limit);
        if after.1 < before.1 {
            self.seen.insert("left");
        }
        if !more {
            for id in &self.model.order {
                let here = self.in_memory(Query::Run(*id));
                assert_eq!(here, !self.shelf.holds_end_of(*id), "{id}");
            }
        }
        more
    }

    fn in_memory(&self, query: Query) -> bool {
        let answer = self.machine.answer(&self.now, TenantId::DEFAULT, &query);
        !matches!(answer, Answer::Absent)
    }

    /// Nothing is whole unless every row ever made is in memory.
    pub(super) fn is_whole(&self) -> bool {
        self.machine.rows() == (self.model.tasks.len(), self.model.runs.len())
    }

    fn reload(&mut self, downtime_ms: u64, fresh: bool) {
        self.waiting.clear();
        let before = self.shown();
        let mut machine = self.shelf.load(77, fresh);
        assert_eq!(machine.sequence(), self.shelf.through);
        assert_eq!(machine.verify(), Ok(()));
        self.replay_after(&mut machine);
        assert_eq!(machine.verify(), Ok(()));
        assert_eq!(machine.digest(), self.machine.digest());
        assert_eq!(machine.places(), self.machine.places());
        assert_eq!(self.drained(&machine), self.drained(&self.machine));
        self.machine = machine;
        self.seen.insert("reloaded");
        if fresh {
            self.fill_anew();
        }
        assert_same(&self.shown(), &before);
        self.check_replays();
        self.pass(downtime_ms);
        self.start(downtime_ms);
    }

    /// A machine from a snapshot gives its store every row with the first cut.
    fn fill_anew(&mut self) {
        self.shelf.forget_live();
        let (tasks, runs) = self.machine.rows();
        let cut = self.machine.take_cut();
        assert_eq!(cut.rows.len(), tasks + runs);
        assert!(cut.rows.iter().all(|row| row.fresh));
        assert_eq!(cut.places.len(), self.machine.places().len());
        self.shelf.commit(cut);
        self.seen.insert("from a snapshot");
    }

    fn replay_after(&self, machine: &mut Machine) {
        let mut sequence = 0;
        for (now, events) in &self.log {
            for entry in events {
                sequence += 1;
                if sequence > self.shelf.through {
                    machine.replay(now, entry);
                }
            }
        }
    }

    /// Every run that claims get one after the other, in order.
    fn drained(&self, machine: &Machine) -> Vec<RunId> {
        let mut machine = machine.clone();
        let claim = Claim {
            worker: Text::from("probe"),
            queues: texts(&QUEUES),
            kinds: Vec::new(),
            max: 1000,
            lease_ms: None,
            idempotency_key: None,
            ..Claim::default()
        };
        let call = Call::new(Command::Claim(Box::new(claim)));
        let step = machine.step(&self.now, &Facts::default(), call);
        let Ok(Outcome::Claimed(grants)) = step.outcome else {
            panic!("a plain claim was refused");
        };
        grants.into_iter().map(|grant| grant.run).collect()
    }

    /// Every task and run as people see them, wherever they are. Renewals live in memory only.
    fn shown(&self) -> Vec<String> {
        let mut shown = Vec::new();
        for id in &self.model.order {
            let mut view = self.view(*id);
            view.lease = None;
            shown.push(format!("{view:?}"));
            let mut explain = self.explain(&self.machine, *id);
            explain.position = None; // who is parked is no fact
            let is_fact = |code: &str| code != "no_capable_worker"; // nor who asked for work
            explain.reasons.retain(|reason| is_fact(reason.code));
            shown.push(format!("{explain:?}"));
        }
        for id in self.model.tasks.keys() {
            let mut view = self.task_view(*id);
            if let Some(number) = view.stored_payload.take() {
                view.payload.bytes = self.shelf.payloads[&number].clone();
            }
            shown.push(format!("{view:?}"));
        }
        shown
    }

    pub(super) fn task_view(&self, id: TaskId) -> Box<TaskView> {
        match self.shelf.answer(&self.machine, &self.now, Query::Task(id)) {
            Answer::Task(view) => view,
            other => panic!("a task came to {other:?}"),
        }
    }

    /// A payload is there, or is said to be in the store and is.
    pub(super) fn check_payload(&self, task: TaskId, payload: &Payload, stored: Option<u64>) {
        let expected = &self.model.tasks[&task].payload.bytes;
        match stored {
            None => assert_eq!(payload.bytes, *expected),
            Some(number) => {
                assert!(payload.bytes.is_empty());
                assert_eq!(self.shelf.payloads[&number], *expected);
            }
        }
    }

    /// A task in memory is seen whole at any moment, whatever of it may leave.
    pub(super) fn check_tasks(&self) {
        let tasks = self.model.tasks.keys();
        let here = tasks.filter(|id| self.machine.holds_task(TenantId::DEFAULT, **id));
        here.for_each(|id| self.check_task(*id));
    }

    fn check_task(&self, id: TaskId) {
        let view = self.task_view(id);
        assert_eq!(view.runs.len(), 1, "{id} has lost its run");
        let run = self.model.runs[&view.runs[0].run].state;
        assert_eq!(view.runs[0].state, run);
        self.check_payload(id, &view.payload, view.stored_payload);
    }
}
