//! The verbs of schedules: repeats, ad-hoc runs and changes of tasks.

use mainstay_core::{Command, Event, Repeat, RunId, RunState, Schedule, TaskPatch, Text};

use super::line::Line;
use super::verbs::text;
use super::world::World;

/// The parts of a submit that make a schedule.
pub(crate) const SCHEDULE: [&str; 3] = ["repeat", "every", "start"];

impl World {
    /// Names the runs that the last command made of tasks with a name: the second run of `a` is `a.2`.
    pub(crate) fn name_runs(&mut self) {
        for entry in &self.last_events {
            let Event::RunCreated(made) = &entry.event else {
                continue;
            };
            let names = &mut self.names;
            let Some(task) = names.tasks.get(&made.task) else {
                continue;
            };
            if names.runs.contains_key(&made.run) {
                continue;
            }
            let of_task = format!("{task}.");
            let known = names.runs.values();
            let count = known
                .filter(|name| *name == task || name.starts_with(&of_task))
                .count();
            let name = match count {
                0 => task.clone(),
                known => format!("{of_task}{}", known + 1),
            };
            names.runs.insert(made.run, name);
        }
    }

    pub(crate) fn schedule(&self, line: &Line) -> Result<Option<Box<Schedule>>, String> {
        let Some(count) = line.number("repeat")? else {
            return Ok(None);
        };
        let repeat = Repeat {
            count,
            interval_ms: line.span("every")?.unwrap_or(0),
            start_at: self.instant(line, "start")?,
        };
        Ok(Some(Box::new(Schedule::Repeat(repeat))))
    }

    pub(crate) fn update(&mut self, line: &Line) -> Result<String, String> {
        let known = [
            "task", "priority", "tags", "about", "paused", "repeat", "every", "start", "by",
        ];
        line.only(&known)?;
        let tags = line.find("tags").map(|_| line.list("tags"));
        let patch = TaskPatch {
            task: self.task(line)?,
            priority: line.number("priority")?,
            tags: tags.map(|tags| tags.into_iter().map(Text::from).collect()),
            description: text(line, "about"),
            schedule: self.schedule(line)?,
            paused: line.find("paused").map(|value| value == "yes"),
        };
        let command = Command::UpdateTask(Box::new(patch));
        Ok(self.answer(line, line.get("task")?, command))
    }

    /// An ad-hoc run; `run=` chooses a numeric id.
    pub(crate) fn create_run(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["task", "id", "due", "state", "by"])?;
        let state = line.find("state").map_or(RunState::Scheduled, |name| {
            RunState::from_name(name).unwrap_or(RunState::Scheduled)
        });
        let command = Command::CreateRun {
            task: self.task(line)?,
            run: line.number::<u128>("id")?.map(RunId),
            state,
            scheduled_at: self.instant(line, "due")?,
        };
        Ok(self.answer(line, line.get("task")?, command))
    }
}
