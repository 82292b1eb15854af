//! Budgets of a tenant: what all of its work together may spend.

use serde_json::{Value, json};

use crate::harness::{World, text};

fn path(tenant: &str, rest: &str) -> String {
    format!("/api/v1/tenants/{tenant}/budgets{rest}")
}

#[test]
fn a_tenants_budget_covers_all_of_its_work_and_none_of_anothers() {
    let world = World::new();
    let (own, other) = (world.tenant("own"), world.tenant("other"));
    let (_, key) = world.make_key(Some(&own), "operator");
    let allocation = r#"{"dimension":"token","limit":10,"reason":"a quarter"}"#;
    let told = world.call("PUT", &path(&own, ""), allocation).expect(200);
    assert_eq!(
        (&told["limit"], &told["scope"]),
        (&json!(10), &json!("tenant"))
    );
    let post = |path: &str, body: &str| world.by(&key, "POST", path, body);
    for _ in 0..2 {
        post("/api/v1/tasks", r#"{"kind":"k"}"#).expect(201);
    }
    let lease = post("/api/v1/leases", r#"{"worker":"w"}"#).expect(200)["leases"][0].clone();
    let (run, token) = (text(&lease["run_id"]), text(&lease["token"]));
    let spent = json!({"token": token, "consumption": [{"dimension": "token", "amount": 10}]});
    let answer = post(&format!("/api/v1/runs/{run}/consume"), &spent.to_string()).expect(200);
    assert_eq!(answer["directive"], "suspend");
    let none = post("/api/v1/leases", r#"{"worker":"w"}"#).expect(200);
    assert_eq!(
        none["leases"],
        json!([]),
        "the other run waits for the budget"
    );
    // Another tenant's work goes on.
    let (_, others) = world.make_key(Some(&other), "operator");
    world
        .by(&others, "POST", "/api/v1/tasks", r#"{"kind":"k"}"#)
        .expect(201);
    let claimed = world
        .by(&others, "POST", "/api/v1/leases", r#"{"worker":"w"}"#)
        .expect(200);
    assert_eq!(claimed["leases"].as_array().map(Vec::len), Some(1));
    let period = r#"{"new_limit":50,"reason":"the next quarter"}"#;
    let told = world
        .post(&path(&own, "/token/replenish"), period)
        .expect(200);
    assert_eq!(
        (&told["consumed"], &told["consumed_total"]),
        (&json!(0), &json!(10))
    );
    let more = post("/api/v1/leases", r#"{"worker":"w"}"#).expect(200);
    assert_eq!(more["leases"].as_array().map(Vec::len), Some(1));
    let entries = world.get("/api/v1/audit?limit=1000").expect(200);
    let told: Vec<(&Value, &Value)> = entries["entries"]
        .as_array()
        .expect("entries")
        .iter()
        .filter(|entry| {
            entry["tenant_id"] == own.as_str() && text(&entry["what"]).contains("budget")
        })
        .map(|entry| (&entry["what"], &entry["reason"]))
        .collect();
    let expected = [
        (&json!("allocate_budget"), &json!("a quarter")),
        (&json!("replenish_budget"), &json!("the next quarter")),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_tenant_sees_its_budgets_and_only_a_system_key_sets_them() {
    let world = World::new();
    let (own, other) = (world.tenant("own"), world.tenant("other"));
    let (_, key) = world.make_key(Some(&own), "admin");
    let allocation = r#"{"dimension":"token","limit":10}"#;
    world.call("PUT", &path(&own, ""), allocation).expect(200);
    let seen = world.by(&key, "GET", &path(&own, ""), "").expect(200);
    assert_eq!(seen[0]["dimension"], "token");
    assert_eq!(world.get(&path("default", "")).expect(200), json!([]));
    let refused = world.by(&key, "PUT", &path(&own, ""), allocation);
    assert_eq!(
        refused.expect_error(403, "forbidden")["required"],
        "system_key"
    );
    let refused = world.by(
        &key,
        "POST",
        &path(&own, "/token/replenish"),
        r#"{"new_limit":1}"#,
    );
    refused.expect_error(403, "forbidden");
    let absent = "0190f000-0000-7000-8000-000000000099";
    for foreign in [&*other, absent] {
        let answer = world.by(&key, "GET", &path(foreign, ""), "");
        assert_eq!(
            answer.expect_error(404, "tenant_not_found")["tenant_id"],
            foreign
        );
    }
    let gone = world.call("PUT", &path(absent, ""), allocation);
    gone.expect_error(404, "tenant_not_found");
    let none = world.post(&path(&own, "/time_secs/replenish"), r#"{"new_limit":1}"#);
    none.expect_error(409, "budget_not_allocated");
    let nothing = r#"{"dimension":"token","limit":0}"#;
    world
        .call("PUT", &path(&own, ""), nothing)
        .expect_error(422, "zero_limit");
}
