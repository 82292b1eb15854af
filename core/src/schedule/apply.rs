//! What each event about schedules does to the rows: the only writer of clockworks.
//! Owns: where a schedule stands.
//! Never: fails or decides.

use crate::event::{
    OccurrencePlanned, OccurrencesSkipped, ScheduleChanged, ScheduleEnded, SchedulePaused,
    ScheduleResumed,
};
use crate::machine::Apply;
use crate::state::{At, State};

impl Apply for OccurrencePlanned {
    fn apply(&self, _state: &mut State, _at: &At) {}
}

impl Apply for OccurrencesSkipped {
    fn apply(&self, _state: &mut State, _at: &At) {}
}

impl Apply for ScheduleChanged {
    fn apply(&self, _state: &mut State, _at: &At) {}
}

impl Apply for ScheduleEnded {
    fn apply(&self, _state: &mut State, _at: &At) {}
}

impl Apply for SchedulePaused {
    fn apply(&self, _state: &mut State, _at: &At) {}
}

impl Apply for ScheduleResumed {
    fn apply(&self, _state: &mut State, _at: &At) {}
}
