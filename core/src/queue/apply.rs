//! What the events of the engine and of queues do to the state.
//! Owns: the engine's switch and start, the rows of queues.
//! Never: fails.

use super::gate::recount;
use super::model::{QueueConfig, QueueRow, RateLimit, restore};
use crate::Text;
use crate::event::{
    ClockAdopted, EnginePaused, EngineResumed, EngineStarted, QueueConfigured, QueuePaused,
    QueueResumed,
};
use crate::intern::Symbol;
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

/// The queue's row, made when somebody first sets something on it.
fn row_of<'a>(state: &'a mut State, tenant: u32, queue: &Text) -> (Symbol, &'a mut QueueRow) {
    let queue = state.names.intern(queue);
    state.touch_queue(tenant, queue);
    if state.queues.row(tenant, queue).is_none() {
        restore(state, tenant, queue, QueueRow::default());
        recount(state);
    }
    let row = state.queues.rows_mut().entry((tenant, queue)).or_default();
    (queue, row)
}

impl Apply for QueueConfigured {
    fn apply(&self, state: &mut State, at: &At) {
        let (queue, row) = row_of(state, at.tenant, &self.queue);
        let rate = self.rate_per_ms.zip(self.rate_max);
        let rate = rate.map(|(per_ms, max)| RateLimit { per_ms, max });
        if rate != row.config.rate_limit {
            row.arrival_us = rate.map_or(0, |rate| rate.bound(row.arrival_us, at.steady));
        }
        row.config = QueueConfig {
            concurrency_limit: self.concurrency_limit,
            rate_limit: rate,
            weight: self.weight,
        };
        if self.weight.is_some() {
            state.queues.weigh(at.tenant);
        }
        state.queues.wake_queue(at.tenant, queue);
    }
}

impl Apply for QueuePaused {
    fn apply(&self, state: &mut State, at: &At) {
        let (_, row) = row_of(state, at.tenant, &self.queue);
        row.switch = Switch {
            paused: true,
            since: at.wall,
            by: self.by.clone(),
            reason: self.reason.clone(),
        };
    }
}

impl Apply for QueueResumed {
    fn apply(&self, state: &mut State, at: &At) {
        let (queue, row) = row_of(state, at.tenant, &self.queue);
        row.switch = Switch {
            paused: false,
            since: at.wall,
            by: self.by.clone(),
            reason: self.reason.clone(),
        };
        state.queues.wake_queue(at.tenant, queue);
    }
}
