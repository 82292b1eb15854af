//! Changes to a task that exists: its metadata and its schedule.
//! Owns: which tasks may still change, and which of their fields.
//! Never: writes what does not change.

use alloc::boxed::Box;

use super::check::{check_description, check_tags};
use crate::command::TaskPatch;
use crate::event::{Tags, TaskUpdated};
use crate::machine::Tx;
use crate::outcome::Outcome;
use crate::rejection::Rejection;
use crate::{Text, schedule};

/// Decides a change.
pub(crate) fn decide(tx: &mut Tx<'_>, patch: &TaskPatch) -> Result<Outcome, Rejection> {
    if let Some(tags) = &patch.tags {
        check_tags(tags)?;
    }
    check_description(patch.description.as_ref())?;
    let task = tx.live_task(patch.task)?;
    let changes = schedule::check_change(tx, task, patch)?;
    let row = &tx.state().tasks[task];
    let described = |text: &Text| !text.is_empty();
    let extras = row.extras();
    let priority = patch.priority.filter(|new| *new != row.priority);
    let tags = patch.tags.as_ref();
    let tags = tags.filter(|new| extras.map_or(&[][..], |extras| &extras.tags) != &new[..]);
    let before = extras.and_then(|extras| extras.description.as_ref());
    let description = patch.description.as_ref();
    let description = description.filter(|new| before != Some(*new).filter(|text| described(text)));
    let by = tx.principal.name.clone();
    if priority.is_some() || tags.is_some() || description.is_some() {
        let tags = tags.map(|tags| Box::new(Tags { tags: tags.clone() }));
        tx.emit(TaskUpdated {
            task: patch.task,
            priority,
            tags,
            description: description.cloned(),
            by,
        });
    }
    schedule::change(tx, task, changes);
    Ok(Outcome::TaskUpdated)
}
