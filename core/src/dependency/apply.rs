//! What each event about bonds does to the rows: the only writer of bonds.
//! Owns: bonds between tasks.
//! Never: fails or decides.

use super::links::{satisfy, tie_more};
use crate::event::{DependenciesDeclared, DependencySatisfied};
use crate::machine::Apply;
use crate::state::{At, State};

impl Apply for DependenciesDeclared {
    fn apply(&self, state: &mut State, at: &At) {
        if let Some(task) = state.find_task(at.tenant, self.task) {
            tie_more(state, task, &self.unmet, &self.met);
        }
    }
}

impl Apply for DependencySatisfied {
    fn apply(&self, state: &mut State, at: &At) {
        if let Some(task) = state.find_task(at.tenant, self.task) {
            satisfy(state, task, self.prerequisite);
        }
    }
}
