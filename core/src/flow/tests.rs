//! Definitions read and refused.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use proptest::prelude::*;

use super::{Collect, Definition, Dispatch, Ending, Join, OutputForm, Value, Work};
use crate::task::Strategy as RetryStrategy;

const REPORT: &str = r#"{
  "name": "quarterly-report",
  "params_schema": {"type": "object", "required": ["quarter"], "properties": {"quarter": {"type": "string"}}},
  "limits": {"max_duration_ms": 360000000, "max_parallel_steps": 16},
  "steps": {
    "gather": {"kind": "report.gather", "input": {"quarter": "{{ params.quarter }}"}, "timeout_ms": 60000,
      "retry": {"max_attempts": 4, "strategy": "exponential", "initial_ms": 500, "max_ms": 30000, "multiplier": 1.5}},
    "analyse": {"kind": "report.analyse", "needs": ["gather"], "for_each": "steps.gather.output.files",
      "input": {"file": "{{ item }}", "at": "{{ index }}"}, "collect": {"type": "quorum", "n": 3}, "output": "list"},
    "urgent": {"kind": "notify.page", "needs": ["analyse"], "branch": "tone",
      "when": {"op": "gt", "path": "steps.analyse.output.0.risk", "value": 0.8}},
    "calm": {"kind": "notify.mail", "needs": ["analyse"], "branch": "tone",
      "when": {"op": "not", "expr": {"op": "gt", "path": "steps.analyse.output.0.risk", "value": 0.8}}},
    "approve": {"wait_for": "approval", "needs": ["urgent", "calm"], "join": "any", "timeout_ms": 86400000},
    "polish": {"needs": ["approve"], "repeat": {"max_iterations": 5, "until": {"op": "eq", "path": "steps.proof.output.ok", "value": true},
      "steps": {"proof": {"kind": "report.proof", "input": {"round": "{{ iteration }}", "of": "{{ steps.analyse.output }}"}}}}},
    "publish": {"kind": "report.publish", "needs": ["polish"],
      "compensate": {"kind": "report.unpublish", "input": {"id": "{{ steps.publish.output.id }}"}}},
    "tell": {"flow": "tell-all", "needs": [{"step": "publish", "on": "completion"}], "input": {"q": "{{ params.quarter }}"}}
  }
}"#;

fn problems(json: &str) -> Vec<(&'static str, String)> {
    match Definition::read(json.as_bytes()) {
        Ok((_, warnings)) => warnings,
        Err(found) => found,
    }
    .into_iter()
    .map(|one| (one.problem.code(), one.location))
    .collect()
}

fn steps(json: &str) -> Vec<(&'static str, String)> {
    problems(&format!(r#"{{"steps":{json}}}"#))
}

#[test]
fn a_whole_definition_is_read() {
    let (report, warnings) = Definition::read(REPORT.as_bytes()).unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!(report.name.as_deref(), Some("quarterly-report"));
    assert_eq!(report.max_parallel_steps, Some(16));
    let step = |name: &str| report.steps.iter().find(|step| step.name == name).unwrap();
    let Work::Task(gather) = &step("gather").work else {
        panic!("gather is a task");
    };
    let policy = gather.spec.policy.as_deref().unwrap();
    assert_eq!((policy.max_attempts, policy.timeout_ms), (4, Some(60_000)));
    assert_eq!(policy.retry.strategy, RetryStrategy::Exponential);
    assert_eq!(
        (policy.retry.initial_ms, policy.retry.multiplier_milli),
        (500, 1500)
    );
    let analyse = step("analyse");
    assert_eq!(analyse.collect, Collect::Quorum(3));
    assert_eq!(analyse.output, OutputForm::List);
    assert!(
        matches!(&analyse.dispatch, Dispatch::ForEach(path) if path.to_string() == "steps.gather.output.files")
    );
    assert_eq!(
        (step("approve").join, &step("approve").work),
        (Join::Any, &Work::Approval)
    );
    assert!(
        matches!(&step("polish").work, Work::Loop(body) if body.max_iterations == 5 && body.steps.len() == 1)
    );
    assert_eq!(step("tell").needs[0].on, Ending::Completion);
    assert!(step("publish").compensate.is_some());
    let mut names = Vec::new();
    report.walk(&mut |step| names.push(step.name.as_str()));
    assert_eq!(names.len(), 9);
}

/// Each row: the steps, and the problems with their places.
#[test]
fn every_problem_has_its_code_and_place() {
    for (json, expected) in [
        (
            r#"{"a":{"kind":"x","needs":["b"]},"b":{"kind":"x","needs":["a"]}}"#,
            &[("flow_cycle_detected", "steps.a")][..],
        ),
        (
            r#"{"a":{"kind":"x","needs":["b"]}}"#,
            &[("flow_unknown_step", "steps.a.needs")],
        ),
        (
            r#"{"a":{"kind":"x","needs":["a"]}}"#,
            &[("flow_self_dependency", "steps.a.needs")],
        ),
        (
            r#"{"a":{"kind":"x","collect":{"type":"quorum","n":0}}}"#,
            &[("quorum_invalid", "steps.a.collect")],
        ),
        (
            r#"{"a":{"kind":"x","collect":{"type":"quorum"}}}"#,
            &[("quorum_invalid", "steps.a.collect")],
        ),
        (
            r#"{"a":{"kind":"x","collect":{"type":"quorum","n":2}}}"#,
            &[("quorum_unreachable", "steps.a.collect")],
        ),
        (
            r#"{"a":{"kind":"x","branch":"g","when":{"op":"exists","path":"params.a"}}}"#,
            &[("branch_group_too_small", "steps.a.branch")],
        ),
        (
            r#"{"a":{"kind":"x","branch":"g","when":{"op":"exists","path":"params.a"}},"b":{"kind":"x","branch":"g"}}"#,
            &[("branch_step_missing_condition", "steps.b")],
        ),
        (
            r#"{"n":{"kind":"x"},"a":{"kind":"x","branch":"g","when":{"op":"exists","path":"params.a"}},
                "b":{"kind":"x","branch":"g","needs":["n"],"when":{"op":"exists","path":"params.b"}}}"#,
            &[("branch_step_conflicting_needs", "steps.b")],
        ),
        (
            r#"{"a":{"kind":"x"},"b":{"kind":"x"},"c":{"kind":"x","needs":["a","b"],"join":"any"}}"#,
            &[("branch_join_without_branch", "steps.c")],
        ),
        (
            r#"{"a":{"kind":"x","input":{"v":["{{ params.x"]}}}"#,
            &[("template_syntax", "steps.a.input.v.0")],
        ),
        (
            r#"{"a":{"kind":"x","input":"{{ steps.z.output }}"}}"#,
            &[("template_unknown_path", "steps.a.input")],
        ),
        (
            r#"{"a":{"kind":"x","input":"{{ item }}"}}"#,
            &[("template_unknown_path", "steps.a.input")],
        ),
        (
            r#"{"a":{"kind":"x","input":"{{ iteration }}"}}"#,
            &[("template_unknown_path", "steps.a.input")],
        ),
        (
            r#"{"a":{"kind":"x"},"b":{"kind":"x","input":"{{ steps.a.output }}"}}"#,
            &[("template_not_an_ancestor", "steps.b.input")],
        ),
        (
            r#"{"a":{"kind":"x","input":"{{ steps.a.output }}"}}"#,
            &[("template_not_an_ancestor", "steps.a.input")],
        ),
        (
            r#"{"a":{"kind":"x","when":{"op":"gt","path":"params.n","value":[]}}}"#,
            &[("condition_type_mismatch", "steps.a.when")],
        ),
        (
            r#"{"a":{"kind":"x","when":{"op":"is"}}}"#,
            &[("condition_syntax", "steps.a.when")],
        ),
        (
            r#"{"a":{"kind":"x","output_schema":7}}"#,
            &[("schema_invalid", "steps.a.output_schema")],
        ),
        (
            r#"{"a":{"kind":"x"},"a":{"kind":"y"}}"#,
            &[("duplicate_step", "steps.a")],
        ),
        (
            r#"{"__flow__":{"kind":"x"}}"#,
            &[("reserved_name", "steps.__flow__")],
        ),
        (r#"{"a b":{"kind":"x"}}"#, &[("invalid_field", "steps.a b")]),
        (r#"{"a":{}}"#, &[("step_without_work", "steps.a")]),
        (
            r#"{"a":{"kind":"x","flow":"y"}}"#,
            &[("invalid_field", "steps.a")],
        ),
        (
            r#"{"a":{"repeat":{"until":{"op":"exists","path":"params.x"},"steps":{"b":{"kind":"x"}}}}}"#,
            &[("loop_without_bound", "steps.a.repeat")],
        ),
        (
            r#"{"a":{"repeat":{"max_iterations":2,"until":{"op":"exists","path":"steps.b.output.x"},"steps":{"b":{"kind":"x"}}}},
                "c":{"kind":"x","needs":["a"],"input":"{{ steps.b.output }}"}}"#,
            &[("template_unknown_path", "steps.c.input")],
        ),
        (
            r#"{"a":{"kind":"x","kidn":"y"}}"#,
            &[("unknown_field", "steps.a.kidn")],
        ),
        (
            r#"{"a":{"kind":"x","queue":"Not A Name"}}"#,
            &[("invalid_field", "steps.a.queue")],
        ),
        (
            r#"{"a":{"kind":"x","retry":{"max_attempts":0}}}"#,
            &[("invalid_field", "steps.a.retry.max_attempts")],
        ),
        (
            r#"{"a":{"kind":"x","retry":{"multiplier":0.5}}}"#,
            &[("invalid_field", "steps.a.retry.multiplier")],
        ),
        (
            r#"{"a":{"kind":"x","concurrency_key":""}}"#,
            &[("invalid_field", "steps.a.concurrency_key")],
        ),
        (
            r#"{"a":{"kind":"x","for_each":"params.l","output":"value"}}"#,
            &[("invalid_field", "steps.a.output")],
        ),
        (
            r#"{"a":{"wait_ms":5,"dispatch":"each_actor","output":"map"}}"#,
            &[("invalid_field", "steps.a")],
        ),
        (r#"{}"#, &[("missing_field", "steps")]),
    ] {
        let found = steps(json);
        let found: Vec<(&str, &str)> = found
            .iter()
            .map(|(code, at)| (*code, at.as_str()))
            .collect();
        assert_eq!(found, expected, "{json}");
    }
}

#[test]
fn what_is_wrong_with_the_whole_is_told() {
    for (json, expected) in [
        ("", ("not_a_definition", "")),
        ("[]", ("invalid_field", "")),
        (r#"{"steps":[]}"#, ("invalid_field", "steps")),
        (
            r#"{"name":"__x y","steps":{"a":{"kind":"x"}}}"#,
            ("invalid_field", "name"),
        ),
        (
            r#"{"limits":{"max_duration_ms":5},"steps":{"a":{"kind":"x","timeout_ms":6}}}"#,
            ("timeout_exceeds_flow_limit", "steps.a.timeout_ms"),
        ),
        (
            r#"{"params_schema":{"properties":{"q":{}},"additionalProperties":false},
                "steps":{"a":{"kind":"x","input":"{{ params.p }}"}}}"#,
            ("template_unknown_path", "steps.a.input"),
        ),
    ] {
        let found = problems(json);
        assert_eq!(
            found.first().map(|(code, at)| (*code, at.as_str())),
            Some(expected),
            "{json}"
        );
    }
}

#[test]
fn all_problems_come_at_once() {
    let found = steps(
        r#"{"a":{"kind":"x","needs":["z"],"input":"{{","retry":{"strategy":"no"}},"b":{},"__c":{"kind":"Y"}}"#,
    );
    let mut codes: Vec<&str> = found.iter().map(|(code, _)| *code).collect();
    codes.sort_unstable();
    assert_eq!(
        codes,
        [
            "flow_unknown_step",
            "invalid_field",
            "invalid_field",
            "reserved_name",
            "step_without_work",
            "template_syntax"
        ]
    );
}

#[test]
fn loops_stand_within_each_other_as_deep_as_json_does() {
    let nested = |depth: usize| {
        let mut step = String::from(r#"{"kind":"x"}"#);
        for depth in 0..depth {
            step = format!(
                r#"{{"repeat":{{"max_iterations":2,"until":{{"op":"exists","path":"params.x"}},"steps":{{"s{depth}":{step}}}}}}}"#
            );
        }
        steps(&format!(r#"{{"top":{step}}}"#))
    };
    assert_eq!(nested(20), []);
    assert_eq!(nested(21), [("not_a_definition", String::new())]);
}

#[test]
fn ten_thousand_steps_and_no_more() {
    let chain = |count: usize| {
        let steps = (0..count).map(|at| match at {
            0 => r#""s0":{"kind":"x"}"#.to_string(),
            at => format!(r#""s{at}":{{"kind":"x","needs":["s{}"]}}"#, at - 1),
        });
        let steps: Vec<String> = steps.collect();
        format!(r#"{{"steps":{{{}}}}}"#, steps.join(","))
    };
    assert_eq!(problems(&chain(10_000)), []);
    assert_eq!(
        problems(&chain(10_001)),
        [("too_many_steps", "steps".to_string())]
    );
}

/// Definitions that are nearly right: one value of a sound one is replaced by anything.
fn bent() -> impl Strategy<Value = String> {
    let anything = prop_oneof![
        Just("null".to_string()),
        Just("[]".to_string()),
        Just("{}".to_string()),
        Just("-1".to_string()),
        Just("1e300".to_string()),
        Just("\"{{\"".to_string()),
        Just("\"steps\"".to_string()),
        Just("[{\"step\":1}]".to_string()),
        any::<String>().prop_map(|text| Value::Text(text).to_json()),
    ];
    (any::<prop::sample::Index>(), anything).prop_map(|(at, with)| {
        let places: Vec<(usize, char)> = REPORT
            .char_indices()
            .filter(|(_, c)| matches!(c, ':' | ','))
            .collect();
        let (from, _) = places[at.index(places.len())];
        let rest = &REPORT[from + 1..];
        let ends = rest.find([',', '}', ']']).unwrap_or(rest.len());
        format!("{}{with}{}", &REPORT[..=from], &rest[ends..])
    })
}

proptest! {
    #[test]
    fn no_definition_makes_the_reader_panic(json in bent()) {
        let _ = Definition::read(json.as_bytes());
    }
}
