//! Submit: tasks and their runs, accepted together or not at all.
//! Owns: the submit's checks, the repeat by idempotency key.
//! Never: leaves a task without its runs: their events are in one frame.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::mem;

use super::batch::{Batch, check_bounds, check_names, plan_all};
use super::check::check;
use super::model::TaskSpec;
use crate::codec::Record;
use crate::command::Command;
use crate::dependency::{self, Fate, Kin, Ties};
use crate::event::{RunCreated, SubmitRecorded, TaskCreated};
use crate::image::KeyClass;
use crate::machine::{Tx, doom, reach};
use crate::outcome::{Outcome, Submitted, SubmittedRun};
use crate::rejection::Rejection;
use crate::run;
use crate::schedule::{self, Repeat, Schedule};
use crate::time::Timestamp;
use crate::{TaskId, Text, limits};

/// What a submit comes to, checked and not yet done.
pub(crate) enum Plan {
    /// The task is there. The key by which it was not found is held from now on.
    Found(Submitted, Option<Held>),
    /// It is what the task of the same command at this place comes to.
    Again(usize, Option<Held>),
    /// It is to be made.
    New(New),
}

/// An idempotency key that found a task by its unique key.
pub(crate) struct Held {
    key: Text,
    asked: Asked,
}

/// A task that may be made.
pub(crate) struct New {
    id: Option<TaskId>,
    course: Course,
    /// The holder of its unique key, that is canceled but for the sweep which has not come to it.
    fenced: Option<u32>,
}

/// Decides a submit. Everything is checked while the command still holds it, so that one that is refused may be tried again; an accepted one
/// is left as a submit of nothing.
pub(crate) fn decide(tx: &mut Tx<'_>, command: &mut Command) -> Result<Outcome, Rejection> {
    if let Command::SubmitAll(tasks) = command {
        check_bounds(tasks)?;
        let plans = plan_all(tx, "tasks", tasks, Kin::default())?;
        let made = make_all(tx, plans, mem::take(tasks));
        return Ok(Outcome::SubmittedAll(made));
    }
    let (id, spec) = match command {
        Command::Submit(spec) => (None, spec),
        Command::SubmitAs(id, spec) => (Some(*id), spec),
        _ => return Ok(Outcome::SubmittedAll(Vec::new())),
    };
    let plan = plan(tx, id, spec, None)?;
    let spec = match mem::replace(command, Command::SubmitAll(Vec::new())) {
        Command::Submit(spec) | Command::SubmitAs(_, spec) => spec,
        _ => Box::default(),
    };
    Ok(Outcome::Submitted(make(tx, plan, spec, &[])))
}

/// Checks a submit, alone or behind others of one command. A repeat by idempotency key comes first, whatever has become of the attempt that
/// asked; then the token of that attempt; then the holder of the unique key, whatever id the new task was to have; then everything else.
pub(super) fn plan(
    tx: &Tx<'_>,
    id: Option<TaskId>,
    spec: &mut TaskSpec,
    mut batch: Option<&mut Batch>,
) -> Result<Plan, Rejection> {
    check(spec, limits::PAYLOAD_BYTES_MAX)?;
    if let Some(policy) = &mut spec.policy {
        policy.required_capabilities.sort_unstable();
        policy.required_capabilities.dedup();
    }
    if id == Some(TaskId(0)) {
        return Err(Rejection::InvalidTask {
            field: "id",
            message: "must not be the nil UUID".into(),
        });
    }
    let is_bound = spec.bonds.is_some() || batch.is_some();
    if is_bound {
        dependency::adopt(tx, spec, batch.as_deref().map(|batch| &batch.kin))?;
    }
    if let Some(plan) = repeated(tx, id, spec, batch.as_deref_mut())? {
        return Ok(plan);
    }
    if is_bound {
        dependency::check_token(tx, spec)?;
    }
    let holder = dependency::holder(tx, spec);
    let fenced = holder.filter(|task| dependency::standing(tx.state(), *task).is_terminal());
    let live = holder.filter(|_| fenced.is_none());
    if let Some(plan) = held(tx, id, spec, live, batch.as_deref_mut())? {
        return Ok(plan);
    }
    let comes = |id| batch.as_ref().is_some_and(|batch| batch.kin.has(id));
    if let Some(task) = id.filter(|id| comes(*id) || tx.knows_task(*id)) {
        return Err(Rejection::TaskAlreadyExists { task });
    }
    let ties = match (&mut batch, is_bound) {
        (Some(batch), _) => dependency::check(tx, id, spec, &mut batch.kin)?,
        (None, true) => dependency::check(tx, id, spec, &mut Kin::default())?,
        (None, false) => Ties::default(),
    };
    check_names(tx, spec, batch.as_deref_mut())?;
    let course = course(tx, spec)?;
    if let Some(batch) = batch {
        batch.add(id, spec, ties, || asked(spec, id, id))?;
    }
    Ok(Plan::New(New { id, course, fenced }))
}

fn idempotency_key(spec: &TaskSpec) -> Option<&Text> {
    spec.extras.as_deref()?.idempotency_key.as_ref()
}

/// What a submit comes to whose idempotency key was used before.
fn repeated(
    tx: &Tx<'_>,
    id: Option<TaskId>,
    spec: &TaskSpec,
    mut batch: Option<&mut Batch>,
) -> Result<Option<Plan>, Rejection> {
    let Some(key) = idempotency_key(spec) else {
        return Ok(None);
    };
    if let Some(batch) = &mut batch
        && let Some(first) = batch.repeat(key, |task| asked(spec, id, task))?
    {
        batch.found(spec, first, None)?;
        return Ok(Some(Plan::Again(first.at, None)));
    }
    let Some(found) = repeat(tx, id, spec, key)? else {
        return Ok(None);
    };
    if let Some(batch) = batch {
        let here = batch.here(Some(found.task), found.runs_total as usize);
        batch.found(spec, here, None)?;
    }
    Ok(Some(Plan::Found(found, None)))
}

/// What a submit comes to whose unique key a task has that goes on: one of the same command, or `live`. Its own idempotency key stands for
/// that task from now on, so that a repeat has the same answer when the task has ended.
fn held(
    tx: &Tx<'_>,
    id: Option<TaskId>,
    spec: &TaskSpec,
    live: Option<u32>,
    mut batch: Option<&mut Batch>,
) -> Result<Option<Plan>, Rejection> {
    let hold = |task: Option<TaskId>| {
        let key = idempotency_key(spec)?.clone();
        let asked = asked(spec, id, task);
        Some(Held { key, asked })
    };
    if let Some(batch) = &mut batch
        && let Some(first) = batch.holder(spec)
    {
        let held = hold(first.id);
        batch.found(spec, first, held.as_ref().map(|held| held.asked))?;
        return Ok(Some(Plan::Again(first.at, held)));
    }
    let Some(live) = live else {
        return Ok(None);
    };
    let told = found(tx, tx.state().tasks[live].id)?;
    let held = hold(Some(told.task));
    if let Some(batch) = batch {
        let here = batch.here(Some(told.task), told.runs_total as usize);
        batch.found(spec, here, held.as_ref().map(|held| held.asked))?;
    }
    Ok(Some(Plan::Found(told, held)))
}

/// Makes what was planned, in order.
pub(crate) fn make_all(
    tx: &mut Tx<'_>,
    plans: Vec<Plan>,
    tasks: Vec<(Option<TaskId>, TaskSpec)>,
) -> Vec<Submitted> {
    let mut made = Vec::with_capacity(plans.len());
    for (plan, (_, spec)) in plans.into_iter().zip(tasks) {
        let told = make(tx, plan, Box::new(spec), &made);
        made.push(told);
    }
    made
}

/// Makes what was planned; `made` is what the command's tasks before it came to.
fn make(tx: &mut Tx<'_>, plan: Plan, mut spec: Box<TaskSpec>, made: &[Submitted]) -> Submitted {
    let (found, held) = match plan {
        Plan::New(new) => {
            // The token was checked, and is nobody else's business.
            if let Some(bonds) = spec.bonds.as_deref_mut() {
                bonds.parent_run = None;
            }
            return make_new(tx, new, spec);
        }
        Plan::Found(found, held) => (found, held),
        Plan::Again(at, held) => {
            let created = false;
            (
                Submitted {
                    created,
                    ..made[at].clone()
                },
                held,
            )
        }
    };
    if let Some(Held { key, asked }) = held {
        tx.emit(SubmitRecorded {
            key,
            task: found.task,
            digest: asked.0,
        });
    }
    found
}

fn make_new(tx: &mut Tx<'_>, new: New, spec: Box<TaskSpec>) -> Submitted {
    let New { id, course, fenced } = new;
    if let Some(holder) = fenced {
        reach(tx, holder);
    }
    let bonds = spec.bonds.as_deref();
    let Fate { waits, doomed } = bonds.map_or_else(Fate::default, |bonds| {
        dependency::fate(tx, &bonds.depends_on)
    });
    let task = id.unwrap_or_else(|| tx.mint_task());
    let by = tx.principal.name.clone();
    tx.emit(TaskCreated { task, spec, by });
    let first = course.due(task);
    let mut run = create_run(tx, task, first, course.occurrence, waits);
    let mut more = Vec::new();
    if let Some(repeat) = course.repeat() {
        let rest = (1..repeat.count).filter_map(|k| repeat.instant(course.first, k));
        for at in rest {
            let run = create_run(tx, task, at, None, waits);
            if more.len() + 1 < limits::RUNS_SHOWN_MAX {
                more.push(run);
            }
        }
    }
    if let Some(prerequisite) = doomed
        && let Some(made) = tx.state().find_task(tx.tenant, task)
    {
        doom(tx, made, prerequisite);
        let runs = core::iter::once(&mut run).chain(&mut more);
        runs.for_each(|run| run.state = run::State::Canceled);
    }
    Submitted {
        task,
        run,
        more,
        runs_total: course.repeat().map_or(1, |repeat| repeat.count),
        created: true,
    }
}

/// When the runs of a new task are due.
struct Course {
    first: Timestamp,
    occurrence: Option<Timestamp>,
    schedule: Option<Box<Schedule>>,
}

impl Course {
    /// When the first run is due: those of a calendar may be spread.
    fn due(&self, task: TaskId) -> Timestamp {
        match self.schedule.as_deref() {
            Some(Schedule::Cron(cron)) => cron.due(task, self.first),
            Some(Schedule::Repeat(_)) | None => self.first,
        }
    }

    /// The runs that are made at once.
    fn repeat(&self) -> Option<&Repeat> {
        match self.schedule.as_deref()? {
            Schedule::Repeat(repeat) => Some(repeat),
            Schedule::Cron(_) => None,
        }
    }
}

fn course(tx: &Tx<'_>, spec: &TaskSpec) -> Result<Course, Rejection> {
    let now = tx.now.wall;
    let mut course = Course {
        first: spec.run_at.unwrap_or(now),
        occurrence: None,
        schedule: spec.schedule.clone(),
    };
    match spec.schedule.as_deref() {
        None => {}
        Some(Schedule::Repeat(repeat)) => {
            course.first = repeat.start_at.unwrap_or(now);
            repeat.check_instants(course.first)?;
        }
        Some(Schedule::Cron(cron)) => {
            let extras = spec.extras.as_deref();
            let expires_at = extras.and_then(|extras| extras.expires_at);
            course.first = schedule::first_of(tx, cron, expires_at)?;
            course.occurrence = Some(course.first);
        }
    }
    Ok(course)
}

fn create_run(
    tx: &mut Tx<'_>,
    task: TaskId,
    scheduled_at: Timestamp,
    occurrence: Option<Timestamp>,
    waits: bool,
) -> SubmittedRun {
    let run = tx.mint_run();
    let ready = scheduled_at <= tx.now.wall && !waits;
    tx.emit(RunCreated {
        run,
        task,
        scheduled_at,
        ready,
        occurrence,
        ..RunCreated::default()
    });
    let state = if ready {
        run::State::Ready
    } else {
        run::State::Scheduled
    };
    SubmittedRun {
        run,
        state,
        scheduled_at,
    }
}

/// What a request under an idempotency key asks for, as a digest. A client that chose the id must choose it again; a minted one is not part of
/// the request, and neither is one under which the request was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked(u128);

/// What was asked for with this id, when `task` is what the request came to.
fn asked(spec: &TaskSpec, id: Option<TaskId>, task: Option<TaskId>) -> Asked {
    let digest = request_digest(spec);
    let Some(other) = id.filter(|id| task != Some(*id)) else {
        return Asked(digest);
    };
    let both = [digest.to_be_bytes(), other.0.to_be_bytes()].concat();
    Asked(short_digest(&both))
}

/// The task that this key stands for, if the request is the same.
fn repeat(
    tx: &Tx<'_>,
    id: Option<TaskId>,
    spec: &TaskSpec,
    key: &Text,
) -> Result<Option<Submitted>, Rejection> {
    let Some(held) = tx.find_key(KeyClass::Submit, key) else {
        return Ok(None);
    };
    let Some((state, task)) = held.task.and_then(|task| tx.find_task(task)) else {
        return Ok(None);
    };
    let task = &state.tasks[task];
    if Asked(held.digest) != asked(spec, id, Some(task.id)) {
        return Err(Rejection::IdempotencyConflict { key: key.clone() });
    }
    found(tx, task.id).map(Some)
}

/// What a submit answers about a task that is there. Its runs may have left memory before it: then the store's word counts. Where the store
/// that alone held them is lost, all that can be said is that the task exists; it must not be made again.
fn found(tx: &Tx<'_>, id: TaskId) -> Result<Submitted, Rejection> {
    shown(tx, id).ok_or(Rejection::TaskAlreadyExists { task: id })
}

fn shown(tx: &Tx<'_>, id: TaskId) -> Option<Submitted> {
    let (state, task) = tx.find_task(id)?;
    let runs_total = state.tasks[task].runs_total;
    let mut runs = BTreeMap::new();
    for (state, task) in tx.past_task(id).into_iter().chain([(state, task)]) {
        for run in state.tasks[task].runs().take(limits::RUNS_SHOWN_MAX) {
            let row = &state.runs[run];
            runs.insert(row.number, row.submitted());
        }
    }
    let mut runs = runs.into_values().take(limits::RUNS_SHOWN_MAX);
    Some(Submitted {
        task: id,
        run: runs.next()?,
        more: runs.collect(),
        runs_total,
        created: false,
    })
}

/// What makes two requests the same: every field after defaults, the payload by its bytes, without id, key and traceparent.
pub(crate) fn request_digest(spec: &TaskSpec) -> u128 {
    let mut plain = spec.clone();
    if let Some(extras) = plain.extras.as_mut() {
        extras.idempotency_key = None;
        extras.traceparent = None;
        if **extras == super::Extras::default() {
            plain.extras = None;
        }
    }
    if plain.bonds.as_deref() == Some(&super::Bonds::default()) {
        plain.bonds = None;
    }
    if plain.policy.as_deref() == Some(&super::Policy::default()) {
        plain.policy = None;
    }
    let mut text = Vec::new();
    plain.put(&mut text);
    short_digest(&text)
}

/// The first 128 bits of the BLAKE3 hash.
pub(crate) fn short_digest(text: &[u8]) -> u128 {
    let hash = blake3::hash(text);
    let mut short = [0; 16];
    short.copy_from_slice(&hash.as_bytes()[..16]);
    u128::from_be_bytes(short)
}
