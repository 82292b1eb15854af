//! The worker against a scripted server: what it does when answers fail to come, come late, or are not what it hoped for.

mod script;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mainstay_client::wire::Json;
use mainstay_client::{Client, Event, Signal, Verdict, Worker, WorkerOptions};
use script::{Answer, Script, grant};
use serde_json::{Value, json};

fn worker(script: &Script, until_idle: bool) -> (Worker, Arc<Mutex<Vec<String>>>) {
    let client = Client::new(&script.url, Some("msk_test_key")).expect("a client");
    let options = WorkerOptions {
        until_idle,
        ..WorkerOptions::new("w", "q")
    };
    let events: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&events);
    let worker = Worker::new(client, options).observed(move |event| {
        let name = match event {
            Event::Away(_) => "away".to_owned(),
            Event::Back => "back".to_owned(),
            Event::Finished { state, .. } => format!("finished {state}"),
            Event::Lost { run_id } => format!("lost {run_id}"),
            Event::Refused { code, .. } => format!("refused {code}"),
        };
        seen.lock().expect("a lock").push(name);
    });
    (worker, events)
}

/// Grants one lease once, and nothing afterwards.
fn one_lease(lease_ms: u64) -> impl Fn(&Value) -> Answer + Send + Sync {
    let granted = AtomicUsize::new(0);
    move |_| match granted.fetch_add(1, Ordering::SeqCst) {
        0 => Answer::Json(200, json!({"leases": [grant("r1", lease_ms)]})),
        _ => Answer::Json(200, json!({"leases": []})),
    }
}

fn renewed(body: &Value) -> Answer {
    let leases = body["leases"].as_array().expect("leases");
    let result = |lease: &Value| json!({"run_id": lease["run_id"], "expires_at": "2030-01-01T00:00:00.000Z", "directive": "continue"});
    Answer::Json(
        200,
        json!({"results": leases.iter().map(result).collect::<Vec<_>>()}),
    )
}

fn accepted(body: &Value) -> Answer {
    let results = body["results"].as_array().expect("results");
    let result = |finish: &Value| json!({"run_id": finish["run_id"], "state": "completed"});
    Answer::Json(
        200,
        json!({"results": results.iter().map(result).collect::<Vec<_>>(), "sequence": 9}),
    )
}

#[tokio::test]
async fn an_end_is_reported_with_the_same_token_until_it_is_accepted() {
    let tries = AtomicUsize::new(0);
    let script = Script::start(one_lease(60_000), renewed, move |body| {
        match tries.fetch_add(1, Ordering::SeqCst) {
            0 => Answer::Json(
                503,
                json!({"error": "busy", "message": "the inbox is full", "details": {}}),
            ),
            1 => Answer::HangUp,
            _ => accepted(body),
        }
    })
    .await;
    let (worker, events) = worker(&script, true);
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let handler = move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        async { Verdict::success(Json::parse("[1]".to_owned()).ok()) }
    };
    let summary = worker.run(handler).await.expect("it leaves when idle");
    assert_eq!((summary.claimed, runs.load(Ordering::SeqCst)), (1, 1));
    let finishes = script.bodies("/api/v1/leases/finish");
    assert_eq!(finishes.len(), 3);
    assert!(
        finishes
            .iter()
            .all(|body| body == &finishes[0] && body["results"][0]["token"] == "token-r1")
    );
    let events = events.lock().expect("a lock");
    assert_eq!(events.first().map(String::as_str), Some("away"));
    assert_eq!(
        events.last().map(String::as_str),
        Some("finished completed")
    );
}

#[tokio::test]
async fn a_lease_without_contact_is_lost_before_it_ends_and_an_abandoned_run_is_not_reported() {
    let script = Script::start(one_lease(1000), |_| Answer::HangUp, accepted).await;
    let (worker, events) = worker(&script, true);
    worker
        .run(|mut lease| async move {
            while lease.signaled().await != Signal::Lost {}
            Verdict::abandoned()
        })
        .await
        .expect("it leaves when idle");
    assert!(
        script.bodies("/api/v1/leases/heartbeat").len() > 1,
        "it tried more than once"
    );
    assert!(script.bodies("/api/v1/leases/finish").is_empty());
    assert!(
        events
            .lock()
            .expect("a lock")
            .contains(&"lost r1".to_owned())
    );
}

#[tokio::test]
async fn directives_reach_the_handler_and_heartbeats_go_on_while_it_works() {
    let beats = AtomicUsize::new(0);
    let beat = move |_: &Value| {
        let directive = if beats.fetch_add(1, Ordering::SeqCst) < 2 {
            "continue"
        } else {
            "cancel"
        };
        let beat = json!({"run_id": "r1", "expires_at": "2030-01-01T00:00:00.000Z", "directive": directive});
        Answer::Json(200, json!({"results": [beat]}))
    };
    let script = Script::start(one_lease(1000), beat, accepted).await;
    let (worker, _) = worker(&script, true);
    worker
        .run(|mut lease| async move {
            match lease.signaled().await {
                Signal::Cancel => Verdict::canceled("told to"),
                other => Verdict::failure("unexpected", format!("{other:?}"), false),
            }
        })
        .await
        .expect("it leaves when idle");
    let finishes = script.bodies("/api/v1/leases/finish");
    assert_eq!(finishes[0]["results"][0]["outcome"], "canceled");
    assert!(script.bodies("/api/v1/leases/heartbeat").len() >= 3);
}

#[tokio::test]
async fn a_handler_that_panics_has_failed_and_the_worker_goes_on() {
    let script = Script::start(one_lease(60_000), renewed, accepted).await;
    let (worker, _) = worker(&script, true);
    worker
        .run(|_| async { panic!("on purpose") })
        .await
        .expect("it leaves when idle");
    let error = &script.bodies("/api/v1/leases/finish")[0]["results"][0]["error"];
    assert_eq!(
        (&error["code"], &error["retryable"]),
        (&json!("panic"), &json!(true))
    );
}

#[tokio::test]
async fn a_result_that_is_not_valid_is_replaced_by_a_failure_that_says_so() {
    let finish = |body: &Value| match body["results"][0]["outcome"].as_str() {
        Some("success") => {
            let result = json!({"run_id": "r1", "error": "invalid_request", "message": "output is too deep"});
            Answer::Json(200, json!({"results": [result], "sequence": 1}))
        }
        _ => accepted(body),
    };
    let script = Script::start(one_lease(60_000), renewed, finish).await;
    let (worker, events) = worker(&script, true);
    worker
        .run(|_| async { Verdict::success(None) })
        .await
        .expect("it leaves when idle");
    let finishes = script.bodies("/api/v1/leases/finish");
    assert_eq!(finishes.len(), 2);
    assert_eq!(finishes[1]["results"][0]["error"]["code"], "result_refused");
    assert_eq!(events.lock().expect("a lock")[0], "refused invalid_request");
}

#[tokio::test]
async fn a_worker_told_to_stop_leaves_its_parked_claim_and_finishes_what_runs() {
    let script = Script::start(one_lease(60_000), renewed, accepted).await;
    let (worker, _) = worker(&script, false);
    let stop = worker.stop();
    let summary = worker
        .run(move |_| {
            let stop = stop.clone();
            async move {
                stop.stop();
                tokio::time::sleep(Duration::from_millis(50)).await;
                Verdict::success(None)
            }
        })
        .await
        .expect("it leaves");
    assert_eq!(summary.claimed, 1);
    assert_eq!(script.bodies("/api/v1/leases/finish").len(), 1);
}

#[tokio::test]
async fn a_server_that_answers_empty_at_once_is_not_asked_without_end() {
    let script = Script::start(
        |_| Answer::Json(200, json!({"leases": []})),
        renewed,
        accepted,
    )
    .await;
    let (worker, _) = worker(&script, false);
    let stop = worker.stop();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(500)).await;
        stop.stop();
    });
    worker
        .run(|_| async { Verdict::success(None) })
        .await
        .expect("it leaves");
    assert!(script.bodies("/api/v1/leases").len() < 20);
}

#[tokio::test]
async fn a_refused_claim_ends_the_worker_with_the_reason() {
    let refusal = |_: &Value| {
        Answer::Json(
            401,
            json!({"error": "unauthorized", "message": "no such key", "details": {}}),
        )
    };
    let script = Script::start(refusal, renewed, accepted).await;
    let (worker, _) = worker(&script, false);
    let error = worker
        .run(|_| async { Verdict::success(None) })
        .await
        .expect_err("refused");
    assert_eq!(error.code(), Some("unauthorized"));
}
