//! Changes to a task's schedule.
//! Owns: what a patch may change of it.
//! Never: changes a repeat: all its runs are made with the task.

use crate::command::TaskPatch;
use crate::machine::Tx;
use crate::rejection::Rejection;
use crate::task::invalid;

/// What a patch changes of a schedule, checked.
pub(crate) struct Change {}

/// Checks the parts of a patch that are about the schedule.
pub(crate) fn check_change(
    _tx: &Tx<'_>,
    _task: u32,
    patch: &TaskPatch,
) -> Result<Change, Rejection> {
    if patch.schedule.is_some() {
        invalid("run_policy", "goes with cron tasks alone")?;
    }
    if patch.paused.is_some() {
        invalid("paused", "goes with cron tasks alone")?;
    }
    Ok(Change {})
}

/// Writes what changes.
pub(crate) fn change(_tx: &mut Tx<'_>, _task: u32, _change: Change) {}
