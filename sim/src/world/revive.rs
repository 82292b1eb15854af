//! From one process life to the next: the crash, the way back through recovery, and the judgement over it.

use mainstay::{AuditCheck, Machine, Opening, Raw};

use super::crew::{Crew, Ground};
use super::damage::{self, Damage};
use super::life::Life;
use super::plan;
use super::run::{End, World};
use crate::disk::{Crash, Plan, Saved, SimDisk};
use crate::oracle::Recovered;
use crate::rng::Rng;
use mainstay::store::MemoryShelf;
use mainstay_log::Flush;

/// In how many of 100 recoveries, where damage is wanted, the store is damaged.
const STORE_DAMAGE: u64 = 3;

/// What was damaged, and how everything was before.
struct Struck {
    disk: Saved,
    shelf: MemoryShelf,
    damage: Damage,
}

/// What the store was before an open.
struct Before {
    stored: u64,
    is_sound: bool,
}

impl World {
    /// The crash itself, and the time until somebody starts the process again.
    pub(super) fn fall(&mut self, gentle: bool) {
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
        if power {
            self.roll_back();
        }
        if self.setup.damage > 0 && self.rng.chance(STORE_DAMAGE) {
            damage::strike_store(self);
        }
        self.report.marks_if(
            power && self.had_orphans,
            "power cut after a sync error survived in the page cache",
        );
        self.had_orphans &= !power;
        self.clock.down(&mut self.rng, power);
    }

    /// What SQLite has not synced may be gone: the store is as one of its last commits left it.
    fn roll_back(&mut self) {
        let last = self.shelf.unsafe_commits() as u64;
        let commits = match self.rng.below(4) {
            0 | 1 => 0,
            2 => self.rng.below(last + 1),
            _ => last,
        };
        self.report.marks_if(commits > 0, "store rolled back");
        self.shelf.roll_back(commits as usize);
        self.say(|| format!("-- {commits} commits of the store are taken back"));
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
            let before = self.look_at_store();
            let opened = mainstay::open(
                self.disk.clone(),
                self.options.clone(),
                &self.settings,
                &mut self.shelf,
                &mut |_| {},
                raw,
                entropy,
            );
            if self.disk.is_dead() {
                drop(opened);
                let filled = self.shelf.checkpoint() > before.stored;
                self.report
                    .marks_if(filled, "crash while a lost store is filled");
                self.nested(&mut depth, &mut disk_plan);
                continue;
            }
            match opened {
                Ok(opening) if !self.setup.blind && self.passed_over(&opening) => {
                    drop(opening);
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
                    self.say(|| {
                        let (from, notes) = (opening.rebuilt_from, &opening.notes);
                        format!("opened {:?} rebuilt={from:?} {notes:?}", opening.recovery)
                    });
                    self.disk.heal();
                    damage::mend_unread(self);
                    self.judge_base(&opening, &before)?;
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

    fn strike(&mut self, is_sealed: bool) -> Option<Struck> {
        let (disk, shelf) = (self.disk.save(), self.shelf.fork());
        damage::strike(self, is_sealed).map(|damage| Struck {
            disk,
            shelf,
            damage,
        })
    }

    fn look_at_store(&self) -> Before {
        Before {
            stored: self.shelf.checkpoint(),
            is_sound: !self.store_struck || self.shelf.is_sound(),
        }
    }

    /// Whether recovery went on after an error of the disk. What it could not read or remove of segments that the log has given up is
    /// none.
    fn passed_over(&self, opening: &Opening<SimDisk>) -> bool {
        let oldest = opening.flusher.stats().oldest_sequence;
        let given_up = |name: &String| {
            let number = name
                .strip_prefix("log/")
                .and_then(|name| name.strip_suffix(".log"));
            number.is_some_and(|number| number.parse().is_ok_and(|first: u64| first < oldest))
        };
        !self.disk.grave_files().iter().all(given_up)
    }

    /// The store is used when it is whole, and never when it is not.
    fn judge_base(&mut self, opening: &Opening<SimDisk>, before: &Before) -> Result<(), String> {
        let marks = &mut self.report.marks;
        let oldest = opening.flusher.stats().oldest_sequence;
        if oldest > 1 {
            marks.hit("trimmed log reopened");
        }
        if oldest > self.oldest {
            return Err(format!(
                "the log begins at {oldest}, it was never told to begin after {}",
                self.oldest
            ));
        }
        match opening.rebuilt_from {
            None if !before.is_sound && !self.setup.blind => {
                return Err(String::from("a damaged store was used"));
            }
            None => {}
            Some(from) => {
                if !before.is_sound {
                    marks.hit("store rot found");
                }
                if from > 0 {
                    marks.hit("snapshot used");
                    let after_a_cut = self.shelf.fork();
                    after_a_cut.roll_back(usize::MAX);
                    if after_a_cut.checkpoint() < from {
                        return Err(format!(
                            "a power cut takes back what was filled from the snapshot at {from}"
                        ));
                    }
                }
                if before.stored > 0 && before.is_sound {
                    return Err(format!(
                        "the store is whole up to {} and was not used: {:?}",
                        before.stored, opening.notes
                    ));
                }
            }
        }
        let stored = self.shelf.checkpoint();
        if stored > opening.recovery.last_sequence {
            return Err(format!(
                "the store holds event {stored}, the log ends at {}",
                opening.recovery.last_sequence
            ));
        }
        // A store that was lost takes with it what the log no longer holds and what no snapshot keeps: what was finished.
        if std::mem::take(&mut self.store_struck)
            && self.oldest > 1
            && opening.rebuilt_from != Some(0)
        {
            self.oracle.forgets = true;
            self.people.note_loss();
        }
        Ok(())
    }

    /// A refusal needs a reason; what was damaged is restored from a copy, as people do.
    fn refused(
        &mut self,
        error: &mainstay_log::OpenError,
        struck: Option<Struck>,
    ) -> Result<(), String> {
        self.report.refusals += 1;
        if let Some(struck) = struck {
            self.report.marks_if(
                struck.damage == Damage::Unreadable,
                "open refused: unreadable block",
            );
            self.disk.restore(struck.disk);
            self.shelf.restore(&struck.shelf);
            self.damaged.retain(|name, _| !name.starts_with("log/"));
            return Ok(());
        }
        let declined = matches!(error, mainstay_log::OpenError::Declined { .. });
        if declined && !self.damaged.is_empty() {
            self.report
                .marks_if(self.store_struck, "open refused: nothing reaches the log");
            for (name, (damage, bytes)) in std::mem::take(&mut self.damaged) {
                match damage {
                    Damage::Lost => self.disk.give_back(&name, &bytes),
                    Damage::Rot | Damage::Unreadable => self.disk.mend(&name, &bytes),
                }
            }
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
        let found = found(&opening, raw);
        let history = std::mem::take(&mut self.history);
        let last = self.last.take();
        self.oracle
            .recovered(&self.disk, &self.options, &found, &history, last)?;
        let disk = &self.disk;
        self.damaged.retain(|name, (damage, _)| match damage {
            Damage::Unreadable => false,
            Damage::Rot => disk.bytes(name).is_some(),
            Damage::Lost => true,
        });
        let whole = self.rng.chance(8);
        let choice = self.rng.draw();
        let mut reader = self.shelf.reader();
        self.oracle.audit(
            found.machine,
            found.now,
            reader.as_mut(),
            (!whole).then_some(choice),
        )?;
        if whole {
            self.check_trail()?;
        }
        self.oracle
            .are_stored(&self.shelf.attested().0, self.shelf.checkpoint())?;
        let oracle = &self.oracle;
        self.people
            .forget_tasks(|tenant, task| oracle.may_be_gone(tenant, task));
        if self.rng.chance(6) {
            self.recover_again(raw)?;
        }
        self.report.recoveries += 1;
        let crashed = self.ended.take().is_some_and(|end| end != End::Clean);
        self.report.crash_points += u64::from(crashed);
        let rng = Rng::new(self.rng.draw(), 3);
        let on = Ground {
            disk: self.disk.clone(),
            shelf: self.shelf.clone(),
            options: self.options.clone(),
            settings: self.settings.clone(),
            blind: self.setup.blind,
        };
        Ok(Life::new(Crew::new(opening, rng, self.clock, on)))
    }

    /// The audit trail that the store keeps says what the log says, and the log is the one that was written.
    fn check_trail(&self) -> Result<(), String> {
        if !self.damaged.is_empty() {
            return Ok(());
        }
        let mut check = AuditCheck::over(self.disk.fork(), Some(self.shelf.reader()));
        while check.step() {}
        let report = check.end();
        match report.gaps.first() {
            None => Ok(()),
            Some(gap) => Err(format!("the audit trail does not hold: {gap:?}")),
        }
    }

    /// Copies of everything come back to the same state: as they are, without the store, and from either snapshot.
    fn recover_again(&mut self, raw: Raw) -> Result<(), String> {
        let snapshots = self.disk.names();
        let snapshots = snapshots.iter().filter(|name| name.ends_with(".snap"));
        let snapshots: Vec<&String> = snapshots.collect();
        for how in [
            "as it is",
            "without the store",
            "from the older snapshot",
            "from the newest",
        ] {
            if how != "as it is" && !self.damaged.is_empty() {
                continue;
            }
            let (disk, mut shelf) = (self.disk.fork(), self.shelf.fork());
            if how != "as it is" {
                shelf.lose();
            }
            match (how, &snapshots[..]) {
                ("from the older snapshot", [.., newest]) => disk.lose(newest),
                ("from the newest", [before @ .., _]) => {
                    before.iter().for_each(|name| disk.lose(name));
                }
                _ => {}
            }
            let opened = mainstay::open(
                disk,
                self.options.clone(),
                &self.settings,
                &mut shelf,
                &mut |_| {},
                raw,
                [7; 64],
            );
            let opening = opened.map_err(|error| format!("a copy {how} refuses: {error}"))?;
            let machine: Result<(), String> = self.oracle.judge_machine(&found(&opening, raw));
            machine.map_err(|error| format!("a copy {how}: {error}"))?;
        }
        Ok(())
    }
}

fn found(opening: &Opening<SimDisk>, raw: Raw) -> Recovered<'_> {
    let machine: &Machine = opening.writer.machine();
    Recovered {
        machine,
        now: opening.writer.now(),
        raw,
        incarnation: opening.identity.incarnation,
        last_sequence: opening.recovery.last_sequence,
    }
}
