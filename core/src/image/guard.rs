//! What a checkpoint must keep to become a machine that cannot panic on it, whoever wrote it.
//! Owns: the rules that one image can be held against; `verify` looks at the machine as a whole afterwards.
//! Never: repairs.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::form::{ActorForm, KeyForm, MetaForm, RunForm, TaskForm};
use crate::budget::Budget;
use crate::codec::Malformed;
use crate::id::Minted;
use crate::ledger::{Approval, ApprovalState};
use crate::limits::{
    ATTEMPTS_KEPT, ATTEMPTS_MAX, BUDGETS_MAX, CAPABILITIES_MAX, CHILDREN_SHOWN_MAX, DEPENDS_ON_MAX,
    HIERARCHY_DEPTH_MAX, HISTORY_KEPT, LOST_LEASES_MAX, OPERATION_REFUSED_SHOWN_MAX,
    SUBSCRIPTIONS_MAX, is_name,
};
use crate::operation::{Operation, OperationState};
use crate::queue::QueueRow;
use crate::run::{Origin, State as RunState};
use crate::state::State;
use crate::{TenantId, Text, actor, queue, task};

fn rule(holds: bool, otherwise: &'static str) -> Result<(), Malformed> {
    if holds {
        Ok(())
    } else {
        Err(Malformed(otherwise))
    }
}

/// No counter is beyond the events that it counts.
pub(super) fn check_meta(meta: &MetaForm) -> Result<(), Malformed> {
    let one_by_one = [
        meta.fence_counter,
        meta.ready_counter,
        meta.tasks_total,
        meta.runs_total,
        meta.attempts_total,
    ];
    let mut counters = one_by_one
        .iter()
        .chain(&meta.attempts_by_result)
        .chain(&meta.runs_by_state);
    rule(
        counters.all(|counter| *counter <= meta.sequence),
        "a counter beyond the sequence",
    )?;
    let mut tenants = meta.tenants.clone();
    tenants.sort_unstable();
    tenants.dedup();
    rule(
        meta.tenants.first() == Some(&TenantId::DEFAULT) && tenants.len() == meta.tenants.len(),
        "no tenant, one twice, or the first is not the default one",
    )
}

/// All places together count what the counters say.
pub(super) fn check_places(state: &State) -> Result<(), Malformed> {
    let mut all = [0u64; 9];
    for (_, place) in state.places.iter() {
        for (all, count) in all.iter_mut().zip(place.counts) {
            let sum = all.checked_add(count);
            *all = sum.ok_or(Malformed("a count out of range"))?;
        }
        rule(
            place.dead_letters <= place.counts[RunState::Failed as usize],
            "more dead letters than failed runs",
        )?;
    }
    rule(
        all == state.stats.runs_by_state,
        "places that count other runs than the counters",
    )
}

/// A task's own fields, live or finished.
pub(super) fn check_task(form: &TaskForm) -> Result<(), Malformed> {
    let counted =
        u64::from(form.runs_live) + u64::from(form.runs_completed) + u64::from(form.runs_failed);
    rule(
        counted <= u64::from(form.runs_total),
        "more runs live or ended than there are",
    )?;
    check_budgets(&form.budgets)?;
    rule(
        form.subscriptions.len() <= SUBSCRIPTIONS_MAX,
        "more subscriptions than are kept",
    )?;
    if let Some(bond) = &form.bond {
        rule(
            bond.depth < HIERARCHY_DEPTH_MAX
                && bond.unmet.len() <= bond.depends_on.len()
                && bond.depends_on.len() <= DEPENDS_ON_MAX
                && bond.first_children.len() <= CHILDREN_SHOWN_MAX,
            "a task that stands to more others than it can",
        )?;
    }
    let light = !task::is_heavy(form.payload_bytes);
    match &form.payload {
        Some(payload) => rule(
            payload.len() == form.payload_bytes as usize,
            "a payload of another length than its task says",
        ),
        None => rule(!light, "a small payload that is not in its image"),
    }
}

/// A dimension has one budget.
pub(super) fn check_budgets(budgets: &[Budget]) -> Result<(), Malformed> {
    let mut names: Vec<&str> = budgets.iter().map(|budget| &*budget.dimension).collect();
    names.sort_unstable();
    names.dedup();
    rule(
        names.len() == budgets.len() && names.len() <= BUDGETS_MAX,
        "too many budgets, or two of one dimension",
    )
}

/// A task of a checkpoint: it is live.
pub(super) fn check_live_task(form: &TaskForm, state: &State) -> Result<(), Malformed> {
    rule(
        (1..=state.sequence).contains(&form.number),
        "a task from beyond the sequence",
    )?;
    rule(
        form.runs_live > 0 || form.phase > 0,
        "a finished task in a checkpoint",
    )
}

/// A run's own fields, live or finished. `task` is its task.
pub(super) fn check_run(form: &RunForm, place: u32, task: &task::Row) -> Result<(), Malformed> {
    let idle = form.active.as_ref().is_some_and(|active| active.idle);
    rule(
        form.state != RunState::Leased || idle,
        "a lease that was never begun, with an attempt",
    )?;
    rule(
        form.state.is_held() == form.active.is_some(),
        "held without a lease, or a lease without being held",
    )?;
    rule(
        form.number > task.number && place == task.place,
        "a run before its task or in another place",
    )?;
    // The last lost lease ends the run.
    rule(
        form.failures <= ATTEMPTS_MAX
            && form.lost_leases <= LOST_LEASES_MAX + 1
            && form.attempt_count <= u32::MAX / 2,
        "more attempts than there can be",
    )?;
    rule(
        form.changes.len() <= HISTORY_KEPT && form.attempts.len() <= ATTEMPTS_KEPT,
        "a history longer than is kept",
    )
}

/// A run of a checkpoint: it is live, and no event that may follow finds a counter at its end.
pub(super) fn check_live_run(form: &RunForm, state: &State) -> Result<(), Malformed> {
    rule(!form.state.is_terminal(), "a finished run in a checkpoint")?;
    // Only an ad-hoc run may have an id that somebody chose.
    let known = Minted::of(form.id.0) <= state.minted || form.origin == Origin::AdHoc;
    rule(
        form.number <= state.sequence && known,
        "a run from beyond the sequence",
    )?;
    let fence = form
        .active
        .as_ref()
        .map_or(0, |active| active.fence.counter);
    rule(
        fence <= state.fence_counter,
        "a token that was not issued yet",
    )?;
    let actor = form.active.as_ref().and_then(|active| active.actor);
    rule(
        actor.is_none_or(|number| number <= state.sequence),
        "held by an actor from beyond the sequence",
    )?;
    let ordered = (1..=state.ready_counter).contains(&form.ready_order);
    rule(
        form.state != RunState::Ready || ordered,
        "a ready run without a place in the order",
    )
}

/// A queue's row: nothing that nobody could have set.
pub(super) fn check_queue(name: &str, row: &QueueRow) -> Result<(), Malformed> {
    rule(
        is_name(name) && queue::check(&row.config).is_ok(),
        "a queue with settings that cannot be",
    )
}

/// An actor's row: nothing that nobody could have registered.
pub(super) fn check_actor(form: &ActorForm, sequence: u64) -> Result<(), Malformed> {
    let known = (1..=sequence).contains(&form.number);
    rule(known, "an actor from beyond the sequence")?;
    let department = form.department.as_ref();
    let interval_ms = form.heartbeat_interval_ms;
    let fits = actor::check(&form.identity, department, interval_ms).is_ok()
        && task::check_capabilities(&form.capabilities).is_ok();
    let sorted = form.capabilities.is_sorted_by(|one, other| one < other);
    rule(
        fits && sorted && !form.capabilities.is_empty(),
        "an actor that cannot be",
    )
}

/// A key's row: nothing that nobody could have made, and no end from beyond the sequence.
pub(super) fn check_key(form: &KeyForm, sequence: u64) -> Result<(), Malformed> {
    rule(
        is_name(&form.name) && form.revoked <= sequence && !form.role.is_empty(),
        "a key that cannot be",
    )?;
    rule(
        form.revoked_at.is_some() == (form.revoked > 0),
        "a key whose end is half there",
    )
}

/// An approval of a checkpoint: it is open, and nothing that nobody could have asked for.
pub(super) fn check_approval(row: &Approval, sequence: u64) -> Result<(), Malformed> {
    let reviewed = row.state == ApprovalState::Reviewed;
    rule(
        !row.state.is_final()
            && reviewed == row.reviewed_by.is_some()
            && (1..=sequence).contains(&row.number)
            && is_name(&row.ledger_key)
            && !row.subject.is_empty(),
        "an approval that cannot be",
    )
}

/// An operation of a checkpoint: nothing that nobody could have begun, and no further than it goes.
pub(super) fn check_operation(row: &Operation, sequence: u64) -> Result<(), Malformed> {
    let over = row.state != OperationState::Running;
    let kept = row.refused.len() as u64;
    rule(
        row.filter.check(row.action).is_ok()
            && (1..=sequence).contains(&row.number)
            && row.through <= sequence
            && row.cursor <= row.through
            && row.refused.len() <= OPERATION_REFUSED_SHOWN_MAX
            && kept <= row.refused_total
            && over == row.finished_at.is_some(),
        "an operation that cannot be",
    )
}

/// A role's row: what is in order, and names what is there.
pub(super) fn check_role(name: &Text, capabilities: &[Text]) -> Result<(), Malformed> {
    rule(
        is_name(name)
            && !capabilities.is_empty()
            && capabilities.len() <= CAPABILITIES_MAX
            && capabilities.is_sorted_by(|one, other| one < other),
        "a role that cannot be",
    )
}

/// Live runs as they are loaded: no more of them than their task and their place count.
#[derive(Debug, Default)]
pub(super) struct Tally {
    tasks: BTreeMap<u32, u32>,
    places: Vec<[u64; 9]>,
}

impl Tally {
    pub(super) fn count(
        &mut self,
        state: &State,
        task: u32,
        run: RunState,
    ) -> Result<(), Malformed> {
        let row = &state.tasks[task];
        let place = row.place as usize;
        if self.places.len() <= place {
            self.places.resize(state.places.len(), [0; 9]);
        }
        self.places[place][run as usize] += 1;
        // All but the rarest tasks have one run; only the others need a count.
        let runs = match row.runs().next() {
            None => 1,
            Some(_) => {
                let more = self.tasks.entry(task).or_insert(1);
                *more += 1;
                *more
            }
        };
        let places = &state.places[row.place].counts;
        rule(
            runs <= row.runs_live && self.places[place][run as usize] <= places[run as usize],
            "more live runs than are counted",
        )
    }
}

/// Ready runs in the order of becoming ready; most come in it.
#[derive(Debug, Default)]
pub(super) struct Ready {
    rising: Vec<(u64, u32)>,
    others: BTreeMap<u64, u32>,
}

impl Ready {
    pub(super) fn put(&mut self, order: u64, run: u32) -> Result<(), Malformed> {
        if self.rising.last().is_none_or(|(last, _)| *last < order) {
            self.rising.push((order, run));
            return Ok(());
        }
        let known = self
            .rising
            .binary_search_by_key(&order, |(order, _)| *order);
        let before = self.others.insert(order, run);
        rule(
            known.is_err() && before.is_none(),
            "two runs in one place of the order",
        )
    }

    pub(super) fn into_sorted(self) -> Vec<(u64, u32)> {
        let mut all = self.rising;
        all.extend(self.others);
        all.sort_unstable();
        all
    }
}
