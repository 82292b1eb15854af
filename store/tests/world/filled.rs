//! A store that a real machine filled, and the same rows in plain vectors to compare with.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use mainstay_core::{
    AttemptResult, Call, Claim, Command, Facts, Finish, FinishOutcome, Machine, Now, Outcome,
    PlaceRow, Repeat, RowKind, RunColumns, RunError, RunId, RunState, Schedule, TaskColumns,
    TaskId, TaskSpec, TaskState, TenantId, Text, Timestamp,
};
use mainstay_store::{Library, SqliteOptions, SqliteStore, Store, file_of};

pub(crate) const T0: u64 = 1_790_000_000_000;
pub(crate) const OTHER: TenantId = TenantId(0x0000_0000_0000_8000_8000_0000_0000_00ff);
pub(crate) const QUEUES: [&str; 4] = ["default", "mail", "bulk", "slow"];
/// Queues of the machine that are the other tenant's, and what it calls them.
pub(crate) const HANDED_OVER: [(&str, &str); 2] = [("bulk", "mail"), ("slow", "hidden-queue")];
pub(crate) const KINDS: [&str; 5] = ["mail.send", "mail.bounce", "report.build", "inv-sync", "x"];
pub(crate) const TAGS: [&str; 5] = ["red", "Blue-1", "urgent", "naïve tag", "rare"];
pub(crate) const WORDS: [&str; 6] = ["invoice", "INV-77", "customer", "Zürich", "mail", "failed"];
pub(crate) const WORKERS: [&str; 3] = ["w1", "w2", "other worker"];
pub(crate) const ERRORS: [&str; 3] = ["timeout", "smtp_550", "mail_lost"];

/// SplitMix64, so that a seed tells the whole story.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len() as u64) as usize]
    }
}

/// A task as plain data.
#[derive(Clone, Debug)]
pub(crate) struct PlainTask {
    pub(crate) tenant: TenantId,
    pub(crate) number: u64,
    pub(crate) id: TaskId,
    pub(crate) kind: Text,
    pub(crate) queue: Text,
    pub(crate) state: TaskState,
    pub(crate) priority: i32,
    pub(crate) created_at: Timestamp,
    pub(crate) tags: Vec<String>,
    pub(crate) description: String,
    pub(crate) concurrency_key: Option<String>,
    pub(crate) parent: Option<TaskId>,
}

/// A run as plain data.
#[derive(Clone, Debug)]
pub(crate) struct PlainRun {
    pub(crate) tenant: TenantId,
    pub(crate) number: u64,
    pub(crate) task: u64,
    pub(crate) id: RunId,
    pub(crate) kind: Text,
    pub(crate) queue: Text,
    pub(crate) state: RunState,
    pub(crate) created_at: Timestamp,
    pub(crate) scheduled_at: Timestamp,
    pub(crate) attempt_count: u32,
    pub(crate) worker: Option<String>,
    pub(crate) error: Option<(String, String)>,
    pub(crate) ended: Vec<(u32, AttemptResult)>,
}

pub(crate) struct World {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) machine: Machine,
    pub(crate) store: SqliteStore,
    pub(crate) library: Library,
    pub(crate) dice: Dice,
    pub(crate) wall: u64,
    pub(crate) tasks: BTreeMap<u64, PlainTask>,
    pub(crate) runs: BTreeMap<u64, PlainRun>,
    places: BTreeMap<u32, PlaceRow>,
    /// Whose children the next tasks may be.
    parent: Option<TaskId>,
}

impl World {
    pub(crate) fn new(seed: u64) -> World {
        let dir = tempfile::tempdir().expect("a directory");
        let store = SqliteStore::open(dir.path(), "log-of-tests", SqliteOptions::default());
        World {
            machine: Machine::new(1),
            store: store.expect("a store"),
            library: Library::open(&file_of(dir.path())),
            dice: Dice(seed),
            wall: T0,
            tasks: BTreeMap::new(),
            runs: BTreeMap::new(),
            places: BTreeMap::new(),
            parent: None,
            dir,
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        file_of(self.dir.path())
    }

    pub(crate) fn step(&mut self, command: Command) -> Option<Outcome> {
        self.wall += self.dice.below(3);
        let mut now = Now::at(Timestamp(self.wall), self.wall - T0);
        now.id_seed = self.dice.next();
        let step = self
            .machine
            .step(&now, &Facts::default(), Call::new(command));
        step.outcome.ok()
    }

    pub(crate) fn submit(&mut self) {
        let dice = &mut self.dice;
        let mut spec = TaskSpec::new(dice.pick(&KINDS));
        spec.queue = Text::from(dice.pick(&QUEUES));
        spec.priority = [0, 0, 0, 5, -3][dice.below(5) as usize];
        if dice.one_in(4) {
            spec.run_at = Some(Timestamp(self.wall + dice.below(100_000)));
        }
        if dice.one_in(2) {
            let extras = spec.extras_mut();
            let mut tags: Vec<Text> = Vec::new();
            for tag in TAGS {
                if dice.one_in(if tag == "rare" { 200 } else { 4 }) {
                    tags.push(Text::from(tag));
                }
            }
            extras.tags = tags;
            if dice.one_in(2) {
                let number = dice.below(50);
                extras.description = Some(Text::from(format!(
                    "{} {} no {number}",
                    dice.pick(&WORDS),
                    dice.pick(&WORDS)
                )));
            }
        }
        if dice.one_in(12) {
            spec.schedule = Some(Box::new(Schedule::Repeat(Repeat {
                count: 2 + dice.below(4) as u32,
                interval_ms: 1 + dice.below(50_000),
                start_at: spec.run_at.take(),
            })));
        }
        if dice.one_in(6) {
            spec.policy_mut().concurrency_key = Some(Text::from(format!("key-{}", dice.below(9))));
            spec.policy_mut().concurrency_limit = 1000;
        }
        if dice.one_in(3) {
            spec.policy_mut().max_attempts = 3;
            spec.policy_mut().retry.initial_ms = 1;
        }
        if dice.one_in(3) {
            spec.bonds_mut().parent = self.parent;
        }
        let command = if dice.one_in(5) {
            Command::SubmitAs(TaskId(u128::from(dice.next()) << 64 | 7), spec.into())
        } else {
            Command::Submit(spec.into())
        };
        if let Some(Outcome::Submitted(submitted)) = self.step(command)
            && (self.parent.is_none() || self.dice.one_in(40))
        {
            self.parent = Some(submitted.task);
        }
    }

    pub(crate) fn work(&mut self) {
        let claim = Claim {
            worker: Text::from(self.dice.pick(&WORKERS)),
            queues: vec![Text::from(self.dice.pick(&QUEUES))],
            kinds: Vec::new(),
            max: 1 + self.dice.below(8) as u32,
            lease_ms: None,
            idempotency_key: None,
            ..Claim::default()
        };
        let Some(Outcome::Claimed(grants)) = self.step(Command::Claim(claim.into())) else {
            return;
        };
        for grant in grants {
            let mut finish = Finish::success(grant.run, grant.fence, None);
            match self.dice.below(6) {
                0 => continue,
                1 | 2 => {
                    finish.outcome = FinishOutcome::Failure;
                    let code = self.dice.pick(&ERRORS);
                    finish.error = Some(Box::new(RunError {
                        code: Text::from(code),
                        message: Text::from(format!("went wrong {}", self.dice.below(20))),
                        retryable: true,
                    }));
                }
                3 => finish.outcome = FinishOutcome::Suspended,
                _ => {}
            }
            self.step(Command::Finish(finish.into()));
        }
    }

    pub(crate) fn cancel(&mut self) {
        let Some(task) = self
            .tasks
            .values()
            .nth(self.dice.below(self.tasks.len() as u64 + 1) as usize)
        else {
            return;
        };
        let id = task.id;
        self.step(Command::CancelTask {
            task: id,
            reason: None,
        });
    }

    /// So many turns of everything.
    pub(crate) fn live(&mut self, turns: usize) {
        for turn in 0..turns {
            self.submit();
            match self.dice.below(4) {
                0 => self.work(),
                1 if turn % 5 == 0 => self.cancel(),
                2 => {
                    self.step(Command::Tick);
                }
                _ => {}
            }
            if turn % 500 == 499 {
                self.commit();
            }
        }
        self.commit();
    }

    /// Everything that happened is in the store, and in the plain rows.
    pub(crate) fn commit(&mut self) -> u64 {
        if self.machine.sequence() == self.store.checkpoint() {
            return self.store.checkpoint();
        }
        let mut cut = self.machine.take_cut();
        // The machine has one tenant. Whose a row is, its place alone says: some places are handed to another one.
        for place in &mut cut.places {
            if let Some((_, queue)) = HANDED_OVER.iter().find(|(from, _)| **from == *place.queue) {
                place.tenant = OTHER;
                place.queue = Text::from(*queue);
            }
        }
        for place in &cut.places {
            self.places.insert(place.place, place.clone());
        }
        for row in &cut.rows {
            let image = cut.image(row);
            match row.kind {
                RowKind::Task => {
                    let plain = self.plain_task(&TaskColumns::read(image).expect("a task"));
                    self.tasks.insert(row.number, plain);
                }
                RowKind::Run => {
                    let plain = self.plain_run(&RunColumns::read(image).expect("a run"));
                    self.runs.insert(row.number, plain);
                }
            }
        }
        let through = cut.through;
        self.store.put(cut).expect("a cut is taken");
        self.store.durable(through).expect("a cut is committed")
    }

    fn plain_task(&self, columns: &TaskColumns<'_>) -> PlainTask {
        let place = &self.places[&columns.place];
        PlainTask {
            tenant: place.tenant,
            number: columns.number,
            id: columns.id,
            kind: place.kind.clone(),
            queue: place.queue.clone(),
            state: columns.state(),
            priority: columns.priority,
            created_at: columns.created_at,
            tags: columns.tags.iter().map(|tag| (*tag).to_owned()).collect(),
            description: columns.description.unwrap_or_default().to_owned(),
            concurrency_key: columns.concurrency_key.map(str::to_owned),
            parent: columns.parent,
        }
    }

    fn plain_run(&self, columns: &RunColumns<'_>) -> PlainRun {
        let place = &self.places[&columns.place];
        let last = columns.last();
        PlainRun {
            tenant: place.tenant,
            number: columns.number,
            task: columns.task,
            id: columns.id,
            kind: place.kind.clone(),
            queue: place.queue.clone(),
            state: columns.state,
            created_at: columns.created_at,
            scheduled_at: columns.scheduled_at,
            attempt_count: columns.attempt_count,
            worker: columns
                .held
                .map(|held| held.0)
                .or(last.map(|last| last.worker))
                .map(str::to_owned),
            error: last.and_then(|last| {
                Some((
                    last.error_code?.to_owned(),
                    last.error_message.unwrap_or_default().to_owned(),
                ))
            }),
            ended: columns
                .attempts
                .iter()
                .map(|attempt| (attempt.number, attempt.result))
                .collect(),
        }
    }

    /// The runs of a task, which were made right after it.
    pub(crate) fn runs_of(&self, task: &PlainTask) -> impl Iterator<Item = &PlainRun> {
        let number = task.number;
        let after = self.runs.range(number + 1..).map(|(_, run)| run);
        after.take_while(move |run| run.task == number)
    }

    /// Whether a task has a token with each of these words as a prefix, by plain comparison.
    pub(crate) fn has_words(&self, task: &PlainTask, q: &str) -> bool {
        let fold = |text: &str| text.to_lowercase().replace('ü', "u").replace('ï', "i");
        let mut text = fold(&format!(
            "{} {} {}",
            task.kind,
            task.tags.join(" "),
            task.description
        ));
        for (code, message) in self.runs_of(task).filter_map(|run| run.error.as_ref()) {
            text.push_str(&fold(&format!(" {code} {message}")));
        }
        let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        let tokens: Vec<&str> = text.split(|c| !is_word(c)).collect();
        let q = fold(q);
        let mut words = q
            .split(|c: char| !is_word(c))
            .filter(|word| !word.is_empty());
        words.all(|word| tokens.iter().any(|token| token.starts_with(word)))
    }
}
