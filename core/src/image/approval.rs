//! From images back to plans that wait for approval.
//! Owns: the loading of approvals.
//! Never: trusts an image: what does not fit is refused.

use super::cut::ObjectRow;
use super::guard;
use crate::ApprovalId;
use crate::codec::Malformed;
use crate::ledger::Approval;
use crate::state::State;

/// Adds an approval that is open. `fresh` says that the next cut must hold it again.
pub(super) fn load(
    state: &mut State,
    tenant: u32,
    row: &ObjectRow,
    fresh: bool,
) -> Result<(), Malformed> {
    let id: Option<ApprovalId> = row.key.parse().ok();
    let id = id.ok_or(Malformed("an approval whose name is no id"))?;
    let approval = Approval::of_image(&row.image)?;
    guard::check_approval(&approval, state.sequence)?;
    let added = state.approvals.restore((tenant, id), approval, fresh);
    added.then_some(()).ok_or(Malformed("an object twice"))
}
