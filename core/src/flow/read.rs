//! From JSON to a definition, with every problem at once.
//! Owns: the fields of a definition and their defaults.
//! Never: accepts a field that it does not know.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::check;
use super::definition::{
    Body, Collect, Definition, Dispatch, Ending, Join, Need, OutputForm, Step, Work,
};
use super::diagnostic::{Diagnostic, Problem};
use super::path::{Path, is_step_name};
use super::reading::{Fields, Reading, below};
use super::task::TASK;
use super::value::Value;
use crate::limits;

const FLOW: &[&str] = &["name", "description", "params_schema", "limits", "steps"];
const LIMITS: &[&str] = &["max_duration_ms", "max_parallel_steps"];
/// What a step has besides.
const STEP: &[&str] = &[
    "needs",
    "join",
    "when",
    "branch",
    "dispatch",
    "for_each",
    "collect",
    "let_finish",
    "output",
    "output_schema",
    "on_failure",
    "repeat",
    "flow",
    "wait_for",
    "wait_ms",
    "compensate",
];
impl Definition {
    /// Reads a definition from JSON. Warnings come with it.
    ///
    /// # Errors
    /// Every problem there is, in the order of their places, when one of them is an error.
    pub fn read(text: &[u8]) -> Result<(Definition, Vec<Diagnostic>), Vec<Diagnostic>> {
        let mut reading = Reading::default();
        let value = match Value::read_with_twins(text) {
            Ok(value) => value,
            Err(error) => {
                reading.tell(Problem::NotADefinition, "", error.to_string());
                return Err(reading.found);
            }
        };
        let definition = reading.definition(&value);
        check::check(&definition, &mut reading);
        let mut found = reading.found;
        found.dedup();
        match found.iter().all(|one| one.problem.is_warning()) {
            true => Ok((definition, found)),
            false => Err(found),
        }
    }
}

impl Reading {
    fn definition(&mut self, value: &Value) -> Definition {
        let Some(fields) = self.fields(value, "", FLOW) else {
            return Definition::default();
        };
        let mut definition = Definition {
            name: self.name(&fields, "name"),
            description: self.text(&fields, "description").map(String::from),
            params_schema: self.schema(&fields, "params_schema"),
            ..Definition::default()
        };
        if let Some(bounds) = fields.get("limits")
            && let Some(bounds) = self.fields(bounds, "limits", LIMITS)
        {
            let most = limits::SPAN_MS_MAX;
            definition.max_duration_ms = self.number(&bounds, "max_duration_ms", 1, most);
            let most = limits::FLOW_RUNS_MAX as u64;
            let parallel = self.number(&bounds, "max_parallel_steps", 1, most);
            definition.max_parallel_steps = parallel.map(|count| count as u32);
        }
        definition.steps = match fields.get("steps") {
            Some(steps) => self.steps(steps, "steps"),
            None => {
                self.tell(Problem::MissingField, "steps", "a flow has steps");
                Vec::new()
            }
        };
        definition
    }

    fn steps(&mut self, value: &Value, at: &str) -> Vec<Step> {
        let Value::Object(members) = value else {
            let message = format!("expected an object: name to step, not {}", value.kind());
            self.tell(Problem::InvalidField, at, message);
            return Vec::new();
        };
        if members.is_empty() {
            self.tell(Problem::MissingField, at, "there is no step");
        }
        let steps = members.iter().map(|(name, step)| {
            let at = below(at, name);
            if name.starts_with("__") {
                self.tell(Problem::ReservedName, at.clone(), "names that begin with `__` are kept for the flow itself");
            } else if !is_step_name(name) {
                let message = "a step's name is 1 to 64 letters, digits, `_` and `-`, and does not begin with `-`";
                self.tell(Problem::InvalidField, at.clone(), message);
            }
            self.step(name, step, &at)
        });
        steps.collect()
    }

    fn step(&mut self, name: &str, value: &Value, at: &str) -> Step {
        let known: Vec<&str> = TASK.iter().chain(STEP).copied().collect();
        let none = Fields { members: &[], at };
        let fields = self.fields(value, at, &known).unwrap_or(none);
        let on_failure = match self.text(&fields, "on_failure") {
            None | Some("fail") => false,
            Some("continue") => true,
            Some(other) => {
                let message = format!("there is no `{other}` here; there are fail, continue");
                self.tell(Problem::InvalidField, fields.below("on_failure"), message);
                false
            }
        };
        let (collect, let_finish) = self.collect(&fields);
        let dispatch = self.dispatch(&fields);
        let default_form = match dispatch {
            Dispatch::One => OutputForm::Value,
            Dispatch::EachActor => OutputForm::Map,
            Dispatch::ForEach(_) => OutputForm::List,
        };
        let output = match fields.has("output") {
            true => self.word(&fields, "output", OutputForm::ALL, OutputForm::name),
            false => default_form,
        };
        let compensate = fields.get("compensate").and_then(|undo| {
            let at = fields.below("compensate");
            let undo = self.fields(undo, &at, TASK)?;
            Some(self.task(&undo))
        });
        Step {
            name: name.to_string(),
            work: self.work(&fields),
            needs: self.needs(&fields),
            join: self.word(&fields, "join", Join::ALL, Join::name),
            when: self.condition(&fields, "when"),
            branch: self.text(&fields, "branch").map(String::from),
            dispatch,
            collect,
            let_finish,
            output,
            output_schema: self.schema(&fields, "output_schema"),
            may_fail: on_failure,
            timeout_ms: self.number(&fields, "timeout_ms", 1, limits::SPAN_MS_MAX),
            compensate,
        }
    }

    /// The one thing that a step does.
    fn work(&mut self, fields: &Fields<'_>) -> Work {
        let kinds = ["kind", "flow", "wait_for", "wait_ms", "repeat"];
        let given: Vec<&str> = kinds.into_iter().filter(|name| fields.has(name)).collect();
        if given.len() > 1 {
            let message = format!("a step does one thing, not {}", given.join(" and "));
            self.tell(Problem::InvalidField, fields.at, message);
        }
        match given.first() {
            Some(&"kind") => Work::Task(self.task(fields)),
            Some(&"flow") => Work::Flow {
                name: self.name(fields, "flow").unwrap_or_default(),
                params: self.template(fields, "input"),
            },
            Some(&"wait_for") => match self.text(fields, "wait_for") {
                Some("approval") => Work::Approval,
                _ => Work::Signal(self.name(fields, "wait_for").unwrap_or_default()),
            },
            Some(&"wait_ms") => {
                let wait = self.number(fields, "wait_ms", 0, limits::SPAN_MS_MAX);
                Work::Delay(wait.unwrap_or_default())
            }
            Some(_) => self.repeat(fields),
            None => {
                let message = "a step has `kind`, `flow`, `wait_for`, `wait_ms` or `repeat`";
                self.tell(Problem::StepWithoutWork, fields.at, message);
                Work::Delay(0)
            }
        }
    }

    fn repeat(&mut self, fields: &Fields<'_>) -> Work {
        let at = fields.below("repeat");
        let nothing = Value::Null;
        let value = fields.get("repeat").unwrap_or(&nothing);
        let known = ["until", "max_iterations", "steps"];
        let none = Fields {
            members: &[],
            at: &at,
        };
        let body = self.fields(value, &at, &known).unwrap_or(none);
        if !body.has("max_iterations") {
            let message = "a loop ends after `max_iterations`, whatever happens";
            self.tell(Problem::LoopWithoutBound, at.clone(), message);
        }
        let most = limits::FLOW_ITERATIONS_MAX as u64;
        let max_iterations = self.number(&body, "max_iterations", 1, most).unwrap_or(1);
        let until = self.condition(&body, "until");
        if !body.has("until") {
            self.tell(
                Problem::MissingField,
                body.below("until"),
                "a loop ends when this holds",
            );
        }
        let steps = match body.get("steps") {
            Some(steps) => self.steps(steps, &body.below("steps")),
            None => {
                self.tell(
                    Problem::MissingField,
                    body.below("steps"),
                    "a loop has steps",
                );
                Vec::new()
            }
        };
        Work::Loop(Body {
            until: until.unwrap_or(super::Condition::And(Vec::new())),
            max_iterations: max_iterations as u32,
            steps,
        })
    }

    fn needs(&mut self, fields: &Fields<'_>) -> Vec<Need> {
        let at = fields.below("needs");
        let mut needs: Vec<Need> = Vec::new();
        for (index, item) in self.items(fields, "needs").iter().enumerate() {
            let at = below(&at, &index.to_string());
            let need = match item {
                Value::Text(step) => Some((step.as_str(), Ending::Success)),
                other => self.fields(other, &at, &["step", "on"]).and_then(|need| {
                    let on = self.word(&need, "on", Ending::ALL, Ending::name);
                    if !need.has("step") {
                        self.tell(Problem::MissingField, need.below("step"), "which step");
                    }
                    Some((self.text(&need, "step")?, on))
                }),
            };
            let Some((step, on)) = need else { continue };
            if needs.iter().any(|earlier| earlier.step == step) {
                self.tell(
                    Problem::DuplicateField,
                    at.clone(),
                    format!("`{step}` comes twice"),
                );
                continue;
            }
            needs.push(Need {
                step: step.to_string(),
                on,
            });
        }
        needs
    }

    fn dispatch(&mut self, fields: &Fields<'_>) -> Dispatch {
        let each_actor = match self.text(fields, "dispatch") {
            None | Some("one") => false,
            Some("each_actor") => true,
            Some(other) => {
                let message = format!("there is no `{other}` here; there are one, each_actor");
                self.tell(Problem::InvalidField, fields.below("dispatch"), message);
                false
            }
        };
        let Some(text) = self.text(fields, "for_each") else {
            return match each_actor {
                true => Dispatch::EachActor,
                false => Dispatch::One,
            };
        };
        if fields.has("dispatch") {
            let message = "`for_each` and `dispatch` exclude each other";
            self.tell(Problem::InvalidField, fields.below("for_each"), message);
        }
        match Path::read(text) {
            Ok(path) => Dispatch::ForEach(path),
            Err(wrong) => {
                let message = format!("`{text}`: {wrong}");
                self.tell(Problem::TemplateSyntax, fields.below("for_each"), message);
                Dispatch::One
            }
        }
    }

    fn collect(&mut self, fields: &Fields<'_>) -> (Collect, bool) {
        let at = fields.below("collect");
        let let_finish = self.flag(fields, "let_finish");
        let (word, inner) = match fields.get("collect") {
            None => return (Collect::All, let_finish),
            Some(Value::Text(word)) => (Some(word.as_str()), None),
            Some(other) => {
                let inner = self.fields(other, &at, &["type", "n", "let_finish"]);
                let word = inner.and_then(|inner| self.text(&inner, "type"));
                (word, inner)
            }
        };
        let let_finish = let_finish | inner.is_some_and(|inner| self.flag(&inner, "let_finish"));
        let collect = match word {
            Some("all") => Collect::All,
            Some("any") => Collect::Any,
            Some("quorum") => {
                let n = inner.and_then(|inner| match inner.get("n") {
                    Some(Value::Number(n)) => n.as_u64(),
                    _ => None,
                });
                let n = n.filter(|n| (1..=limits::FLOW_RUNS_MAX as u64).contains(n));
                if n.is_none() {
                    let message = format!(
                        "`n` is a whole number between 1 and {}",
                        limits::FLOW_RUNS_MAX
                    );
                    self.tell(Problem::QuorumInvalid, at, message);
                }
                Collect::Quorum(n.unwrap_or(1) as u32)
            }
            other => {
                let message = format!(
                    "there is no `{}` here; there are all, any, quorum",
                    other.unwrap_or_default()
                );
                self.tell(Problem::InvalidField, at, message);
                Collect::All
            }
        };
        (collect, let_finish)
    }
}
