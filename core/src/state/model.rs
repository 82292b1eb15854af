//! The tables and indexes that make up the machine's state.
//! Owns: `State`, look-ups by (tenant, id), counters.
//! Never: decides; only the rooms' `apply` change rows.

use alloc::vec::Vec;
use core::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use super::alarm::Alarms;
use super::keys::Keys;
use crate::id::Minted;
use crate::intern::Names;
use crate::query::Stats;
use crate::queue::Index;
use crate::slab::Slab;
use crate::time::{Steady, Timestamp};
use crate::{RunId, TaskId, TenantId, Text, run, task};

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

/// All live durable state. Two machines that applied the same events have equal digests.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) sequence: u64,
    pub(crate) wall: Timestamp,
    pub(crate) minted: Minted,
    pub(crate) incarnation: u64,
    pub(crate) fence_counter: u64,
    pub(crate) ready_counter: u64,
    pub(crate) names: Names,
    pub(crate) tenants: Vec<TenantId>,
    pub(crate) tasks: Slab<task::Row>,
    pub(crate) runs: Slab<run::Row>,
    task_index: HashTable<u32>,
    run_index: HashTable<u32>,
    pub(crate) queues: Index,
    pub(crate) alarms: Alarms,
    pub(crate) keys: Keys,
    pub(crate) stats: Stats,
    pub(crate) switch: Switch,
    /// The run that the command at hand is about: looked at before the index is. Never decides anything.
    pub(crate) about: u32,
    /// Leases that `apply` closed since the machine last looked: their renewals are forgotten.
    pub(crate) closed: Vec<u32>,
    pub(crate) hasher: FixedState,
}

impl State {
    pub(crate) fn new(seed: u64) -> State {
        State {
            sequence: 0,
            wall: Timestamp(0),
            minted: Minted::default(),
            incarnation: 0,
            fence_counter: 0,
            ready_counter: 0,
            names: Names::new(seed),
            tenants: alloc::vec![TenantId::DEFAULT],
            tasks: Slab::default(),
            runs: Slab::default(),
            task_index: HashTable::new(),
            run_index: HashTable::new(),
            queues: Index::default(),
            alarms: Alarms::default(),
            keys: Keys::default(),
            stats: Stats::default(),
            switch: Switch::default(),
            about: 0,
            closed: Vec::new(),
            hasher: FixedState::with_seed(seed),
        }
    }

    /// The tenant's handle, if the tenant exists.
    pub(crate) fn tenant(&self, tenant: TenantId) -> Option<u32> {
        self.tenants
            .iter()
            .position(|known| *known == tenant)
            .map(|at| at as u32)
    }

    pub(crate) fn find_task(&self, tenant: u32, id: TaskId) -> Option<u32> {
        let hash = self.hasher.hash_one((tenant, id));
        let found = self.task_index.find(hash, |&at| {
            self.tasks[at].id == id && self.tasks[at].tenant == tenant
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

    pub(crate) fn insert_task(&mut self, row: task::Row) -> u32 {
        let hash = self.hasher.hash_one((row.tenant, row.id));
        let at = self.tasks.insert(row);
        let (tasks, hasher) = (&self.tasks, &self.hasher);
        self.task_index.insert_unique(hash, at, |&other| {
            hasher.hash_one((tasks[other].tenant, tasks[other].id))
        });
        at
    }

    pub(crate) fn insert_run(&mut self, row: run::Row) -> u32 {
        let hash = self.hasher.hash_one((row.tenant, row.id));
        let at = self.runs.insert(row);
        let (runs, hasher) = (&self.runs, &self.hasher);
        self.run_index.insert_unique(hash, at, |&other| {
            hasher.hash_one((runs[other].tenant, runs[other].id))
        });
        at
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
        let made_before = last.filter(|(_, row)| row.id == id && row.tenant == tenant);
        made_before
            .map(|(at, _)| at)
            .or_else(|| self.find_task(tenant, id))
    }

    /// The run that an event names. Events are only ever emitted about runs that exist.
    pub(crate) fn run_of(&self, tenant: u32, id: RunId) -> u32 {
        if self.is_run(self.about, tenant, id) {
            return self.about;
        }
        self.find_run(tenant, id)
            .expect("an event names a run that exists")
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
        let armed = self.runs[run].armed;
        if armed != alarm {
            self.alarms.replace(run, armed, alarm);
            self.runs[run].armed = alarm;
        }
    }
}
