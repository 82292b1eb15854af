//! Who claims: a claim that names an actor asks with that actor's capabilities.
//! Owns: what the actor's claim may ask for.
//! Never: grants.

use alloc::vec::Vec;

use super::model::in_order;
use crate::Text;
use crate::command::Claim;
use crate::rejection::Rejection;
use crate::state::State;

/// The actor behind a claim.
pub(crate) struct Claimant {
    /// Its number.
    pub(crate) number: u64,
    /// Whether it is granted anything.
    pub(crate) is_active: bool,
    /// What it asks with, in order.
    pub(crate) capabilities: Vec<Text>,
}

/// The actor that a claim names, if it names one. A list of capabilities beside it must be part of the actor's own.
///
/// # Errors
/// `unknown_actor`, `capability_missing`.
pub(crate) fn claimant(
    state: &State,
    tenant: u32,
    claim: &Claim,
) -> Result<Option<Claimant>, Rejection> {
    let Some(actor) = claim.actor else {
        return Ok(None);
    };
    let row = state.actors.find(tenant, actor);
    let row = row.ok_or(Rejection::UnknownActor { actor })?;
    let lacks = |one: &&Text| row.capabilities.binary_search(one).is_err();
    if let Some(capability) = claim.capabilities.iter().find(lacks) {
        let capability = capability.clone();
        return Err(Rejection::CapabilityMissing { capability });
    }
    let asked = in_order(&claim.capabilities).unwrap_or_default();
    Ok(Some(Claimant {
        number: row.number,
        is_active: row.is_active(),
        capabilities: match asked.is_empty() {
            true => row.capabilities.clone(),
            false => asked,
        },
    }))
}
