//! From JSON to a definition, with every problem at once.
//! Owns: the fields of a definition and their defaults.
//! Never: accepts a field that it does not know.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::check;
use super::definition::{
    Body, Collect, Definition, Dispatch, Ending, Join, Need, OutputForm, Step, TaskWork, Work,
};
use super::diagnostic::{Diagnostic, Problem};
use super::path::{Path, is_step_name};
use super::reading::{Fields, Reading, below};
use super::value::Value;
use crate::budget::BudgetSpec;
use crate::task::{self, Jitter, Retry, SafetyLevel, Strategy};
use crate::{Rejection, TaskSpec, Text, limits};

const FLOW: &[&str] = &["name", "description", "params_schema", "limits", "steps"];
const LIMITS: &[&str] = &["max_duration_ms", "max_parallel_steps"];
/// What makes a task.
const TASK: &[&str] = &[
    "kind",
    "queue",
    "priority",
    "required_capabilities",
    "timeout_ms",
    "retry",
    "budgets",
    "concurrency_key",
    "concurrency_limit",
    "safety_level",
    "input",
];
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
const RETRY: &[&str] = &[
    "max_attempts",
    "strategy",
    "initial_ms",
    "multiplier",
    "max_ms",
    "jitter",
    "non_retryable",
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

/// The retry policy's words.
fn strategy(text: &str) -> Option<Strategy> {
    match text {
        "fixed" => Some(Strategy::Fixed),
        "exponential" => Some(Strategy::Exponential),
        _ => None,
    }
}

fn jitter(text: &str) -> Option<Jitter> {
    match text {
        "full" => Some(Jitter::Full),
        "none" => Some(Jitter::None),
        _ => None,
    }
}

fn safety(text: &str) -> Option<SafetyLevel> {
    match text {
        "pure" => Some(SafetyLevel::Pure),
        "idempotent" => Some(SafetyLevel::Idempotent),
        "transactional" => Some(SafetyLevel::Transactional),
        _ => None,
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

    /// A task of a step or of what undoes one.
    fn task(&mut self, fields: &Fields<'_>) -> TaskWork {
        let kind = self.name(fields, "kind");
        if !fields.has("kind") {
            self.tell(
                Problem::MissingField,
                fields.below("kind"),
                "what kind of task",
            );
        }
        let mut spec = TaskSpec::new(kind.as_deref().unwrap_or("none"));
        if let Some(queue) = self.name(fields, "queue") {
            spec.queue = queue;
        }
        spec.priority = self.priority(fields);
        spec.policy_mut().max_attempts = 1;
        spec.policy_mut().required_capabilities = self.texts(fields, "required_capabilities");
        spec.policy_mut().timeout_ms = self.number(fields, "timeout_ms", 1, limits::SPAN_MS_MAX);
        spec.policy_mut().concurrency_key = self.text(fields, "concurrency_key").map(Text::from);
        let most = u64::from(limits::CONCURRENCY_LIMIT_MAX);
        if let Some(limit) = self.number(fields, "concurrency_limit", 1, most) {
            spec.policy_mut().concurrency_limit = limit as u32;
        }
        if let Some(level) = self.one_of(
            fields,
            "safety_level",
            safety,
            "pure, idempotent, transactional",
        ) {
            spec.policy_mut().safety_level = level;
        }
        self.retry(fields, &mut spec);
        self.budgets(fields, &mut spec);
        if let Err(Rejection::InvalidTask { field, message }) =
            task::check_spec(&spec, limits::PAYLOAD_BYTES_MAX)
        {
            // What stands under `constraints` on a task stands in the step itself here.
            let field = field.strip_prefix("constraints.").unwrap_or(field);
            self.tell(Problem::InvalidField, fields.below(field), message);
        }
        TaskWork {
            spec,
            input: self.template(fields, "input"),
        }
    }

    fn priority(&mut self, fields: &Fields<'_>) -> i32 {
        let Some(value) = fields.get("priority") else {
            return 0;
        };
        let priority = match value {
            Value::Number(number) => number.as_str().parse().ok(),
            _ => None,
        };
        priority.unwrap_or_else(|| {
            let message = "expected a whole number of 32 bits";
            self.tell(Problem::InvalidField, fields.below("priority"), message);
            0
        })
    }

    fn one_of<T>(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        find: fn(&str) -> Option<T>,
        words: &str,
    ) -> Option<T> {
        let text = self.text(fields, name)?;
        let found = find(text);
        if found.is_none() {
            let message = format!("there is no `{text}` here; there are {words}");
            self.tell(Problem::InvalidField, fields.below(name), message);
        }
        found
    }

    fn retry(&mut self, fields: &Fields<'_>, spec: &mut TaskSpec) {
        let Some(value) = fields.get("retry") else {
            return;
        };
        let at = fields.below("retry");
        let Some(fields) = self.fields(value, &at, RETRY) else {
            return;
        };
        let most = u64::from(limits::ATTEMPTS_MAX);
        if let Some(attempts) = self.number(&fields, "max_attempts", 1, most) {
            spec.policy_mut().max_attempts = attempts as u32;
        }
        let default = Retry::default();
        let most = limits::SPAN_MS_MAX;
        let retry = Retry {
            strategy: self
                .one_of(&fields, "strategy", strategy, "fixed, exponential")
                .unwrap_or(default.strategy),
            initial_ms: self
                .number(&fields, "initial_ms", 0, most)
                .unwrap_or(default.initial_ms),
            multiplier_milli: self
                .thousandths(&fields, "multiplier")
                .unwrap_or(default.multiplier_milli),
            max_ms: self
                .number(&fields, "max_ms", 0, most)
                .unwrap_or(default.max_ms),
            jitter: self
                .one_of(&fields, "jitter", jitter, "full, none")
                .unwrap_or(default.jitter),
            non_retryable: self.texts(&fields, "non_retryable"),
        };
        spec.policy_mut().retry = retry;
    }

    /// A decimal number as thousandths.
    fn thousandths(&mut self, fields: &Fields<'_>, name: &str) -> Option<u32> {
        let number = match fields.get(name)? {
            Value::Number(number) => number.thousandths(),
            _ => None,
        };
        let number = number.and_then(|number| u32::try_from(number).ok());
        if number.is_none() {
            let message = "expected a number between 1 and 1000 with at most three decimals";
            self.tell(Problem::InvalidField, fields.below(name), message);
        }
        number
    }

    fn budgets(&mut self, fields: &Fields<'_>, spec: &mut TaskSpec) {
        let at = fields.below("budgets");
        for (index, item) in self.items(fields, "budgets").iter().enumerate() {
            let at = below(&at, &index.to_string());
            let Some(budget) = self.fields(item, &at, &["dimension", "limit", "reserve"]) else {
                continue;
            };
            let dimension = self.text(&budget, "dimension").map(Text::from);
            let limit = self.number(&budget, "limit", 1, u64::MAX);
            let (Some(dimension), Some(limit)) = (dimension, limit) else {
                for name in ["dimension", "limit"]
                    .into_iter()
                    .filter(|name| !budget.has(name))
                {
                    self.tell(
                        Problem::MissingField,
                        budget.below(name),
                        "every budget has one",
                    );
                }
                continue;
            };
            spec.bonds_mut().budgets.push(BudgetSpec {
                dimension,
                limit,
                reserve: self.number(&budget, "reserve", 0, limit),
            });
        }
    }
}
