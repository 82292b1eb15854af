//! What users do with work beyond a single run, from the first request to the last.

use serde_json::{Value, json};

use crate::harness::{World, text};

#[test]
fn a_repeat_makes_all_its_runs_at_once() {
    let world = World::new();
    let body = r#"{"kind":"poll","run_policy":{"type":"repeat","count":3,"interval_ms":60000,"start_at":"2100-01-01T00:00:00Z"}}"#;
    let answer = world.post("/api/v1/tasks", body).expect(201);
    let due: Vec<&str> = answer["runs"]
        .as_array()
        .expect("runs")
        .iter()
        .map(|run| run["scheduled_at"].as_str().expect("an instant"))
        .collect();
    assert_eq!(
        due,
        [
            "2100-01-01T00:00:00.000Z",
            "2100-01-01T00:01:00.000Z",
            "2100-01-01T00:02:00.000Z"
        ]
    );
    assert_eq!(answer["runs_total"], 3);
    assert_eq!(
        answer["task"]["run_policy"],
        json!({"type": "repeat", "count": 3, "interval_ms": 60_000, "start_at": "2100-01-01T00:00:00.000Z"})
    );
    let id = text(&answer["task"]["id"]);
    assert_eq!(world.task(&id)["runs_by_state"]["scheduled"], 3);
    let coming = world
        .get(&format!("/api/v1/tasks/{id}/schedule?next=2"))
        .expect(200);
    assert_eq!(
        coming,
        json!({"occurrences": ["2100-01-01T00:00:00.000Z", "2100-01-01T00:01:00.000Z"]})
    );
    let canceled = world
        .post(&format!("/api/v1/tasks/{id}/cancel"), "")
        .expect(200);
    assert_eq!(
        (&canceled["runs_canceled"], &canceled["runs_total"]),
        (&json!(3), &json!(3))
    );
    let many = r#"{"kind":"poll","run_policy":{"type":"repeat","count":2000,"interval_ms":1}}"#;
    let many = world.post("/api/v1/tasks", many).expect(201);
    assert_eq!(many["runs"].as_array().map(Vec::len), Some(1000));
    assert_eq!(many["runs_total"], 2000);
}

#[test]
fn a_cron_is_looked_at_submitted_changed_and_stopped() {
    let world = World::new();
    let preview = |body: &str| world.post("/api/v1/schedule/preview", body);
    let berlin = r#"{"run_policy":{"type":"cron","expression":"30 2 * * *","timezone":"Europe/Berlin","start_at":"2099-03-28T12:00:00Z"},"next":2}"#;
    // The clocks go forward that night: what does not exist fires right after the gap.
    assert_eq!(
        preview(berlin).expect(200),
        json!({"occurrences": ["2099-03-29T01:00:00.000Z", "2099-03-30T00:30:00.000Z"]})
    );
    let wrong = preview(r#"{"run_policy":{"type":"cron","expression":"61 * * * *"}}"#);
    assert_eq!(
        wrong.expect_error(422, "invalid_request")["field"],
        "run_policy.expression"
    );
    let wrong = preview(
        r#"{"run_policy":{"type":"cron","expression":"* * * * *","timezone":"Mars/Base"}}"#,
    );
    assert_eq!(
        wrong.expect_error(422, "invalid_request")["field"],
        "run_policy.timezone"
    );
    let wrong = r#"{"kind":"a","run_policy":{"type":"cron","expression":"never"}}"#;
    let wrong = world.post("/api/v1/tasks", wrong);
    assert_eq!(
        wrong.expect_error(422, "invalid_task")["field"],
        "run_policy.expression"
    );

    let body = r#"{"kind":"report","run_policy":{"type":"cron","expression":"0 8 * * *"}}"#;
    let answer = world.post("/api/v1/tasks", body).expect(201);
    assert_eq!(answer["runs_total"], 1);
    let task = &answer["task"];
    assert_eq!(
        task["run_policy"],
        json!({
            "type": "cron", "expression": "0 8 * * *", "timezone": "UTC", "misfire": "run_once", "misfire_grace_ms": 60_000,
            "catch_up_max": 100, "overlap": "allow", "jitter_ms": 0,
        })
    );
    assert_eq!(
        (&task["paused"], &task["schedule"]["ended"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(task["schedule"]["next"], answer["runs"][0]["scheduled_at"]);
    let path = format!("/api/v1/tasks/{}", text(&task["id"]));
    let coming = world.get(&format!("{path}/schedule?next=3")).expect(200);
    let coming = coming["occurrences"].as_array().expect("instants");
    assert_eq!(
        (coming.len(), &coming[0]),
        (3, &answer["runs"][0]["scheduled_at"])
    );
    assert!(
        coming.iter().all(|at| text(at).ends_with("T08:00:00.000Z")),
        "{coming:?}"
    );
    let paused = world.call("PATCH", &path, r#"{"paused":true}"#).expect(200);
    assert_eq!(paused["paused"], true);
    let changed = r#"{"paused":false,"run_policy":{"type":"cron","expression":"0 9 * * *","overlap":"skip"}}"#;
    let changed = world.call("PATCH", &path, changed).expect(200);
    assert_eq!(
        (&changed["paused"], &changed["run_policy"]["overlap"]),
        (&json!(false), &json!("skip"))
    );
    assert!(
        text(&changed["schedule"]["next"]).ends_with("T09:00:00.000Z"),
        "{changed}"
    );
    let depends = format!(r#"{{"kind":"a","depends_on":["{}"]}}"#, text(&task["id"]));
    world
        .post("/api/v1/tasks", &depends)
        .expect_error(422, "invalid_task");
    let canceled = world.post(&format!("{path}/cancel"), "").expect(200);
    assert_eq!(canceled["status"], "canceled");
    assert_eq!(
        world.get(&format!("{path}/schedule")).expect(200),
        json!({"occurrences": []})
    );
}

#[test]
fn a_chain_of_three_runs_in_order_and_a_failure_cancels_the_rest() {
    let world = World::new();
    let (first, _) = world.submit(r#"{"kind":"a"}"#);
    let (second, second_run) = world.submit(&format!(r#"{{"kind":"b","depends_on":["{first}"]}}"#));
    let (third, third_run) = world.submit(&format!(
        r#"{{"kind":"c","depends_on":["{first}","{second}"]}}"#
    ));
    assert_eq!(world.reasons(&second_run), ["waiting_for_dependencies"]);
    let shown = world.task(&third);
    assert_eq!(shown["depends_on"], json!([first, second]));
    assert_eq!(
        shown["unmet_dependencies"].as_array().map(Vec::len),
        Some(2)
    );
    for kind in ["a", "b", "c"] {
        let lease = world.claim_one();
        assert_eq!(lease["kind"], kind);
        world.finish(&lease, "success", "").expect(200);
    }
    assert_eq!(world.task(&third)["state"], "completed");
    let history = world.get(&format!("/api/v1/runs/{third_run}")).expect(200);
    assert_eq!(history["state"], "completed");
    // A prerequisite that fails takes everything behind it along.
    let (first, _) = world.submit(r#"{"kind":"a"}"#);
    let (second, _) = world.submit(&format!(r#"{{"kind":"b","depends_on":["{first}"]}}"#));
    let (third, run) = world.submit(&format!(r#"{{"kind":"c","depends_on":["{second}"]}}"#));
    let error = r#","error":{"code":"broken","message":"no","retryable":false}"#;
    world
        .finish(&world.claim_one(), "failure", error)
        .expect(200);
    let states = [&first, &second, &third].map(|id| text(&world.task(id)["state"]));
    assert_eq!(states, ["failed", "canceled", "canceled"]);
    let shown = world.get(&format!("/api/v1/runs/{run}")).expect(200);
    let last = shown["state_history"]
        .as_array()
        .and_then(|all| all.last())
        .expect("a change");
    assert_eq!(last["cause"], "dependency_failed");
    // The answer is the same whatever the timing.
    let late = world
        .post(
            "/api/v1/tasks",
            &format!(r#"{{"kind":"d","depends_on":["{first}"]}}"#),
        )
        .expect(201);
    assert_eq!(late["task"]["state"], "canceled");
}

#[test]
fn a_cycle_is_refused_whoever_closes_it() {
    let world = World::new();
    let due = r#""run_policy":{"type":"once","run_at":"2100-01-01T00:00:00Z"}"#;
    let (first, _) = world.submit(&format!(r#"{{"kind":"a",{due}}}"#));
    let (second, _) = world.submit(&format!(r#"{{"kind":"b","depends_on":["{first}"]}}"#));
    let path = format!("/api/v1/tasks/{first}/dependencies");
    let body = format!(r#"{{"depends_on":["{second}"]}}"#);
    world
        .post(&path, &body)
        .expect_error(409, "dependency_cycle");
    let (third, _) = world.submit(r#"{"kind":"c"}"#);
    let declared = world
        .post(&path, &format!(r#"{{"depends_on":["{third}"]}}"#))
        .expect(200);
    assert_eq!(declared, json!({"task_id": first, "unmet": 1}));
}

#[test]
fn a_suspension_under_a_cancel_says_what_it_did_not_begin() {
    let world = World::new();
    let (_, run) = world.submit(r#"{"kind":"split"}"#);
    let lease = world.claim_one();
    world
        .post(&format!("/api/v1/runs/{run}/cancel"), "")
        .expect(200);
    let more = r#","children":[{"kind":"part"}],"custom_events":[{"key":"k"}]"#;
    let ended = world.finish(&lease, "suspended", more).expect(200);
    assert_eq!(ended["state"], "canceled");
    assert_eq!(ended["dropped"], json!(["children", "custom_events"]));
    let again = world.finish(&lease, "suspended", more).expect(200);
    assert_eq!(again["dropped"], ended["dropped"]);
    assert_eq!(world.get("/api/v1/stats").expect(200)["total_tasks"], 1);
}

#[test]
fn a_coordinator_sleeps_while_its_children_work() {
    let world = World::new();
    let (parent, run) = world.submit(r#"{"kind":"split"}"#);
    let lease = world.claim_one();
    let children = r#","reason":"waiting_for_children","children":[{"kind":"part","payload":1},{"kind":"part","payload":2}]"#;
    world.finish(&lease, "suspended", children).expect(200);
    assert!(
        world
            .reasons(&run)
            .contains(&"waiting_for_children".to_owned())
    );
    assert_eq!(world.task(&parent)["children_total"], 2);
    for part in 1..=2 {
        let lease = world.claim_one();
        assert_eq!(lease["kind"], "part");
        let child = world.task(&text(&lease["task_id"]));
        assert_eq!(child["parent_task_id"], parent);
        world
            .finish(
                &lease,
                "success",
                &format!(r#","output":{{"part":{part}}}"#),
            )
            .expect(200);
    }
    let lease = world.claim_one();
    assert_eq!(
        (&lease["kind"], &lease["attempt"]),
        (&json!("split"), &json!(2))
    );
    assert_eq!(
        (&lease["children_total"], &lease["children_live"]),
        (&json!(2), &json!(0))
    );
    let outputs: Vec<&Value> = lease["children"]
        .as_array()
        .expect("children")
        .iter()
        .map(|child| &child["output"]["part"])
        .collect();
    assert_eq!(outputs, [&json!(1), &json!(2)]);
    world.finish(&lease, "success", "").expect(200);
    assert_eq!(world.task(&parent)["state"], "completed");
}

#[test]
fn a_parent_waits_for_its_children_and_takes_them_along_when_it_is_canceled() {
    let world = World::new();
    let (parent, _) = world.submit(r#"{"kind":"p"}"#);
    let lease = world.claim_one();
    let run = text(&lease["run_id"]);
    let token = text(&lease["token"]);
    let by_run = format!(r#"{{"kind":"c","parent_run":{{"run_id":"{run}","token":"{token}"}}}}"#);
    let (child, _) = world.submit(&by_run);
    assert_eq!(world.task(&child)["parent_task_id"], parent);
    world.finish(&lease, "success", "").expect(200);
    assert_eq!(world.task(&parent)["state"], "waiting_for_children");
    let listed = world
        .get(&format!("/api/v1/tasks?parent_task_id={parent}"))
        .expect(200);
    assert_eq!(listed["tasks"][0]["id"], child);
    assert_eq!(listed["tasks"][0]["parent_task_id"], parent);
    let canceled = world
        .post(&format!("/api/v1/tasks/{parent}/cancel"), "")
        .expect(200);
    assert_eq!(canceled["descendants_canceled"], 1);
    assert_eq!(world.task(&child)["state"], "canceled");
    let late = format!(r#"{{"kind":"c","parent_task_id":"{parent}"}}"#);
    world
        .post("/api/v1/tasks", &late)
        .expect_error(409, "parent_terminal");
}

#[test]
fn an_exhausted_budget_suspends_and_a_new_period_goes_on() {
    let world = World::new();
    let (task, run) = world
        .submit(r#"{"kind":"llm","budgets":[{"dimension":"token","limit":100,"reserve":10}]}"#);
    let lease = world.claim_one();
    assert_eq!(lease["budgets"][0]["dimension"], "token");
    let consume = |amount: u64| {
        let body = format!(
            r#"{{"token":"{}","consumption":[{{"dimension":"token","amount":{amount}}}]}}"#,
            text(&lease["token"])
        );
        world
            .post(&format!("/api/v1/runs/{run}/consume"), &body)
            .expect(200)
    };
    let used = consume(40);
    assert_eq!(
        (&used["directive"], &used["budgets"][0]["consumed"]),
        (&json!("continue"), &json!(40))
    );
    let used = consume(60);
    assert_eq!(
        (&used["directive"], &used["budgets"][0]["exhausted"]),
        (&json!("suspend"), &json!(true))
    );
    assert_eq!(
        world.finish(&lease, "canceled", "").expect(200)["state"],
        "suspended"
    );
    let reasons = world.reasons(&run);
    assert!(
        reasons.contains(&"budget_exhausted".to_owned())
            && reasons.contains(&"suspended".to_owned()),
        "{reasons:?}"
    );
    let shown = world
        .get(&format!("/api/v1/tasks/{task}/budgets"))
        .expect(200);
    assert_eq!(
        (&shown[0]["consumed"], &shown[0]["limit"]),
        (&json!(100), &json!(100))
    );
    let path = format!("/api/v1/tasks/{task}/budgets/token/replenish");
    let renewed = world.post(&path, r#"{"new_limit":50}"#).expect(200);
    assert_eq!(
        (
            &renewed["consumed"],
            &renewed["consumed_total"],
            &renewed["limit"]
        ),
        (&json!(0), &json!(100), &json!(50))
    );
    let lease = world.claim_one();
    let consumption = r#","consumption":[{"dimension":"token","amount":5}]"#;
    world.finish(&lease, "success", consumption).expect(200);
    let shown = world
        .get(&format!("/api/v1/tasks/{task}/budgets"))
        .expect(200);
    assert_eq!(
        (&shown[0]["consumed"], &shown[0]["reserved"]),
        (&json!(5), &json!(0))
    );
    let attempts = world.get(&format!("/api/v1/runs/{run}")).expect(200);
    assert_eq!(
        attempts["attempts"][0]["consumption"],
        json!([{"dimension": "token", "amount": 100}])
    );
}

#[test]
fn an_event_of_ones_own_resumes_who_waits_for_it() {
    let world = World::new();
    let (task, run) = world.submit(r#"{"kind":"order"}"#);
    world
        .finish(
            &world.claim_one(),
            "suspended",
            r#","reason":"waits for payment""#,
        )
        .expect(200);
    let path = format!("/api/v1/tasks/{task}/subscriptions");
    let subscribed = world
        .post(&path, r#"{"filter":{"type":"custom","key":"paid.17"}}"#)
        .expect(201);
    let subscription = text(&subscribed["subscription_id"]);
    let publish = |key: &str| {
        world
            .post(
                "/api/v1/custom-events",
                &format!(r#"{{"key":"{key}","payload":{{"n":1}}}}"#),
            )
            .expect(200)
    };
    assert_eq!(publish("paid.16"), json!({"triggered": 0}));
    assert_eq!(publish("paid.17"), json!({"triggered": 1}));
    assert_eq!(
        world.get(&format!("/api/v1/runs/{run}")).expect(200)["state"],
        "ready"
    );
    let shown = world.task(&task);
    assert_eq!(
        shown["subscriptions"][0]["filter"],
        json!({"type": "custom", "key": "paid.17"})
    );
    assert_eq!(shown["subscriptions"][0]["triggered"], 1);
    let path = format!("/api/v1/subscriptions/{subscription}");
    let canceled = world.send("DELETE", &path, &[], b"").expect(200);
    assert_eq!(
        canceled,
        json!({"subscription_id": subscription, "status": "canceled"})
    );
    world
        .send("DELETE", &path, &[], b"")
        .expect_error(409, "subscription_already_canceled");
    // A finish may carry events too, and a completed task is one of the things to wait for.
    let (waiter, waiting) = world
        .submit(r#"{"kind":"after","run_policy":{"type":"once","run_at":"2100-01-01T00:00:00Z"}}"#);
    let filter = format!(r#"{{"filter":{{"type":"task_completed","task_id":"{task}"}}}}"#);
    world
        .post(&format!("/api/v1/tasks/{waiter}/subscriptions"), &filter)
        .expect(201);
    world
        .finish(
            &world.claim_one(),
            "success",
            r#","custom_events":[{"key":"shipped"}]"#,
        )
        .expect(200);
    assert_eq!(
        world.get(&format!("/api/v1/runs/{waiting}")).expect(200)["state"],
        "ready"
    );
}

#[test]
fn an_operator_suspends_and_resumes_a_run() {
    let world = World::new();
    let (_, run) = world.submit(r#"{"kind":"a"}"#);
    let lease = world.claim_one();
    let path = |verb: &str| format!("/api/v1/runs/{run}/{verb}");
    let asked = world
        .post(&path("suspend"), r#"{"reason":"look at it"}"#)
        .expect(200);
    assert_eq!(asked, json!({"run_id": run, "status": "suspend_requested"}));
    let beat = world
        .post(
            &path("heartbeat"),
            &format!(r#"{{"token":"{}"}}"#, text(&lease["token"])),
        )
        .expect(200);
    assert_eq!(beat["directive"], "suspend");
    world.finish(&lease, "suspended", "").expect(200);
    assert_eq!(world.reasons(&run), ["suspended"]);
    world
        .post(&path("suspend"), "")
        .expect_error(409, "run_suspend_requires_running");
    let resumed = world
        .post(&path("resume"), r#"{"payload":{"go":true}}"#)
        .expect(200);
    assert_eq!(resumed, json!({"run_id": run, "status": "resumed"}));
    assert_eq!(world.claim_one()["resume_payload"], json!({"go": true}));
    world
        .post(&path("resume"), "")
        .expect_error(409, "run_resume_requires_suspended");
}

#[test]
fn a_unique_key_admits_one_task_at_a_time() {
    let world = World::new();
    let body = r#"{"kind":"sync","unique_key":"sync:acme"}"#;
    let first = world.post("/api/v1/tasks", body).expect(201);
    assert_eq!(first["task"]["unique_key"], "sync:acme");
    let again = world.post("/api/v1/tasks", body).expect(200);
    assert_eq!(
        (&again["created"], &again["task"]["id"]),
        (&json!(false), &first["task"]["id"])
    );
    world.finish(&world.claim_one(), "success", "").expect(200);
    let next = world.post("/api/v1/tasks", body).expect(201);
    assert_ne!(next["task"]["id"], first["task"]["id"]);
}

#[test]
fn a_task_changes_and_gets_a_further_run() {
    let world = World::new();
    let (task, _) =
        world.submit(r#"{"kind":"a","metadata":{"tags":["old"],"priority":1,"description":"d"}}"#);
    let path = format!("/api/v1/tasks/{task}");
    assert_eq!(world.task(&task)["updated_at"], Value::Null);
    let changed = world
        .call(
            "PATCH",
            &path,
            r#"{"priority":7,"tags":["new"],"description":""}"#,
        )
        .expect(200);
    assert_eq!(changed["metadata"], json!({"tags": ["new"], "priority": 7}));
    assert!(changed["updated_at"].is_string(), "{changed}");
    assert_eq!(world.task(&task), changed);
    let run = world
        .post(
            &format!("{path}/runs"),
            r#"{"scheduled_at":"2100-01-01T00:00:00Z"}"#,
        )
        .expect(201);
    assert_eq!(
        (&run["state"], &run["scheduled_at"]),
        (&json!("scheduled"), &json!("2100-01-01T00:00:00.000Z"))
    );
    let shown = world
        .get(&format!("/api/v1/runs/{}", text(&run["run_id"])))
        .expect(200);
    assert_eq!(shown["origin"], "ad_hoc");
    assert_eq!(world.task(&task)["runs_total"], 2);
}

#[test]
fn a_deferred_submit_is_answered_before_it_is_on_disk() {
    let world = World::new();
    let answer = world
        .post("/api/v1/tasks", r#"{"kind":"a","durability":"deferred"}"#)
        .expect(202);
    assert_eq!(
        (&answer["durable"], &answer["created"]),
        (&json!(false), &json!(true))
    );
    let sequence = answer["sequence"].as_u64().expect("a sequence");
    let path = format!("/api/v1/tasks/{}", text(&answer["task"]["id"]));
    let read = world.send(
        "GET",
        &path,
        &[("mainstay-wait-for", &sequence.to_string())],
        b"",
    );
    assert_eq!(read.expect(200)["kind"], "a");
    let batch =
        r#"{"tasks":[{"kind":"a","durability":"deferred"},{"kind":"b","durability":"deferred"}]}"#;
    let answer = world.post("/api/v1/tasks/batch", batch).expect(200);
    assert_eq!(answer["durable"], false);
    assert_eq!(answer["results"][1]["status"], 202);
    let mixed = r#"{"tasks":[{"kind":"a","durability":"deferred"},{"kind":"b"}]}"#;
    let answer = world.post("/api/v1/tasks/batch", mixed).expect(200);
    assert_eq!(answer["durable"], Value::Null);
    assert_eq!(answer["results"][0]["status"], 201);
}

#[test]
fn a_capability_is_asked_for_and_offered() {
    let world = World::new();
    let (_, run) =
        world.submit(r#"{"kind":"a","constraints":{"required_capabilities":["gpu","cuda-12"]}}"#);
    assert!(world.claim(r#"{"worker":"w"}"#).is_empty());
    assert!(
        world
            .claim(r#"{"worker":"w","capabilities":["gpu"]}"#)
            .is_empty()
    );
    assert!(
        world
            .reasons(&run)
            .contains(&"no_capable_worker".to_owned())
    );
    let leases = world.claim(r#"{"worker":"w","capabilities":["cuda-12","gpu","x"]}"#);
    assert_eq!(leases.len(), 1);
}

#[test]
fn a_key_makes_a_run_and_a_subscription_once() {
    let world = World::new();
    let (task, _) = world.submit(r#"{"kind":"a"}"#);
    let send = |rest: &str, key: &str, body: &str| {
        let headers = [
            ("content-type", "application/json"),
            ("idempotency-key", key),
        ];
        let path = format!("/api/v1/tasks/{task}/{rest}");
        world.send("POST", &path, &headers, body.as_bytes())
    };
    let due = r#"{"scheduled_at":"2100-01-01T00:00:00Z"}"#;
    let first = send("runs", "k", due).expect(201);
    assert_eq!(send("runs", "k", due).expect(200), first);
    let other = send("runs", "k", r#"{"scheduled_at":"2101-01-01T00:00:00Z"}"#);
    assert_eq!(
        other.expect_error(409, "idempotency_conflict"),
        json!({"idempotency_key": "k"})
    );
    assert_ne!(
        send("runs", "l", due).expect(201)["run_id"],
        first["run_id"]
    );
    assert_eq!(world.task(&task)["runs_total"], 3);
    let both = send(
        "runs",
        "m",
        r#"{"run_id":"00000000-0000-4000-8000-000000000009"}"#,
    );
    assert_eq!(
        both.expect_error(422, "invalid_request"),
        json!({"field": "run_id"})
    );
    let filter = r#"{"filter":{"type":"custom","key":"e"}}"#;
    let subscribed = send("subscriptions", "k", filter).expect(201);
    assert_eq!(send("subscriptions", "k", filter).expect(200), subscribed);
    let other = send(
        "subscriptions",
        "k",
        r#"{"filter":{"type":"custom","key":"f"}}"#,
    );
    other.expect_error(409, "idempotency_conflict");
    assert_eq!(
        world.task(&task)["subscriptions"].as_array().map(Vec::len),
        Some(1)
    );
}
