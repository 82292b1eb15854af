//! The model in plain worlds, the laws in wide ones: what the world asks of either.

use mainstay::{BudgetScope, RunId, TaskId, Text};

use super::judge::Oracle;
use super::laws::Laws;

impl Oracle {
    /// Judges by the laws instead of the model from now on.
    pub(crate) fn by_laws(&mut self) {
        self.laws = Some(Box::default());
    }

    /// The last event that was judged.
    pub(crate) fn sequence(&self) -> u64 {
        let laws = self.laws.as_deref();
        laws.map_or(self.model.sequence, |laws| laws.sequence)
    }

    /// Whether a task may be gone with its runs.
    pub(crate) fn may_be_gone(&self, task: TaskId) -> bool {
        match &self.laws {
            Some(laws) => laws.may_be_gone(task),
            None => self.model.may_be_gone(task),
        }
    }

    /// Every run in the log so far.
    pub(crate) fn runs(&self) -> Vec<RunId> {
        match &self.laws {
            Some(laws) => laws.runs.keys().copied().collect(),
            None => self.model.runs.keys().copied().collect(),
        }
    }

    /// Whether everything has come to its end.
    pub(crate) fn all_ended(&self) -> bool {
        match &self.laws {
            Some(laws) => laws.all_ended(),
            None => self.model.all_ended(),
        }
    }

    /// Schedules that would never end, and budgets that may be used up.
    pub(crate) fn closable(&self) -> (Vec<TaskId>, Vec<(BudgetScope, Text)>) {
        self.laws.as_deref().map(Laws::closable).unwrap_or_default()
    }
}
