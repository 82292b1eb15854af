//! The laws of budgets and of queues with settings.

use mainstay::{Event, TaskId};

use super::model::{Heard, Laws, Purse};
use crate::oracle::history::Wish;
use crate::oracle::model::{Verdict, demand};

impl Laws {
    /// Events about budgets.
    pub(super) fn spent(&mut self, event: &Event, wish: Option<&Wish>) -> Verdict {
        match event {
            Event::BudgetAllocated(fact) => {
                let purse = self.purse(fact.task, &fact.dimension)?;
                purse.limit = fact.limit;
                purse.reserve = fact.reserve.unwrap_or(purse.reserve);
                Ok(())
            }
            Event::BudgetReplenished(fact) => {
                let purse = self.purse(fact.task, &fact.dimension)?;
                purse.limit = fact.limit;
                purse.consumed = 0;
                purse.said = false;
                purse.passed.clear();
                Ok(())
            }
            Event::BudgetThresholdPassed(fact) => {
                let (task, name) = (fact.task, fact.dimension.clone());
                self.heard.push(Heard::Passed(task, name, fact.percent));
                self.threshold_passed(fact)
            }
            Event::BudgetConsumed(fact) => {
                fact.run.map_or(Ok(()), |run| self.uses(run))?;
                let task = match fact.run {
                    Some(run) => Some(self.run(run)?.task),
                    None => fact.task,
                };
                for item in &fact.items {
                    if let Some(purse) = self.known_purse(task, &item.dimension) {
                        purse.consumed = purse.consumed.saturating_add(item.amount);
                    }
                    // What a run used is its tenant's use too; what is noted by hand is that budget's alone.
                    if fact.run.is_some()
                        && let Some(purse) = self.known_purse(None, &item.dimension)
                    {
                        purse.consumed = purse.consumed.saturating_add(item.amount);
                    }
                }
                Ok(())
            }
            Event::BudgetExhausted(fact) => {
                let purse = self.purse(fact.task, &fact.dimension)?;
                demand!(
                    purse.consumed >= purse.limit,
                    "a budget with room is exhausted"
                );
                demand!(!purse.said, "a budget is exhausted twice in one period");
                purse.said = true;
                Ok(())
            }
            other => self.opened(other, wish),
        }
    }

    /// Events about queues with settings.
    fn opened(&mut self, event: &Event, wish: Option<&Wish>) -> Verdict {
        match event {
            Event::QueueConfigured(fact) => {
                let queue = self.queues.entry(fact.queue.clone()).or_default();
                queue.config.concurrency_limit = fact.concurrency_limit;
                let rate = fact.rate_per_ms.zip(fact.rate_max);
                let rate = rate.map(|(per_ms, max)| mainstay::RateLimit { per_ms, max });
                if rate != queue.config.rate_limit {
                    queue.starts.clear();
                }
                queue.config.rate_limit = rate;
                queue.config.weight = fact.weight;
                Ok(())
            }
            Event::QueuePaused(fact) => {
                let queue = self.queues.entry(fact.queue.clone()).or_default();
                demand!(!queue.paused, "a queue paused twice");
                queue.paused = true;
                Ok(())
            }
            Event::QueueResumed(fact) => {
                let queue = self.queues.entry(fact.queue.clone()).or_default();
                demand!(queue.paused, "a queue resumed twice");
                queue.paused = false;
                Ok(())
            }
            other => self.moved(other, wish),
        }
    }

    pub(super) fn known_purse(
        &mut self,
        task: Option<TaskId>,
        dimension: &mainstay::Text,
    ) -> Option<&mut Purse> {
        match task {
            Some(task) => self.tasks.get_mut(&task)?.purses.get_mut(dimension),
            None => self.purses.get_mut(dimension),
        }
    }

    pub(super) fn purse(
        &mut self,
        task: Option<TaskId>,
        dimension: &mainstay::Text,
    ) -> Result<&mut Purse, String> {
        let purses = match task {
            Some(task) => &mut self.task_mut(task)?.purses,
            None => &mut self.purses,
        };
        Ok(purses.entry(dimension.clone()).or_default())
    }
}
