//! Ledgers and approvals through the API of one key: what another person decides is asked of the engine itself.

use mainstay::{Attest, Call, Command, Decision, Principal};
use mainstay_core::Text;
use serde_json::{Value, json};

use crate::harness::{World, text};

fn entries(world: &World, query: &str) -> Vec<Value> {
    let page = world.get(&format!("/api/v1/ledger{query}")).expect(200);
    page["entries"].as_array().expect("entries").clone()
}

#[test]
fn entries_are_appended_once_and_listed_in_order_page_by_page() {
    let world = World::new();
    for number in 0..7 {
        let ledger = ["incident", "relationship"][number % 2];
        let body = format!(r#"{{"ledger_key":"{ledger}","payload":{{"n": {number}}}}}"#);
        let made = world.post("/api/v1/ledger", &body).expect(201);
        assert_eq!(made["created"], true);
    }
    let keyed = r#"{"ledger_key":"incident","payload":"x","idempotency_key":"once"}"#;
    let first = world.post("/api/v1/ledger", keyed).expect(201);
    let again = world.post("/api/v1/ledger", keyed).expect(200);
    assert_eq!(
        again,
        json!({"sequence": first["sequence"], "created": false})
    );
    let other = keyed.replace("\"x\"", "\"y\"");
    world
        .post("/api/v1/ledger", &other)
        .expect_error(409, "idempotency_conflict");

    let all = entries(&world, "");
    assert_eq!(all.len(), 8);
    assert_eq!(all[3]["payload"], json!({"n": 3}));
    assert_eq!(entries(&world, "?ledger_key=incident").len(), 5);
    assert_eq!(entries(&world, "?ledger_key=nothing").len(), 0);
    let (mut after, mut seen) = (0, Vec::new());
    loop {
        let path = format!("/api/v1/ledger?ledger_key=incident&limit=2&after={after}");
        let page = world.get(&path).expect(200);
        let rows = page["entries"].as_array().expect("entries").clone();
        after = page["next"].as_u64().expect("a number");
        seen.extend(
            rows.iter()
                .map(|row| row["sequence"].as_u64().expect("a number")),
        );
        if rows.len() < 2 {
            break;
        }
    }
    assert_eq!(seen.len(), 5);
    assert!(seen.is_sorted());
    for (body, code) in [
        (r#"{"ledger_key":"No Name","payload":1}"#, "invalid_request"),
        (r#"{"ledger_key":"a"}"#, "invalid_request"),
        (r#"{"ledger_key":"a","payload":1,"x":1}"#, "unknown_field"),
        (
            r#"{"ledger_key":"a","payload":1,"actor_id":"x"}"#,
            "invalid_request",
        ),
    ] {
        world.post("/api/v1/ledger", body).expect_error(422, code);
    }
}

fn request(world: &World, body: &str) -> String {
    let made = world.post("/api/v1/approvals", body).expect(201);
    assert_eq!(made["state"], "planned");
    text(&made["approval_id"])
}

/// What somebody else decides.
fn decided_by(world: &World, name: &str, id: &str, decision: Decision) {
    let principal = Principal {
        name: Text::from(name),
        ..Principal::default()
    };
    let decide = Attest::Decide {
        approval: id.parse().expect("an id"),
        decision,
        reason: Some(Text::from("fine \"so far\"")),
    };
    let call = Call::by(&principal, Command::Attest(Box::new(decide)));
    let decided = world
        .engine
        .handle()
        .call(call)
        .wait()
        .expect("an answer")
        .value;
    assert!(decided.is_ok(), "{decided:?}");
}

fn decide(world: &World, id: &str, decision: &str) -> crate::harness::Response {
    let body = format!(r#"{{"decision":"{decision}","reason":"mine"}}"#);
    world.post(&format!("/api/v1/approvals/{id}/decide"), &body)
}

#[test]
fn a_plan_is_reviewed_and_approved_by_others_and_each_step_is_on_record() {
    let world = World::new();
    let id = request(
        &world,
        r#"{"subject":"drop \"a\"","plan":{"sql": ["DROP TABLE a"]}}"#,
    );
    decide(&world, &id, "approve").expect_error(409, "approval_state_mismatch");
    decide(&world, &id, "review").expect_error(403, "self_approval");
    decided_by(&world, "ann", &id, Decision::Review);
    decide(&world, &id, "approve").expect_error(403, "self_approval");
    decided_by(&world, "bob", &id, Decision::Approve);
    let shown = world.get(&format!("/api/v1/approvals/{id}")).expect(200);
    assert_eq!(shown["state"], "approved");
    assert_eq!(shown["plan"], json!({"sql": ["DROP TABLE a"]}));
    assert_eq!(
        (&shown["reviewed"]["by"], &shown["decided"]["by"]),
        (&json!("ann"), &json!("bob"))
    );
    // What is decided stays so, and is not unknown.
    for decision in ["review", "approve", "reject"] {
        let details = decide(&world, &id, decision).expect_error(409, "approval_state_mismatch");
        assert_eq!(details, json!({"state": "approved", "decision": decision}));
    }
    let steps = entries(&world, "?ledger_key=decision");
    let words: Vec<Value> = steps
        .iter()
        .map(|step| step["payload"]["decision"].clone())
        .collect();
    assert_eq!(words, ["review", "approve"]);
    assert_eq!(steps[0]["payload"]["subject"], "drop \"a\"");
    assert_eq!(steps[0]["payload"]["reason"], "fine \"so far\"");
    assert_eq!(steps[0]["payload"]["approval_id"], json!(id));
    let trail = world.get("/api/v1/audit").expect(200);
    let what: Vec<&Value> = trail["entries"]
        .as_array()
        .expect("entries")
        .iter()
        .map(|entry| &entry["what"])
        .collect();
    assert_eq!(
        what,
        ["request_approval", "decide_approval", "decide_approval"]
    );
}

#[test]
fn plans_are_listed_by_state_taken_back_and_asked_for_once() {
    let world = World::new();
    let mine = request(&world, r#"{"subject":"a","plan":1,"ledger_key":"release"}"#);
    let other = request(&world, r#"{"subject":"b","plan":null}"#);
    assert_eq!(
        decide(&world, &mine, "reject").expect(200)["state"],
        "rejected"
    );
    assert_eq!(entries(&world, "?ledger_key=release").len(), 1);
    let listed = |query: &str| {
        let page = world.get(&format!("/api/v1/approvals{query}")).expect(200);
        let rows = page["approvals"].as_array().expect("approvals").clone();
        rows.iter()
            .map(|row| text(&row["approval_id"]))
            .collect::<Vec<_>>()
    };
    assert_eq!(listed(""), [mine.clone(), other.clone()]);
    assert_eq!(listed("?state=planned"), std::slice::from_ref(&other));
    assert_eq!(listed("?state=rejected"), std::slice::from_ref(&mine));
    let headers = [
        ("content-type", "application/json"),
        ("idempotency-key", "k"),
    ];
    let body = br#"{"subject":"once","plan":[1]}"#;
    let first = world
        .send("POST", "/api/v1/approvals", &headers, body)
        .expect(201);
    let again = world
        .send("POST", "/api/v1/approvals", &headers, body)
        .expect(200);
    assert_eq!(first, again);
    let body = br#"{"subject":"twice","plan":[1]}"#;
    world
        .send("POST", "/api/v1/approvals", &headers, body)
        .expect_error(409, "idempotency_conflict");
    let chosen = format!(r#"{{"subject":"a","plan":1,"approval_id":"{other}"}}"#);
    world
        .post("/api/v1/approvals", &chosen)
        .expect_error(409, "approval_already_exists");
    let absent = "00000000-0000-4000-8000-000000000009";
    decide(&world, absent, "review").expect_error(404, "approval_not_found");
    world
        .get(&format!("/api/v1/approvals/{absent}"))
        .expect_error(404, "approval_not_found");
    world
        .get("/api/v1/approvals/x")
        .expect_error(400, "invalid_approval_id");
    for body in [
        r#"{"subject":"","plan":1}"#,
        r#"{"plan":1}"#,
        r#"{"subject":"a","plan":1,"ledger_key":"No"}"#,
    ] {
        world
            .post("/api/v1/approvals", body)
            .expect_error(422, "invalid_request");
    }
    decide(&world, &other, "praise").expect_error(422, "invalid_request");
    world
        .get("/api/v1/approvals?state=x")
        .expect_error(422, "invalid_parameter");
}
