//! The tables and indexes that make up the machine's state.
//! Owns: `State`, look-ups by (tenant, id), counters.
//! Never: decides; only the rooms' `apply` change rows.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::alarm::Alarms;
use super::keys::Keys;
use super::places::Places;
use crate::budget::Waits;
use crate::deadletter::Mark;
use crate::dependency::Owed;
use crate::id::Minted;
use crate::intern::{Names, Symbol};
use crate::machine::Pending;
use crate::query::Stats;
use crate::queue::Index;
use crate::slab::Slab;
use crate::statistics::Statistics;
use crate::subscription::Watches;
use crate::time::{Steady, Timestamp};
use crate::{
    ActorId, RunId, TaskId, TenantId, Text, WebhookId, actor, ledger, operation, platform, run,
    schedule, task, webhook,
};

/// When and where an event happens: what `apply` may know besides the state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At {
    pub(crate) wall: Timestamp,
    pub(crate) steady: Steady,
    /// The tenant's handle.
    pub(crate) tenant: u32,
    /// The event's number.
    pub(crate) sequence: u64,
}

/// Whether work is granted, and who said so.
#[derive(Clone, Debug, Default)]
pub(crate) struct Switch {
    pub(crate) paused: bool,
    pub(crate) since: Timestamp,
    pub(crate) by: Text,
    pub(crate) reason: Option<Text>,
}

/// Rows changed since the last cut, each once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dirty {
    pub(crate) tasks: Vec<u32>,
    pub(crate) runs: Vec<u32>,
    /// Queues with a row, and tenants: few, and each often.
    pub(crate) queues: BTreeSet<(u32, Symbol)>,
    pub(crate) tenants: BTreeSet<u32>,
    pub(crate) actors: BTreeSet<(u32, ActorId)>,
    /// Marks that no cut holds yet.
    pub(crate) marks: Vec<(u32, RunId)>,
}

/// What `apply` saw and `machine/react.rs` follows up in the same command: what an event means to other rooms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Note {
    /// A run came to a state.
    RunMoved(u32, run::State),
    /// A task has ended.
    TaskEnded(u32),
    /// A run takes the place of the earlier runs of its schedule.
    Overtaken(u32),
    /// A budget's use rose: a task's, or the tenant's.
    BudgetUsed(u32, Option<u32>),
    /// Somebody of the tenant published an event of this key.
    Published(u32, Text),
    /// Nobody tries any more to send this event to this webhook of the tenant.
    DeliveryGivenUp(u32, WebhookId, u64),
    /// Events from one to another were not sent to this webhook of the tenant.
    EventsMissed(u32, WebhookId, (u64, u64)),
}

/// Names of people and programs that are kept once for all their tasks.
const PEOPLE_KEPT: usize = 4096;

/// All live durable state. Two machines that applied the same events have equal digests.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) sequence: u64,
    pub(crate) wall: Timestamp,
    pub(crate) steady: Steady,
    pub(crate) minted: Minted,
    pub(crate) incarnation: u64,
    pub(crate) fence_counter: u64,
    pub(crate) ready_counter: u64,
    pub(crate) names: Names,
    /// Who accepted tasks, each once, as long as they are not too many.
    people: Names,
    pub(crate) tenants: Vec<TenantId>,
    /// Their handles; the default one's is always 0.
    tenant_index: BTreeMap<TenantId, u32>,
    /// What is known of each tenant besides its id, by handle.
    pub(crate) tenant_rows: Vec<platform::Tenant>,
    pub(crate) places: Places,
    pub(crate) tasks: Slab<task::Row>,
    pub(crate) runs: Slab<run::Row>,
    task_index: HashTable<u32>,
    run_index: HashTable<u32>,
    pub(crate) queues: Index,
    pub(crate) alarms: Alarms,
    /// Schedules that need attention besides those whose alarm rings.
    pub(crate) schedules: schedule::Index,
    pub(crate) keys: Keys,
    /// Runs that are suspended until a budget has room.
    pub(crate) budget_waits: Waits,
    /// Who waits to hear of what.
    pub(crate) watches: Watches,
    /// Tasks that have not ended and have a key of which there may be but one such, by (tenant, key).
    pub(crate) unique: BTreeMap<(u32, Text), u32>,
    /// Who works, and what each of them holds.
    pub(crate) actors: actor::Index,
    /// Which tasks' neighbours have yet to hear what became of them.
    pub(crate) owed: Owed,
    /// Who may do what.
    pub(crate) access: platform::Access,
    /// What is done, or was, to many runs a piece at a time.
    pub(crate) operations: operation::Operations,
    /// Plans that wait for approval, and entries on their way to the store.
    pub(crate) approvals: ledger::Approvals,
    /// Who outside is told of events, and what is on its way to them.
    pub(crate) webhooks: webhook::Webhooks,
    pub(crate) stats: Stats,
    pub(crate) statistics: Statistics,
    pub(crate) switch: Switch,
    /// The run that the command at hand is about: looked at before the index is. Never decides anything.
    pub(crate) about: u32,
    /// Leases that `apply` closed since the machine last looked: their renewals are forgotten.
    pub(crate) closed: Vec<u32>,
    /// What the command at hand has still to follow up. A log is replayed without: the consequences are events of their own.
    pub(crate) notes: Vec<Note>,
    pub(crate) dirty: Dirty,
    /// Cuts taken and not yet known to be stored.
    pub(crate) pending: alloc::collections::VecDeque<Pending>,
    /// Finished runs that have left memory, by state code.
    pub(crate) left: [u64; 9],
    /// Dead letters that have left memory.
    pub(crate) left_dead: u64,
    /// What became of dead letters that have left memory, until a store has it.
    pub(crate) marks: BTreeMap<(u32, RunId), Mark>,
    /// Bytes of payloads in memory that a store could hold.
    pub(crate) payload_bytes: u64,
    pub(crate) hasher: FixedState,
}

impl State {
    pub(crate) fn new(seed: u64) -> State {
        State {
            sequence: 0,
            wall: Timestamp(0),
            steady: Steady(0),
            minted: Minted::default(),
            incarnation: 0,
            fence_counter: 0,
            ready_counter: 0,
            names: Names::new(seed),
            people: Names::new(seed),
            tenants: alloc::vec![TenantId::DEFAULT],
            tenant_index: BTreeMap::new(),
            tenant_rows: alloc::vec![platform::Tenant::first()],
            places: Places::new(seed),
            tasks: Slab::default(),
            runs: Slab::default(),
            task_index: HashTable::new(),
            run_index: HashTable::new(),
            queues: Index::default(),
            alarms: Alarms::default(),
            schedules: schedule::Index::default(),
            keys: Keys::default(),
            budget_waits: Waits::default(),
            watches: Watches::default(),
            unique: BTreeMap::new(),
            actors: actor::Index::default(),
            owed: Owed::default(),
            access: platform::Access::default(),
            operations: operation::Operations::default(),
            approvals: ledger::Approvals::default(),
            webhooks: webhook::Webhooks::default(),
            stats: Stats::default(),
            statistics: Statistics::default(),
            switch: Switch::default(),
            about: 0,
            closed: Vec::new(),
            notes: Vec::new(),
            dirty: Dirty::default(),
            pending: alloc::collections::VecDeque::new(),
            left: [0; 9],
            left_dead: 0,
            marks: BTreeMap::new(),
            payload_bytes: 0,
            hasher: FixedState::with_seed(seed),
        }
    }

    /// The tenant's handle, if the tenant exists.
    #[inline]
    pub(crate) fn tenant(&self, tenant: TenantId) -> Option<u32> {
        if tenant == TenantId::DEFAULT {
            return Some(0);
        }
        self.tenant_index.get(&tenant).copied()
    }

    /// Whether anything is left to be drawn of what happened: the usual command leaves nothing.
    #[inline]
    pub(crate) fn has_consequences(&self) -> bool {
        !self.notes.is_empty()
            || self.budget_waits.is_due()
            || self.watches.is_due()
            || self.actors.has_stranded()
    }

    /// The tenant's handle, given to it when it is first named.
    pub(crate) fn admit(&mut self, tenant: TenantId) -> u32 {
        self.tenant(tenant).unwrap_or_else(|| {
            let handle = self.tenants.len() as u32;
            self.tenants.push(tenant);
            self.tenant_rows.push(platform::Tenant::default());
            self.tenant_index.insert(tenant, handle);
            handle
        })
    }

    pub(crate) fn find_task(&self, tenant: u32, id: TaskId) -> Option<u32> {
        let hash = self.hasher.hash_one((tenant, id));
        let found = self.task_index.find(hash, |&at| {
            self.tasks[at].id == id && self.tenant_of(&self.tasks[at]) == tenant
        });
        found.copied()
    }

    pub(crate) fn find_run(&self, tenant: u32, id: RunId) -> Option<u32> {
        let hash = self.hasher.hash_one((tenant, id));
        let found = self.run_index.find(hash, |&at| {
            self.runs[at].id == id && self.runs[at].tenant == tenant
        });
        found.copied()
    }

    /// Adds a task that was just accepted. One of the same id that has ended and waits only for the store leaves memory for it.
    pub(crate) fn insert_task(&mut self, row: task::Row) -> u32 {
        self.add_task(row).unwrap_or_else(|row| {
            self.forget_twin(self.tenant_of(&row), row.id);
            let added = self.add_task(row);
            added.expect("a task is accepted under an id that no live task has")
        })
    }

    /// Adds a run that was just made.
    pub(crate) fn insert_run(&mut self, row: run::Row) -> u32 {
        self.add_run(row).expect("a run is made under a new id")
    }

    /// Adds a task unless one of its tenant and id is there: then the row comes back.
    pub(crate) fn add_task(&mut self, row: task::Row) -> Result<u32, task::Row> {
        let tenant = self.tenant_of(&row);
        let hash = self.hasher.hash_one((tenant, row.id));
        let (tasks, places, hasher) = (&self.tasks, &self.places, &self.hasher);
        let is_same =
            |&at: &u32| tasks[at].id == row.id && places[tasks[at].place].tenant == tenant;
        let entry = self.task_index.entry(hash, is_same, |&other| {
            let row = &tasks[other];
            hasher.hash_one((places[row.place].tenant, row.id))
        });
        let Entry::Vacant(vacant) = entry else {
            return Err(row);
        };
        if let Some(policy) = row.own_policy() {
            let set = &policy.required_capabilities;
            self.queues.sets.hold(tenant, set);
        }
        let at = self.tasks.insert(row);
        vacant.insert(at);
        Ok(at)
    }

    /// Adds a run unless one of its tenant and id is there: then that one is given as the error.
    pub(crate) fn add_run(&mut self, row: run::Row) -> Result<u32, u32> {
        let hash = self.hasher.hash_one((row.tenant, row.id));
        let (runs, hasher) = (&self.runs, &self.hasher);
        let is_same = |&at: &u32| runs[at].id == row.id && runs[at].tenant == row.tenant;
        let entry = self.run_index.entry(hash, is_same, |&other| {
            hasher.hash_one((runs[other].tenant, runs[other].id))
        });
        let vacant = match entry {
            Entry::Occupied(known) => return Err(*known.get()),
            Entry::Vacant(vacant) => vacant,
        };
        let at = self.runs.insert(row);
        vacant.insert(at);
        Ok(at)
    }

    /// Makes room for so many more tasks and runs in the indexes, as far as there is memory for it.
    pub(crate) fn expect(&mut self, rows: usize) {
        let (tasks, places, hasher) = (&self.tasks, &self.places, &self.hasher);
        let hash_task = |&at: &u32| {
            let row = &tasks[at];
            hasher.hash_one((places[row.place].tenant, row.id))
        };
        self.task_index.try_reserve(rows, hash_task).ok();
        let runs = &self.runs;
        let hash_run = |&at: &u32| hasher.hash_one((runs[at].tenant, runs[at].id));
        self.run_index.try_reserve(rows, hash_run).ok();
    }

    /// How a task's row names who accepted it: a symbol, or the name itself when there are too many.
    pub(crate) fn person(&mut self, name: &Text) -> (Symbol, Option<Text>) {
        if self.people.len() < PEOPLE_KEPT || self.people.find(name).is_some() {
            (self.people.intern(name), None)
        } else {
            (Symbol::default(), Some(name.clone()))
        }
    }

    /// Who accepted a task.
    pub(crate) fn created_by<'a>(&'a self, task: &'a task::Row) -> &'a Text {
        let named = task
            .rare
            .as_deref()
            .and_then(|rare| rare.created_by.as_ref());
        named.unwrap_or_else(|| self.people.text(task.created_by))
    }

    /// The tenant of a task.
    pub(crate) fn tenant_of(&self, task: &task::Row) -> u32 {
        self.places[task.place].tenant
    }

    /// Whether a tenant has a queue or kind of this name.
    pub(crate) fn knows_name(&self, tenant: u32, name: &Text) -> bool {
        let name = self.names.find(name);
        name.is_some_and(|name| self.places.has_name(tenant, name))
    }

    /// Puts a run, with its number, among its task's runs.
    pub(crate) fn link_run(&mut self, task: u32, run: u32, number: u64) {
        let task = &mut self.tasks[task];
        let has_many = |rare: &task::Rare| !rare.runs.is_empty();
        if task.run == task::Handle::NONE && !task.rare.as_deref().is_some_and(has_many) {
            task.run = task::Handle::some(run);
            return;
        }
        let first = task.run.get();
        task.run = task::Handle::NONE;
        let first = first.map(|first| (self.runs[first].number, first));
        let rare = task.rare.get_or_insert_default();
        rare.runs.extend(first);
        rare.runs.insert(number, run);
    }

    /// Takes a run from among its task's runs.
    fn unlink_run(&mut self, task: u32, run: u32, number: u64) {
        let task = &mut self.tasks[task];
        if task.run.get() == Some(run) {
            task.run = task::Handle::NONE;
        }
        if let Some(rare) = task.rare.as_deref_mut() {
            rare.runs.remove(&number);
        }
    }

    /// Takes a task out that is finished and stored.
    pub(crate) fn remove_task(&mut self, at: u32) {
        let row = &self.tasks[at];
        let tenant = self.tenant_of(row);
        let hash = self.hasher.hash_one((tenant, row.id));
        if let Ok(entry) = self.task_index.find_entry(hash, |&other| other == at) {
            entry.remove();
        }
        if let Some(policy) = row.own_policy() {
            let set = &policy.required_capabilities;
            self.queues.sets.free(tenant, set);
        }
        self.tasks.remove(at);
    }

    /// Takes a run out that is finished and stored.
    pub(crate) fn remove_run(&mut self, at: u32) {
        let row = &self.runs[at];
        let hash = self.hasher.hash_one((row.tenant, row.id));
        if let Ok(entry) = self.run_index.find_entry(hash, |&other| other == at) {
            entry.remove();
        }
        let (task, number) = (row.task, row.number);
        self.runs.remove(at);
        self.unlink_run(task, at, number);
    }

    /// Notes that a task changed since the last cut.
    pub(crate) fn touch_task(&mut self, at: u32) {
        let row = &mut self.tasks[at];
        if !row.dirty {
            row.dirty = true;
            self.dirty.tasks.push(at);
        }
    }

    /// Notes that a tenant's row changed since the last cut.
    pub(crate) fn touch_tenant(&mut self, tenant: u32) {
        self.dirty.tenants.insert(tenant);
    }

    /// Notes that an actor's row changed since the last cut, or is gone.
    pub(crate) fn touch_actor(&mut self, tenant: u32, actor: ActorId) {
        self.dirty.actors.insert((tenant, actor));
    }

    /// Notes that a queue's row changed since the last cut.
    pub(crate) fn touch_queue(&mut self, tenant: u32, queue: Symbol) {
        self.dirty.queues.insert((tenant, queue));
    }

    /// Notes that a run changed since the last cut.
    pub(crate) fn touch_run(&mut self, at: u32) {
        let row = &mut self.runs[at];
        if !row.dirty {
            row.dirty = true;
            self.dirty.runs.push(at);
        }
    }

    pub(crate) fn indexed(&self) -> (usize, usize) {
        (self.task_index.len(), self.run_index.len())
    }

    fn is_run(&self, at: u32, tenant: u32, id: RunId) -> bool {
        self.runs
            .get(at)
            .is_some_and(|row| row.id == id && row.tenant == tenant)
    }

    /// The task that a run's first event names: in most cases the one made just before.
    pub(crate) fn task_for_run(&self, tenant: u32, id: TaskId) -> Option<u32> {
        let last = self.tasks.last();
        let made_before = last.filter(|(_, row)| row.id == id && self.tenant_of(row) == tenant);
        made_before
            .map(|(at, _)| at)
            .or_else(|| self.find_task(tenant, id))
    }

    /// The run that an event names and changes. Events are only ever emitted about runs that exist.
    pub(crate) fn run_of(&mut self, tenant: u32, id: RunId) -> u32 {
        let run = if self.is_run(self.about, tenant, id) {
            self.about
        } else {
            self.find_run(tenant, id)
                .expect("an event names a run that exists")
        };
        self.touch_run(run);
        run
    }

    /// The task of a run.
    pub(crate) fn task_of(&self, run: u32) -> &task::Row {
        &self.tasks[self.runs[run].task]
    }

    /// Puts the run's alarm where its row says it belongs.
    pub(crate) fn rearm(&mut self, run: u32) {
        let alarm = self.runs[run].alarm(&self.tasks[self.runs[run].task]);
        self.rearm_to(run, alarm);
    }

    /// Puts the run's alarm somewhere: a tick that finds a renewed lease moves it later.
    pub(crate) fn rearm_to(&mut self, run: u32, alarm: super::Alarm) {
        let (before, after) = (self.runs[run].armed, super::Armed::from(alarm));
        if before != after {
            // As the row holds it, not as it was told: else the index would keep what the row does not know.
            self.alarms.replace(run, before.get(), after.get());
            self.runs[run].armed = after;
        }
    }
}
