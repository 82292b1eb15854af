//! `submit KIND`: one task from options.

use jiff::{SignedDuration, Timestamp};
use mainstay_client::wire::{
    BudgetSpec, ConstraintsSpec, MetadataSpec, RunBrief, RunPolicySpec, Str, TaskSpec,
};

use crate::args::{Budget, Global, SubmitArgs};
use crate::connection::{self, LONG_PATIENCE, SHORT_PATIENCE};
use crate::exit::{Code, Failure};
use crate::screen::Screen;
use crate::{follow, payload, span};

/// Submits and, when asked to, follows the run.
pub(crate) async fn submit_one(
    global: &Global,
    args: &SubmitArgs,
    screen: Screen,
) -> Result<Code, Failure> {
    let task = spec(args, Timestamp::now())?;
    let client = connection::client(global, SHORT_PATIENCE)?;
    if args.deferred {
        let answer = client.submit_deferred(&task).await?;
        show(
            screen,
            &answer,
            &answer.task.id,
            &answer.runs,
            answer.created,
        );
        return Ok(Code::Done);
    }
    let answer = client.submit(&task).await?;
    if !args.wait {
        show(
            screen,
            &answer,
            &answer.task.id,
            &answer.runs,
            answer.created,
        );
        return Ok(Code::Done);
    }
    let Some(run) = answer.runs.first() else {
        return Err(Failure::new(
            Code::Failed,
            "no_run",
            format!("task {} has no run to wait for", answer.task.id),
        ));
    };
    let client = client.with_patience(LONG_PATIENCE);
    follow::until_terminal(&client, &run.run_id, screen).await
}

fn show(
    screen: Screen,
    answer: &impl serde::Serialize,
    task: &str,
    runs: &[RunBrief],
    created: bool,
) {
    if screen.is_json() {
        screen.json(answer);
        return;
    }
    let mut pairs = vec![("task", task.to_owned())];
    for run in runs {
        pairs.push((
            "run",
            format!("{} {} {}", run.run_id, run.state, run.scheduled_at),
        ));
    }
    if !created {
        pairs.push(("note", "already there: found by its key".into()));
    }
    screen.pairs(&pairs);
}

/// The task that the options describe. Rules about it are the server's.
fn spec(args: &SubmitArgs, now: Timestamp) -> Result<TaskSpec<'_>, Failure> {
    let text = |option: &'_ Option<String>| option.clone().map(Str::from);
    let constraints = ConstraintsSpec {
        max_attempts: args.max_attempts,
        timeout_ms: args.timeout.map(span::ms),
        concurrency_key: text(&args.concurrency_key),
        concurrency_limit: args.concurrency_limit,
        required_capabilities: texts(&args.capability),
        fairness_key: text(&args.fairness_key),
        ..ConstraintsSpec::default()
    };
    let constrained = args.max_attempts.is_some()
        || args.timeout.is_some()
        || args.concurrency_key.is_some()
        || args.fairness_key.is_some()
        || !args.capability.is_empty();
    let metadata = MetadataSpec {
        tags: texts(&args.tag),
        priority: args.priority,
        ..MetadataSpec::default()
    };
    let described = !args.tag.is_empty() || args.priority.is_some();
    Ok(TaskSpec {
        kind: args.kind.as_deref().unwrap_or_default().into(),
        queue: text(&args.queue),
        payload: args.payload.as_deref().map(payload::read).transpose()?,
        run_policy: run_policy(args, now)?,
        constraints: constrained.then_some(constraints),
        metadata: described.then_some(metadata),
        idempotency_key: text(&args.idempotency_key),
        depends_on: texts(&args.depends_on),
        parent_task_id: text(&args.parent),
        unique_key: text(&args.unique_key),
        budgets: (!args.budget.is_empty()).then(|| args.budget.iter().map(budget).collect()),
        ..TaskSpec::default()
    })
}

fn texts(given: &[String]) -> Option<Vec<Str<'_>>> {
    (!given.is_empty()).then(|| given.iter().map(|text| Str::from(text.as_str())).collect())
}

fn budget(given: &Budget) -> BudgetSpec<'_> {
    BudgetSpec {
        dimension: given.dimension.as_str().into(),
        limit: given.limit,
        reserve: given.reserve,
    }
}

fn run_policy(
    args: &SubmitArgs,
    now: Timestamp,
) -> Result<Option<RunPolicySpec<'static>>, Failure> {
    let at = match (&args.run_at, args.delay) {
        (Some(at), _) => Some(at.clone()),
        (None, Some(delay)) => {
            let delay = SignedDuration::try_from(delay).ok();
            let at = delay.and_then(|delay| now.checked_add(delay).ok());
            let at = at.ok_or_else(|| Failure::usage("--delay ends beyond the calendar"))?;
            Some(format!("{at:.3}"))
        }
        (None, None) => None,
    };
    if let Some((count, interval)) = args.repeat {
        return Ok(Some(RunPolicySpec {
            kind: "repeat".into(),
            count: Some(count),
            interval_ms: Some(span::ms(interval)),
            start_at: at.map(Str::from),
            ..RunPolicySpec::default()
        }));
    }
    if let Some(expression) = &args.cron {
        return Ok(Some(RunPolicySpec {
            kind: "cron".into(),
            expression: Some(Str::from(expression.clone())),
            timezone: args.timezone.clone().map(Str::from),
            start_at: at.map(Str::from),
            ..RunPolicySpec::default()
        }));
    }
    Ok(at.map(|at| RunPolicySpec {
        kind: "once".into(),
        run_at: Some(at.into()),
        ..RunPolicySpec::default()
    }))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command};

    fn written(words: &[&str]) -> String {
        let words = [&["mainstay", "submit"], words].concat();
        let Command::Submit(args) = Cli::try_parse_from(words).expect("parses").command else {
            panic!("not a submit")
        };
        let now = "2026-11-21T08:00:00Z".parse().expect("an instant");
        serde_json::to_string(&spec(&args, now).expect("a task")).expect("writes")
    }

    #[test]
    fn a_task_without_options_names_its_kind_alone() {
        assert_eq!(written(&["mail.send"]), r#"{"kind":"mail.send"}"#);
    }

    #[test]
    fn every_option_reaches_its_field() {
        let text = written(&[
            "k",
            "--queue",
            "q",
            "--priority",
            "-3",
            "--delay",
            "30s",
            "--max-attempts",
            "5",
            "--timeout",
            "2m",
            "--concurrency-key",
            "c",
            "--tag",
            "a",
            "--tag",
            "b",
            "--idempotency-key",
            "i",
            "--payload",
            r#"{"n": 1}"#,
        ]);
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(
            value["run_policy"],
            serde_json::json!({"type": "once", "run_at": "2026-11-21T08:00:30.000Z"})
        );
        assert_eq!(
            value["constraints"],
            serde_json::json!({"max_attempts": 5, "timeout_ms": 120_000, "concurrency_key": "c"})
        );
        assert_eq!(
            value["metadata"],
            serde_json::json!({"tags": ["a", "b"], "priority": -3})
        );
        assert_eq!(value["idempotency_key"], "i");
        assert!(text.contains(r#""payload":{"n": 1}"#));
    }

    #[test]
    fn schedules_bonds_and_budgets_reach_their_fields() {
        let value = |words: &[&str]| -> serde_json::Value {
            serde_json::from_str(&written(words)).expect("JSON")
        };
        let repeat = value(&["k", "--repeat", "3:10s", "--run-at", "2100-01-01T00:00:00Z"]);
        assert_eq!(
            repeat["run_policy"],
            serde_json::json!({"type": "repeat", "count": 3, "interval_ms": 10_000, "start_at": "2100-01-01T00:00:00Z"})
        );
        let cron = value(&["k", "--cron", "0 8 * * *", "--timezone", "Europe/Berlin"]);
        assert_eq!(
            cron["run_policy"],
            serde_json::json!({"type": "cron", "expression": "0 8 * * *", "timezone": "Europe/Berlin"})
        );
        let bonds = value(&[
            "k",
            "--depends-on",
            "x",
            "--depends-on",
            "y",
            "--parent",
            "p",
            "--unique-key",
            "u",
            "--budget",
            "token=50:5",
            "--capability",
            "gpu",
            "--fairness-key",
            "f",
        ]);
        assert_eq!(
            bonds,
            serde_json::json!({
                "kind": "k", "depends_on": ["x", "y"], "parent_task_id": "p", "unique_key": "u",
                "budgets": [{"dimension": "token", "limit": 50, "reserve": 5}],
                "constraints": {"required_capabilities": ["gpu"], "fairness_key": "f"},
            })
        );
    }
}
