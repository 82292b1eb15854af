//! The oracle's judgement after each recovery: the old log is a prefix of the new one, and every answer is in it.

use std::collections::BTreeMap;

use mainstay::{CallError, Clock, Command, Digest, Facts, Machine, Outcome, Raw, Replied, RunId};
use mainstay_log::Options;

use super::deferred;
use super::heard::Heard;
use super::history::{Asked, Entry, Request, Said, Wish, Wished};
use super::image::{self, Kept, Written};
use super::laws::Tenants;
use super::model::{Model, Verdict, demand};
use super::replies::Told;
use super::tally::Tally;
use crate::disk::SimDisk;
use crate::marks::Marks;

/// The last thing known of a machine before its process ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LastWord {
    pub(crate) sequence: u64,
    pub(crate) digest: Digest,
}

/// What recovery handed over, beside the disk itself.
pub(crate) struct Recovered<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) now: mainstay::Now,
    pub(crate) raw: Raw,
    pub(crate) incarnation: u64,
    pub(crate) last_sequence: u64,
}

/// The reference model with everything that was ever shown.
pub(crate) struct Oracle {
    pub(crate) model: Model,
    /// Instead of the model, in worlds that use everything a task can be.
    pub(crate) laws: Option<Box<Tenants>>,
    /// A machine that has replayed every event known to be durable, and lets nothing go.
    pub(super) reference: Machine,
    /// Every frame known to be durable, in order.
    known: Vec<Kept>,
    /// Frames of the last life that were trimmed in it.
    trimmed: Vec<Kept>,
    /// When the log ends.
    last: (u64, u64),
    /// A store was lost and with it what is finished so far, where the log no longer reaches back.
    pub(crate) forgets: bool,
    /// What every principal asked for.
    pub(super) wishes: BTreeMap<String, Wished>,
    /// The largest sequence any answer has shown.
    shown: u64,
    /// What a reader of the feed was told.
    pub(crate) heard: Heard,
    /// Shares, where they are measured.
    pub(crate) tally: Option<Box<Tally>>,
    incarnation: u64,
    pub(crate) acks: u64,
    pub(crate) events: u64,
    pub(crate) marks: Marks,
}

impl Default for Oracle {
    fn default() -> Oracle {
        Oracle {
            model: Model::default(),
            laws: None,
            reference: Machine::new(99),
            known: Vec::new(),
            trimmed: Vec::new(),
            last: (0, 0),
            forgets: false,
            wishes: BTreeMap::new(),
            shown: 0,
            heard: Heard::default(),
            tally: None,
            incarnation: 0,
            acks: 0,
            events: 0,
            marks: Marks::default(),
        }
    }
}

/// One answer, flat: a batch is one per part.
struct Flat<'a> {
    id: u64,
    entry: &'a Entry,
    said: Option<&'a Result<Outcome, mainstay::Rejection>>,
    sequence: u64,
    is_part: bool,
}

impl Oracle {
    /// Remembers what a principal asks for.
    pub(crate) fn asks(&mut self, id: u64, request: &Request) {
        let tenant = request.tenant;
        let mut note = |id: u64, wish: Wish| {
            let wished = Wished { tenant, wish };
            self.wishes.insert(super::principal(id), wished);
        };
        match &request.asked {
            Asked::Call(call) => match &call.command {
                Command::Claim(claim) => note(id, Wish::Claim((**claim).clone())),
                command => note(id, Wish::Command(command.clone())),
            },
            Asked::Many(calls) => calls
                .iter()
                .zip(id..)
                .for_each(|(call, id)| note(id, Wish::Command(call.command.clone()))),
            Asked::Claim(claim) => note(id, Wish::Claim((**claim).clone())),
            Asked::Query(_) => {}
        }
    }

    /// An answer leaves: it must not show anything that is not durable. A deferred submit alone is told before.
    pub(crate) fn leaves(&mut self, entry: &Entry, told: &Replied<Said>, durable: u64) -> Verdict {
        let sequence = told.sequence;
        self.acks += 1;
        if !told.durable {
            self.marks.hit("deferred submit answered before its frame");
            return deferred::judge(entry, told);
        }
        self.shown = self.shown.max(sequence);
        demand!(
            sequence <= durable,
            "an answer shows event {sequence}, only {durable} are durable"
        );
        Ok(())
    }

    /// Frames that were read before they were trimmed.
    pub(crate) fn witnessed(&mut self, frames: Vec<Kept>) {
        self.trimmed = frames;
    }

    /// Judges a recovery: the image it left, the machine it made, and everything answered in the life before.
    pub(crate) fn recovered(
        &mut self,
        disk: &SimDisk,
        options: &Options,
        found: &Recovered<'_>,
        history: &[Entry],
        last: Option<LastWord>,
    ) -> Verdict {
        let image = image::read(disk, options)?;
        let durable = image.last_sequence;
        demand!(
            found.last_sequence == durable,
            "recovery found {} events, a second one {durable}",
            found.last_sequence
        );
        demand!(
            durable >= self.shown,
            "event {} was shown, after recovery there are {durable}",
            self.shown
        );
        demand!(
            found.incarnation > self.incarnation,
            "life {} follows life {}",
            found.incarnation,
            self.incarnation
        );
        self.incarnation = found.incarnation;
        self.last = (image.last_wall, image.last_steady);
        let fresh = self.learn(image.frames)?;
        self.heard.judge(&fresh)?;
        demand!(
            self.reference.sequence() == durable,
            "recovery counts {durable} events, replay {}",
            self.reference.sequence()
        );
        self.judge_life(&fresh, durable, history)?;
        if let Some(last) = last.filter(|last| last.sequence == durable) {
            demand!(
                last.digest == self.reference.digest(),
                "replay of {durable} events differs from the machine that decided them"
            );
        }
        let events = fresh.iter().map(|written| written.events.len() as u64);
        self.events += events.sum::<u64>();
        if std::mem::take(&mut self.forgets) {
            match &mut self.laws {
                Some(laws) => laws.each_mut().for_each(|laws| laws.forget()),
                None => self.model.forget(),
            }
        }
        self.judge_machine(found)
    }

    /// The frames known before are still there, as far as the log was not trimmed; gives the commands of those behind them.
    fn learn(&mut self, frames: Vec<Kept>) -> Result<Vec<Written>, String> {
        let first = frames.first().map_or(u64::MAX, |kept| kept.number);
        let at = self.known.partition_point(|kept| kept.number < first);
        // Of a log that was trimmed to its end nothing is left to compare.
        let old = self.known.len() - at;
        demand!(
            frames.len() >= old && frames[..old] == self.known[at..],
            "what was durable has changed"
        );
        let mut commands = Vec::new();
        let seen = self.known.last().map_or(0, |kept| kept.number);
        let next = frames.get(old).map_or(u64::MAX, |kept| kept.number);
        for kept in std::mem::take(&mut self.trimmed) {
            if kept.number > seen && kept.number < next {
                commands.extend(kept.commands(&mut self.reference)?);
                self.known.push(kept);
            }
        }
        for kept in frames.into_iter().skip(old) {
            commands.extend(kept.commands(&mut self.reference)?);
            self.known.push(kept);
        }
        Ok(commands)
    }

    /// A recovered machine is the one that a replay of everything and the same start come to.
    pub(crate) fn judge_machine(&mut self, found: &Recovered<'_>) -> Verdict {
        found.machine.verify()?;
        let machine = self.started(found)?;
        demand!(
            machine.digest() == found.machine.digest(),
            "the recovered machine differs from a replay of the log"
        );
        Ok(())
    }

    fn started(&self, found: &Recovered<'_>) -> Result<Machine, String> {
        let (wall, steady) = (
            mainstay::Timestamp(self.last.0),
            mainstay::Steady(self.last.1),
        );
        let (_, downtime_ms) = Clock::start(found.raw, wall, steady);
        let mut machine = self.reference.clone();
        let start = Command::Start {
            incarnation: found.incarnation,
            downtime_ms,
        };
        let step = machine.step(&found.now, &Facts::default(), mainstay::Call::new(start));
        demand!(step.outcome.is_ok(), "a start was refused");
        Ok(machine)
    }

    /// Walks what the last life wrote, and judges every answer at its place.
    fn judge_life(&mut self, fresh: &[Written], durable: u64, history: &[Entry]) -> Verdict {
        let mut written: BTreeMap<&str, Vec<&Written>> = BTreeMap::new();
        for command in fresh {
            let name = &*command.record.principal;
            written.entry(name).or_default().push(command);
        }
        let flat = flatten(history);
        let mut places: BTreeMap<u64, Vec<&Flat<'_>>> = BTreeMap::new();
        let mut answers: BTreeMap<String, &Flat<'_>> = BTreeMap::new();
        for told in &flat {
            let name = super::principal(told.id);
            let records = written.get(&*name).map_or(&[][..], Vec::as_slice);
            self.judge_end(told, records, durable)?;
            let is_read = matches!(told.entry.request.asked, Asked::Query(_));
            // A claim may clear expired runs away and find nothing: that is not what it is answered.
            let is_claim = matches!(told.entry.request.asked, Asked::Claim(_));
            let did = records
                .iter()
                .any(|one| !is_claim || started(one).is_some());
            if told.said.is_some() && did {
                answers.insert(name, told);
            } else if deferred::is_lost(told.entry, durable) {
                self.marks.hit("deferred submit lost in a crash, whole");
            } else if (told.said.is_some() || is_read) && !told.is_part {
                places.entry(told.sequence).or_default().push(told);
            } else if let (true, Some(Ok(outcome))) = (told.is_part, told.said) {
                let found = matches!(outcome, Outcome::Submitted(done) if done.created);
                demand!(
                    !found,
                    "request {} was acknowledged and is not in the log",
                    told.id
                );
            }
        }
        let (before, mut places) = (self.sequence(), places);
        if let Some((early, _)) = places.first_key_value() {
            demand!(
                *early >= before,
                "an answer shows event {early} after {before}"
            );
        }
        self.judge_unwritten(&mut places)?;
        for command in fresh {
            self.judge_command(command, &answers)?;
            self.judge_unwritten(&mut places)?;
        }
        demand!(
            places.is_empty(),
            "answers name events that are not in the log"
        );
        Ok(())
    }

    /// One command of the log, with its answer if there was one.
    fn judge_command(
        &mut self,
        command: &Written,
        answers: &BTreeMap<String, &Flat<'_>>,
    ) -> Verdict {
        let name = &*command.record.principal;
        let wished = self.wishes.get(name).cloned();
        let tenant = wished
            .as_ref()
            .map_or(command.record.tenant, |one| one.tenant);
        let wish = wished.map(|wished| wished.wish);
        let judged = match &mut self.laws {
            Some(laws) => laws.command(command, tenant, wish.as_ref(), &mut self.marks),
            None => self.model.command(command, wish.as_ref()),
        };
        judged.map_err(|error| format!("{name}: {error}"))?;
        self.note(command);
        if let Some(tally) = &mut self.tally {
            tally.command(command);
        }
        let (Some(told), Some(wish)) = (answers.get(name), wish) else {
            return Ok(());
        };
        let is_other = matches!(wish, Wish::Claim(_)) && started(command).is_none();
        let (Some(said), false) = (told.said, is_other) else {
            return Ok(());
        };
        let sequence = command.last_sequence();
        demand!(
            told.is_part || told.sequence == sequence,
            "{name}: answered at {}, logged at {sequence}",
            told.sequence
        );
        self.answer(told, &wish, said, true)
    }

    /// Answers to requests that wrote nothing, at the sequence where the model stands.
    fn judge_unwritten(&mut self, places: &mut BTreeMap<u64, Vec<&Flat<'_>>>) -> Verdict {
        let here = places.remove(&self.sequence()).unwrap_or_default();
        for told in here {
            match (
                told.said,
                self.wishes.get(&super::principal(told.id)).cloned(),
            ) {
                (Some(said), Some(wished)) => self.answer(told, &wished.wish, said, false)?,
                _ => self.read(told)?,
            }
        }
        Ok(())
    }

    fn answer(
        &mut self,
        told: &Flat<'_>,
        wish: &Wish,
        said: &Result<Outcome, mainstay::Rejection>,
        wrote: bool,
    ) -> Verdict {
        let mut told_here = Told {
            wish,
            said,
            wrote,
            now: told.entry.now,
            draining: told.entry.draining,
            marks: &mut self.marks,
        };
        let tenant = told.entry.request.tenant;
        let judged = match &mut self.laws {
            Some(laws) => laws.told(tenant, &mut told_here),
            None => self.model.told(&mut told_here),
        };
        judged.map_err(|error| format!("r{} at event {}: {error}", told.id, self.sequence()))
    }

    fn read(&mut self, told: &Flat<'_>) -> Verdict {
        let (Asked::Query(query), Some(Ok(replied))) =
            (&told.entry.request.asked, &told.entry.answer)
        else {
            return Ok(());
        };
        let Said::Answer(answer) = &replied.value else {
            return Err(String::from("a question was answered with a decision"));
        };
        let judged = match &self.laws {
            Some(laws) => laws.seen(told.entry.request.tenant, query, answer),
            None => self.model.seen(query, answer),
        };
        judged.map_err(|error| format!("r{} at event {}: {error}", told.id, self.sequence()))
    }

    /// Whether a request is in the log as often as its answer allows.
    fn judge_end(&mut self, told: &Flat<'_>, records: &[&Written], durable: u64) -> Verdict {
        let id = told.id;
        let is_claim = matches!(&told.entry.request.asked, Asked::Claim(_));
        let effects = records
            .iter()
            .filter(|written| !is_claim || started(written).is_some())
            .count();
        demand!(effects <= 1, "request {id} was done {effects} times");
        match &told.entry.answer {
            // Of a batch, what was in an earlier frame is there.
            Some(Ok(_)) if deferred::is_lost(told.entry, durable) => demand!(
                effects == 0 || told.is_part,
                "request {id} ends behind the log, and it is there in part"
            ),
            Some(Ok(replied)) => {
                demand!(
                    replied.sequence <= durable,
                    "request {id} was answered at event {}, the log ends at {durable}",
                    replied.sequence
                );
            }
            Some(Err(CallError::CommitUnknown { sequence })) => {
                let found = effects > 0;
                // Of a batch, some parts may have been refused; a claim may only have cleared expired runs away.
                let is_many = matches!(&told.entry.request.asked, Asked::Many(_));
                demand!(
                    found == (*sequence <= durable) || is_claim || is_many && !found,
                    "request {id} is unknown up to {sequence}, the log ends at {durable}"
                );
                self.marks.hit(if found {
                    "commit unknown: found after recovery"
                } else {
                    "commit unknown: gone after recovery"
                });
            }
            Some(Err(error)) => {
                demand!(
                    effects == 0,
                    "request {id} was told `{error}` and is in the log"
                );
            }
            None => {}
        }
        Ok(())
    }
}

fn started(written: &Written) -> Option<RunId> {
    written.events.iter().find_map(|entry| match &entry.event {
        mainstay::Event::RunStarted(fact) => Some(fact.run),
        _ => None,
    })
}

/// One entry per principal.
fn flatten(history: &[Entry]) -> Vec<Flat<'_>> {
    let mut flat = Vec::new();
    for entry in history {
        let replied = entry
            .answer
            .as_ref()
            .and_then(|answer| answer.as_ref().ok());
        let sequence = replied.map_or(0, |replied| replied.sequence);
        let one = |id, said, is_part| Flat {
            id,
            entry,
            said,
            sequence,
            is_part,
        };
        match (&entry.request.asked, replied.map(|replied| &replied.value)) {
            (Asked::Many(calls), Some(Said::Many(parts))) => {
                let parts = parts.iter().zip(entry.id..);
                flat.extend(parts.map(|(said, id)| one(id, Some(said), true)));
                debug_assert!(!calls.is_empty(), "an empty batch was asked for");
            }
            (Asked::Many(calls), _) => {
                let ids = (entry.id..).take(calls.len());
                flat.extend(ids.map(|id| one(id, None, true)));
            }
            (_, Some(Said::Decided(said))) => flat.push(one(entry.id, Some(said), false)),
            (Asked::Query(_), Some(_)) => flat.push(one(entry.id, None, false)),
            // Nothing was shown; what matters is only whether it is in the log.
            _ => flat.push(one(entry.id, None, true)),
        }
    }
    flat
}
