//! Consequences that cross rooms, listed once: rooms do not call rooms.
//! Owns: what follows from a task's cancel and from its end.
//! Never: decides within a room; it hands each consequence to the room it belongs to.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use super::hear;
use super::tx::Tx;
use crate::event::{DependencySatisfied, LedgerAppended, RunReady, RunResumed, TaskCanceled, Why};
use crate::outcome::{Outcome, TaskCancel};
use crate::rejection::Rejection;
use crate::run::{Called, Cause, State as RunState};
use crate::state::Note;
use crate::task::State;
use crate::time::Timestamp;
use crate::{Bytes, TaskId, Text, actor, budget, dependency, limits, run, schedule, task, webhook};

/// Draws the consequences of what the command's events changed, until there are none: each may bring further ones. What would be too much for
/// one command stays owed, and time draws it.
pub(super) fn follow(tx: &mut Tx<'_>) {
    if !tx.state().has_consequences() {
        return;
    }
    let mut notes = Vec::new();
    let mut left = limits::CASCADE_MAX;
    loop {
        strand(tx, &mut left);
        budget::resume_due(tx, &mut left);
        hear::catch_up(tx, &mut left);
        tx.take_notes(&mut notes);
        if notes.is_empty() {
            return;
        }
        let mut happened = hear::Happenings::new();
        for note in notes.drain(..) {
            match note {
                Note::RunMoved(run, to) => {
                    if to == RunState::Suspended {
                        wake(tx, tx.state().runs[run].task, &mut left);
                    }
                    if to.is_terminal() {
                        schedule::release_queued(tx, tx.state().runs[run].task, &mut left);
                    }
                    hear::moved(tx, run, to, &mut happened);
                }
                Note::Overtaken(run) => overtake(tx, run, &mut left),
                Note::TaskEnded(task) => {
                    after_end(tx, task, &mut left);
                    hear::ended(tx, task, &mut happened);
                }
                Note::BudgetUsed(tenant, task) => hear::used(tx, tenant, task, &mut left),
                Note::Published(tenant, key) => hear::published(tenant, key, &mut happened),
                Note::DeliveryGivenUp(tenant, id, event) => {
                    let entry = webhook::given_up_entry(tx.state(), tenant, id, event);
                    record_incident(tx, tenant, entry);
                }
                Note::EventsMissed(tenant, id, span) => {
                    let entry = webhook::missed_entry(tx.state(), tenant, id, span);
                    record_incident(tx, tenant, entry);
                }
            }
        }
        hear::tell(tx, happened, &mut left);
    }
}

/// What could not be told to somebody outside is on record inside.
fn record_incident(tx: &mut Tx<'_>, tenant: u32, payload: Bytes) {
    let appended = LedgerAppended {
        ledger_key: Text::from("incident"),
        payload,
        ..LedgerAppended::default()
    };
    tx.emit_for(tenant, appended);
}

/// Time passes: first a share of what is owed, then what is due.
pub(super) fn tick(tx: &mut Tx<'_>) -> Outcome {
    let mut left = limits::CASCADE_MAX;
    while left > 0
        && let Some(task) = tx.state().owed.first()
    {
        pay(tx, task, &mut left);
    }
    let mut silences = limits::TICK_ALARMS_MAX;
    let late = actor::silent(tx, &mut silences);
    strand(tx, &mut left);
    let ticked = run::tick(tx);
    match ticked {
        Outcome::Ticked { more } => Outcome::Ticked {
            more: more || late || !tx.state().owed.is_empty() || tx.state().actors.has_stranded(),
        },
        other => other,
    }
}

/// The leases of actors that are registered no more end, as far as `left` goes.
fn strand(tx: &mut Tx<'_>, left: &mut usize) {
    while *left > 0
        && let Some(run) = tx.state().actors.stranded()
    {
        tx.about(run);
        run::strand(tx, run);
        *left -= 1;
    }
}

/// A task has ended: its neighbours hear of it.
fn after_end(tx: &mut Tx<'_>, task: u32, left: &mut usize) {
    pay(tx, task, left);
    if let Some(parent) = dependency::parent(tx.state(), task) {
        wake(tx, parent, left);
    }
}

/// Works off what a task owes, as far as `left` goes.
fn pay(tx: &mut Tx<'_>, task: u32, left: &mut usize) {
    sweep(tx, task, left);
    wake(tx, task, left);
    tell(tx, task, left);
}

/// A canceled task's children are canceled, and theirs in turn.
fn sweep(tx: &mut Tx<'_>, task: u32, left: &mut usize) {
    while *left > 0 {
        let row = &tx.state().tasks[task];
        let child = row.bond().and_then(|bond| bond.children.first_key_value());
        let Some((_, child)) = child.filter(|_| row.canceled_at().is_some()) else {
            return;
        };
        let runs = call_off(tx, *child, Fall::Below(task));
        *left = left.saturating_sub(runs + 1);
    }
}

/// No child is live: the runs that wait for that go on.
fn wake(tx: &mut Tx<'_>, task: u32, left: &mut usize) {
    while *left > 0 {
        let row = &tx.state().tasks[task];
        let Some(bond) = row.bond().filter(|bond| bond.children.is_empty()) else {
            return;
        };
        let Some((_, sleeper)) = bond.sleepers.first_key_value() else {
            return;
        };
        let (run, tenant) = (&tx.state().runs[*sleeper], tx.state().tenant_of(row));
        let resumed = RunResumed {
            run: run.id,
            cause: Some(Box::new(Why {
                cause: Cause::ChildrenDone,
                task: None,
            })),
            ..RunResumed::default()
        };
        tx.emit_for(tenant, resumed);
        *left -= 1;
    }
}

/// A task's dependents hear how it ended: they wait for one less, or will never start.
fn tell(tx: &mut Tx<'_>, task: u32, left: &mut usize) {
    while *left > 0 {
        let row = &tx.state().tasks[task];
        let state = row.state();
        let dependent = row
            .bond()
            .and_then(|bond| bond.dependents.first_key_value());
        let Some((_, dependent)) = dependent.filter(|_| state.is_terminal()) else {
            return;
        };
        let (dependent, prerequisite) = (*dependent, row.id);
        if state == State::Completed {
            let tenant = tx.state().tenant_of(row);
            let satisfied = DependencySatisfied {
                task: tx.state().tasks[dependent].id,
                prerequisite,
            };
            tx.emit_for(tenant, satisfied);
            *left -= 1;
            start_due(tx, dependent, left);
        } else {
            let runs = call_off(tx, dependent, Fall::After(prerequisite, state));
            *left = left.saturating_sub(runs + 1);
        }
    }
}

/// A task that waits for nobody any more: its runs that are due are ready. Those beyond `left` have alarms and come with the next tick.
fn start_due(tx: &mut Tx<'_>, task: u32, left: &mut usize) {
    let row = &tx.state().tasks[task];
    if dependency::is_blocked(row) {
        return;
    }
    let (now, tenant) = (tx.now.wall, tx.state().tenant_of(row));
    let is_due = |run: &u32| {
        if schedule::waits(tx.state(), *run) {
            return false;
        }
        let run = &tx.state().runs[*run];
        run.state == RunState::Scheduled && run.scheduled_at <= now && !run.is_expired(row, now)
    };
    let due: Vec<u32> = row.runs().filter(is_due).take(*left).collect();
    for run in due {
        let run = tx.state().runs[run].id;
        tx.emit_for(tenant, RunReady { run });
        *left -= 1;
    }
}

/// Why the machine itself cancels a task.
#[derive(Clone, Copy)]
enum Fall {
    /// A task above it was canceled.
    Below(u32),
    /// A prerequisite ended so.
    After(TaskId, State),
}

/// Cancels a task and its runs because of another; gives how many runs there were.
fn call_off(tx: &mut Tx<'_>, task: u32, fall: Fall) -> usize {
    let row = &tx.state().tasks[task];
    let (tenant, id) = (tx.state().tenant_of(row), row.id);
    let (why, reason, since) = match fall {
        Fall::Below(above) => {
            let above = &tx.state().tasks[above];
            // Its grace runs from the first cancel above it, however late the sweep comes.
            let reason = format!("task {} above it was canceled", above.id);
            (
                Cause::ParentCancel,
                (above.id, reason),
                fenced_since(tx, task),
            )
        }
        Fall::After(prerequisite, state) => {
            let ended = match state {
                State::Canceled => "was canceled",
                _ => "failed",
            };
            let reason = format!("its prerequisite {prerequisite} {ended}");
            (Cause::Dependency, (prerequisite, reason), None)
        }
    };
    let (source, reason) = (reason.0, Text::from(reason.1.as_str()));
    let why = Why {
        cause: why,
        task: Some(source),
    };
    let runs: Vec<u32> = row.runs().collect();
    tx.emit_for(
        tenant,
        TaskCanceled {
            task: id,
            by: Text::default(),
            reason: Some(reason.clone()),
            source: Some(Box::new(why.clone())),
        },
    );
    let since = since.unwrap_or(tx.now.wall);
    for run in &runs {
        run::call_off_for(tx, *run, &why, &reason, since);
    }
    runs.len()
}

/// A run takes the place of the earlier ones of its schedule: they are canceled, all at once as those of a canceled task, and others have what
/// they leave of the command's share.
fn overtake(tx: &mut Tx<'_>, run: u32, left: &mut usize) {
    let earlier = schedule::earlier(tx.state(), tx.state().runs[run].task);
    let earlier: Vec<u32> = earlier.filter(|other| *other != run).collect();
    let why = Why {
        cause: Cause::Overlap,
        task: None,
    };
    let (reason, since) = (Text::from("overlap"), tx.now.wall);
    *left = left.saturating_sub(earlier.len());
    for other in earlier {
        run::call_off_for(tx, other, &why, &reason, since);
    }
}

/// Since when a task above this one has been canceled.
fn fenced_since(tx: &Tx<'_>, task: u32) -> Option<Timestamp> {
    let above = dependency::ancestors(tx.state(), task);
    above
        .filter_map(|above| tx.state().tasks[above].canceled_at())
        .min()
}

/// The canceled task above this one, if the sweep has not come to it yet: then it is canceled now, before anything else is decided about it.
/// True when that was so.
#[inline]
pub(crate) fn reach(tx: &mut Tx<'_>, task: u32) -> bool {
    let Some(above) = dependency::fence(tx.state(), task) else {
        return false;
    };
    call_off(tx, task, Fall::Below(above));
    true
}

/// A task whose prerequisite has failed or was canceled before it was named: the same happens as when it fails later.
pub(crate) fn doom(tx: &mut Tx<'_>, task: u32, prerequisite: (TaskId, State)) {
    call_off(tx, task, Fall::After(prerequisite.0, prerequisite.1));
}

/// A canceled task's runs are called off in the same frame; the tasks below it are fenced by then.
pub(super) fn cancel_task(
    tx: &mut Tx<'_>,
    id: TaskId,
    reason: Option<&Text>,
) -> Result<Outcome, Rejection> {
    let (handle, was) = match task::cancel(tx, id, reason)? {
        Ok(live) => live,
        Err(ended) => return Ok(Outcome::TaskCanceled(ended)),
    };
    let row = &tx.state().tasks[handle];
    let mut answer = TaskCancel {
        runs_total: row.runs_total,
        ..TaskCancel::default()
    };
    if was.is_terminal() {
        answer.already_canceled = was == State::Canceled;
        answer.already_terminal = !answer.already_canceled;
        answer.runs_cancel_requested = row.runs_live;
        answer.runs_already_terminal = row.runs_total - row.runs_live;
        return Ok(Outcome::TaskCanceled(answer));
    }
    answer.descendants_canceled = row.bond().map_or(0, |bond| bond.descendants_live);
    let runs: Vec<u32> = row.runs().collect();
    // Runs that have left memory had ended.
    answer.runs_already_terminal = row.runs_total.saturating_sub(runs.len() as u32);
    for run in runs {
        match run::call_off(tx, run, false, Cause::TaskCancel, reason) {
            Called::Off => answer.runs_canceled += 1,
            Called::Requested => answer.runs_cancel_requested += 1,
            Called::AlreadyOff | Called::AlreadyEnded => answer.runs_already_terminal += 1,
        }
    }
    Ok(Outcome::TaskCanceled(answer))
}
