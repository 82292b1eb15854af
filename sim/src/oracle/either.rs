//! The model in plain worlds, the laws in wide ones: what the world asks of either.

use mainstay::{BudgetScope, RunId, TaskId, TenantId, Text};

use super::judge::Oracle;

impl Oracle {
    /// Judges by the laws instead of the model from now on.
    pub(crate) fn by_laws(&mut self) {
        self.laws = Some(Box::default());
    }

    /// The last event that was judged.
    pub(crate) fn sequence(&self) -> u64 {
        let laws = self.laws.as_deref();
        laws.map_or(self.model.sequence, |laws| laws.shared.sequence)
    }

    /// Whether a task may be gone with its runs.
    pub(crate) fn may_be_gone(&self, tenant: TenantId, task: TaskId) -> bool {
        match &self.laws {
            Some(laws) => laws.of(tenant).is_ok_and(|laws| laws.may_be_gone(task)),
            None => self.model.may_be_gone(task),
        }
    }

    /// Every run of a tenant in the log so far.
    pub(crate) fn runs(&self, tenant: TenantId) -> Vec<RunId> {
        match &self.laws {
            Some(laws) => laws
                .of(tenant)
                .map_or(Vec::new(), |laws| laws.runs.keys().copied().collect()),
            None => self.model.runs.keys().copied().collect(),
        }
    }

    /// Every tenant in the log so far.
    pub(crate) fn tenants(&self) -> Vec<TenantId> {
        match &self.laws {
            Some(laws) => laws.each().map(|(tenant, _)| tenant).collect(),
            None => vec![TenantId::DEFAULT],
        }
    }

    /// Whether everything has come to its end.
    pub(crate) fn all_ended(&self) -> bool {
        match &self.laws {
            Some(laws) => laws.each().all(|(_, laws)| laws.all_ended()),
            None => self.model.all_ended(),
        }
    }

    /// Schedules of a tenant that would never end, and budgets that may be used up.
    pub(crate) fn closable(&self, tenant: TenantId) -> (Vec<TaskId>, Vec<(BudgetScope, Text)>) {
        let laws = self.laws.as_deref().and_then(|laws| laws.of(tenant).ok());
        laws.map(|laws| laws.closable()).unwrap_or_default()
    }
}
