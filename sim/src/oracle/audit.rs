//! The audit of what is finished: in memory or in the store, it stays what it was.

use mainstay::store::{Reader, StoreError};
use mainstay::{Answer, Facts, LedgerRow, Machine, Now, Query, RunId, TaskId, TenantId};

use super::judge::Oracle;
use super::model::{Verdict, demand};

impl Oracle {
    /// What is finished is still there, byte for byte, in memory or in the store, and so is every payload. `few` chooses some; without
    /// it all of them are asked for.
    pub(crate) fn audit(
        &self,
        machine: &Machine,
        now: Now,
        reader: &mut dyn Reader,
        few: Option<u64>,
    ) -> Verdict {
        let tasks = self.audited()?;
        let count = tasks.len();
        let (skip, take) = match few {
            Some(choice) => ((choice % (count as u64 + 1)) as usize, 4),
            None => (0, count),
        };
        for (tenant, id, run, is_live) in tasks.into_iter().skip(skip).take(take) {
            let gone = self.may_be_gone(tenant, id) || self.run_may_be_gone(tenant, run);
            for query in [Query::Task(id), Query::Run(run)] {
                if is_live && matches!(query, Query::Run(_)) {
                    continue;
                }
                let found = look(machine, now, reader, tenant, &query)?;
                if gone && matches!(found, Answer::Absent) {
                    continue;
                }
                // A task whose run left memory before it: the engine joins the two, not this look.
                if matches!(&found, Answer::Task(view) if view.runs.is_empty()) {
                    continue;
                }
                let known = self.reference.answer(&now, tenant, &query);
                let (found, known) = (of_itself(found), of_itself(known));
                let (found, known) = (format!("{found:?}"), format!("{known:?}"));
                demand!(
                    found == known,
                    "{query:?} is {found} after recovery, must be {known}"
                );
            }
        }
        Ok(())
    }

    /// What the store holds of ledgers is what the log holds up to its checkpoint.
    pub(crate) fn are_stored(&self, rows: &[LedgerRow], checkpoint: u64) -> Verdict {
        match self.laws.as_deref() {
            Some(laws) => laws.are_stored(rows, checkpoint),
            None => Ok(()),
        }
    }

    /// Whether a run had ended when a store was lost that alone held it; its task may have gone on.
    fn run_may_be_gone(&self, tenant: TenantId, run: RunId) -> bool {
        let laws = self.laws.as_deref().and_then(|laws| laws.of(tenant).ok());
        let known = laws.and_then(|laws| laws.runs.get(&run));
        known.is_some_and(|run| run.may_be_gone)
    }

    /// Tasks that have had one run, with their tenant and it, and whether it is live.
    fn audited(&self) -> Result<Vec<(TenantId, TaskId, RunId, bool)>, String> {
        let mut tasks = Vec::new();
        if let Some(laws) = &self.laws {
            for (tenant, laws) in laws.each() {
                for (id, task) in &laws.tasks {
                    // What is live is joined from memory and the store by the engine, not by this look.
                    let is_over = laws.state(*id)?.is_terminal() && !laws.is_fenced(*id)?;
                    if let ([run], true) = (&task.runs[..], is_over) {
                        let is_live = !laws.run(*run)?.state.is_terminal();
                        tasks.push((tenant, *id, *run, is_live));
                    }
                }
            }
            return Ok(tasks);
        }
        for (id, task) in &self.model.tasks {
            if let Some(run) = task.run {
                let is_live = !self.model.run(run)?.state.is_terminal();
                tasks.push((TenantId::DEFAULT, *id, run, is_live));
            }
        }
        Ok(tasks)
    }
}

/// Without what a run shows of its task: that may have changed since the run ended.
fn of_itself(mut answer: Answer) -> Answer {
    if let Answer::Run(view) = &mut answer {
        view.budgets.clear();
    }
    answer
}

/// Asks as the engine does: memory first, then the store.
fn look(
    machine: &Machine,
    now: Now,
    reader: &mut dyn Reader,
    tenant: TenantId,
    query: &Query,
) -> Result<Answer, String> {
    let told = |error: StoreError| format!("{query:?}: {error}");
    let mut answer = machine.answer(&now, tenant, query);
    if matches!(answer, Answer::Absent) {
        let found = match query {
            Query::Task(id) => reader.task(tenant, *id),
            Query::Run(id) => reader.run(tenant, *id),
            _ => Ok(None),
        };
        let Some(found) = found.map_err(told)? else {
            return Ok(Answer::Absent);
        };
        let mut facts = Facts::default();
        let wrong = |error: mainstay::codec::Malformed| format!("{query:?}: {error}");
        for place in reader.base().map_err(told)?.places {
            facts.add_place(&place);
        }
        facts.add_task(&found.task).map_err(wrong)?;
        for run in &found.runs {
            facts.add_run(run).map_err(wrong)?;
        }
        answer = facts.answer(&now, tenant, query);
    }
    if let Answer::Task(task) = &mut answer
        && let Some(number) = task.stored_payload.take()
    {
        let found = reader.payload(number).map_err(told)?;
        task.payload.bytes = found.ok_or_else(|| format!("{query:?}: its payload is gone"))?;
    }
    Ok(answer)
}
