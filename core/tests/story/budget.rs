//! The verbs of budgets and subscriptions.

use mainstay_core::{
    Amount, Answer, BudgetScope, BudgetSpec, Bytes, Command, Filter, Query, RunState,
    SubscriptionId, TaskId, Text,
};

use super::facts::short_budget;
use super::line::Line;
use super::verbs::{bytes, text};
use super::world::World;

fn figure(text: Option<&str>) -> Result<Option<u64>, String> {
    let figure = text.map(str::parse).transpose();
    figure.map_err(|_| "a figure is not a number".to_owned())
}

/// `budgets=token:100:10,cost:5` is a list of dimension, limit and reserve.
pub(crate) fn specs(line: &Line) -> Result<Vec<BudgetSpec>, String> {
    let list = line.list("budgets").into_iter();
    list.map(|item| {
        let mut parts = item.split(':');
        Ok(BudgetSpec {
            dimension: parts.next().unwrap_or_default().into(),
            limit: figure(parts.next())?.unwrap_or(0),
            reserve: figure(parts.next())?,
        })
    })
    .collect()
}

/// `used=token:5,cost:1`.
pub(crate) fn amounts(line: &Line) -> Result<Vec<Amount>, String> {
    let list = line.list("used").into_iter();
    list.map(|item| {
        let (dimension, amount) = item
            .split_once(':')
            .ok_or("`used` needs dimension:amount")?;
        Ok(Amount {
            dimension: dimension.into(),
            amount: figure(Some(amount))?.unwrap_or(0),
        })
    })
    .collect()
}

/// `publish=key:payload,other`.
pub(crate) fn published(line: &Line) -> Vec<(Text, Option<Bytes>)> {
    let list = line.list("publish").into_iter();
    list.map(|item| match item.split_once(':') {
        Some((key, payload)) => (key.into(), Some(Bytes::from(payload.as_bytes()))),
        None => (item.into(), None),
    })
    .collect()
}

impl World {
    /// `task=` for a task's budgets, else the tenant's.
    fn scope(&self, line: &Line) -> Result<BudgetScope, String> {
        match line.find("task") {
            Some(_) => Ok(BudgetScope::Task(self.task(line)?)),
            None => Ok(BudgetScope::Tenant),
        }
    }

    fn of(&mut self, line: &Line, command: Command) -> String {
        let name = line.find("task").unwrap_or("tenant").to_owned();
        self.answer(line, &name, command)
    }

    pub(super) fn allocate(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["task", "of", "limit", "reserve", "by"])?;
        let command = Command::AllocateBudget {
            scope: self.scope(line)?,
            dimension: line.get("of")?.into(),
            limit: line.number("limit")?.unwrap_or(0),
            reserve: line.number("reserve")?,
        };
        Ok(self.of(line, command))
    }

    pub(super) fn spend(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["task", "of", "amount", "by"])?;
        let command = Command::ConsumeBudget {
            scope: self.scope(line)?,
            dimension: line.get("of")?.into(),
            amount: line.number("amount")?.unwrap_or(0),
        };
        Ok(self.of(line, command))
    }

    pub(super) fn replenish(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["task", "of", "limit", "by"])?;
        let command = Command::ReplenishBudget {
            scope: self.scope(line)?,
            dimension: line.get("of")?.into(),
            new_limit: line.number("limit")?.unwrap_or(0),
        };
        Ok(self.of(line, command))
    }

    pub(super) fn consume(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["run", "token", "used", "in_state"])?;
        let command = Command::Consume {
            run: self.run(line)?,
            fence: self.fence(line)?,
            consumption: amounts(line)?,
        };
        Ok(self.answer(line, line.get("run")?, command))
    }

    /// A task's budgets, or the tenant's.
    pub(super) fn show_budgets(&self, line: &Line) -> Result<String, String> {
        line.only(&["task"])?;
        let views = match line.find("task") {
            Some(_) => match self.ask(Query::Task(self.task(line)?)) {
                Answer::Task(view) => view.budgets,
                _ => return Ok("absent".into()),
            },
            None => match self.ask(Query::Budgets) {
                Answer::Budgets(views) => views,
                _ => return Ok("absent".into()),
            },
        };
        let shown: Vec<String> = views
            .iter()
            .map(|view| {
                format!(
                    "{} total={} exhausted={} reserve={}",
                    short_budget(view),
                    view.consumed_total,
                    view.exhausted,
                    view.reserve
                )
            })
            .collect();
        Ok(if shown.is_empty() {
            "nothing".into()
        } else {
            shown.join("; ")
        })
    }

    fn named_task(&self, name: &str) -> TaskId {
        let known = self.names.tasks.iter().find(|(_, known)| *known == name);
        known.map_or(TaskId(0xdead), |(id, _)| *id)
    }

    /// `completed:task`, `state:task:suspended`, `threshold:task:token:80` or `custom:key`.
    fn filter(&self, line: &Line) -> Result<Filter, String> {
        let parts: Vec<&str> = line.get("to")?.split(':').collect();
        match parts[..] {
            ["completed", task] => Ok(Filter::TaskCompleted(self.named_task(task))),
            ["state", task, state] => {
                let state = RunState::from_name(state).ok_or("a state is needed")?;
                Ok(Filter::RunStateChanged(self.named_task(task), state))
            }
            ["threshold", task, dimension, percent] => {
                let percent = figure(Some(percent))?.unwrap_or(0) as u32;
                let task = self.named_task(task);
                Ok(Filter::BudgetThreshold(task, dimension.into(), percent))
            }
            ["custom", key] => Ok(Filter::Custom(key.into())),
            _ => Err("`to` is not a filter".into()),
        }
    }

    fn subscription(line: &Line) -> Result<SubscriptionId, String> {
        let id = line.number("id")?.ok_or("an id is needed")?;
        Ok(SubscriptionId(id))
    }

    pub(super) fn subscribe(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["task", "to", "id", "by"])?;
        let command = Command::Subscribe {
            task: self.task(line)?,
            id: line.number("id")?.map(SubscriptionId),
            filter: Box::new(self.filter(line)?),
        };
        Ok(self.answer(line, line.get("task")?, command))
    }

    pub(super) fn unsubscribe(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["id", "by"])?;
        let subscription = Self::subscription(line)?;
        Ok(self.answer(line, line.get("id")?, Command::Unsubscribe { subscription }))
    }

    pub(super) fn trigger(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["id", "by"])?;
        let subscription = Self::subscription(line)?;
        Ok(self.answer(
            line,
            line.get("id")?,
            Command::TriggerSubscription { subscription },
        ))
    }

    pub(super) fn publish(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["key", "payload", "by"])?;
        let command = Command::PublishEvent {
            key: text(line, "key").unwrap_or_else(|| "".into()),
            payload: bytes(line, "payload"),
        };
        Ok(self.answer(line, "", command))
    }
}
