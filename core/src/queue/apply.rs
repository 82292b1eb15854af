//! What the engine's events do to the state.
//! Owns: the engine's switch and start.
//! Never: fails.

use crate::event::{
    ClockAdopted, EnginePaused, EngineResumed, EngineStarted, QueueConfigured, QueuePaused,
    QueueResumed,
};
use crate::machine::Apply;
use crate::state::{At, State, Switch};

impl Apply for EnginePaused {
    fn apply(&self, state: &mut State, at: &At) {
        state.switch = Switch {
            paused: true,
            since: at.wall,
            by: self.by.clone(),
            reason: self.reason.clone(),
        };
    }
}

impl Apply for EngineResumed {
    fn apply(&self, state: &mut State, at: &At) {
        state.switch = Switch {
            paused: false,
            since: at.wall,
            by: self.by.clone(),
            reason: self.reason.clone(),
        };
    }
}

impl Apply for EngineStarted {
    /// A worker could not report while the process was down, so every running attempt's own deadline moves by the downtime.
    fn apply(&self, state: &mut State, _at: &At) {
        state.incarnation = self.incarnation;
        for run in state.alarms.steady_runs() {
            let Some(active) = state.runs[run].active.as_mut() else {
                continue;
            };
            active.deadline = active
                .deadline
                .map(|deadline| deadline.plus_ms(self.downtime_ms));
            active.deadline_at = active
                .deadline_at
                .map(|deadline| deadline.plus_ms(self.downtime_ms));
            state.touch_run(run);
            state.rearm(run);
        }
    }
}

impl Apply for ClockAdopted {
    /// Recorded time is in every frame; the event is there for those who ask why it jumped.
    fn apply(&self, _state: &mut State, _at: &At) {}
}

impl Apply for QueueConfigured {
    fn apply(&self, _state: &mut State, _at: &At) {}
}

impl Apply for QueuePaused {
    fn apply(&self, _state: &mut State, _at: &At) {}
}

impl Apply for QueueResumed {
    fn apply(&self, _state: &mut State, _at: &At) {}
}
