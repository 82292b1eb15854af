//! Many tasks of one command: each is checked with those before it, and all of them before any is made.
//! Owns: what the tasks of a command share: their keys, and how much they may be together.
//! Never: emits.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::model::TaskSpec;
use super::submit::{Asked, Plan, plan};
use crate::codec::Record;
use crate::dependency::{self, Kin, Ties};
use crate::machine::Tx;
use crate::rejection::Rejection;
use crate::{TaskId, Text, limits};

/// What the tasks of one command that were checked so far come to.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(super) kin: Kin,
    /// How many were checked.
    count: usize,
    /// Idempotency keys, with what was asked for under them.
    keys: BTreeMap<Text, (Asked, First)>,
    /// Unique keys.
    unique: BTreeMap<Text, First>,
    /// Queues and kinds that the tenant gets.
    names: BTreeSet<Text>,
    /// Sets of required capabilities that the tenant gets.
    sets: BTreeSet<Vec<Text>>,
    runs: usize,
    bytes: usize,
    scratch: Vec<u8>,
}

/// The first task of a command with a key.
#[derive(Clone, Copy, Debug)]
pub(super) struct First {
    /// Its place among the command's tasks.
    pub(super) at: usize,
    /// Its id, unless that is still to be minted.
    pub(super) id: Option<TaskId>,
    /// How many runs an answer shows of it.
    pub(super) runs: usize,
}

/// Checks all tasks of a command, in order.
///
/// # Errors
/// The first refusal, naming the place of its task in `list`.
pub(crate) fn plan_all(
    tx: &Tx<'_>,
    list: &'static str,
    tasks: &mut [(Option<TaskId>, TaskSpec)],
    kin: Kin,
) -> Result<Vec<Plan>, Rejection> {
    let mut batch = Batch {
        kin,
        ..Batch::default()
    };
    let mut plans = Vec::with_capacity(tasks.len());
    for (index, (id, spec)) in tasks.iter_mut().enumerate() {
        let planned = plan(tx, *id, spec, Some(&mut batch));
        plans.push(planned.map_err(|why| why.of_item(list, index))?);
        batch.count += 1;
    }
    Ok(plans)
}

fn exceeded(limit: &'static str, value: usize) -> Rejection {
    let value = value as u64;
    Rejection::LimitExceeded { limit, value }
}

impl Batch {
    /// The task of this command that this key has made, if the request is the same.
    pub(super) fn repeat(
        &self,
        key: &Text,
        asked: impl FnOnce(Option<TaskId>) -> Asked,
    ) -> Result<Option<First>, Rejection> {
        let Some((known, first)) = self.keys.get(key) else {
            return Ok(None);
        };
        match asked(first.id) == *known {
            true => Ok(Some(*first)),
            false => Err(Rejection::IdempotencyConflict { key: key.clone() }),
        }
    }

    /// The task of this command that has this unique key.
    pub(super) fn holder(&self, spec: &TaskSpec) -> Option<First> {
        let key = spec.extras.as_deref()?.unique_key.as_ref()?;
        self.unique.get(key).copied()
    }

    /// Remembers a task that was found, or will be; `known` is the one.
    pub(super) fn found(
        &mut self,
        spec: &TaskSpec,
        known: First,
        asked: Option<Asked>,
    ) -> Result<(), Rejection> {
        self.hold(spec, known, asked);
        self.count_runs(known.runs)
    }

    /// Remembers a task that passed every check.
    pub(super) fn add(
        &mut self,
        id: Option<TaskId>,
        spec: &TaskSpec,
        ties: Ties,
        asked: impl FnOnce() -> Asked,
    ) -> Result<(), Rejection> {
        self.count_runs(spec.runs_at_once())?;
        self.scratch.clear();
        spec.put(&mut self.scratch);
        self.bytes += self.scratch.len();
        if self.bytes > limits::TASKS_BYTES_PER_REQUEST_MAX {
            let most = limits::TASKS_BYTES_PER_REQUEST_MAX;
            return Err(exceeded("task_bytes_per_request", most));
        }
        let first = self.here(id, spec.runs_at_once());
        // One that ends at once leaves its unique key to the next.
        if let Some(key) = spec.extras.as_deref().and_then(|it| it.unique_key.clone())
            && !ties.is_doomed()
        {
            self.unique.insert(key, first);
        }
        let is_keyed = spec
            .extras
            .as_deref()
            .is_some_and(|it| it.idempotency_key.is_some());
        self.hold(spec, first, is_keyed.then(asked));
        self.kin.add(id, spec, ties);
        Ok(())
    }

    fn hold(&mut self, spec: &TaskSpec, known: First, asked: Option<Asked>) {
        let extras = spec.extras.as_deref();
        let key = extras.and_then(|extras| extras.idempotency_key.clone());
        if let (Some(key), Some(asked)) = (key, asked) {
            self.keys.insert(key, (asked, known));
        }
    }

    /// The place of the task that is checked now.
    pub(super) fn here(&self, id: Option<TaskId>, runs: usize) -> First {
        First {
            at: self.count,
            id,
            runs: runs.min(limits::RUNS_SHOWN_MAX),
        }
    }

    /// Remembers what a task names that its tenant did not.
    fn name(&mut self, tx: &Tx<'_>, spec: &TaskSpec) -> Result<(), Rejection> {
        let (state, tenant) = (tx.state(), tx.tenant);
        for name in [&spec.kind, &spec.queue] {
            if !state.knows_name(tenant, name) && !self.names.contains(name) {
                self.names.insert(name.clone());
                let most = limits::NAMES_PER_TENANT_MAX;
                if state.places.names_of(tenant) + self.names.len() > most {
                    return Err(exceeded("kinds_and_queues", most));
                }
            }
        }
        let Some(policy) = &spec.policy else {
            return Ok(());
        };
        let set = &policy.required_capabilities;
        let (count, known) = state.queues.sets.count(tenant, set);
        if !known && !self.sets.contains(set) {
            self.sets.insert(set.clone());
            let most = limits::CAPABILITY_SETS_MAX;
            if count + self.sets.len() > most {
                return Err(exceeded("capability_sets", most));
            }
        }
        Ok(())
    }

    fn count_runs(&mut self, runs: usize) -> Result<(), Rejection> {
        self.runs += runs;
        match self.runs > limits::RUNS_PER_REQUEST_MAX {
            true => Err(exceeded("runs_per_request", limits::RUNS_PER_REQUEST_MAX)),
            false => Ok(()),
        }
    }
}

/// Kinds, queues and sets of capabilities are kept, so how many of each a tenant has is limited.
pub(super) fn check_names(
    tx: &Tx<'_>,
    spec: &TaskSpec,
    batch: Option<&mut Batch>,
) -> Result<(), Rejection> {
    let named = tx.state().places.names_of(tx.tenant);
    if batch.is_none() && spec.policy.is_none() && named + 2 <= limits::NAMES_PER_TENANT_MAX {
        return Ok(());
    }
    let mut own = None;
    let batch = match batch {
        Some(batch) => batch,
        None => own.insert(Batch::default()),
    };
    batch.name(tx, spec)
}

/// Whether the tasks of one submit are no more, and name no more prerequisites, than may be looked up for one command.
pub(crate) fn check_bounds(tasks: &[(Option<TaskId>, TaskSpec)]) -> Result<(), Rejection> {
    if tasks.len() > limits::BATCH_ITEMS_MAX {
        return Err(exceeded("batch_items", limits::BATCH_ITEMS_MAX));
    }
    if dependency::named(tasks) > limits::DEPENDENCIES_PER_BATCH_MAX {
        let most = limits::DEPENDENCIES_PER_BATCH_MAX;
        return Err(exceeded("depends_on_per_batch", most));
    }
    Ok(())
}
