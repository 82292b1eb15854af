//! The verbs of atomic batches: tasks are gathered line by line and submitted together.

use mainstay_core::{Command, Outcome, Submitted, TaskId, TaskSpec, Text};

use super::line::Line;
use super::world::World;

/// Batches of more tasks than this are told by their number.
const SHOWN: usize = 20;

impl World {
    /// Puts a task aside for the next batch. With `many=` it is so many tasks, each with its number behind its kind and its capabilities.
    pub(crate) fn gather(&mut self, line: &Line) -> Result<String, String> {
        let name = line.get("task")?.to_owned();
        let spec = self.spec(line)?;
        if let Some(many) = line.number::<usize>("many")? {
            for at in 0..many {
                let gathered = (format!("{name}{at}"), None, numbered(&spec, at));
                self.gathered.push(gathered);
            }
            return Ok(format!("gathered {name} many={many}"));
        }
        let id = line.number::<u128>("id")?.map(TaskId);
        if let Some(id) = id {
            let names = &mut self.names.tasks;
            names.entry(id).or_insert_with(|| name.clone());
        }
        self.gathered.push((name.clone(), id, spec));
        Ok(format!("gathered {name}"))
    }

    /// Submits what was gathered, all or nothing.
    pub(crate) fn submit_all(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["by", "at_sequence"])?;
        let (mut names, mut tasks) = (Vec::new(), Vec::new());
        for (name, id, spec) in std::mem::take(&mut self.gathered) {
            names.push(name);
            tasks.push((id, spec));
        }
        let outcome = self.step(line, Command::SubmitAll(tasks));
        if let Ok(Outcome::SubmittedAll(all)) = &outcome {
            for (name, told) in names.into_iter().zip(all) {
                let known = &mut self.names;
                known.tasks.entry(told.task).or_insert_with(|| name.clone());
                known.runs.entry(told.run.run).or_insert(name);
            }
            self.name_runs();
        }
        Ok(self.tell_outcome("", outcome))
    }

    /// What each task of a batch came to.
    pub(crate) fn batch_outcome(&self, all: &[Submitted]) -> String {
        if all.is_empty() || all.len() > SHOWN {
            return format!("submitted {}", all.len());
        }
        let told = all.iter();
        let told: Vec<String> = told
            .map(|told| self.outcome("", &Outcome::Submitted(told.clone())))
            .collect();
        told.join("; ")
    }
}

fn numbered(spec: &TaskSpec, at: usize) -> TaskSpec {
    let mut spec = spec.clone();
    spec.kind = format!("{}{at}", spec.kind).into();
    if let Some(policy) = spec.policy.as_deref_mut() {
        for able in &mut policy.required_capabilities {
            *able = Text::from(format!("{able}{at}"));
        }
    }
    spec
}
