//! Recounts every bond from the rows.
//! Owns: what must hold between tasks: counts, indexes, and that nobody waits for what will never come.
//! Never: repairs.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;

use super::links::{ancestors, owes};
use crate::run::{Hold, State as RunState};
use crate::state::State;
use crate::task::Row;

/// What the rows say of one task's bond.
#[derive(Default, PartialEq)]
struct Counted {
    descendants_live: u32,
    dependents: BTreeMap<u64, u32>,
    children: BTreeMap<u64, u32>,
    sleepers: BTreeMap<u64, u32>,
}

/// Checks every bond.
///
/// # Errors
/// The first disagreement, in words.
pub(crate) fn census(state: &State) -> Result<(), String> {
    let mut counted: BTreeMap<u32, Counted> = BTreeMap::new();
    let mut unique = 0;
    for (at, row) in state.tasks.iter() {
        if row.state().is_terminal() {
            continue;
        }
        if let Some(key) = row.extras().and_then(|extras| extras.unique_key.clone()) {
            unique += 1;
            if state.unique.get(&(state.tenant_of(row), key)) != Some(&at) {
                return Err(format!("task {}: its unique key is another's", row.id));
            }
        }
        count(state, at, row, &mut counted)?;
    }
    if unique != state.unique.len() {
        return Err("a unique key outlives its task".into());
    }
    for (at, row) in state.runs.iter() {
        let hold = row.past.as_ref().map_or(Hold::Hand, |past| past.hold);
        if row.state == RunState::Suspended && hold == Hold::Children {
            let counted = counted.entry(row.task).or_default();
            counted.sleepers.insert(row.number, at);
        }
    }
    compare(state, &counted)
}

fn count(
    state: &State,
    at: u32,
    row: &Row,
    counted: &mut BTreeMap<u32, Counted>,
) -> Result<(), String> {
    let Some(bond) = row.bond() else {
        return Ok(());
    };
    for id in &bond.unmet {
        let known = state.find_task(state.tenant_of(row), *id);
        let prerequisite =
            known.ok_or_else(|| format!("task {}: it waits for {id}, which is gone", row.id))?;
        let counted = counted.entry(prerequisite).or_default();
        counted.dependents.insert(row.number, at);
    }
    let mut depth = 0;
    for (up, above) in ancestors(state, at).enumerate() {
        depth += 1;
        let counted = counted.entry(above).or_default();
        counted.descendants_live += 1;
        if up == 0 {
            counted.children.insert(row.number, at);
        }
    }
    if depth == bond.depth {
        Ok(())
    } else {
        Err(format!(
            "task {}: it stands deeper or higher than it says",
            row.id
        ))
    }
}

fn compare(state: &State, counted: &BTreeMap<u32, Counted>) -> Result<(), String> {
    let nothing = Counted::default();
    let mut owed = [0; 3];
    for (at, row) in state.tasks.iter() {
        let expected = counted.get(&at).unwrap_or(&nothing);
        let agrees = match row.bond() {
            Some(bond) => {
                bond.descendants_live == expected.descendants_live
                    && bond.dependents == expected.dependents
                    && bond.children == expected.children
                    && bond.sleepers == expected.sleepers
            }
            None => *expected == nothing,
        };
        if !agrees {
            return Err(format!("task {}: its bond differs from the rows", row.id));
        }
        let lists = [&state.owed.sweep, &state.owed.wake, &state.owed.tell];
        for ((list, owes), owed) in lists.into_iter().zip(owes(row)).zip(&mut owed) {
            *owed += usize::from(owes);
            if owes != list.contains(&(row.number, at)) {
                return Err(format!("task {}: what it owes is not listed", row.id));
            }
        }
    }
    let listed = [&state.owed.sweep, &state.owed.wake, &state.owed.tell].map(|list| list.len());
    if listed == owed {
        Ok(())
    } else {
        Err("something is owed by a task that is not there".into())
    }
}
