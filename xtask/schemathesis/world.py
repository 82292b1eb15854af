"""Seeds a server with something of everything, and writes down what there is: `world.py URL KEY OUT`."""

import json
import sys
import urllib.request

URL, KEY, OUT = sys.argv[1:4]
world = {}


def call(method, path, body=None, tenant=None):
    headers = {"Authorization": f"Bearer {KEY}"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    if tenant is not None:
        headers["Mainstay-Tenant"] = tenant
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(URL + path, data, headers, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def post(path, body=None):
    return call("POST", "/api/v1" + path, body)


def keep(name, value):
    world.setdefault(name, []).append(value)
    return value


def submit(**task):
    answer = post("/tasks", task)
    keep("task_id", answer["task"]["id"])
    for run in answer["runs"][:2]:
        keep("run_id", run["run_id"])
    return answer["task"]["id"], [run["run_id"] for run in answer["runs"]]


def claim(queue, count=1):
    leases = post("/leases", {"worker": "seed", "queues": [queue], "max": count, "lease_ms": 86_400_000})
    return leases["leases"]


def finish(lease, **how):
    return post(f"/runs/{lease['run_id']}/finish", {"token": lease["token"], **how})


call("PUT", "/api/v1/queues/mail", {"concurrency_limit": 50, "rate_limit": {"per_ms": 1000, "max": 100}, "weight": 2})
post("/queues/held/pause", {"reason": "maintenance"})
call("PUT", "/api/v1/roles/deployer", {"capabilities": ["deploy", "can_read"]})
keep("tenant_id", call("POST", "/api/v1/tenants", {"name": "acme"})["tenant_id"])
keep("tenant_id", "default")
for identity in ["bot", "cook"]:
    keep("actor_id", post("/actors", {"identity": identity, "capabilities": ["x"], "heartbeat_interval_ms": 86_400_000})["actor_id"])
post(f"/actors/{world['actor_id'][1]}/drain")
post(f"/actors/{world['actor_id'][0]}/roles", {"role": "deployer"})
keep("key_id", post("/keys", {"name": "ci", "role": "worker", "tenant_id": "default"})["key_id"])
keep("key_id", post("/keys", {"name": "old", "role": "operator", "tenant_id": "default"})["key_id"])
call("DELETE", f"/api/v1/keys/{world['key_id'][1]}")

# Runs in every state.
submit(kind="later", run_policy={"type": "once", "run_at": "2100-01-01T00:00:00Z"})
submit(kind="ready", queue="quiet", payload={"n": 1}, metadata={"tags": ["a"], "priority": 3})
submit(kind="many", run_policy={"type": "repeat", "count": 5, "interval_ms": 3_600_000})
submit(kind="nightly", run_policy={"type": "cron", "expression": "0 3 * * *", "timezone": "Europe/Berlin"})
submit(kind="running", queue="busy", budgets=[{"dimension": "token", "limit": 1000, "reserve": 5}])
claim("busy")
submit(kind="done", queue="done")
for lease in claim("done"):
    finish(lease, outcome="success", output={"ok": True})
for _ in range(4):
    submit(kind="dead", queue="dead")
for lease in claim("dead", 4):
    finish(lease, outcome="failure", error={"code": "smtp", "message": "550 no user 17"})
submit(kind="again", queue="again", constraints={"max_attempts": 5}, retry={"initial_ms": 86_400_000, "max_ms": 86_400_000})
for lease in claim("again"):
    finish(lease, outcome="failure", error={"code": "smtp", "message": "421"})
submit(kind="aside", queue="aside")
for lease in claim("aside"):
    finish(lease, outcome="suspended", reason="waits for a person")
canceled, _ = submit(kind="canceled", queue="canceled")
post(f"/tasks/{canceled}/cancel")
parent, _ = submit(kind="parent", queue="family")
for lease in claim("family"):
    finish(lease, outcome="success", children=[{"kind": "child", "queue": "family"}])
waits, _ = submit(kind="waits", queue="late", depends_on=[world["task_id"][0]])
keep("subscription_id", post(f"/tasks/{waits}/subscriptions", {"filter": {"type": "custom", "key": "k"}})["subscription_id"])
keep("approval_id", post("/approvals", {"subject": "drop a table", "plan": ["DROP TABLE a"]})["approval_id"])
for number in range(3):
    post("/ledger", {"ledger_key": "incident", "payload": {"severity": number}})

operation = {"action": "cancel", "filter": {"kind": "nobody"}}
keep("operation_id", post("/bulk", operation)["operation_id"])

world["job_id"] = world["run_id"]
with open(OUT, "w") as out:
    json.dump(world, out)
