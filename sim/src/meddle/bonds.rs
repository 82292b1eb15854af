//! Bugs between tasks: dependents that hear nothing or the wrong thing, and what is below a canceled task.

use std::collections::{BTreeMap, BTreeSet};

use mainstay::events::DependencySatisfied;
use mainstay::{
    Cause, Command, Event, Events, Outcome, Rejection, RunId, RunState, TaskId, TaskState,
};

use super::bend::{Bug, Scene, fact, run_of, task_of};
use super::grants::{Seen, fits};

type Decided = Result<Outcome, Rejection>;

/// The task that was canceled for this reason, and the task that it began with.
fn fallen(event: &Event, cause: Cause) -> Option<(TaskId, Option<TaskId>)> {
    let Event::TaskCanceled(fact) = event else {
        return None;
    };
    let source = fact.source.as_deref()?;
    (source.cause == cause).then_some((fact.task, source.task))
}

/// Takes everything out that is about these tasks; true when that was something.
fn without(scene: &Scene<'_>, tasks: &BTreeSet<TaskId>, events: &mut Events) -> bool {
    let count = events.len();
    events.retain(|entry| {
        let made = matches!(entry.event, Event::TaskCreated(_) | Event::RunCreated(_));
        let task = scene.subject(&entry.event);
        made || !task.is_some_and(|task| tasks.contains(&task))
    });
    events.len() < count
}

/// Dependents never hear how a prerequisite ended: that it is completed, or that it is not.
pub(crate) struct Untold {
    completed: bool,
}

impl Untold {
    pub(crate) fn end(completed: bool) -> Untold {
        Untold { completed }
    }
}

impl Bug for Untold {
    fn bend(&mut self, scene: &Scene<'_>, events: &mut Events, _: &mut Decided) -> bool {
        let untold = |event: &Event| match event {
            Event::DependencySatisfied(fact) => self.completed.then_some(fact.task),
            event if !self.completed => Some(fallen(event, Cause::Dependency)?.0),
            _ => None,
        };
        let tasks = events.iter().filter_map(|entry| untold(&entry.event));
        let mut tasks: BTreeSet<TaskId> = tasks.collect();
        // What is refused at birth is nobody's to tell.
        let declares = matches!(scene.asked.command, Command::DeclareDependencies { .. });
        tasks.retain(|task| !declares && task_of(scene.before, scene.now, *task).is_some());
        !tasks.is_empty() && without(scene, &tasks, events)
    }
}

/// A prerequisite that failed or was canceled counts as completed.
pub(crate) struct PrerequisiteFailed;

impl Bug for PrerequisiteFailed {
    fn bend(&mut self, scene: &Scene<'_>, events: &mut Events, _: &mut Decided) -> bool {
        let fallen = events.iter().find_map(|entry| {
            let (task, source) = fallen(&entry.event, Cause::Dependency)?;
            let waits = task_of(scene.before, scene.now, task)?.bond?;
            let source = source.filter(|source| waits.unmet.contains(source))?;
            Some((task, source))
        });
        let Some((task, prerequisite)) = fallen else {
            return false;
        };
        without(scene, &BTreeSet::from([task]), events);
        events.push(fact(DependencySatisfied { task, prerequisite }));
        true
    }
}

/// A task counts as completed although its children go on: its dependents are told so.
#[derive(Default)]
pub(crate) struct ChildrenForgotten {
    dependents: BTreeMap<TaskId, Vec<TaskId>>,
}

impl Bug for ChildrenForgotten {
    fn bend(&mut self, scene: &Scene<'_>, events: &mut Events, _: &mut Decided) -> bool {
        let mut told = Vec::new();
        for entry in events.iter() {
            let Event::RunCompleted(_) = &entry.event else {
                continue;
            };
            let Some(done) = scene.subject(&entry.event) else {
                continue;
            };
            let view = scene.task(done);
            if view.is_none_or(|view| view.state != TaskState::WaitingForChildren) {
                continue;
            }
            for task in self.dependents.get(&done).into_iter().flatten() {
                let bond = scene.task(*task).and_then(|view| view.bond);
                if bond.is_some_and(|bond| bond.unmet.contains(&done)) {
                    told.push(DependencySatisfied {
                        task: *task,
                        prerequisite: done,
                    });
                }
            }
        }
        let bends = !told.is_empty();
        events.extend(told.into_iter().map(fact));
        bends
    }

    fn watch(&mut self, event: &Event) {
        let (task, before) = match event {
            Event::TaskCreated(fact) => {
                let bonds = fact.spec.bonds.as_deref();
                let before = bonds.map(|bonds| bonds.depends_on.clone());
                (fact.task, before.unwrap_or_default())
            }
            Event::DependenciesDeclared(fact) => (fact.task, fact.unmet.clone()),
            _ => return,
        };
        for prerequisite in before {
            self.dependents.entry(prerequisite).or_default().push(task);
        }
    }
}

/// How often in one life the sweep below a canceled task is put off.
const PUT_OFF_MAX: u32 = 15;

/// The sweep below a canceled task comes late, and until then claims do not look above a task.
#[derive(Default)]
pub(crate) struct FenceIgnored {
    put_off: u32,
    seen: Seen,
}

impl FenceIgnored {
    /// A run below that could have been granted, had nobody looked.
    fn ready_below(&self, scene: &Scene<'_>, tasks: &BTreeSet<TaskId>) -> Option<RunId> {
        let Command::Claim(claim) = &scene.asked.command else {
            return None;
        };
        let views = self.seen.runs.iter();
        let mut views = views.filter_map(|id| run_of(scene.before, scene.now, *id));
        let found = views.find(|view| {
            view.state == RunState::Ready && tasks.contains(&view.task) && fits(scene, claim, view)
        });
        found.map(|view| view.id)
    }
}

impl Bug for FenceIgnored {
    fn bend(&mut self, scene: &Scene<'_>, events: &mut Events, decided: &mut Decided) -> bool {
        let mut swept = BTreeSet::new();
        for entry in events.iter() {
            let below = fallen(&entry.event, Cause::ParentCancel).map(|(task, _)| task);
            // What depends on a swept task falls with it.
            let after = fallen(&entry.event, Cause::Dependency)
                .filter(|(_, source)| source.is_some_and(|source| swept.contains(&source)))
                .map(|(task, _)| task);
            swept.extend(below.or(after));
        }
        let by_hand = |entry: &mainstay::Entry| matches!(&entry.event, Event::TaskCanceled(fact) if fact.source.is_none());
        let sweeps = matches!(scene.asked.command, Command::Tick | Command::Claim(_))
            || events.iter().any(by_hand);
        if !sweeps || swept.is_empty() || self.put_off == PUT_OFF_MAX {
            return false;
        }
        self.put_off += 1;
        let ready = self.ready_below(scene, &swept);
        without(scene, &swept, events);
        if let Some(view) = ready.and_then(|run| run_of(scene.before, scene.now, run)) {
            self.seen.grant(scene, &view, events, decided);
        }
        true
    }

    fn watch(&mut self, event: &Event) {
        self.seen.note(event);
    }
}

/// Children that a finish brings are lost with it.
pub(crate) struct Orphaned;

impl Bug for Orphaned {
    fn bend(&mut self, scene: &Scene<'_>, events: &mut Events, _: &mut Decided) -> bool {
        if !matches!(scene.asked.command, Command::Finish(_)) {
            return false;
        }
        let made = events.iter().filter_map(|entry| match &entry.event {
            Event::TaskCreated(fact) => Some(fact.task),
            _ => None,
        });
        let made: BTreeSet<TaskId> = made.collect();
        let count = events.len();
        events.retain(|entry| {
            let task = scene.subject(&entry.event);
            !task.is_some_and(|task| made.contains(&task))
        });
        events.len() < count
    }
}
