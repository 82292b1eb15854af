//! Why a run is (not) running, as people and programs see it.
//! Owns: the nouns of an explanation.
//! Never: explains.

use alloc::string::String;
use alloc::vec::Vec;

use crate::run::State;

/// One reason why a run is not running.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// A stable code such as `waiting_for_time`.
    pub code: &'static str,
    /// Text for people.
    pub message: String,
    /// Numbers and names by name; a third part of `true` marks decimal numbers.
    pub details: Vec<(&'static str, String, bool)>,
}

/// Why a run is (not) running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explain {
    /// Where it stands.
    pub state: State,
    /// Whether a claim for its queue and kind, by a worker that is able to do what it requires, would get it now.
    pub runnable: bool,
    /// Every reason that holds it back.
    pub reasons: Vec<Block>,
    /// Its place among the ready runs of its queue, from 1.
    pub position: Option<u64>,
    /// What would make it run, in words.
    pub would_run_when: String,
}
