//! One seed: a disk, a clock, people, and as many process lives as it takes.

use std::collections::BTreeMap;

use mainstay::store::MemoryShelf;
use mainstay::{
    Answer, Call, CallError, Command, Outcome, Query, Settings, Status, TaskSpec, Timestamp,
};
use mainstay_log::Options;

use super::clock::SimClock;
use super::damage::Damage;
use super::known::People;
use super::life::Life;
use super::plan;
use super::reader::Reader;
use crate::disk::{Crash, Plan, SimDisk};
use crate::marks::Marks;
use crate::oracle::{Asked, Entry, LastWord, Oracle, Request, Said};
use crate::rng::Rng;

/// What a world is made of besides its seed.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Bugs planted in the log.
    pub log: mainstay_log::Plant,
    /// Bugs planted in the engine.
    pub engine: mainstay::Plant,
    /// Bugs planted in the store.
    pub store: mainstay::store::MemoryPlant,
    /// In how many of 100 recoveries something is damaged at rest.
    pub damage: u64,
    /// Whether only what crashes bring to light counts: the rules that look at every single answer and fault are off.
    pub blind: bool,
    /// The only kind of crash, instead of both.
    pub crash: Option<Crash>,
    /// Whether every step is written down.
    pub trace: bool,
    /// Whether people use everything a task can be; every second seed when not said.
    pub wide: Option<bool>,
}

impl Default for Setup {
    fn default() -> Self {
        Setup {
            log: mainstay_log::Plant::default(),
            engine: mainstay::Plant::default(),
            store: mainstay::store::MemoryPlant::default(),
            damage: 4,
            blind: false,
            crash: None,
            trace: false,
            wide: None,
        }
    }
}

/// What one seed came to.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Crashes and faults that ended a life, each followed by a full recovery and the oracle's judgement.
    pub crash_points: u64,
    /// Recoveries, those after an orderly stop included.
    pub recoveries: u64,
    /// Recoveries that were themselves cut off.
    pub nested: u64,
    /// Opens refused because of damage that was put there.
    pub refusals: u64,
    /// Events judged.
    pub events: u64,
    /// Answers judged.
    pub acks: u64,
    /// Marks reached.
    pub marks: Marks,
    /// A hash of everything that happened.
    pub trace: u64,
    /// What the oracle caught.
    pub failure: Option<String>,
    /// The steps, when asked for.
    pub steps: Vec<String>,
}

/// Runs one seed to its end, or to the first thing the oracle catches.
#[must_use]
pub fn run_seed(seed: u64, setup: &Setup) -> Report {
    let mut world = World::new(seed, setup.clone());
    let failure = world.live().err();
    world.finish(failure)
}

/// One life of `steps` steps under this plan, and then a quiet end: for walking over every disk call of a short workload.
#[must_use]
pub fn run_planned(seed: u64, setup: &Setup, disk: Plan, steps: u64) -> (Report, u64) {
    let mut world = World::new(seed, setup.clone());
    let plan = plan::LifePlan {
        disk,
        steps,
        ends_clean: true,
    };
    let mut calls = 0;
    let mut failure = world.one_life(plan).err();
    calls += world.disk.calls();
    if failure.is_none() {
        failure = world.quiet_end().err();
    }
    (world.finish(failure), calls)
}

/// A long world of many short lives in which one run waits for ever: the most segments that the log consisted of at any
/// time, and how many there ever were.
///
/// # Errors
/// What the oracle caught.
pub fn run_ancient(seed: u64, lives: u64, steps: u64) -> Result<(u64, u64), String> {
    let setup = Setup {
        damage: 0,
        ..Setup::default()
    };
    let mut world = World::new(
        seed,
        Setup {
            wide: Some(false),
            ..setup
        },
    );
    world.options.segment_bytes = 4096;
    world.settings.log_retain_bytes = 0;
    world.settings.snapshot_every_bytes = 8192;
    world.settings.store_lag_rows = 1_000_000;
    let (mut most, mut made) = (0, 0);
    for number in 0..lives {
        let mut life = world.open(Plan::default())?;
        if number == 0 {
            let mut spec = TaskSpec::new("ancient");
            spec.run_at = Some(Timestamp::MAX);
            let submit = Command::Submit(Box::new(spec));
            world.command(&mut life, submit);
            super::steps::turn(&mut world, &mut life)?;
            for _ in 0..3 {
                super::steps::flush(&mut world, &mut life, false)?;
            }
            // Nobody is to cancel it.
            world.people.forget_names();
        }
        for _ in 0..steps {
            super::steps::step(&mut world, &mut life)?;
            super::steps::keep_up(&mut world, &mut life)?;
        }
        life.crew.seen(|seen| {
            most = most.max(seen.segments);
            made += seen.rolls;
        });
        world.bury(life, End::Crash)?;
    }
    let waits = |run: &&crate::oracle::Run| run.state == mainstay::RunState::Scheduled;
    match world.oracle.model.runs.values().find(waits) {
        Some(_) => Ok((most, made)),
        None => Err(String::from("nothing waits any more")),
    }
}

/// How a life ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The process died or the power failed.
    Crash,
    /// The log stopped on a fault.
    Fault,
    /// In order.
    Clean,
}

pub(super) struct World {
    pub(super) setup: Setup,
    pub(super) rng: Rng,
    pub(super) disk: SimDisk,
    pub(super) options: Options,
    pub(super) clock: SimClock,
    pub(super) people: People,
    pub(super) oracle: Oracle,
    /// Somebody who reads the event feed.
    pub(super) reader: Reader,
    pub(super) report: Report,
    /// The history of the last life, until a recovery has been judged by it.
    pub(super) history: Vec<Entry>,
    pub(super) last: Option<LastWord>,
    pub(super) ended: Option<End>,
    /// What recoveries have put aside.
    pub(super) kept: BTreeMap<String, Vec<u8>>,
    /// A sync failed since the last power cut, and the cache held what the medium did not.
    pub(super) had_orphans: bool,
    pub(super) settings: Settings,
    /// The store, as crashes leave it.
    pub(super) shelf: MemoryShelf,
    /// The store was damaged since the last judgement.
    pub(super) store_struck: bool,
    /// Snapshots that were damaged, as they were.
    pub(super) damaged: BTreeMap<String, (Damage, Vec<u8>)>,
    /// The first event that the log may still hold: what came before is in the store and in snapshots alone.
    pub(super) oldest: u64,
}

impl World {
    pub(super) fn new(seed: u64, setup: Setup) -> World {
        let mut rng = Rng::new(seed, 1);
        let sector = *rng.pick(&[512, 512, 512, 4096]);
        let options = Options {
            segment_bytes: *rng.pick(&[4096, 8192, 16384, 32768]),
            group_bytes_max: *rng.pick(&[1, 1024, 4096, 1 << 20]),
            sector: rng.chance(50).then_some(sector),
            spares: rng.below(3) as u32,
            plant: setup.log,
            ..Options::default()
        };
        let settings = plan::settings(&mut rng, options.segment_bytes, setup.engine);
        let store = setup.store;
        let (mut people, mut oracle) = (People::default(), Oracle::default());
        let mut clock = SimClock::new();
        if setup.wide.unwrap_or(seed % 2 == 1) {
            people.widen(*rng.pick(&[1, 2, 3]));
            oracle.by_laws();
            clock = SimClock::before_a_change(seed);
        }
        let disk = SimDisk::new(seed, sector);
        if setup.trace {
            disk.listen();
        }
        World {
            setup,
            rng,
            disk,
            options,
            clock,
            people,
            oracle,
            reader: Reader::new(seed),
            report: Report::default(),
            history: Vec::new(),
            last: None,
            ended: None,
            kept: BTreeMap::new(),
            had_orphans: false,
            settings,
            shelf: MemoryShelf::planted(store),
            store_struck: false,
            damaged: BTreeMap::new(),
            oldest: 1,
        }
    }

    pub(super) fn say(&mut self, step: impl FnOnce() -> String) {
        if self.setup.trace {
            self.report.steps.extend(self.disk.heard());
            self.report.steps.push(step());
        }
    }

    fn finish(mut self, failure: Option<String>) -> Report {
        self.say(|| String::from("end"));
        self.report.events = self.oracle.events;
        self.report.acks = self.oracle.acks;
        self.report.marks.add(&self.oracle.marks);
        self.report.trace = self.disk.trace()
            ^ self.rng.draw()
            ^ self.oracle.sequence().rotate_left(32)
            ^ self.oracle.acks.rotate_left(48);
        if self.disk.torn() > 0 {
            self.report.marks.hit("torn sector");
        }
        self.report.failure = failure;
        self.report
    }

    /// Lives of trouble, then one in which everything must come to an end.
    fn live(&mut self) -> Result<(), String> {
        let lives = self.rng.within(8, 16);
        for _ in 0..lives {
            let plan = plan::life(&mut self.rng);
            self.one_life(plan)?;
        }
        self.quiet_end()
    }

    fn one_life(&mut self, plan: plan::LifePlan) -> Result<(), String> {
        let mut life = self.open(plan.disk.clone())?;
        if self.rng.chance(50) {
            life.crew.hook();
        }
        let end = super::steps::live_on(self, &mut life, &plan)?;
        self.bury(life, end)
    }

    /// The process is gone: what it knew is kept for the judgement.
    pub(super) fn bury(&mut self, mut life: Life, end: End) -> Result<(), String> {
        life.crew.trouble()?;
        self.receive(&mut life)?;
        let (inside, seals, oldest) = life.crew.seen(|seen| {
            self.report.marks.add(&seen.marks);
            self.oracle.witnessed(std::mem::take(&mut seen.witnessed));
            (seen.inside, seen.seals, seen.oldest)
        });
        self.oldest = self.oldest.max(oldest);
        self.report.marks_if(inside > 0, "turn inside a flush");
        self.report.marks_if(seals > 0, "seal written");
        let queued = life.machine(|writer| writer.machine().sequence()) > life.durable();
        self.report
            .marks_if(end == End::Crash && queued, "crash with a full queue");
        let (_, short) = self.disk.was_full_or_short();
        self.report.marks_if(short, "short write went on");
        self.last = Some(life.machine(|writer| LastWord {
            sequence: writer.machine().sequence(),
            digest: writer.machine().digest(),
        }));
        self.history = std::mem::take(&mut life.history);
        drop(life);
        self.ended = Some(end);
        self.fall(end == End::Clean);
        Ok(())
    }

    /// Takes what has arrived, judges what can be judged at once, and lets people learn.
    pub(super) fn receive(&mut self, life: &mut Life) -> Result<(), String> {
        for at in life.collect() {
            let entry = &life.history[at];
            match &entry.answer {
                Some(Ok(replied)) => {
                    let told = self.oracle.leaves(entry, replied, life.durable());
                    if !self.setup.blind {
                        told?;
                    }
                    mark_wait(&mut self.report.marks, entry);
                    mark_stored(&mut self.report.marks, life, entry, &replied.value);
                    let tenant = entry.request.tenant;
                    match &replied.value {
                        Said::Decided(one) => self.people.learn(tenant, one),
                        Said::Many(parts) => {
                            parts.iter().for_each(|one| self.people.learn(tenant, one));
                        }
                        Said::Answer(_) => {}
                    }
                }
                Some(Err(CallError::CommitUnknown { .. })) => {
                    self.report.marks.hit("answer: commit unknown");
                }
                Some(Err(CallError::Stopped { .. } | CallError::Append { .. })) => {
                    self.report.marks.hit("answer: stopped, nothing done");
                }
                Some(Err(CallError::Busy { limit: "store_lag" })) => {
                    self.report.marks.hit("busy: the store lags");
                }
                Some(Err(_)) | None => {}
            }
            if self.setup.trace {
                let line = format!("   r{} <- {:?}", entry.id, entry.answer);
                self.report.steps.extend(self.disk.heard());
                self.report.steps.push(line);
            }
        }
        Ok(())
    }

    /// Answers that wait for the store are completed.
    pub(super) fn fetch(&mut self, life: &mut Life) -> Result<(), String> {
        self.receive(life)?;
        let before = life.open_count();
        while life.crew.answer() {
            self.report.marks.hit("answer completed from the store");
        }
        life.crew.trouble()?;
        let grants = self.people.held_count();
        self.receive(life)?;
        let fetched = self.people.held_count() > grants && life.open_count() < before;
        self.report
            .marks_if(fetched, "payload fetched from the store");
        Ok(())
    }

    /// Everything heals: all that was ever accepted must come to its end.
    fn quiet_end(&mut self) -> Result<(), String> {
        self.disk.heal();
        let mut life = self.open(Plan::default())?;
        self.disk.calm();
        self.people.forget_leases();
        super::steps::bring_to_an_end(self, &mut life)?;
        let closed = life.close();
        life.settle_close(&closed);
        super::steps::keep_up(self, &mut life)?;
        closed.map_err(|error| format!("a healthy engine did not close: {error}"))?;
        self.bury(life, End::Clean)?;
        let life = self.open(Plan::default())?;
        if !self.oracle.all_ended() {
            return Err(String::from("not every run came to its end"));
        }
        if life.handle.status() != Status::Ready {
            return Err(format!(
                "an engine just opened is {:?}",
                life.handle.status()
            ));
        }
        Ok(())
    }

    /// Sends one request on behalf of somebody.
    pub(super) fn ask(&mut self, life: &mut Life, request: Request) {
        let parts = match &request.asked {
            Asked::Many(calls) => calls.len(),
            _ => 1,
        };
        let id = self.people.number(parts);
        self.oracle.asks(id, &request);
        self.say(|| format!("   r{id} -> {request:?}"));
        life.ask(id, request);
    }

    /// Sends one command in the tenant at hand.
    pub(super) fn command(&mut self, life: &mut Life, command: Command) {
        let asked = Asked::Call(Box::new(Call::new(command)));
        let request = self.people.request(asked, 0);
        self.ask(life, request);
    }
}

/// Answers about what is in the store alone.
fn mark_stored(marks: &mut Marks, life: &Life, entry: &Entry, said: &Said) {
    let gone = |query: Query| {
        let now = mainstay::Now::default();
        let answer =
            life.machine(|writer| writer.machine().answer(&now, entry.request.tenant, &query));
        matches!(answer, Answer::Absent)
    };
    match (&entry.request.asked, said) {
        (Asked::Query(query), Said::Answer(answer))
            if !matches!(**answer, Answer::Absent) && gone(*query) =>
        {
            marks.hit("finished row answered from the store");
        }
        (Asked::Call(call), Said::Decided(Ok(outcome))) => match (&call.command, outcome) {
            (Command::Finish(finish), Outcome::Finished(_)) if gone(Query::Run(finish.run)) => {
                marks.hit("finish repeated from the store");
            }
            (_, Outcome::Submitted(done)) if !done.created && gone(Query::Task(done.task)) => {
                marks.hit("idempotency key answered from the store");
            }
            _ => {}
        },
        _ => {}
    }
}

/// Whether a claim got its answer after waiting for it.
fn mark_wait(marks: &mut Marks, entry: &Entry) {
    let Some(Ok(replied)) = &entry.answer else {
        return;
    };
    let Said::Decided(Ok(Outcome::Claimed(grants))) = &replied.value else {
        return;
    };
    let asked = entry.now.map_or(0, |now| now.wall.0);
    if entry.request.wait_ms == 0 {
        return;
    }
    match grants.first() {
        None if !entry.draining => marks.hit("claim wait ended empty"),
        Some(first) if first.expires_at.0 > asked + first.lease_ms => {
            marks.hit("claim answered after a wait");
        }
        _ => {}
    }
}

impl Report {
    pub(super) fn marks_if(&mut self, holds: bool, name: &'static str) {
        if holds {
            self.marks.hit(name);
        }
    }
}
