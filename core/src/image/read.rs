//! From images back to rows: how a checkpoint becomes a machine, and how a finished row is brought back to be looked at.
//! Owns: the loading of rows and the indexes that follow from them.
//! Never: trusts an image: what does not fit is refused.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::cut::{KeyRow, ObjectClass, ObjectRow, PlaceRow};
use super::form::{ActorForm, MetaForm, QueueForm, RunForm, TaskForm, TenantForm};
use super::guard::{self, Ready, Tally};
use super::revive::revive;
use crate::codec::{Malformed, Record};
use crate::id::Minted;
use crate::machine::Machine;
use crate::query::Stats;
use crate::queue::{QueueConfig, QueueRow, RateLimit};
use crate::run::{Hold, Past, State as RunState};
use crate::state::{Armed, Held, State, Switch};
use crate::{
    Bytes, actor, budget, dependency, limits, platform, queue, run, schedule, statistics,
    subscription, task,
};

/// Rows that the indexes make room for on the word of a checkpoint's counters.
const ROWS_EXPECTED_MAX: usize = 1 << 25;

/// Fills a machine from a checkpoint: places first, then every task, then every run.
#[derive(Debug)]
pub struct Loader {
    state: State,
    /// Of facts: place numbers as images name them, and those of `state`.
    places: Vec<(u32, u32)>,
    /// Tasks by number, in ascending order.
    tasks: Vec<(u64, u32)>,
    /// Where the task of the run before was found.
    near: usize,
    ready: Ready,
    tally: Tally,
    /// Runs that hold something of a budget or wait for one.
    spending: Vec<u32>,
    /// Tasks that stand to others, or have a key of which there may be but one.
    bonded: Vec<u32>,
    /// Runs that are suspended until their task's children have ended.
    asleep: Vec<u32>,
    /// Runs that actors hold.
    employed: Vec<u32>,
    /// Tasks with a schedule.
    scheduled: Vec<u32>,
    /// Whether no store holds these rows: the next cut then holds them all.
    fresh: bool,
    /// Rows that were looked up: finished ones too, in any order, the same one several times.
    facts: bool,
}

impl Loader {
    /// Begins with a checkpoint's scalars, counters and places. `fresh` says that the rows come from elsewhere than the store that
    /// the machine will write to: its next cut then holds all of them.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn new(
        seed: u64,
        meta: &[u8],
        places: &[PlaceRow],
        fresh: bool,
    ) -> Result<Loader, Malformed> {
        let mut loader = Loader {
            fresh,
            facts: false,
            ..Loader::of_facts(seed)
        };
        if !meta.is_empty() {
            loader.load_meta(&MetaForm::read(meta)?)?;
        }
        for (at, place) in places.iter().enumerate() {
            if place.place as usize != at || loader.add_place(place) != place.place {
                return Err(Malformed("places that are not numbered from 0 on"));
            }
        }
        guard::check_places(&loader.state)?;
        let counted = loader.state.places.iter();
        loader.state.left_dead = counted.map(|(_, place)| place.dead_letters).sum();
        if !fresh {
            loader.state.places.take_dirty();
        }
        Ok(loader)
    }

    pub(crate) fn of_facts(seed: u64) -> Loader {
        Loader {
            state: State::new(seed),
            places: Vec::new(),
            tasks: Vec::new(),
            near: 0,
            ready: Ready::default(),
            tally: Tally::default(),
            spending: Vec::new(),
            bonded: Vec::new(),
            asleep: Vec::new(),
            employed: Vec::new(),
            scheduled: Vec::new(),
            fresh: false,
            facts: true,
        }
    }

    fn load_meta(&mut self, meta: &MetaForm) -> Result<(), Malformed> {
        guard::check_meta(meta)?;
        let wrong = Malformed("counters of a wrong length");
        let state = &mut self.state;
        state.sequence = meta.sequence;
        state.wall = meta.wall;
        state.steady = meta.steady;
        state.minted = Minted::of(meta.minted);
        state.incarnation = meta.incarnation;
        state.fence_counter = meta.fence_counter;
        state.ready_counter = meta.ready_counter;
        for tenant in &meta.tenants {
            state.admit(*tenant);
        }
        state.stats = Stats {
            tasks_total: meta.tasks_total,
            runs_total: meta.runs_total,
            attempts_total: meta.attempts_total,
            attempts_by_result: meta.attempts_by_result[..].try_into().map_err(|_| wrong)?,
            runs_by_state: meta.runs_by_state[..].try_into().map_err(|_| wrong)?,
            ..Stats::default()
        };
        let live = RunState::ALL.iter().filter(|state| !state.is_terminal());
        let live: u64 = live
            .map(|live| state.stats.runs_by_state[*live as usize])
            .fold(0, u64::saturating_add);
        state.expect(usize::try_from(live).unwrap_or(0).min(ROWS_EXPECTED_MAX));
        for ended in RunState::ALL.iter().filter(|state| state.is_terminal()) {
            state.left[*ended as usize] = state.stats.runs_by_state[*ended as usize];
        }
        state.switch = Switch {
            paused: meta.paused,
            since: meta.paused_since,
            by: meta.paused_by.clone(),
            reason: meta.paused_reason.clone(),
        };
        Ok(())
    }

    pub(crate) fn add_place(&mut self, place: &PlaceRow) -> u32 {
        let state = &mut self.state;
        let tenant = state.admit(place.tenant);
        let kind = state.names.intern(&place.kind);
        let queue = state.names.intern(&place.queue);
        let number = state.places.number(tenant, queue, kind);
        state
            .places
            .restore(number, place.counts, place.dead_letters);
        if self.facts {
            self.places.push((place.place, number));
        }
        number
    }

    fn place(&self, named: u32) -> Result<u32, Malformed> {
        let unknown = Malformed("a place that nobody described");
        if self.facts {
            let described = self.places.iter().find(|(from, _)| *from == named);
            return described.map(|(_, to)| *to).ok_or(unknown);
        }
        let known = (named as usize) < self.state.places.len();
        known.then_some(named).ok_or(unknown)
    }

    /// Adds a task.
    ///
    /// # Errors
    /// [`Malformed`]; also when the tasks do not come in the order of their numbers.
    pub fn task(&mut self, image: &[u8]) -> Result<(), Malformed> {
        let mut form = TaskForm::read(image)?;
        guard::check_task(&form)?;
        if !self.facts {
            budget::forget_reserved(&mut form.budgets);
        }
        let next = match self.find_task(form.number) {
            Ok(_) if self.facts => return Ok(()),
            Err(at) if self.facts || at == self.tasks.len() => at,
            _ => return Err(Malformed("tasks out of order")),
        };
        if !self.facts {
            guard::check_live_task(&form, &self.state)?;
        }
        let place = self.place(form.place)?;
        let number = form.number;
        let row = revive(&mut self.state, form, place, !self.fresh);
        let at = self.add_task(row)?;
        self.tasks.insert(next, (number, at));
        Ok(())
    }

    fn add_task(&mut self, row: task::Row) -> Result<u32, Malformed> {
        let extras = row.extras();
        let is_unique = extras.is_some_and(|extras| extras.unique_key.is_some());
        let is_bonded = is_unique || row.bond().is_some();
        let is_scheduled = row.clockwork().is_some();
        let state = &mut self.state;
        let held = match row.payload.bytes() {
            Some(bytes) if row.is_heavy() => bytes.len() as u64,
            _ => 0,
        };
        let at = state.add_task(row).map_err(|_| Malformed("a task twice"))?;
        state.payload_bytes += held;
        if self.fresh {
            state.touch_task(at);
        }
        if self.facts {
            return Ok(at);
        }
        if !subscription::link(state, at) {
            return Err(Malformed("a subscription twice"));
        }
        self.bonded.extend(is_bonded.then_some(at));
        self.scheduled.extend(is_scheduled.then_some(at));
        Ok(at)
    }

    fn find_task(&self, number: u64) -> Result<usize, usize> {
        match self.tasks.last() {
            Some((last, _)) if *last >= number => self
                .tasks
                .binary_search_by_key(&number, |(known, _)| *known),
            _ => Err(self.tasks.len()),
        }
    }

    /// Puts the payload of the task added last into memory. One of another length is not its payload and is left out.
    pub fn payload(&mut self, bytes: Bytes) {
        if let Some((_, at)) = self.tasks.last() {
            let row = &mut self.state.tasks[*at];
            if row.payload.bytes().is_none() && row.payload.len() == bytes.len() {
                self.state.payload_bytes += bytes.len() as u64;
                row.payload = task::Content::Here(bytes);
            }
        }
    }

    fn task_at(&mut self, number: u64) -> Result<u32, Malformed> {
        let next = self.near + 1;
        for near in [self.near, next] {
            if let Some((known, at)) = self.tasks.get(near)
                && *known == number
            {
                self.near = near;
                return Ok(*at);
            }
        }
        self.near = self
            .find_task(number)
            .map_err(|_| Malformed("a run whose task is not there"))?;
        Ok(self.tasks[self.near].1)
    }

    /// Adds a run. Its task was added before.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn run(&mut self, image: &[u8]) -> Result<(), Malformed> {
        let mut form = RunForm::read(image)?;
        let task = self.task_at(form.task)?;
        let tenant = self.state.tenant_of(&self.state.tasks[task]);
        guard::check_run(&form, self.place(form.place)?, &self.state.tasks[task])?;
        if !self.facts {
            guard::check_live_run(&form, &self.state)?;
        }
        let row = run::Row {
            id: form.id,
            task,
            tenant,
            state: form.state,
            born: form.born,
            holds_key: false,
            parked: false,
            failures: form.failures as u16,
            lost_leases: form.lost_leases as u16,
            attempt_count: form.attempt_count,
            dirty: false,
            stored: !self.fresh,
            created_at: form.created_at,
            number: form.number,
            scheduled_at: form.scheduled_at,
            ready_order: form.ready_order,
            armed: Armed::default(),
            active: form.active.take(),
            past: form.has_past.then(|| Box::new(past(&mut form))),
        };
        let actor = row.active.as_deref().and_then(|active| active.actor);
        let state = &mut self.state;
        let number = row.number;
        let at = match state.add_run(row) {
            Ok(at) => at,
            Err(known) if self.facts && state.runs[known].number == number => return Ok(()),
            Err(_) => return Err(Malformed("a run twice")),
        };
        if !self.facts {
            self.tally.count(state, task, form.state)?;
        }
        state.link_run(task, at, number);
        if !self.facts && actor.is_some() {
            self.employed.push(at);
        }
        if !self.facts && budget::is_spending(state, at) {
            self.spending.push(at);
        }
        let state = &mut self.state;
        if self.fresh {
            state.touch_run(at);
        }
        if form.holds_key {
            queue::take_slot(state, at);
        }
        let sleeps = form.has_past && form.hold == Hold::Children;
        if form.state == RunState::Suspended && sleeps {
            self.asleep.push(at);
        }
        if form.state == RunState::Ready {
            self.ready.put(form.ready_order, at)?;
        }
        state.rearm(at);
        Ok(())
    }

    /// Adds a tenant's, queue's or actor's row.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn object(&mut self, row: &ObjectRow) -> Result<(), Malformed> {
        let unknown = Malformed("an object of a tenant that is not there");
        let state = &mut self.state;
        let tenant = state.tenant(row.tenant).ok_or(unknown)?;
        match row.class {
            ObjectClass::Tenant => {
                let mut form = TenantForm::read(&row.image)?;
                guard::check_budgets(&form.budgets)?;
                if !self.facts {
                    budget::forget_reserved(&mut form.budgets);
                }
                state.tenant_rows[tenant as usize] = platform::Tenant {
                    name: form.name,
                    weight: form.weight.clamp(1, limits::WEIGHT_MAX),
                    budgets: form.budgets,
                };
                if self.fresh {
                    state.touch_tenant(tenant);
                }
            }
            // Statistics.
            ObjectClass::Statistics => super::statistics::load(state, tenant, row, self.fresh)?,
            // Access.
            ObjectClass::Key | ObjectClass::Role | ObjectClass::Grant => {
                super::access::load(state, tenant, row, self.fresh)?;
            }
            // Operations.
            ObjectClass::Operation => super::operation::load(state, tenant, row, self.fresh)?,
            // Ledgers.
            ObjectClass::Approval => super::approval::load(state, tenant, row, self.fresh)?,
            // Webhooks.
            ObjectClass::Webhook => super::webhook::load(state, tenant, row, self.fresh)?,
            ObjectClass::Delivery => {
                super::webhook::load_delivery(state, tenant, row, self.fresh)?;
            }
            ObjectClass::Queue => {
                let row_form = QueueForm::read(&row.image)?;
                let queue_row = queue_row(row_form);
                guard::check_queue(&row.key, &queue_row)?;
                let queue = state.names.intern(&row.key);
                queue::restore(state, tenant, queue, queue_row);
                if self.fresh {
                    state.touch_queue(tenant, queue);
                }
            }
            ObjectClass::Actor => {
                let id = row.key.parse();
                let id = id.map_err(|_| Malformed("an actor whose name is no id"))?;
                let form = ActorForm::read(&row.image)?;
                guard::check_actor(&form, state.sequence)?;
                if !actor::restore(state, form.row(tenant, id)) {
                    return Err(Malformed("an actor twice"));
                }
                if self.fresh {
                    state.touch_actor(tenant, id);
                }
            }
        }
        Ok(())
    }

    pub(crate) fn add_key(&mut self, row: &KeyRow, held: Held) {
        let state = &mut self.state;
        let tenant = state.admit(row.tenant);
        state
            .keys
            .restore((tenant, row.class, row.key.clone()), held);
    }

    pub(crate) fn into_state(mut self) -> State {
        for task in &self.scheduled {
            schedule::link(&mut self.state, *task);
        }
        if !self.facts {
            dependency::link_loaded(&mut self.state, &self.bonded, &self.asleep);
        }
        let uncounted = statistics::uncounted(&self.state).unwrap_or_default();
        self.state.statistics.set_uncounted(uncounted);
        for (_, run) in self.ready.into_sorted() {
            queue::enter(&mut self.state, run);
        }
        queue::recount(&mut self.state);
        self.state.queues.forget_woken();
        for run in self.employed {
            let active = self.state.runs[run].active.as_deref();
            if let Some(number) = active.and_then(|active| active.actor) {
                self.state.actors.take(number, run);
            }
        }
        for run in self.spending {
            budget::link(&mut self.state, run);
        }
        self.state
    }

    /// The machine, once every row is there.
    #[must_use]
    pub fn finish(self) -> Machine {
        Machine::from_state(self.into_state())
    }
}

fn queue_row(form: QueueForm) -> QueueRow {
    let rate = form.rate_per_ms.zip(form.rate_max);
    let rate = rate.map(|(per_ms, max)| RateLimit { per_ms, max });
    QueueRow {
        config: QueueConfig {
            concurrency_limit: form.concurrency_limit,
            rate_limit: rate,
            weight: form.weight,
        },
        switch: Switch {
            paused: form.paused,
            since: form.paused_since,
            by: form.paused_by,
            reason: form.paused_reason,
        },
        held: 0,
        arrival_us: form.arrival_us,
    }
}

fn past(form: &mut RunForm) -> Past {
    let mut past = Past {
        changes: core::mem::take(&mut form.changes).into(),
        attempts: core::mem::take(&mut form.attempts).into(),
        output: form.output.take(),
        resume_payload: form.resume_payload.take(),
        reason: form.reason.take(),
        retry_due: form.retry_due,
        retry_at: form.retry_at,
        hold: form.hold,
        origin: form.origin,
        occurrence: form.occurrence,
        retry_of: form.retry_of,
        redriven_by: form.redriven_by,
        cleared_at: form.cleared_at,
        ..Past::default()
    };
    if form.output_of_last {
        past.output = past.attempts.back().and_then(|last| last.output.clone());
    }
    for memo in form.checkpoints.drain(..) {
        past.checkpoint_bytes += memo.name.len() + memo.value.len();
        past.checkpoints.insert(memo.name, memo.value);
    }
    past
}
