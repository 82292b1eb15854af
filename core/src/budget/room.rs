//! Whether the budgets that cover a run have room for one more attempt.
//! Owns: the rule of exhaustion at claim.
//! Never: changes a budget.

use crate::queue::Blocker;
use crate::state::State;

/// The first budget that has no room for the run.
pub(crate) fn refusal(_state: &State, _run: u32) -> Option<Blocker> {
    None
}

/// Whether this budget has no room for the run.
pub(crate) fn refuses(_state: &State, _blocker: &Blocker, _run: u32) -> bool {
    false
}

/// How much of this budget the run needs: runs that need the same are refused alike.
pub(crate) fn portion(_state: &State, _blocker: &Blocker, _run: u32) -> u64 {
    0
}
