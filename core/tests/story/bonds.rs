//! The verbs of bonds between tasks, and how a task's bond is told.

use mainstay_core::{Answer, Command, Query, TaskId, TaskSpec, Text};

use super::line::Line;
use super::world::World;

impl World {
    /// The tasks that a line names in a list; one that nobody named is unknown to the machine too.
    fn tasks(&self, line: &Line, name: &str) -> Vec<TaskId> {
        let known = |wanted: &str| {
            let found = self.names.tasks.iter().find(|(_, name)| *name == wanted);
            found.map_or(TaskId(0xdead), |(id, _)| *id)
        };
        line.list(name).into_iter().map(known).collect()
    }

    /// Parent, prerequisites, unique key and the attempt that submits.
    pub(crate) fn put_bonds(&self, line: &Line, spec: &mut TaskSpec) -> Result<(), String> {
        if let Some(parent) = self.tasks(line, "parent").first() {
            spec.bonds_mut().parent = Some(*parent);
        }
        if line.find("after").is_some() {
            spec.bonds_mut().depends_on = self.tasks(line, "after");
        }
        if line.find("from").is_some() {
            let run = self.run_called(line.get("from")?);
            spec.bonds_mut().parent_run = Some((run, self.fence(line)?));
        }
        if let Some(key) = line.find("unique") {
            spec.extras_mut().unique_key = Some(Text::from(key));
        }
        Ok(())
    }

    /// The children of a finish: `child=a,b:x` are two tasks of chosen ids, the second after `x`. Ids are letters' codes, so that they are the
    /// same in every story.
    pub(crate) fn children(&mut self, line: &Line) -> Vec<(Option<TaskId>, TaskSpec)> {
        let mut children = Vec::new();
        for child in line.list("child") {
            let (name, after) = child.split_once(':').unwrap_or((child, ""));
            let bytes = name
                .bytes()
                .fold(0xc0_u128, |id, byte| id << 8 | u128::from(byte));
            let known = self.names.tasks.iter().find(|(_, known)| *known == name);
            let id = known.map_or(TaskId(bytes), |(id, _)| *id);
            self.names
                .tasks
                .entry(id)
                .or_insert_with(|| name.to_owned());
            let mut spec = TaskSpec::new("work");
            if !after.is_empty() {
                let named = |wanted: &str| {
                    let mut names = self.names.tasks.iter();
                    names
                        .find(|(_, name)| *name == wanted)
                        .map_or(TaskId(0xdead), |(id, _)| *id)
                };
                spec.bonds_mut().depends_on = after.split('+').map(named).collect();
            }
            children.push((Some(id), spec));
        }
        children
    }

    /// Gives the runs of the children that a finish made the names of their tasks.
    pub(crate) fn name_children(&mut self) {
        for entry in self.last_events.clone() {
            if let mainstay_core::Event::RunCreated(made) = &entry.event {
                let name = self.names.task(made.task).to_owned();
                self.names.runs.entry(made.run).or_insert(name);
            }
        }
    }

    /// The children that a grant shows: where they stand and what they produced, `*` for what is to be looked up.
    pub(crate) fn grant_children(&self, grant: &mainstay_core::ClaimGrant) -> String {
        let children = grant.rare.iter().flat_map(|rare| &rare.children);
        let told: Vec<String> = children
            .map(|child| {
                let output = match (&child.output, child.stored) {
                    (_, true) => "*".to_owned(),
                    (output, false) => super::show::bytes(output.as_ref()),
                };
                format!(
                    "{}:{}:{output}",
                    self.names.task(child.task),
                    child.state.name()
                )
            })
            .collect();
        told.join(",")
    }

    pub(crate) fn declare(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["task", "after", "by"])?;
        let command = Command::DeclareDependencies {
            task: self.task(line)?,
            depends_on: self.tasks(line, "after"),
        };
        Ok(self.answer(line, line.get("task")?, command))
    }

    pub(crate) fn bond(&self, line: &Line) -> Result<String, String> {
        line.only(&["task"])?;
        let Answer::Task(view) = self.ask(Query::Task(self.task(line)?)) else {
            return Ok("absent".into());
        };
        let Some(bond) = view.bond else {
            return Ok("alone".into());
        };
        let names = |ids: &[TaskId]| {
            let names: Vec<&str> = ids.iter().map(|id| self.names.task(*id)).collect();
            names.join(",")
        };
        Ok(format!(
            "bond {} parent={} after={} unmet={} children={} live={}",
            view.state.name(),
            bond.parent.map_or("-", |id| self.names.task(id)),
            names(&bond.depends_on),
            names(&bond.unmet),
            bond.children_total,
            bond.descendants_live,
        ))
    }
}
