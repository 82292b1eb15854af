//! The verbs of schedules: repeats, ad-hoc runs and changes of tasks.

use mainstay_core::{
    Answer, Command, Cron, Event, Misfire, Overlap, Query, Repeat, RunId, RunState, Schedule,
    TaskPatch, Text,
};

use super::line::{Line, span};
use super::verbs::text;
use super::world::World;

/// The parts of a submit that make a schedule.
pub(crate) const SCHEDULE: [&str; 12] = [
    "repeat", "every", "start", "cron", "zone", "end", "most", "misfire", "grace_ms", "catch",
    "overlap", "spread",
];

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
        if let Some(every) = line.find("cron") {
            let cron = self.cron(line, every)?;
            return Ok(Some(Box::new(Schedule::Cron(Box::new(cron)))));
        }
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

    /// A calendar with an instant every so often, or one that no calendar understands.
    fn cron(&self, line: &Line, every: &str) -> Result<Cron, String> {
        let expression = match span(every) {
            Ok(ms) => format!("every:{ms}"),
            Err(_) => every.to_owned(),
        };
        let plain = Cron::default();
        Ok(Cron {
            expression: Text::from(expression.as_str()),
            timezone: text(line, "zone").unwrap_or(plain.timezone),
            max_occurrences: line.number("most")?,
            misfire: match line.find("misfire") {
                Some("skip") => Misfire::Skip,
                Some("run_all") => Misfire::RunAll,
                _ => Misfire::RunOnce,
            },
            misfire_grace_ms: line.span("grace_ms")?.unwrap_or(plain.misfire_grace_ms),
            catch_up_max: line.number("catch")?.unwrap_or(plain.catch_up_max),
            overlap: match line.find("overlap") {
                Some("skip") => Overlap::Skip,
                Some("queue_one") => Overlap::QueueOne,
                Some("cancel_previous") => Overlap::CancelPrevious,
                _ => Overlap::Allow,
            },
            start_at: self.instant(line, "start")?,
            end_at: self.instant(line, "end")?,
            jitter_ms: line.span("spread")?.unwrap_or(0),
        })
    }

    /// Ticks until nothing is due: how often, and how many events that made.
    pub(crate) fn pass(&mut self, line: &Line) -> Result<String, String> {
        line.only(&[])?;
        let (mut ticks, mut events, mut most) = (0, 0, 0);
        while self.machine.next_deadline_in_ms(&self.now) == Some(0) {
            self.step(line, Command::Tick)
                .map_err(|refused| refused.code().to_owned())?;
            ticks += 1;
            events += self.last_events.len();
            most = most.max(self.last_events.len());
            if ticks > 1000 {
                return Err("time never comes to an end".into());
            }
        }
        Ok(format!("passed ticks={ticks} events={events} most={most}"))
    }

    /// Where a task's schedule stands.
    pub(crate) fn show_schedule(&self, line: &Line) -> Result<String, String> {
        line.only(&["task"])?;
        let Answer::Task(view) = self.ask(Query::Task(self.task(line)?)) else {
            return Ok("absent".into());
        };
        let Some(schedule) = view.schedule else {
            return Ok("none".into());
        };
        let next = schedule.next.map(|at| self.names.instant(at));
        Ok(format!(
            "schedule paused={} ended={} occurrences={} next={}",
            schedule.paused,
            schedule.ended,
            schedule.occurrences,
            next.unwrap_or("-".into())
        ))
    }

    pub(crate) fn update(&mut self, line: &Line) -> Result<String, String> {
        let known = ["task", "priority", "tags", "about", "paused", "by"];
        line.only(&[&known[..], &SCHEDULE].concat())?;
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
