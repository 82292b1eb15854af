//! A small world for the cases: a real machine, its clock, its events, and words for what people and workers do.
//! Owns: what a life looks like in these cases.
//! Never: looks into a store but through the seam.

use std::collections::BTreeMap;

use mainstay_core::{
    Answer, Bytes, Call, Claim, ClaimGrant, Command, Cut, Entry, Facts, Finish, FinishOutcome,
    Loader, Machine, Now, ObjectClass, ObjectRow, Outcome, PlaceRow, Query, RunError, RunState,
    Submitted, TaskSpec, TaskView, TenantId, Text, Timestamp,
};

use crate::seam::{Base, Found, LiveRow, Reader, Store, StoreError};

/// The log that the cases write for.
pub const LOG_ID: &str = "0192f5a0-0000-7000-8000-000000000001";

/// When every world begins.
pub(super) const BEGIN: u64 = 1_790_000_000_000;

/// Makes the store under test. One factory is one directory.
pub trait Factory {
    /// The store.
    type Store: Store;
    /// Opens it; the store of the life before, if any, has been dropped.
    ///
    /// # Errors
    /// Those of the implementation.
    fn open(&mut self, log_id: &str) -> Result<Self::Store, StoreError>;
}

/// A machine and what happened to it.
#[derive(Debug)]
pub struct World {
    /// The machine.
    pub machine: Machine,
    /// The clock, in milliseconds.
    pub wall: u64,
    /// Every event, by its sequence, with its moment.
    pub(super) events: BTreeMap<u64, (Now, Entry)>,
    dice: u64,
}

impl Default for World {
    fn default() -> Self {
        World::new(1)
    }
}

impl World {
    /// A world with nothing in it.
    #[must_use]
    pub fn new(seed: u64) -> World {
        World {
            machine: Machine::new(1),
            wall: BEGIN,
            events: BTreeMap::new(),
            dice: seed,
        }
    }

    /// A number below `end`, from the world's own dice.
    pub(super) fn roll(&mut self, end: u64) -> u64 {
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.dice ^ self.dice >> 31).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ mixed >> 29) % end
    }

    pub(super) fn now(&mut self) -> Now {
        self.wall += 1;
        let mut now = Now::at(Timestamp(self.wall), self.wall - BEGIN);
        now.id_seed = self.roll(u64::MAX);
        now
    }

    /// Steps the machine in tenant `default`.
    ///
    /// # Panics
    /// If the command is refused.
    pub fn step(&mut self, command: Command) -> Outcome {
        let now = self.now();
        let mut sequence = self.machine.sequence();
        let step = self
            .machine
            .step(&now, &Facts::default(), Call::new(command));
        for entry in step.events {
            sequence += 1;
            self.events.insert(sequence, (now, entry));
        }
        step.outcome.expect("the cases know the rules")
    }

    /// Submits.
    pub fn submit(&mut self, spec: TaskSpec) -> Submitted {
        match self.step(Command::Submit(spec.into())) {
            Outcome::Submitted(submitted) => submitted,
            other => panic!("a submit answered {other:?}"),
        }
    }

    /// Claims at most `max` runs of a queue.
    pub fn claim(&mut self, queue: &str, max: u32) -> Vec<ClaimGrant> {
        let claim = Claim {
            worker: Text::from("worker-1"),
            queues: vec![Text::from(queue)],
            kinds: Vec::new(),
            max,
            lease_ms: None,
            idempotency_key: None,
            ..Claim::default()
        };
        match self.step(Command::Claim(claim.into())) {
            Outcome::Claimed(grants) => grants,
            other => panic!("a claim answered {other:?}"),
        }
    }

    /// Ends a grant well.
    pub fn complete(&mut self, grant: &ClaimGrant) -> RunState {
        self.finish(Finish::success(grant.run, grant.fence, None))
    }

    /// Ends a grant badly, for good or until its next attempt.
    pub fn fail(&mut self, grant: &ClaimGrant, retryable: bool) -> RunState {
        let mut finish = Finish::success(grant.run, grant.fence, None);
        finish.outcome = FinishOutcome::Failure;
        finish.error = Some(Box::new(RunError {
            code: Text::from("smtp_refused"),
            message: Text::from("the other side \"refused\" the connection"),
            retryable,
        }));
        self.finish(finish)
    }

    fn finish(&mut self, finish: Finish) -> RunState {
        match self.step(Command::Finish(finish.into())) {
            Outcome::Finished(state) => state,
            other => panic!("a finish answered {other:?}"),
        }
    }

    /// Submits, claims and completes one task of a queue that holds no other work.
    pub fn run_through(&mut self, spec: TaskSpec) -> Submitted {
        let queue = spec.queue.clone();
        let submitted = self.submit(spec);
        let grants = self.claim(&queue, 1);
        self.complete(&grants[0]);
        submitted
    }

    /// Takes a cut. Its finished rows leave memory at once, as if it were stored.
    pub fn cut(&mut self) -> Cut {
        let cut = self.machine.take_cut();
        self.machine.stored(cut.through, 0, usize::MAX);
        cut
    }

    /// Takes a cut and commits it.
    pub fn store(&mut self, store: &mut impl Store) -> u64 {
        let cut = self.cut();
        let through = cut.through;
        store.put(cut).expect("put");
        assert_eq!(store.durable(through), Ok(through));
        through
    }
}

/// Gives a queue to another tenant, as if its work had been submitted there: the machine has only one tenant yet.
pub(super) fn hand_over(cut: &mut Cut, queue: &str, tenant: TenantId, keys_of: &[Submitted]) {
    for place in &mut cut.places {
        if &*place.queue == queue {
            place.tenant = tenant;
        }
    }
    for key in &mut cut.keys {
        if keys_of
            .iter()
            .any(|submitted| key.task == Some(submitted.task))
        {
            key.tenant = tenant;
        }
    }
}

/// A spec of a kind in a queue, with a payload of so many bytes and three attempts.
pub(super) fn spec(kind: &str, queue: &str, payload_bytes: usize) -> TaskSpec {
    let mut spec = TaskSpec::new(kind);
    spec.queue = Text::from(queue);
    spec.payload.bytes = Bytes::from(vec![b'7'; payload_bytes.max(1)]);
    spec.policy_mut().max_attempts = 3;
    spec
}

/// Everything that a walk over live rows gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Walked {
    pub(super) base: Base,
    pub(super) objects: Vec<ObjectRow>,
    pub(super) tasks: Vec<Vec<u8>>,
    pub(super) runs: Vec<Vec<u8>>,
}

impl Walked {
    /// Rows of tasks and runs.
    pub(super) fn work(&self) -> usize {
        self.tasks.len() + self.runs.len()
    }

    /// Objects that somebody made or set something on; how long attempts take stands beside them as soon as there is work.
    pub(super) fn made(&self) -> Vec<&ObjectRow> {
        let made = |row: &&ObjectRow| row.class != ObjectClass::Statistics;
        self.objects.iter().filter(made).collect()
    }
}

/// Walks over the live rows.
pub(super) fn walk(reader: &mut dyn Reader) -> Walked {
    let mut walked = Walked::default();
    let mut begun = 0;
    let base = reader.live(&mut |row| {
        match row {
            LiveRow::Base(base) => {
                assert!(begun == 0 && walked.objects.is_empty());
                assert!(walked.tasks.is_empty() && walked.runs.is_empty());
                begun += 1;
                walked.base = base.clone();
            }
            LiveRow::Object(row) => {
                assert!(walked.tasks.is_empty(), "all objects come before all tasks");
                walked.objects.push(row.clone());
            }
            LiveRow::Task(image) => {
                assert!(walked.runs.is_empty(), "all tasks come before all runs");
                walked.tasks.push(image.to_vec());
            }
            LiveRow::Run(image) => walked.runs.push(image.to_vec()),
        }
        Ok(())
    });
    let base = base.expect("the live rows are sound");
    assert_eq!((begun, &base), (1, &walked.base));
    assert_eq!(
        base.live_rows as usize,
        walked.objects.len() + walked.tasks.len() + walked.runs.len()
    );
    assert_eq!(reader.base(), Ok(base));
    walked
}

/// A machine of the live rows.
pub(crate) fn load(reader: &mut dyn Reader) -> Machine {
    let walked = walk(reader);
    let loader = Loader::new(1, &walked.base.meta, &walked.base.places, false);
    let mut loader = loader.expect("the scalars are those of a machine");
    for row in &walked.objects {
        loader.object(row).expect("an object");
    }
    for image in &walked.tasks {
        loader.task(image).expect("a task");
    }
    for image in &walked.runs {
        loader.run(image).expect("a run");
    }
    loader.finish()
}

/// What was found, as an answer shows it.
pub(super) fn view(places: &[PlaceRow], found: &Found, submitted: &Submitted) -> TaskView {
    let mut facts = Facts::default();
    for place in places {
        facts.add_place(place);
    }
    facts.add_task(&found.task).expect("a task");
    for run in &found.runs {
        facts.add_run(run).expect("a run");
    }
    let now = Now::at(Timestamp(BEGIN), 0);
    match facts
        .ready()
        .answer(&now, TenantId::DEFAULT, &Query::Task(submitted.task))
    {
        Answer::Task(view) => *view,
        other => panic!("a task answered {other:?}"),
    }
}
