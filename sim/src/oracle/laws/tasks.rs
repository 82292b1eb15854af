//! The laws of tasks: how they come to be, change and are canceled.

use mainstay::events as fact;
use mainstay::{Command, TaskState};

use super::instants::Ledger;
use super::model::{Laws, Purse, Task};
use crate::oracle::history::Wish;
use crate::oracle::model::{Verdict, demand};

/// A task is one that the command at hand asked for.
fn is_wanted(fact: &fact::TaskCreated, wish: Option<&Wish>) -> Verdict {
    match wish {
        Some(Wish::Command(Command::Submit(spec) | Command::SubmitAs(_, spec))) => {
            demand!(
                fact.spec.payload == spec.payload && fact.spec.kind == spec.kind,
                "the task logged is not the task asked for"
            );
        }
        Some(Wish::Command(Command::Finish(finish))) => {
            demand!(
                finish
                    .children
                    .iter()
                    .any(|(_, spec)| spec.kind == fact.spec.kind),
                "a child that was not in the finish"
            );
        }
        Some(Wish::Command(Command::SubmitAll(tasks))) => {
            let is_asked = tasks.iter().any(|(id, spec)| {
                id.is_none_or(|id| id == fact.task)
                    && (&spec.kind, &spec.queue) == (&fact.spec.kind, &fact.spec.queue)
            });
            demand!(is_asked, "a task that was not in the batch");
        }
        other => return Err(format!("{other:?} made a task")),
    }
    Ok(())
}

impl Laws {
    pub(super) fn task_created(
        &mut self,
        fact: &fact::TaskCreated,
        wish: Option<&Wish>,
    ) -> Verdict {
        demand!(
            !self.tasks.contains_key(&fact.task),
            "task {} again",
            fact.task
        );
        is_wanted(fact, wish)?;
        self.unique_key_is_free(fact)?;
        let bonds = fact.spec.bonds.as_deref().cloned().unwrap_or_default();
        let mut unmet = std::collections::BTreeSet::new();
        for prerequisite in bonds.depends_on {
            if self.state(prerequisite)? != TaskState::Completed {
                unmet.insert(prerequisite);
            }
        }
        if let Some(parent) = bonds.parent {
            demand!(
                !self.state(parent)?.is_terminal(),
                "a child of task {parent}, which has ended"
            );
            self.task_mut(parent)?.children.push(fact.task);
        }
        let purses = bonds.budgets.into_iter().map(|budget| {
            let purse = Purse {
                limit: budget.limit,
                reserve: budget.reserve.unwrap_or(0),
                ..Purse::default()
            };
            (budget.dimension, purse)
        });
        let task = Task {
            spec: (*fact.spec).clone(),
            runs: Vec::new(),
            canceled: false,
            parent: bonds.parent,
            children: Vec::new(),
            unmet,
            schedule_ended: false,
            instants: std::collections::BTreeSet::new(),
            occurrences: 0,
            ledger: Ledger::begin(self.wall),
            schedule_paused: false,
            purses: purses.collect(),
            created_at: self.wall,
            may_be_gone: false,
        };
        self.tasks.insert(fact.task, task);
        Ok(())
    }

    pub(super) fn task_canceled(&mut self, fact: &fact::TaskCanceled) -> Verdict {
        if let Some(source) = fact
            .source
            .as_deref()
            .filter(|why| why.cause == mainstay::Cause::Dependency)
        {
            let task = source
                .task
                .ok_or("canceled by a prerequisite that is not named")?;
            let state = self.state(task)?;
            // Below a canceled task everything counts as canceled, however late the sweep comes.
            let is_over = matches!(state, TaskState::Failed | TaskState::Canceled);
            demand!(
                is_over || self.is_fenced(task)? || self.may_be_gone(task),
                "canceled because of task {task}, which is {}",
                state.name()
            );
        }
        let task = self.task_mut(fact.task)?;
        demand!(!task.canceled, "task {} canceled twice", fact.task);
        task.canceled = true;
        task.schedule_ended = true;
        Ok(())
    }

    pub(super) fn task_updated(&mut self, fact: &fact::TaskUpdated) -> Verdict {
        let task = self.task_mut(fact.task)?;
        if let Some(priority) = fact.priority {
            task.spec.priority = priority;
        }
        Ok(())
    }
}
