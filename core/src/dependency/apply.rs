//! What each event about bonds does to the rows: the only writer of bonds.
//! Owns: bonds between tasks.
//! Never: fails or decides.

use crate::event::{DependenciesDeclared, DependencySatisfied};
use crate::machine::Apply;
use crate::state::{At, State};

impl Apply for DependenciesDeclared {
    fn apply(&self, _state: &mut State, _at: &At) {}
}

impl Apply for DependencySatisfied {
    fn apply(&self, _state: &mut State, _at: &At) {}
}
