//! From images back to operations.
//! Owns: their loading.
//! Never: trusts an image: what does not fit is refused.

use super::cut::ObjectRow;
use super::guard;
use crate::OperationId;
use crate::codec::{Malformed, Record};
use crate::operation::Operation;
use crate::state::State;

/// Adds an operation. `fresh` says that the next cut must hold it again.
pub(super) fn load(
    state: &mut State,
    tenant: u32,
    row: &ObjectRow,
    fresh: bool,
) -> Result<(), Malformed> {
    let id: Option<OperationId> = row.key.parse().ok();
    let id = id.ok_or(Malformed("an operation whose name is no id"))?;
    let operation = Operation::read(&row.image)?;
    guard::check_operation(&operation, state.sequence)?;
    let added = state.operations.restore((tenant, id), operation, fresh);
    added.then_some(()).ok_or(Malformed("an object twice"))
}
