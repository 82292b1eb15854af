//! The nouns of actors.
//! Owns: what a registration says, an actor's row, and when its silence is too long.
//! Never: decides.

use alloc::string::String;
use alloc::vec::Vec;

use crate::time::{Steady, Timestamp};
use crate::{ActorId, Text, limits, task};

/// What somebody who works tells of itself. Once registered, none of it changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registration {
    /// Its id; minted when absent.
    pub actor: Option<ActorId>,
    /// Who it is, in words, 1..=255 bytes; several may have the same.
    pub identity: Text,
    /// What it is able to do, at least one.
    pub capabilities: Vec<Text>,
    /// Where it belongs: a word that lists are filtered by.
    pub department: Option<Text>,
    /// How often it promises to be heard of, in milliseconds; silent for three of them, it is deregistered.
    pub heartbeat_interval_ms: u64,
}

/// Why an actor is registered no more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Departure {
    /// Somebody asked for it.
    #[default]
    Requested,
    /// It was not heard of for three of its intervals.
    Silent,
}

/// Intervals without a word after which an actor is taken for gone.
const SILENT_INTERVALS: u64 = 3;

/// A registered actor.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) tenant: u32,
    pub(crate) id: ActorId,
    /// The event that made it: no other registration has it, not even one of the same id.
    pub(crate) number: u64,
    pub(crate) identity: Text,
    /// In order, each once.
    pub(crate) capabilities: Vec<Text>,
    pub(crate) department: Option<Text>,
    pub(crate) heartbeat_interval_ms: u64,
    pub(crate) registered: Steady,
    pub(crate) registered_at: Timestamp,
    pub(crate) registered_by: Text,
    /// Since when it gets nothing any more.
    pub(crate) draining_since: Option<Timestamp>,
    /// When it is looked at, whether it is silent: an index, not a fact.
    pub(crate) armed: Steady,
}

impl Row {
    /// When its silence is too long, if it was last heard of then.
    pub(crate) fn gone_at(&self, heard: Steady) -> Steady {
        heard.plus_ms(self.heartbeat_interval_ms.saturating_mul(SILENT_INTERVALS))
    }

    /// Whether claims of it are granted anything.
    pub(crate) fn is_active(&self) -> bool {
        self.draining_since.is_none()
    }
}

/// What a registration must keep to, besides its list of capabilities.
///
/// # Errors
/// The field, and what it must be.
pub(crate) fn check(
    identity: &str,
    department: Option<&Text>,
    heartbeat_interval_ms: u64,
) -> Result<(), (&'static str, &'static str)> {
    if identity.is_empty() || identity.len() > limits::IDENTITY_BYTES_MAX {
        return Err(("identity", "must have 1 to 255 bytes"));
    }
    if department.is_some_and(|name| !limits::is_name(name)) {
        return Err(("department", limits::NAME_FORM));
    }
    let interval = limits::HEARTBEAT_INTERVAL_MS_MIN..=limits::HEARTBEAT_INTERVAL_MS_MAX;
    if !interval.contains(&heartbeat_interval_ms) {
        let message = "must be between 1000 and 86400000";
        return Err(("heartbeat_interval_ms", message));
    }
    Ok(())
}

/// A list of capabilities in order, each once.
///
/// # Errors
/// What it must be, in words.
pub(super) fn in_order(capabilities: &[Text]) -> Result<Vec<Text>, String> {
    task::check_capabilities(capabilities)?;
    let mut all = capabilities.to_vec();
    all.sort_unstable();
    all.dedup();
    Ok(all)
}
