//! Dead letters through a real socket.

use serde_json::json;

use crate::harness::World;

/// A run that failed for good, of a queue of its own: its id, and its task's.
fn fail(world: &World, queue: &str, message: &str) -> (String, String) {
    let body = json!({"kind": "mail.send", "queue": queue, "payload": {"to": "ann"}});
    let submitted = world.post("/api/v1/tasks", &body.to_string()).expect(201);
    let claim = json!({"worker": "w", "queues": [queue], "max": 1});
    let claimed = world.post("/api/v1/leases", &claim.to_string()).expect(200);
    let lease = &claimed["leases"][0];
    let error = json!({"code": "smtp", "message": message});
    let failure = json!({"token": lease["token"], "outcome": "failure", "error": error});
    let run = lease["run_id"].as_str().expect("a run").to_owned();
    let path = format!("/api/v1/runs/{run}/finish");
    world.post(&path, &failure.to_string()).expect(200);
    let task = submitted["task"]["id"].as_str().expect("a task").to_owned();
    (run, task)
}

#[test]
fn a_dead_letter_is_tried_again_once() {
    let world = World::new();
    let (run, task) = fail(&world, "mail", "550 no such user");
    let path = format!("/api/v1/runs/{run}/retry");
    world
        .post(&path, r#"{"expected_state":"completed"}"#)
        .expect_error(409, "previous_state_mismatch");
    let retried = world.post(&path, r#"{"reason":"mended"}"#).expect(201);
    assert_eq!(retried["retry_of"], json!(run));
    let again = world.post(&path, "");
    again.expect_error(409, "not_dead_lettered");
    let new_run = retried["run_id"].as_str().expect("a run");
    let shown = world.get(&format!("/api/v1/runs/{new_run}")).expect(200);
    assert_eq!(
        (
            &shown["retry_of"],
            &shown["origin"],
            &shown["attempt_count"]
        ),
        (&json!(run), &json!("redrive"), &json!(0))
    );
    let old = world.get(&format!("/api/v1/runs/{run}")).expect(200);
    assert_eq!(
        (&old["state"], &old["redriven_by"]),
        (&json!("failed"), &json!(new_run))
    );
    let task = world.get(&format!("/api/v1/tasks/{task}")).expect(200);
    assert_eq!(task["state"], json!("active"));
}
