//! What the events of the direct lane do to runs: leases, attempts and transitions by hand.
//! Owns: held runs on which no attempt has begun, and runs moved by hand.
//! Never: fails or decides.

use crate::event::{
    AttemptStarted, LeaseAcquired, LeaseEnded, RunBegan, RunRescheduled, RunTransitioned,
};
use crate::machine::Apply;
use crate::state::{At, State};

impl Apply for AttemptStarted {
    fn apply(&self, _state: &mut State, _at: &At) {}
}

impl Apply for LeaseAcquired {
    fn apply(&self, _state: &mut State, _at: &At) {}
}

impl Apply for LeaseEnded {
    fn apply(&self, _state: &mut State, _at: &At) {}
}

impl Apply for RunBegan {
    fn apply(&self, _state: &mut State, _at: &At) {}
}

impl Apply for RunRescheduled {
    fn apply(&self, _state: &mut State, _at: &At) {}
}

impl Apply for RunTransitioned {
    fn apply(&self, _state: &mut State, _at: &At) {}
}
