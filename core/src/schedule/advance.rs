//! A schedule goes on: its future run comes due, passed instants are caught up or let go, and the next future run is made.
//! Owns: what misfire and overlap policies come to.
//! Never: reads a calendar; without the shell's word about the instants nothing moves.

use alloc::vec::Vec;

use super::apply::run_numbered;
use super::index::{is_shut, place_of};
use super::instants::Instants;
use super::model::{Clockwork, Cron, Misfire, Overlap, SkipCause};
use crate::event::{
    OccurrencesSkipped, RunCanceled, RunCreated, RunReady, RunRescheduled, ScheduleEnded,
    SchedulePaused,
};
use crate::limits;
use crate::machine::Tx;
use crate::run::{Cause, Origin, State as RunState};
use crate::state::State;
use crate::time::Timestamp;

/// What became of a run whose alarm rang.
pub(crate) enum Rung {
    /// It is no schedule's future run.
    Other,
    /// So many instants were dealt with.
    Done(usize),
    /// It waits until its queue is open.
    Shut,
    /// The shell has not said what comes next: the next tick will know.
    Unknown,
}

pub(super) fn clockwork(state: &State, task: u32) -> Option<&Clockwork> {
    state.tasks[task].clockwork()
}

/// Whether a run is its schedule's future run.
pub(crate) fn is_future(state: &State, run: u32) -> bool {
    let row = &state.runs[run];
    let clock = clockwork(state, row.task);
    clock.is_some_and(|clock| clock.future == row.number)
}

/// Whether a scheduled run waits for its schedule to go on, or for the end of another run: its time alone does not make it ready.
pub(crate) fn waits(state: &State, run: u32) -> bool {
    let row = &state.runs[run];
    let clock = clockwork(state, row.task);
    clock.is_some_and(|clock| clock.future == row.number || clock.queued == row.number)
}

/// Whether its schedule keeps a run from starting, whatever its time: the schedule is paused, or an earlier run has yet to end.
pub(crate) fn holds_back(state: &State, run: u32) -> bool {
    let row = &state.runs[run];
    let Some(clock) = clockwork(state, row.task) else {
        return false;
    };
    if clock.future != row.number {
        return clock.queued == row.number;
    }
    let waits = |cron: &Cron| matches!(cron.overlap, Overlap::Skip | Overlap::QueueOne);
    let waits = clock.schedule.cron().is_some_and(waits);
    clock.paused || waits && earlier(state, row.task).next().is_some()
}

/// Whether the start of a schedule's future run ends the earlier ones.
pub(crate) fn overtakes(state: &State, run: u32) -> bool {
    let clock = clockwork(state, state.runs[run].task);
    let cron = clock.and_then(|clock| clock.schedule.cron());
    cron.is_some_and(|cron| cron.overlap == Overlap::CancelPrevious) && is_future(state, run)
}

/// A run's alarm rang: if it is a schedule's future run, the schedule goes on.
pub(crate) fn come_due(tx: &mut Tx<'_>, run: u32) -> Rung {
    if !is_future(tx.state(), run) {
        return Rung::Other;
    }
    let task = tx.state().runs[run].task;
    if is_shut(tx.state(), place_of(tx.state(), task)) {
        return Rung::Shut;
    }
    match advance(tx, task) {
        Some(done) => Rung::Done(done),
        None => Rung::Unknown,
    }
}

/// Brings a task's schedule up to now; gives how many instants were dealt with, or nothing when the shell has not named them.
pub(crate) fn advance(tx: &mut Tx<'_>, task: u32) -> Option<usize> {
    let row = &tx.state().tasks[task];
    let clock = clockwork(tx.state(), task)?;
    let cron = clock.running()?.clone();
    let future = run_numbered(tx.state(), row, clock.future).filter(|_| clock.future > 0);
    let answer = tx.instants(row.number)?.clone();
    let mut going = Going {
        task,
        tenant: tx.state().tenant_of(row),
        future,
        skipped: None,
        done: 1,
        cron,
    };
    match answer {
        Ok(instants) => going.on(tx, instants),
        // A calendar that the shell understood once and does not any more: somebody has to look at it.
        Err(_) => {
            let task = tx.state().tasks[task].id;
            let by = crate::Text::default();
            tx.emit_for(going.tenant, SchedulePaused { task, by });
        }
    }
    Some(going.done)
}

/// One schedule on its way to now.
struct Going {
    task: u32,
    tenant: u32,
    /// The future run, as long as it stands for no instant that fired.
    future: Option<u32>,
    /// Instants that passed without a run and are not told yet.
    skipped: Option<Skipped>,
    done: usize,
    cron: Cron,
}

/// Neighbouring instants that get no run, for the same reason.
struct Skipped {
    count: u64,
    from: Timestamp,
    /// The last but one, as far as it matters.
    before: Timestamp,
    through: Timestamp,
    cause: SkipCause,
}

impl Going {
    fn on(&mut self, tx: &mut Tx<'_>, instants: Instants) {
        let now = tx.now.wall;
        let own = self
            .future
            .and_then(|_| clockwork(tx.state(), self.task)?.next);
        let early = own.filter(|own| *own > now);
        let mut passed = instants.passed;
        let mut named: Vec<Timestamp> = instants.recent;
        let mut first = instants.first;
        if let Some(own) = own.filter(|own| *own <= now) {
            first = Some(own);
            if named.len() as u64 == passed {
                named.insert(0, own);
            }
            passed += 1;
        }
        let fresh_from = Timestamp(now.0.saturating_sub(self.cron.misfire_grace_ms));
        let old = named.partition_point(|instant| *instant < fresh_from);
        let old = old.max(named.len().saturating_sub(limits::CATCH_UP_MAX as usize));
        let fresh = named.split_off(old);
        let missed = passed - fresh.len() as u64;
        let caught = self.catch_up(missed, first, &named);
        let firing: Vec<Timestamp> = early.into_iter().chain(caught).chain(fresh).collect();
        let last = firing.len().saturating_sub(1);
        for (at, instant) in firing.into_iter().enumerate() {
            // The earlier of several would be canceled by the later ones at once.
            if self.cron.overlap == Overlap::CancelPrevious && at < last {
                self.skip(tx, instant);
            } else {
                self.fire(tx, instant);
            }
        }
        if let (Some(run), None) = (self.future, instants.coming) {
            self.leave(tx, run, instants.first);
        }
        self.tell(tx);
        self.plan(tx, instants.coming);
    }

    /// What the misfire policy makes of `missed` instants, the first and the most recent of which are known: those that get a run.
    fn catch_up(
        &mut self,
        missed: u64,
        first: Option<Timestamp>,
        recent: &[Timestamp],
    ) -> Vec<Timestamp> {
        let (Some(first), Some(last)) = (first, recent.last().copied()) else {
            return Vec::new();
        };
        if missed == 0 {
            return Vec::new();
        }
        let (most, cause) = match self.cron.misfire {
            Misfire::Skip => (0, SkipCause::Misfire),
            Misfire::RunOnce => (1, SkipCause::Misfire),
            Misfire::RunAll => (self.cron.catch_up_max as usize, SkipCause::CatchUp),
        };
        let caught = recent[recent.len().saturating_sub(most)..].to_vec();
        let gone = missed - caught.len() as u64;
        if gone > 0 {
            let before = recent.len() - caught.len();
            let through = match before.checked_sub(1) {
                Some(at) => recent[at],
                None => first,
            };
            self.skipped = Some(Skipped {
                count: gone,
                from: first,
                before: first,
                through: if most == 0 { last } else { through },
                cause,
            });
        }
        caught
    }

    /// Notes an instant that gets no run because an earlier run goes on; tells of those before it that got none for another reason.
    fn skip(&mut self, tx: &mut Tx<'_>, instant: Timestamp) {
        if let Some(known) = &mut self.skipped
            && known.cause == SkipCause::Overlap
        {
            known.count += 1;
            known.before = core::mem::replace(&mut known.through, instant);
            return;
        }
        self.tell(tx);
        self.skipped = Some(Skipped {
            count: 1,
            from: instant,
            before: instant,
            through: instant,
            cause: SkipCause::Overlap,
        });
    }

    /// The future run stands for no instant that fires, and there is no other: it is canceled in place of one that was skipped.
    fn leave(&mut self, tx: &mut Tx<'_>, run: u32, after: Option<Timestamp>) {
        let past = tx.state().runs[run].past.as_deref();
        let own = past.and_then(|past| past.occurrence);
        let Some(mut skipped) = self.skipped.take() else {
            return;
        };
        skipped.count -= 1;
        if own == Some(skipped.from) {
            skipped.from = after.unwrap_or(skipped.from);
            self.future = None;
            self.cancel(tx, run);
        } else {
            self.stand(tx, run, skipped.through, Cause::Misfire);
            skipped.through = skipped.before;
        }
        self.skipped = Some(skipped).filter(|skipped| skipped.count > 0);
    }

    fn tell(&mut self, tx: &mut Tx<'_>) {
        if let Some(skipped) = self.skipped.take() {
            let task = tx.state().tasks[self.task].id;
            let skipped = OccurrencesSkipped {
                task,
                count: skipped.count,
                from: skipped.from,
                through: skipped.through,
                cause: skipped.cause,
                more: false,
            };
            tx.emit_for(self.tenant, skipped);
        }
    }

    /// An instant has come.
    fn fire(&mut self, tx: &mut Tx<'_>, instant: Timestamp) {
        let overlaps = self.cron.overlap != Overlap::Allow && self.earlier(tx.state()).is_some();
        let waits = overlaps && self.cron.overlap == Overlap::QueueOne;
        let full = clockwork(tx.state(), self.task).is_some_and(|clock| clock.queued > 0);
        if overlaps && (self.cron.overlap == Overlap::Skip || waits && full) {
            self.skip(tx, instant);
            return;
        }
        self.tell(tx);
        self.done += 1;
        let row = &tx.state().tasks[self.task];
        let blocked = row.bond().is_some_and(|bond| !bond.unmet.is_empty());
        let now = tx.now.wall;
        let ready = |due: Timestamp| due <= now && !blocked && !waits;
        let (task, mut due) = (row.id, self.cron.due(row.id, instant));
        let id = match self.future.take() {
            Some(run) => {
                self.stand(tx, run, instant, Cause::Misfire);
                let row = &tx.state().runs[run];
                let run = row.id;
                due = row.scheduled_at;
                if ready(due) {
                    tx.emit_for(self.tenant, RunReady { run });
                }
                run
            }
            None => {
                let run = tx.mint_run();
                let made = RunCreated {
                    run,
                    task,
                    scheduled_at: due,
                    ready: ready(due),
                    occurrence: Some(instant),
                    ..RunCreated::default()
                };
                tx.emit_for(self.tenant, made);
                run
            }
        };
        if waits {
            let queued = RunRescheduled {
                run: id,
                scheduled_at: due,
                occurrence: None,
                cause: Cause::Overlap,
            };
            tx.emit_for(self.tenant, queued);
        }
        if overlaps && self.cron.overlap == Overlap::CancelPrevious {
            tx.overtaken(id, self.tenant);
        }
    }

    /// The future run is to stand for this instant.
    fn stand(&self, tx: &mut Tx<'_>, run: u32, instant: Timestamp, cause: Cause) {
        let row = &tx.state().runs[run];
        let stands = row.past.as_deref().and_then(|past| past.occurrence);
        if stands == Some(instant) {
            return;
        }
        let due = self.cron.due(tx.state().task_of(run).id, instant);
        let moved = RunRescheduled {
            run: row.id,
            scheduled_at: due,
            occurrence: Some(instant),
            cause,
        };
        tx.emit_for(self.tenant, moved);
    }

    /// A run of an earlier instant that has not ended. The future run is one once it has fired.
    fn earlier(&self, state: &State) -> Option<u32> {
        let queued = clockwork(state, self.task).map_or(0, |clock| clock.queued);
        let own = self.future.map_or(0, |run| state.runs[run].number);
        live(state, self.task, (own, queued)).next()
    }

    fn cancel(&self, tx: &mut Tx<'_>, run: u32) {
        let canceled = RunCanceled {
            run: tx.state().runs[run].id,
            cause: Cause::Misfire,
            ..RunCanceled::default()
        };
        tx.emit_for(self.tenant, canceled);
    }

    /// There is one future run, or the schedule has ended.
    fn plan(&mut self, tx: &mut Tx<'_>, coming: Option<Timestamp>) {
        let row = &tx.state().tasks[self.task];
        let task = row.id;
        match (self.future.take(), coming) {
            (Some(run), Some(coming)) => self.stand(tx, run, coming, Cause::Misfire),
            (None, Some(coming)) => {
                let run = tx.mint_run();
                let made = RunCreated {
                    run,
                    task,
                    scheduled_at: self.cron.due(task, coming),
                    occurrence: Some(coming),
                    ..RunCreated::default()
                };
                tx.emit_for(self.tenant, made);
            }
            (future, None) => {
                if let Some(run) = future {
                    self.cancel(tx, run);
                }
                tx.emit_for(self.tenant, ScheduleEnded { task });
            }
        }
    }
}

/// The live runs of instants that have come, those that wait for one of them left out.
pub(crate) fn earlier(state: &State, task: u32) -> impl Iterator<Item = u32> {
    let clock = clockwork(state, task);
    let apart = clock.map_or((0, 0), |clock| (clock.future, clock.queued));
    live(state, task, apart)
}

/// The live runs that a schedule made, all but two of them, by number.
fn live(state: &State, task: u32, apart: (u64, u64)) -> impl Iterator<Item = u32> {
    state.tasks[task].runs().filter(move |run| {
        let row = &state.runs[*run];
        let past = row.past.as_deref();
        let by_schedule =
            past.is_some_and(|past| past.origin == Origin::Policy && past.occurrence.is_some());
        by_schedule && !row.state.is_terminal() && row.number != apart.0 && row.number != apart.1
    })
}

/// A run ended: the one that waits for it may be ready now.
pub(crate) fn release_queued(tx: &mut Tx<'_>, task: u32, left: &mut usize) {
    let Some(clock) = clockwork(tx.state(), task).filter(|clock| clock.queued > 0) else {
        return;
    };
    let row = &tx.state().tasks[task];
    let queued = run_numbered(tx.state(), row, clock.queued);
    let Some(queued) = queued.filter(|_| earlier(tx.state(), task).next().is_none()) else {
        return;
    };
    let tenant = tx.state().tenant_of(row);
    let waiting = &tx.state().runs[queued];
    if waiting.state != RunState::Scheduled {
        return;
    }
    *left = left.saturating_sub(1);
    let (run, now) = (waiting.id, tx.now.wall);
    if waiting.scheduled_at > now {
        let at_once = RunRescheduled {
            run,
            scheduled_at: now,
            occurrence: None,
            cause: Cause::Schedule,
        };
        tx.emit_for(tenant, at_once);
    }
    tx.emit_for(tenant, RunReady { run });
}
