//! One seed: a disk, a clock, people, and as many process lives as it takes.

use std::collections::BTreeMap;

use mainstay::{CallError, Opening, Outcome, Status};
use mainstay_log::Options;

use super::clock::SimClock;
use super::damage::{self, Damage};
use super::life::Life;
use super::people::People;
use super::plan;
use crate::disk::{Crash, Plan, Saved, SimDisk};
use crate::marks::Marks;
use crate::oracle::{Asked, Entry, LastWord, Oracle, Recovered, Said};
use crate::rng::Rng;

/// What a world is made of besides its seed.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Bugs planted in the log.
    pub log: mainstay_log::Plant,
    /// Bugs planted in the engine.
    pub engine: mainstay::Plant,
    /// In how many of 100 recoveries something is damaged at rest.
    pub damage: u64,
    /// Whether only what crashes bring to light counts: the rules that look at every single answer and fault are off.
    pub blind: bool,
    /// The only kind of crash, instead of both.
    pub crash: Option<Crash>,
    /// Whether every step is written down.
    pub trace: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Setup {
            log: mainstay_log::Plant::default(),
            engine: mainstay::Plant::default(),
            damage: 4,
            blind: false,
            crash: None,
            trace: false,
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
    pub(super) report: Report,
    /// The history of the last life, until a recovery has been judged by it.
    history: Vec<Entry>,
    last: Option<LastWord>,
    ended: Option<End>,
    /// What recoveries have put aside.
    kept: BTreeMap<String, Vec<u8>>,
    /// A sync failed since the last power cut, and the cache held what the medium did not.
    had_orphans: bool,
}

impl World {
    fn new(seed: u64, setup: Setup) -> World {
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
        let disk = SimDisk::new(seed, sector);
        if setup.trace {
            disk.listen();
        }
        World {
            setup,
            rng,
            disk,
            options,
            clock: SimClock::new(),
            people: People::default(),
            oracle: Oracle::default(),
            report: Report::default(),
            history: Vec::new(),
            last: None,
            ended: None,
            kept: BTreeMap::new(),
            had_orphans: false,
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
            ^ self.oracle.model.sequence.rotate_left(32)
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
            life.hook(&self.disk);
        }
        let end = super::steps::live_on(self, &mut life, &plan)?;
        self.bury(life, end)
    }

    /// The process is gone: what it knew is kept for the judgement.
    pub(super) fn bury(&mut self, mut life: Life, end: End) -> Result<(), String> {
        self.receive(&mut life)?;
        self.report
            .marks_if(life.turns_inside() > 0, "turn inside a flush");
        self.report.marks_if(life.seals > 0, "seal written");
        let queued = life.machine(|writer| writer.machine().sequence()) > life.durable;
        self.report
            .marks_if(end == End::Crash && queued, "crash with a full queue");
        let (_, short) = self.disk.was_full_or_short();
        self.report.marks_if(short, "short write went on");
        self.last = Some(life.machine(|writer| LastWord {
            sequence: writer.machine().sequence(),
            digest: writer.machine().digest_all(),
        }));
        self.history = std::mem::take(&mut life.history);
        drop(life);
        self.ended = Some(end);
        self.fall(end == End::Clean);
        Ok(())
    }

    /// The crash itself, and the time until somebody starts the process again.
    fn fall(&mut self, gentle: bool) {
        self.had_orphans |= self.disk.has_orphans();
        let power = self.rng.chance(if gentle { 30 } else { 60 });
        let drawn = if power { Crash::Power } else { Crash::Process };
        let crash = self.setup.crash.unwrap_or(drawn);
        let power = crash == Crash::Power;
        self.report.marks.hit(match crash {
            Crash::Power => "power cut",
            Crash::Process => "process crash",
        });
        let last_call = self.disk.last_call();
        self.say(|| format!("-- {crash:?} during {last_call}"));
        self.disk.crash(crash);
        self.report.marks_if(
            power && self.had_orphans,
            "power cut after a sync error survived in the page cache",
        );
        self.had_orphans &= !power;
        self.clock.down(&mut self.rng, power);
    }

    /// Opens, through as many crashes within recovery as are planned, and lets the oracle judge.
    pub(super) fn open(&mut self, mut disk_plan: Plan) -> Result<Life, String> {
        let mut depth = 0;
        let mut struck = None;
        let mut strikes = u32::from(self.rng.chance(self.setup.damage));
        loop {
            if strikes == 1 && self.rng.chance(30) {
                strikes = 0;
                struck = self.strike(false);
            }
            self.disk.begin(disk_plan.clone());
            let raw = self.clock.raw();
            let entropy = self.rng.entropy();
            let opened = mainstay::open(self.disk.clone(), self.options.clone(), raw, entropy);
            if self.disk.is_dead() {
                drop(opened);
                self.nested(&mut depth, &mut disk_plan);
                continue;
            }
            match opened {
                Ok(_) if self.disk.grave_faults() > 0 && !self.setup.blind => {
                    return Err(String::from("recovery went on after an error of the disk"));
                }
                // Everything is sealed now: the best moment to damage it.
                Ok(opening) if strikes == 1 => {
                    strikes = 0;
                    drop(opening);
                    self.nested(&mut depth, &mut disk_plan);
                    struck = self.strike(true);
                }
                Ok(opening) => {
                    self.say(|| format!("opened {:?}", opening.recovery));
                    self.disk.heal();
                    return self.judge(opening, raw, depth);
                }
                Err(error) => {
                    self.say(|| format!("refused: {error}"));
                    self.refused(&error, struck.take())?;
                    self.nested(&mut depth, &mut disk_plan);
                }
            }
        }
    }

    fn strike(&mut self, is_sealed: bool) -> Option<(Saved, Damage)> {
        let saved = self.disk.save();
        damage::strike(self, is_sealed).map(|damage| (saved, damage))
    }

    /// A refusal needs a reason; what was damaged is restored from a copy, as people do.
    fn refused(
        &mut self,
        error: &mainstay_log::OpenError,
        struck: Option<(Saved, Damage)>,
    ) -> Result<(), String> {
        self.report.refusals += 1;
        if let Some((saved, damage)) = struck {
            self.report.marks_if(
                damage == Damage::Unreadable,
                "open refused: unreadable block",
            );
            self.disk.restore(saved);
            return Ok(());
        }
        if self.disk.faults_shown() == 0 {
            return Err(format!("refused to open after legal faults: {error}"));
        }
        Ok(())
    }

    /// Recovery was cut off: it will be tried again.
    fn nested(&mut self, depth: &mut u32, plan: &mut Plan) {
        *depth += 1;
        self.report.nested += 1;
        self.report
            .marks_if(*depth >= 3, "crash in recovery, depth 3");
        self.ended = self.ended.or(Some(End::Crash)).map(|end| match end {
            End::Clean => End::Crash,
            end => end,
        });
        self.fall(false);
        let again = self.rng.chance(if *depth < 5 { 55 } else { 0 });
        *plan = if again {
            plan::recovery(&mut self.rng)
        } else {
            Plan::default()
        };
    }

    fn judge(
        &mut self,
        opening: Opening<SimDisk>,
        raw: mainstay::Raw,
        depth: u32,
    ) -> Result<Life, String> {
        let recovery = &opening.recovery;
        if self.ended == Some(End::Clean) && depth == 0 && !recovery.was_clean {
            return Err(String::from("a clean stop was not seen as one"));
        }
        if let Some(cut) = &recovery.cut {
            self.report.marks.hit("recovery cut a torn tail");
            let kept = self.disk.bytes(&cut.quarantine).unwrap_or_default();
            if kept.len() as u64 != cut.bytes {
                return Err(format!("what was cut off is not in {}", cut.quarantine));
            }
            self.kept.insert(cut.quarantine.clone(), kept);
        }
        for (name, bytes) in &self.kept {
            if self.disk.bytes(name).as_ref() != Some(bytes) {
                return Err(format!("what was put aside in {name} is gone"));
            }
        }
        let found = Recovered {
            machine: opening.writer.machine(),
            now: opening.writer.now(),
            raw,
            incarnation: opening.identity.incarnation,
            last_sequence: recovery.last_sequence,
        };
        let history = std::mem::take(&mut self.history);
        let last = self.last.take();
        self.oracle
            .recovered(&self.disk, &self.options, &found, &history, last)?;
        self.report.recoveries += 1;
        let crashed = self.ended.take().is_some_and(|end| end != End::Clean);
        self.report.crash_points += u64::from(crashed);
        let rng = Rng::new(self.rng.draw(), 3);
        Ok(Life::new(opening, rng, self.clock, self.setup.engine))
    }

    /// Takes what has arrived, judges what can be judged at once, and lets people learn.
    pub(super) fn receive(&mut self, life: &mut Life) -> Result<(), String> {
        for at in life.collect() {
            let entry = &life.history[at];
            match &entry.answer {
                Some(Ok(replied)) => {
                    let told = self.oracle.leaves(replied.sequence, life.durable);
                    if !self.setup.blind {
                        told?;
                    }
                    mark_wait(&mut self.report.marks, entry);
                    match &replied.value {
                        Said::Decided(Ok(outcome)) => self.people.learn(outcome),
                        Said::Many(parts) => {
                            parts
                                .iter()
                                .flatten()
                                .for_each(|one| self.people.learn(one));
                        }
                        Said::Decided(Err(_)) | Said::Answer(_) => {}
                    }
                }
                Some(Err(CallError::CommitUnknown { .. })) => {
                    self.report.marks.hit("answer: commit unknown");
                }
                Some(Err(CallError::Stopped { .. })) => {
                    self.report.marks.hit("answer: stopped, nothing done");
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

    /// Everything heals: all that was ever accepted must come to its end.
    fn quiet_end(&mut self) -> Result<(), String> {
        self.disk.heal();
        let mut life = self.open(Plan::default())?;
        self.disk.calm();
        self.people.forget_leases();
        super::steps::bring_to_an_end(self, &mut life)?;
        let closed = life.close();
        life.settle_close(&closed);
        closed.map_err(|error| format!("a healthy engine did not close: {error}"))?;
        self.bury(life, End::Clean)?;
        let life = self.open(Plan::default())?;
        if !self.oracle.model.all_ended() {
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
    pub(super) fn ask(&mut self, life: &mut Life, asked: Asked, wait_ms: u64) {
        let parts = match &asked {
            Asked::Many(calls) => calls.len(),
            _ => 1,
        };
        let id = self.people.number(parts);
        self.oracle.asks(id, &asked);
        self.say(|| format!("   r{id} -> {asked:?} wait={wait_ms}"));
        life.ask(id, asked, wait_ms);
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
    if entry.wait_ms == 0 {
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
