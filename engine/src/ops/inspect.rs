//! The state as of an event: the nearest state before it, and the log up to exactly that event.
//! Owns: what can be asked of a past state.
//! Never: takes a lock, writes, or looks past the event asked for.

use std::ops::ControlFlow;
use std::path::Path;

use mainstay_core::{
    Answer, Digest, Facts, Machine, PlaceRow, Query, RunColumns, Stats, TaskColumns, TenantId,
    Timestamp, codec,
};
use mainstay_log::Frame;
use mainstay_store::{Found, Reader, SqliteReader};

use super::base::Site;
use super::error::OpsError;
use super::label::LABEL_FILE;
use super::verify::CACHE_KIB;
use crate::reads::{add_known, has_more_runs, join_runs};
use crate::recovery::{Progress, reaches, replay_to};

/// Frames between two reports of progress.
const PROGRESS_FRAMES: u64 = 256;

/// Which state is wanted.
#[derive(Clone, Copy, Debug)]
pub struct InspectAsk<'a> {
    /// The data directory, or a backup.
    pub directory: &'a Path,
    /// The event; `None` for the last one there is.
    pub at: Option<u64>,
    /// A backup of the same log to begin with, when it is the nearest.
    pub backup: Option<&'a Path>,
}

/// The state as of an event.
#[derive(Debug)]
pub struct Inspection {
    machine: Machine,
    /// Whose state it is.
    pub log_id: String,
    /// What it was replayed from, for people.
    pub base: String,
    /// The last event before the replay.
    pub base_sequence: u64,
    /// Whether the event is the last one of its command. In the middle of one, a state need not agree with itself.
    pub is_whole: bool,
    /// What was wrong on the way, for people.
    pub notes: Vec<String>,
    store: std::path::PathBuf,
}

/// Replays the state as of an event, beside whoever is writing the log.
///
/// # Errors
/// [`OpsError`]; `Unreached` says which events can be had.
pub fn inspect_at(
    ask: &InspectAsk<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Inspection, OpsError> {
    let mut site = if ask.directory.join(LABEL_FILE).exists() {
        Site::of_backup(ask.directory)?
    } else {
        Site::of_directory(ask.directory, ask.backup)?
    };
    let (machine, base) = begin(&mut site, ask.at)?;
    let mut replayed = Replayed {
        base_sequence: machine.sequence(),
        machine,
        last: ask.at.unwrap_or(u64::MAX),
        is_whole: true,
        frames: 0,
    };
    if replayed.machine.sequence() < replayed.last {
        replayed.run(&site, progress)?;
    }
    if let Some(at) = ask.at
        && replayed.machine.sequence() != at
    {
        let reach = site.reach(replayed.machine.sequence());
        return Err(OpsError::Unreached { at, reach });
    }
    Ok(Inspection {
        machine: replayed.machine,
        log_id: site.log_id,
        base,
        base_sequence: replayed.base_sequence,
        is_whole: replayed.is_whole,
        notes: site.notes,
        store: site.store,
    })
}

/// The nearest state at or before the event from which the log goes on.
fn begin(site: &mut Site, at: Option<u64>) -> Result<(Machine, String), OpsError> {
    let last = at.unwrap_or(u64::MAX);
    let oldest = site.log.as_ref().map(|(_, extent)| extent.oldest_sequence);
    let bases: Vec<_> = site.bases.iter().rev().cloned().collect();
    for base in bases {
        let goes_on = oldest.is_some_and(|oldest| reaches(base.sequence, oldest));
        let fits = base.sequence == last || goes_on || (at.is_none() && oldest.is_none());
        if base.sequence > last || !fits {
            continue;
        }
        match site.load(&base) {
            Ok(machine) if machine.sequence() <= last => return Ok((machine, base.to_string())),
            // The store has moved on meanwhile.
            Ok(_) => {}
            Err(reason) => {
                site.notes.push(format!("{base} is not used: {reason}"));
                site.bases.retain(|other| *other != base);
            }
        }
    }
    let written = site
        .log
        .as_ref()
        .map_or(0, |(_, extent)| extent.floor_sequence);
    Err(OpsError::Unreached {
        at: at.unwrap_or(written),
        reach: site.reach(written),
    })
}

struct Replayed {
    machine: Machine,
    base_sequence: u64,
    last: u64,
    is_whole: bool,
    frames: u64,
}

impl Replayed {
    fn run(&mut self, site: &Site, progress: &mut dyn FnMut(Progress)) -> Result<(), OpsError> {
        let Some((disk, extent)) = &site.log else {
            return Ok(());
        };
        let total = extent.floor_sequence.min(self.last);
        let mut failed = None;
        mainstay_log::read(disk, self.machine.sequence() + 1, &mut |frame| {
            if let Err(reason) = self.frame(frame) {
                let frame = frame.number;
                failed = Some(OpsError::Replay { frame, reason });
                return ControlFlow::Break(());
            }
            self.frames += 1;
            if self.frames.is_multiple_of(PROGRESS_FRAMES) {
                progress(Progress {
                    what: "reading the log".to_owned(),
                    done: self.machine.sequence(),
                    total,
                });
            }
            if self.machine.sequence() >= self.last {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })?;
        failed.map_or(Ok(()), Err)
    }

    fn frame(&mut self, frame: &Frame<'_>) -> Result<(), String> {
        if frame.is_seal() || frame.last_sequence() <= self.machine.sequence() {
            return Ok(());
        }
        replay_to(&mut self.machine, frame, self.last)?;
        if frame.last_sequence() > self.last {
            self.is_whole = ends_command(frame, self.last)?;
        }
        Ok(())
    }
}

/// Whether this event of the frame is the last one of its command.
fn ends_command(frame: &Frame<'_>, sequence: u64) -> Result<bool, String> {
    let mut next = frame.first_sequence;
    let mut ends = false;
    codec::decode(frame.body, &mut |_, events| {
        next += events.len() as u64;
        ends |= !events.is_empty() && next == sequence + 1;
    })
    .map_err(|error| error.to_string())?;
    Ok(ends)
}

impl Inspection {
    /// The event.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.machine.sequence()
    }

    /// Its recorded time.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.machine.moment().wall
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.machine.stats()
    }

    /// Every tenant's queues and kinds with the runs counted there.
    #[must_use]
    pub fn places(&self) -> Vec<PlaceRow> {
        self.machine.places()
    }

    /// Digest of the live state.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.machine.digest()
    }

    /// Recomputes every index from the tables.
    ///
    /// # Errors
    /// The first disagreement, in words.
    pub fn verify(&self) -> Result<(), String> {
        self.machine.verify()
    }

    /// Answers a question about that state. What had ended before the state that the replay began with is looked up in the store, which
    /// keeps it as long as retention says.
    ///
    /// # Errors
    /// [`OpsError::Store`].
    pub fn answer(&self, tenant: TenantId, query: &Query) -> Result<Answer, OpsError> {
        let moment = self.machine.moment();
        let mut answer = self.machine.answer(&moment, tenant, query);
        match &mut answer {
            Answer::Absent => {
                if let Some(found) = self.look(tenant, query)?.filter(|found| self.is_old(found)) {
                    let mut facts = Facts::default();
                    add_known(&mut facts, &self.machine, &found)?;
                    answer = facts.answer(&moment, tenant, query);
                }
            }
            Answer::Task(task) if has_more_runs(task) => {
                if let Some(found) = self.look(tenant, query)? {
                    join_runs(task, &found, self.sequence())?;
                }
            }
            _ => {}
        }
        if let Answer::Task(task) = &mut answer
            && let Some(number) = task.stored_payload.take()
            && let Some(bytes) = self.reader()?.payload(number)?
        {
            task.payload.bytes = bytes;
        }
        Ok(answer)
    }

    fn reader(&self) -> Result<SqliteReader, OpsError> {
        Ok(SqliteReader::open(&self.store, CACHE_KIB)?)
    }

    /// What the store holds, as far as it can know more than the machine.
    fn look(&self, tenant: TenantId, query: &Query) -> Result<Option<Found>, OpsError> {
        if self.base_sequence == 0 || !self.store.exists() {
            return Ok(None);
        }
        let mut reader = self.reader()?;
        Ok(match query {
            Query::Task(id) => reader.task(tenant, *id)?,
            Query::Run(id) | Query::Explain(id) => reader.run(tenant, *id)?,
            Query::Stats | Query::Engine | Query::Places | Query::Queues | Query::Budgets => None,
            Query::Actor(_) | Query::Actors { .. } | Query::Workforce => None,
            // Operations.
            Query::Operation(_) | Query::Operations { .. } | Query::NextOperation(_) => None,
            // Statistics.
            Query::Overview | Query::Report { .. } => None,
            // Webhooks: all of it is in memory.
            Query::Webhook(_) | Query::Webhooks { .. } | Query::Deliveries { .. } => None,
            // Access: all of it is in memory.
            Query::Key(_)
            | Query::Keys { .. }
            | Query::Roles
            | Query::Grant(_)
            | Query::Tenants => None,
        })
    }

    /// Whether a row was finished before the replay began. One that is younger had not been made at this event, or is in memory.
    fn is_old(&self, found: &Found) -> bool {
        let task = TaskColumns::read(&found.task).map(|task| task.number);
        let runs = found.runs.iter().map(|run| RunColumns::read(run));
        let last = runs.flatten().map(|run| run.number).max();
        task.is_ok_and(|task| task.max(last.unwrap_or(0)) <= self.base_sequence)
    }
}
