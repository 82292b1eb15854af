//! Reads what a step's task is made of.
//! Owns: the fields that a step shares with a task.
//! Never: allows what a task would not be allowed.

use alloc::format;
use alloc::string::ToString;

use super::definition::TaskWork;
use super::diagnostic::Problem;
use super::reading::{Fields, Reading, below};
use super::value::Value;
use crate::budget::BudgetSpec;
use crate::task::{self, Jitter, Retry, SafetyLevel, Strategy};
use crate::{Rejection, TaskSpec, Text, limits};

/// What makes a task.
pub(super) const TASK: &[&str] = &[
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
const RETRY: &[&str] = &[
    "max_attempts",
    "strategy",
    "initial_ms",
    "multiplier",
    "max_ms",
    "jitter",
    "non_retryable",
];

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
    /// A task of a step or of what undoes one.
    pub(super) fn task(&mut self, fields: &Fields<'_>) -> TaskWork {
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
