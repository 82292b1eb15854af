//! Cuts: what changed goes to the store as images, and what is finished and stored leaves memory.
//! Owns: the taking of cuts and the leaving of rows.
//! Never: lets a row leave before a store has committed the cut that holds its end.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::model::{Machine, Now};
use crate::codec::Record;
use crate::image::{self, Cut, CutRow, KeyRow, MarkRow, ObjectClass, ObjectRow, PlaceRow, RowKind};
use crate::ledger::ApprovalRow;
use crate::state::{Scope, State};
use crate::task::Content;
use crate::time::Timestamp;
use crate::{RunId, TenantId};

/// What may leave memory once a cut is stored.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pending {
    through: u64,
    /// Ended runs; a task leaves with its last run.
    runs: Vec<u32>,
    /// Ended tasks that may outlive their runs, with their numbers: a handle may be another's by then.
    tasks: Vec<(u32, u64)>,
    /// Tasks whose payload the store then holds.
    heavy: Vec<u32>,
    keys: Vec<(Scope, Timestamp)>,
    /// Marks that the store then holds.
    marks: Vec<(u32, RunId)>,
}

impl Pending {
    /// Takes off at most `left` rows and counts them down. Keys go before runs: a key in memory whose task has left would not be looked
    /// up.
    fn take(&mut self, left: &mut usize) -> Pending {
        Pending {
            through: self.through,
            marks: take_off(&mut self.marks, left),
            keys: take_off(&mut self.keys, left),
            heavy: take_off(&mut self.heavy, left),
            runs: take_off(&mut self.runs, left),
            tasks: take_off(&mut self.tasks, left),
        }
    }

    /// This run's handle is going to be another's.
    pub(crate) fn forget_run(&mut self, run: u32) {
        self.runs.retain(|other| *other != run);
    }

    /// This task's handle is going to be another's.
    pub(crate) fn forget_task(&mut self, task: u32) {
        self.heavy.retain(|other| *other != task);
        self.tasks.retain(|(other, _)| *other != task);
    }

    fn is_empty(&self) -> bool {
        self.runs.is_empty()
            && self.tasks.is_empty()
            && self.heavy.is_empty()
            && self.keys.is_empty()
            && self.marks.is_empty()
    }
}

fn take_off<T>(rows: &mut Vec<T>, left: &mut usize) -> Vec<T> {
    let taken = rows.split_off(rows.len().saturating_sub(*left));
    *left -= taken.len();
    taken
}

impl Machine {
    /// Rows that changed since the last cut.
    #[must_use]
    pub fn dirty_rows(&self) -> usize {
        self.state.dirty.tasks.len() + self.state.dirty.runs.len() + self.state.dirty.marks.len()
    }

    /// Takes every row that changed since the last cut, as it stands now. To be called between batches.
    pub fn take_cut(&mut self) -> Cut {
        let state = &mut self.state;
        let mut pending = Pending {
            through: state.sequence,
            ..Pending::default()
        };
        let mut cut = Cut {
            through: state.sequence,
            wall: state.wall,
            meta: image::meta(state),
            ..Cut::default()
        };
        for place in state.places.take_dirty() {
            cut.places.push(place_row(state, place));
        }
        let tasks = core::mem::take(&mut state.dirty.tasks);
        let runs = core::mem::take(&mut state.dirty.runs);
        cut.rows.reserve(tasks.len() + runs.len());
        cut.images.reserve(tasks.len() * 96 + runs.len() * 128);
        for task in tasks {
            cut_task(state, task, &mut cut, &mut pending);
        }
        for run in runs {
            cut_run(state, run, &mut cut, &mut pending);
        }
        for (scope, held) in state.keys.take_dirty() {
            let mut image = Vec::new();
            held.put(&mut image);
            cut.keys.push(KeyRow {
                tenant: state.tenants[scope.0 as usize],
                class: scope.1,
                key: scope.2.clone(),
                until: held.until,
                task: held.task,
                image,
            });
            pending.keys.push((scope, held.until));
        }
        cut_objects(state, &mut cut);
        cut_marks(state, &mut cut, &mut pending);
        state.pending.push_back(pending);
        cut
    }

    /// A store has committed every cut up to `through`: what is finished in them leaves memory, and so do large payloads while those in
    /// memory come to more than `payload_budget` bytes. Works off about `limit` rows; true when there is more.
    pub fn stored(&mut self, through: u64, payload_budget: u64, limit: usize) -> bool {
        let mut left = limit;
        while let Some(pending) = self.state.pending.front_mut() {
            if pending.through > through {
                return false;
            }
            let piece = pending.take(&mut left);
            if pending.is_empty() {
                self.state.pending.pop_front();
            }
            leave(&mut self.state, &piece, payload_budget);
            if left == 0 {
                break;
            }
        }
        let next = self.state.pending.front();
        next.is_some_and(|pending| pending.through <= through)
    }

    /// Bytes of payloads in memory that a store could hold instead.
    #[must_use]
    pub fn payload_bytes(&self) -> u64 {
        self.state.payload_bytes
    }

    /// Rows in memory: tasks and runs.
    #[must_use]
    pub fn rows(&self) -> (usize, usize) {
        (self.state.tasks.len(), self.state.runs.len())
    }

    /// Recorded and steady time of the last event.
    #[must_use]
    pub fn moment(&self) -> Now {
        Now {
            wall: self.state.wall,
            steady: self.state.steady,
            id_seed: 0,
        }
    }

    /// The first places of a tenant.
    pub(super) fn places_of(&self, tenant: u32, limit: usize) -> Vec<PlaceRow> {
        let places = self.state.places.iter();
        let own = places.filter(|(_, place)| place.tenant == tenant);
        own.take(limit)
            .map(|(at, _)| place_row(&self.state, at))
            .collect()
    }

    /// Describes one place, if there is one of this number.
    #[must_use]
    pub fn place(&self, number: u32) -> Option<PlaceRow> {
        let known = (number as usize) < self.state.places.len();
        known.then(|| place_row(&self.state, number))
    }

    /// Every place with its counts.
    #[must_use]
    pub fn places(&self) -> Vec<PlaceRow> {
        let numbers = self.state.places.iter().map(|(at, _)| at);
        numbers.map(|at| place_row(&self.state, at)).collect()
    }

    pub(crate) fn from_state(state: State) -> Machine {
        Machine {
            state,
            volatile: crate::state::Volatile::default(),
        }
    }
}

fn place_row(state: &State, at: u32) -> PlaceRow {
    let place = &state.places[at];
    PlaceRow {
        place: at,
        tenant: state.tenants[place.tenant as usize],
        queue: state.names.text(place.queue).clone(),
        kind: state.names.text(place.kind).clone(),
        counts: place.counts,
        dead_letters: place.dead_letters,
    }
}

fn cut_task(state: &mut State, at: u32, cut: &mut Cut, pending: &mut Pending) {
    let through = state.sequence;
    let row = &mut state.tasks[at];
    let fresh = !row.stored;
    row.dirty = false;
    row.stored = true;
    let live = row.is_live();
    let number = row.number;
    let mut reopened = false;
    if let Some(rare) = row.rare.as_deref_mut() {
        rare.cut_through = through;
        reopened = core::mem::take(&mut rare.reopened);
        if !live && rare.ended_at.is_some() {
            pending.tasks.push((at, number));
        }
    }
    // The payload of one that goes on may have been removed with it.
    if (fresh || reopened) && row.is_heavy() {
        if let Some(bytes) = row.payload.bytes() {
            cut.payloads.push((row.number, bytes.clone()));
        }
        if live {
            pending.heavy.push(at);
        }
    }
    let (from, number) = (cut.images.len(), row.number);
    image::put_task(state, &state.tasks[at], &mut cut.images);
    cut.rows.push(CutRow {
        kind: RowKind::Task,
        number,
        fresh,
        live,
        range: from..cut.images.len(),
    });
}

/// Queues, tenants and actors that changed, and actors that are gone.
fn cut_objects(state: &mut State, cut: &mut Cut) {
    for (tenant, queue) in core::mem::take(&mut state.dirty.queues) {
        let Some(row) = state.queues.row(tenant, queue) else {
            continue;
        };
        let mut image = Vec::new();
        image::put_queue(row, &mut image);
        cut.objects.push(ObjectRow {
            class: ObjectClass::Queue,
            tenant: state.tenants[tenant as usize],
            key: state.names.text(queue).clone(),
            image,
        });
    }
    for tenant in core::mem::take(&mut state.dirty.tenants) {
        let mut image = Vec::new();
        image::put_tenant(&state.tenant_rows[tenant as usize], &mut image);
        cut.objects.push(ObjectRow {
            class: ObjectClass::Tenant,
            tenant: state.tenants[tenant as usize],
            key: crate::Text::default(),
            image,
        });
    }
    for (tenant, actor) in core::mem::take(&mut state.dirty.actors) {
        let mut image = Vec::new();
        if let Some(row) = state.actors.find(tenant, actor) {
            image::put_actor(row, &mut image);
        }
        cut.objects.push(ObjectRow {
            class: ObjectClass::Actor,
            tenant: state.tenants[tenant as usize],
            key: actor.to_string().as_str().into(),
            image,
        });
    }
    cut_access(state, cut);
    cut_operations(state, cut);
    cut_approvals(state, cut);
    image::cut_webhooks(state, cut);
    for at in state.statistics.take_dirty() {
        let series = state.statistics.get(at);
        let mut image = Vec::new();
        image::put_series(series, &mut image);
        cut.objects.push(ObjectRow {
            class: ObjectClass::Statistics,
            tenant: state.tenants[series.tenant as usize],
            key: image::series_key(state, series),
            image,
        });
    }
}

/// Operations that changed, and those that are forgotten: an empty image says so.
fn cut_operations(state: &mut State, cut: &mut Cut) {
    for (tenant, id) in state.operations.take_changed() {
        let mut image = Vec::new();
        if let Some(row) = state.operations.find(tenant, id) {
            row.put(&mut image);
        }
        cut.objects.push(ObjectRow {
            class: ObjectClass::Operation,
            tenant: state.tenants[tenant as usize],
            key: id.to_string().as_str().into(),
            image,
        });
    }
}

/// Entries of ledgers, and approvals that changed: an empty image says that one is decided.
fn cut_approvals(state: &mut State, cut: &mut Cut) {
    cut.ledger = state.approvals.take_entries();
    for ((tenant, id), is_open, approval) in state.approvals.take_changed() {
        let tenant = state.tenants[tenant as usize];
        cut.objects.push(ObjectRow {
            class: ObjectClass::Approval,
            tenant,
            key: id.to_string().as_str().into(),
            image: if is_open {
                approval.image()
            } else {
                Vec::new()
            },
        });
        cut.approvals.push(ApprovalRow {
            tenant,
            id,
            approval,
        });
    }
}

/// Keys, roles and grants that changed, and those that are gone: an empty image says so.
fn cut_access(state: &mut State, cut: &mut Cut) {
    let changed = core::mem::take(&mut state.access.changed);
    let (access, tenants) = (&state.access, &state.tenants);
    let mut push = |class, tenant: u32, key: &str, write: &dyn Fn(&mut Vec<u8>)| {
        let mut image = Vec::new();
        write(&mut image);
        let of = tenants.get(tenant as usize);
        cut.objects.push(ObjectRow {
            class,
            // What is of no tenant stands with the one that is always there.
            tenant: of.copied().unwrap_or(TenantId::DEFAULT),
            key: key.into(),
            image,
        });
    };
    for (scope, id) in changed.keys {
        push(ObjectClass::Key, scope, &id.to_string(), &|out| {
            let row = access.key(id);
            row.into_iter().for_each(|row| image::put_key(row, out));
        });
    }
    for (tenant, name) in changed.roles {
        push(ObjectClass::Role, tenant, &name, &|out| {
            let row = access.role(tenant, &name);
            row.into_iter().for_each(|row| image::put_role(row, out));
        });
    }
    for (tenant, actor) in changed.grants {
        push(ObjectClass::Grant, tenant, &actor.to_string(), &|out| {
            let row = access.grant(tenant, actor);
            row.into_iter().for_each(|row| image::put_grant(row, out));
        });
    }
}

fn cut_run(state: &mut State, at: u32, cut: &mut Cut, pending: &mut Pending) {
    let row = &mut state.runs[at];
    let fresh = !row.stored;
    row.dirty = false;
    row.stored = true;
    let (live, number) = (!row.state.is_terminal(), row.number);
    if !live {
        pending.runs.push(at);
    }
    let from = cut.images.len();
    image::put_run(state, &state.runs[at], &mut cut.images);
    cut.rows.push(CutRow {
        kind: RowKind::Run,
        number,
        fresh,
        live,
        range: from..cut.images.len(),
    });
}

/// What became of dead letters that had left memory.
fn cut_marks(state: &mut State, cut: &mut Cut, pending: &mut Pending) {
    for name in core::mem::take(&mut state.dirty.marks) {
        let Some(mark) = state.marks.get(&name) else {
            continue;
        };
        let mut tail = Vec::new();
        image::put_mark(mark.redriven_by, mark.cleared_at, &mut tail);
        cut.marks.push(MarkRow {
            number: mark.number,
            tail,
        });
        pending.marks.push(name);
    }
}

/// Takes out of memory what a committed cut holds.
fn leave(state: &mut State, pending: &Pending, payload_budget: u64) {
    for (scope, until) in &pending.keys {
        state.keys.leave(scope, *until);
    }
    for name in &pending.marks {
        state.marks.remove(name);
    }
    for task in &pending.heavy {
        if state.payload_bytes <= payload_budget {
            break;
        }
        shed(state, *task);
    }
    for run in &pending.runs {
        leave_with_task(state, *run, pending.through);
    }
    for (task, number) in &pending.tasks {
        let is_it = |row: &&crate::task::Row| row.number == *number;
        if let Some(row) = state.tasks.get(*task).filter(is_it) {
            // Its last run stayed when only the cut before this one held the end of the task.
            let runs: Vec<u32> = row.runs().collect();
            for run in runs {
                leave_with_task(state, run, pending.through);
            }
        }
        if state.tasks.get(*task).filter(is_it).is_some() {
            leave_alone(state, *task, pending.through);
        }
    }
}

/// A run that changed again since its cut stays. The last run of a task that has ended takes its task along: one without the other would
/// be seen as a task that was never run.
fn leave_with_task(state: &mut State, run: u32, through: u64) {
    let gone = |row: &crate::run::Row| row.state.is_terminal() && !row.dirty;
    let Some(ended) = state.runs.get(run).filter(|row| gone(row)) else {
        return;
    };
    let (task, code) = (ended.task, ended.state as usize);
    let row = &state.tasks[task];
    let is_last = row.runs().nth(1).is_none();
    if is_last && !row.is_live() && !is_stored(row, through) {
        return;
    }
    state.left[code] += 1;
    state.left_dead += u64::from(state.runs[run].is_dead_letter());
    state.remove_run(run);
    leave_alone(state, task, through);
}

/// A task that has ended, none of whose runs is in memory any more, leaves once the cut that holds its end is stored.
fn leave_alone(state: &mut State, task: u32, through: u64) {
    let row = &state.tasks[task];
    if row.is_live() || row.runs().next().is_some() || !is_stored(row, through) {
        return;
    }
    if row.is_heavy() && row.payload.bytes().is_some() {
        state.payload_bytes -= row.payload.len() as u64;
    }
    state.remove_task(task);
}

/// Whether the task's newest image was in a cut up to `through`. A task with nothing rare about it ends with its one run, in one cut.
fn is_stored(row: &crate::task::Row, through: u64) -> bool {
    let cut = row.rare.as_deref().map_or(0, |rare| rare.cut_through);
    !row.dirty && cut <= through
}

fn shed(state: &mut State, task: u32) {
    let is_there =
        |row: &crate::task::Row| row.is_heavy() && row.stored && row.payload.bytes().is_some();
    if state.tasks.get(task).is_some_and(is_there) {
        let row = &mut state.tasks[task];
        row.payload = Content::Stored(row.payload.len() as u32);
        state.payload_bytes -= row.payload.len() as u64;
    }
}
