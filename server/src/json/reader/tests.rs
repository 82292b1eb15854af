//! What the reader says about every kind of wrong body.

use mainstay_client::wire::{Finish, FinishBatch, SubmitBatch, TaskSpec};

use super::{Subject, read, read_items, read_lines};
use crate::edge::Failure;

fn task(body: &str) -> Failure {
    read::<TaskSpec<'_>>(body.as_bytes(), Subject::Task).expect_err("refused")
}

#[track_caller]
fn expect(failure: &Failure, code: &str, details: serde_json::Value) {
    let body: serde_json::Value = serde_json::from_slice(&failure.body()).expect("JSON");
    assert_eq!(body["error"], code, "{body}");
    assert_eq!(body["details"], details, "{body}");
}

#[test]
fn each_wrong_field_is_named_by_its_dotted_path() {
    expect(
        &task("{}"),
        "invalid_task",
        serde_json::json!({"field": "kind"}),
    );
    expect(
        &task(r#"{"kind":"a","knid":1}"#),
        "unknown_field",
        serde_json::json!({"field": "knid"}),
    );
    expect(
        &task(r#"{"kind":"a","metadata":{"tgas":[]}}"#),
        "unknown_field",
        serde_json::json!({"field": "metadata.tgas"}),
    );
    expect(
        &task(r#"{"kind":"a","metadata":{"tags":["x",1]}}"#),
        "invalid_task",
        serde_json::json!({"field": "metadata.tags.1"}),
    );
    expect(
        &task(r#"{"kind":7}"#),
        "invalid_task",
        serde_json::json!({"field": "kind"}),
    );
    expect(
        &task(r#"{"kind":"a","kind":"b"}"#),
        "invalid_task",
        serde_json::json!({"field": "kind"}),
    );
    expect(
        &task(r#"{"kind":"a","run_policy":{}}"#),
        "invalid_task",
        serde_json::json!({"field": "run_policy.type"}),
    );
    expect(
        &task(r#"{"kind":"a","constraints":{"hold_policy":"never"}}"#),
        "invalid_task",
        serde_json::json!({"field": "constraints.hold_policy"}),
    );
    expect(
        &task(r#"{"kind":"a","constraints":[1]}"#),
        "invalid_task",
        serde_json::json!({"field": "constraints"}),
    );
    expect(
        &task(r#"["a"]"#),
        "invalid_task",
        serde_json::json!({"field": ""}),
    );
    expect(
        &task("null"),
        "invalid_task",
        serde_json::json!({"field": ""}),
    );
}

#[test]
fn what_is_not_json_names_line_and_column() {
    expect(
        &task("{\n \"kind\": oops}"),
        "invalid_json",
        serde_json::json!({"line": 2, "column": 10}),
    );
    expect(
        &task(""),
        "invalid_json",
        serde_json::json!({"line": 1, "column": 0}),
    );
    expect(
        &task(r#"{"kind":"a"} x"#),
        "invalid_json",
        serde_json::json!({"line": 1, "column": 14}),
    );
    let failure = read::<TaskSpec<'_>>(b"{\n\"\xff\"}", Subject::Task).expect_err("refused");
    expect(
        &failure,
        "invalid_json",
        serde_json::json!({"line": 2, "column": 2}),
    );
}

#[test]
fn json_deeper_than_the_limit_is_refused_and_at_the_limit_is_not() {
    let nested = |depth: usize| {
        format!(
            r#"{{"kind":"a","payload":{}{}}}"#,
            "[".repeat(depth),
            "]".repeat(depth)
        )
    };
    assert!(read::<TaskSpec<'_>>(nested(63).as_bytes(), Subject::Task).is_ok());
    expect(
        &task(&nested(64)),
        "limit_exceeded",
        serde_json::json!({"limit": "json_depth", "value": 64}),
    );
    let batch = format!(r#"{{"tasks":[{},{}]}}"#, nested(63), nested(64));
    let split = |batch: SubmitBatch<'static>| (batch.tasks, false);
    let batch: &'static str = batch.leak();
    let (items, _) = read_items::<SubmitBatch<'_>, TaskSpec<'_>>(
        batch.as_bytes(),
        "tasks",
        Subject::Task,
        split,
    )
    .expect("read");
    assert!(items[0].is_ok());
    assert!(items[1].is_err());
    // A bomb must neither overflow the stack nor be taken for a task.
    assert!(read::<TaskSpec<'_>>("[".repeat(1_000_000).as_bytes(), Subject::Task).is_err());
}

#[test]
fn a_bad_item_does_not_spoil_its_batch() {
    let body =
        r#"{"tasks":[{"kind":"a"},{"kind":"b","metadata":{"x":1}},7,{"kind":"c"}],"atomic":true}"#;
    let (items, atomic) = read_items(
        body.as_bytes(),
        "tasks",
        Subject::Task,
        |batch: SubmitBatch<'_>| (batch.tasks, false),
    )
    .expect("read");
    assert!(atomic);
    let items: Vec<Result<TaskSpec<'_>, Failure>> = items;
    assert!(items[0].is_ok() && items[3].is_ok());
    expect(
        items[1].as_ref().expect_err("refused"),
        "unknown_field",
        serde_json::json!({"field": "tasks.1.metadata.x"}),
    );
    expect(
        items[2].as_ref().expect_err("refused"),
        "invalid_task",
        serde_json::json!({"field": "tasks.2"}),
    );
}

#[test]
fn what_is_wrong_with_a_batch_itself_refuses_it_whole() {
    let read = |body: &'static str| {
        read_items::<FinishBatch<'_>, Finish<'_>>(
            body.as_bytes(),
            "results",
            Subject::Request,
            |batch| (batch.results, false),
        )
        .map(|_| ())
        .expect_err("refused")
    };
    expect(
        &read("{}"),
        "invalid_request",
        serde_json::json!({"field": "results"}),
    );
    expect(
        &read(r#"{"results":7}"#),
        "invalid_request",
        serde_json::json!({"field": "results"}),
    );
    expect(
        &read(r#"{"results":[],"atomic":true}"#),
        "unknown_field",
        serde_json::json!({"field": "atomic"}),
    );
    expect(
        &read("[]"),
        "invalid_request",
        serde_json::json!({"field": ""}),
    );
    assert_eq!(read(r#"{"results":["#).code(), "invalid_json");
}

#[test]
fn lines_are_items_and_a_bad_line_is_named() {
    let body = "{\"kind\":\"a\"}\r\n\n{\"kind\":}\n{\"kind\":\"c\"}";
    let items = read_lines::<TaskSpec<'_>>(body.as_bytes(), "tasks", Subject::Task).expect("read");
    assert_eq!(items.len(), 3);
    expect(
        items[1].as_ref().expect_err("refused"),
        "invalid_json",
        serde_json::json!({"line": 3, "column": 9}),
    );
}
