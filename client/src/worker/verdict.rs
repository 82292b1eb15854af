//! What a handler says about the end of its attempt.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::wire::{Amount, CustomEvent, Finish, FinishError, FinishOutcome, Json, Str, TaskSpec};

/// The error code of an attempt whose own verdict the server did not take.
const REPLACED: &str = "result_refused";

/// The end of one attempt, with everything it carries.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    outcome: Option<FinishOutcome>,
    output: Option<Json<'static>>,
    error: Option<(String, String, bool)>,
    reason: Option<String>,
    retry_after: Option<Duration>,
    checkpoints: BTreeMap<String, Json<'static>>,
    consumption: Vec<(String, u64)>,
    children: Vec<TaskSpec<'static>>,
    custom_events: Vec<(String, Option<Json<'static>>)>,
}

impl Verdict {
    /// Done, with an output.
    #[must_use]
    pub fn success(output: Option<Json<'static>>) -> Verdict {
        Verdict {
            output,
            ..Verdict::of(FinishOutcome::Success)
        }
    }

    /// It did not work. `retryable` tells whether another attempt may help.
    #[must_use]
    pub fn failure(
        code: impl Into<String>,
        message: impl Into<String>,
        retryable: bool,
    ) -> Verdict {
        Verdict {
            error: Some((code.into(), message.into(), retryable)),
            ..Verdict::of(FinishOutcome::Failure)
        }
    }

    /// To be woken later.
    #[must_use]
    pub fn suspended(reason: impl Into<String>) -> Verdict {
        Verdict {
            reason: Some(reason.into()),
            ..Verdict::of(FinishOutcome::Suspended)
        }
    }

    /// Stopped on a cancel directive, or given up for good.
    #[must_use]
    pub fn canceled(reason: impl Into<String>) -> Verdict {
        Verdict {
            reason: Some(reason.into()),
            ..Verdict::of(FinishOutcome::Canceled)
        }
    }

    /// Given back untouched.
    #[must_use]
    pub fn released(reason: impl Into<String>) -> Verdict {
        Verdict {
            reason: Some(reason.into()),
            ..Verdict::of(FinishOutcome::Released)
        }
    }

    /// Nothing can be said: the lease ends by itself, and the task's safety level decides what follows. For work that was broken
    /// off because its lease is lost.
    #[must_use]
    pub fn abandoned() -> Verdict {
        Verdict::default()
    }

    /// The same with a delay before the next attempt instead of the policy's.
    #[must_use]
    pub fn retry_after(mut self, delay: Duration) -> Verdict {
        self.retry_after = Some(delay);
        self
    }

    /// The same with a memo saved together with the outcome.
    #[must_use]
    pub fn checkpoint(mut self, name: impl Into<String>, value: Json<'static>) -> Verdict {
        self.checkpoints.insert(name.into(), value);
        self
    }

    /// The same with what the attempt used of a budget and has not reported yet.
    #[must_use]
    pub fn consumed(mut self, dimension: impl Into<String>, amount: u64) -> Verdict {
        self.consumption.push((dimension.into(), amount));
        self
    }

    /// The same with a task submitted as a child of the run's task; only with success and suspended.
    #[must_use]
    pub fn child(mut self, task: TaskSpec<'static>) -> Verdict {
        self.children.push(task);
        self
    }

    /// The same with an event of one's own; only with success and suspended.
    #[must_use]
    pub fn event(mut self, key: impl Into<String>, payload: Option<Json<'static>>) -> Verdict {
        self.custom_events.push((key.into(), payload));
        self
    }

    fn of(outcome: FinishOutcome) -> Verdict {
        Verdict {
            outcome: Some(outcome),
            ..Verdict::default()
        }
    }

    /// What is reported when the server does not take the handler's own verdict.
    pub(crate) fn replacement(code: &str, message: &str) -> Verdict {
        Verdict::failure(
            REPLACED,
            format!("the handler's result was refused: {code}: {message}"),
            false,
        )
    }

    /// Whether this one stands for a verdict that was refused.
    pub(crate) fn is_replacement(&self) -> bool {
        self.error
            .as_ref()
            .is_some_and(|(code, ..)| code == REPLACED)
    }

    /// Whether there is anything to report.
    pub(crate) fn is_told(&self) -> bool {
        self.outcome.is_some()
    }

    /// Bytes of what the report carries, roughly.
    pub(crate) fn bytes(&self) -> usize {
        let memos: usize = self
            .checkpoints
            .iter()
            .map(|(name, value)| name.len() + value.text().len())
            .sum();
        let children = self.children.iter().map(|child| {
            let payload = child.payload.as_ref().map_or(0, |json| json.text().len());
            payload + child.payload_base64.as_ref().map_or(0, |text| text.len()) + 1024
        });
        let events = self.custom_events.iter().map(|(key, payload)| {
            key.len() + payload.as_ref().map_or(0, |json| json.text().len()) + 64
        });
        let output = self.output.as_ref().map_or(0, |output| output.text().len());
        output + memos + children.sum::<usize>() + events.sum::<usize>() + 256
    }

    /// The body of the report.
    pub(crate) fn finish<'a>(&'a self, run_id: &'a str, token: &'a str) -> Finish<'a> {
        let mut finish = Finish::new(
            run_id,
            token,
            self.outcome.unwrap_or(FinishOutcome::Released),
        );
        finish.output = self.output.as_ref().map(borrowed);
        finish.error = self
            .error
            .as_ref()
            .map(|(code, message, retryable)| FinishError {
                code: Some(Str::from(code.as_str())),
                message: Some(Str::from(message.as_str())),
                retryable: Some(*retryable),
            });
        finish.reason = self.reason.as_deref().map(Str::from);
        finish.retry_after_ms = self
            .retry_after
            .map(|delay| u64::try_from(delay.as_millis()).unwrap_or(u64::MAX));
        if !self.checkpoints.is_empty() {
            let memos = self
                .checkpoints
                .iter()
                .map(|(name, value)| (Str::from(name.as_str()), borrowed(value)));
            finish.checkpoints = Some(memos.collect());
        }
        let used = self.consumption.iter().map(|(dimension, amount)| Amount {
            dimension: dimension.as_str().into(),
            amount: *amount,
        });
        finish.consumption = (!self.consumption.is_empty()).then(|| used.collect());
        finish.children = (!self.children.is_empty()).then(|| self.children.clone());
        let events = self.custom_events.iter().map(|(key, payload)| CustomEvent {
            key: key.as_str().into(),
            payload: payload.as_ref().map(borrowed),
        });
        finish.custom_events = (!self.custom_events.is_empty()).then(|| events.collect());
        finish
    }
}

fn borrowed<'a>(json: &'a Json<'static>) -> Json<'a> {
    Json::from(json.0.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_written_with_exactly_what_it_carries() {
        let verdict =
            Verdict::failure("exit_3", "no such host", false).retry_after(Duration::from_secs(2));
        let text = serde_json::to_string(&verdict.finish("r", "1.2.ff")).expect("writes");
        assert_eq!(
            text,
            r#"{"run_id":"r","token":"1.2.ff","outcome":"failure","error":{"code":"exit_3","message":"no such host","retryable":false},"retry_after_ms":2000}"#
        );
    }

    #[test]
    fn what_a_coordinator_reports_reaches_its_fields() {
        let child = TaskSpec {
            kind: "part".into(),
            ..TaskSpec::default()
        };
        let verdict = Verdict::suspended("waiting_for_children")
            .consumed("token", 7)
            .child(child)
            .event("half", None);
        let text = serde_json::to_string(&verdict.finish("r", "t")).expect("writes");
        assert_eq!(
            text,
            r#"{"run_id":"r","token":"t","outcome":"suspended","reason":"waiting_for_children","consumption":[{"dimension":"token","amount":7}],"children":[{"kind":"part"}],"custom_events":[{"key":"half"}]}"#
        );
    }

    #[test]
    fn an_output_passes_byte_for_byte() {
        let output = Json::parse(r#"{"n": 1.0e2}"#.to_owned()).expect("JSON");
        let text = serde_json::to_string(&Verdict::success(Some(output)).finish("r", "t"))
            .expect("writes");
        assert!(text.contains(r#""output":{"n": 1.0e2}"#), "{text}");
    }
}
