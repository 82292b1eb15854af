//! Submit: a task and its runs, accepted together or not at all.
//! Owns: the submit's checks, the repeat by idempotency key.
//! Never: leaves a task without its runs: their events are in one frame.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::check::check;
use super::model::TaskSpec;
use crate::codec::Record;
use crate::dependency::{self, Batch, Fate};
use crate::event::{RunCreated, TaskCreated};
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
    /// The task is there.
    Found(Submitted),
    /// It is to be made.
    New(New),
}

/// A task that may be made.
pub(crate) struct New {
    id: Option<TaskId>,
    spec: Box<TaskSpec>,
    course: Course,
    /// The holder of its unique key, that is canceled but for the sweep which has not come to it.
    fenced: Option<u32>,
}

/// Decides a submit.
pub(crate) fn decide(
    tx: &mut Tx<'_>,
    id: Option<TaskId>,
    spec: Box<TaskSpec>,
) -> Result<Outcome, Rejection> {
    let plan = plan(tx, id, spec, None)?;
    Ok(Outcome::Submitted(make(tx, plan)))
}

/// Checks a submit, alone or behind others of one command. A repeat by idempotency key comes first, whatever has become of the attempt that
/// asked; then the token of that attempt; then the holder of the unique key, whatever id the new task was to have; then everything else.
pub(crate) fn plan(
    tx: &Tx<'_>,
    id: Option<TaskId>,
    mut spec: Box<TaskSpec>,
    mut batch: Option<&mut Batch>,
) -> Result<Plan, Rejection> {
    check(&spec, limits::PAYLOAD_BYTES_MAX)?;
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
        dependency::adopt(tx, &mut spec, batch.as_deref())?;
    }
    let key = spec
        .extras
        .as_ref()
        .and_then(|extras| extras.idempotency_key.clone());
    if let Some(key) = key
        && let Some(found) = repeat(tx, id, &spec, &key)?
    {
        return Ok(Plan::Found(found));
    }
    if is_bound {
        dependency::check_token(tx, &mut spec)?;
    }
    let holder = dependency::holder(tx, &spec);
    let fenced = holder.filter(|task| dependency::standing(tx.state(), *task).is_terminal());
    if let (Some(holder), None) = (holder, fenced) {
        return found(tx, tx.state().tasks[holder].id).map(Plan::Found);
    }
    let comes = |id| batch.as_ref().is_some_and(|batch| batch.has(id));
    if let Some(task) = id.filter(|id| comes(*id) || tx.knows_task(*id)) {
        return Err(Rejection::TaskAlreadyExists { task });
    }
    if is_bound {
        dependency::check(tx, id, &spec, batch.as_deref())?;
    }
    check_names(tx, &spec)?;
    let course = course(tx, &spec)?;
    if let Some(batch) = &mut batch {
        batch.add(id, &spec)?;
    }
    Ok(Plan::New(New {
        id,
        spec,
        course,
        fenced,
    }))
}

/// Makes what was planned.
pub(crate) fn make(tx: &mut Tx<'_>, plan: Plan) -> Submitted {
    let New {
        id,
        spec,
        course,
        fenced,
    } = match plan {
        Plan::Found(found) => return found,
        Plan::New(new) => new,
    };
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

/// The task that this key made before, if the request is the same.
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
    // A client that chose the id must choose it again; a minted one is not part of the request.
    if held.digest != request_digest(spec) || id.is_some_and(|id| id != task.id) {
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

/// Sets of required capabilities are kept for good too.
fn check_set(tx: &Tx<'_>, spec: &TaskSpec) -> Result<(), Rejection> {
    let Some(policy) = &spec.policy else {
        return Ok(());
    };
    let sets = &tx.state().queues.sets;
    let (count, known) = sets.count(tx.tenant, &policy.required_capabilities);
    if !known && count >= limits::CAPABILITY_SETS_MAX {
        return Err(Rejection::LimitExceeded {
            limit: "capability_sets",
            value: limits::CAPABILITY_SETS_MAX as u64,
        });
    }
    Ok(())
}

/// Kinds and queues are kept for good, so their number is limited.
fn check_names(tx: &Tx<'_>, spec: &TaskSpec) -> Result<(), Rejection> {
    check_set(tx, spec)?;
    let names = &tx.state().names;
    // The empty name is always in the table and nobody's.
    if names.len() - 1 + 2 <= limits::NAMES_PER_TENANT_MAX {
        return Ok(());
    }
    let queue_is_new = names.find(&spec.queue).is_none() && spec.queue != spec.kind;
    let unknown = usize::from(names.find(&spec.kind).is_none()) + usize::from(queue_is_new);
    if unknown > 0 && names.len() - 1 + unknown > limits::NAMES_PER_TENANT_MAX {
        return Err(Rejection::LimitExceeded {
            limit: "kinds_and_queues",
            value: limits::NAMES_PER_TENANT_MAX as u64,
        });
    }
    Ok(())
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
