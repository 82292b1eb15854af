//! What each event about operations does to their rows: the only writer of those rows.
//! Owns: operations, how many of those that are over are kept.
//! Never: fails or decides.

use super::model::{Operation, OperationState};
use crate::event::{OperationAdvanced, OperationEnded, OperationStarted};
use crate::id::Minted;
use crate::limits;
use crate::machine::Apply;
use crate::state::{At, State};

impl Apply for OperationStarted {
    fn apply(&self, state: &mut State, at: &At) {
        if !self.chosen {
            state.minted = state.minted.max(Minted::of(self.operation.0));
        }
        let row = Operation {
            number: at.sequence,
            action: self.action,
            filter: self.filter.clone(),
            with_dependents: self.with_dependents,
            reason: self.reason.clone(),
            matched: self.matched,
            through: self.through,
            until: self.until,
            created_at: at.wall,
            created_by: self.by.clone(),
            ..Operation::default()
        };
        state.operations.add(at.tenant, self.operation, row);
    }
}

impl Apply for OperationAdvanced {
    fn apply(&self, state: &mut State, at: &At) {
        state.operations.change(at.tenant, self.operation, |row| {
            row.cursor = self.cursor;
            row.done = row.done.saturating_add(self.done);
            row.refused_total = row.refused_total.saturating_add(self.refused_total);
            let room = limits::OPERATION_REFUSED_SHOWN_MAX.saturating_sub(row.refused.len());
            row.refused.extend(self.refused.iter().take(room).cloned());
        });
    }
}

impl Apply for OperationEnded {
    fn apply(&self, state: &mut State, at: &At) {
        state.operations.change(at.tenant, self.operation, |row| {
            if row.state == OperationState::Running {
                row.state = self.state;
                row.finished_at = Some(at.wall);
            }
        });
        state.operations.forget_oldest(at.tenant);
    }
}
