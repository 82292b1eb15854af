"""What schemathesis sends besides what it makes up: ids that exist, and nothing that only waits.

Nothing is left out of any check here. A value is replaced where it is good as it stands, so that what is bad reaches the server untouched.
"""

import json
import os
import re
import uuid

import schemathesis

with open(os.environ["MAINSTAY_WORLD"]) as world:
    WORLD = json.load(world)

# Ids that a body chooses for what it makes stay as they are.
REFERRED = {"parent_task_id", "depends_on", "actor_id", "task_id"}
# A call that waits for work or for events answers as one that waits a little does.
WAIT_MS = 5


def draw(text):
    """A number that follows from the value: the same seed sends the same requests."""
    try:
        return uuid.UUID(text).int if isinstance(text, str) else None
    except ValueError:
        return None


def known(name, value):
    """An id that exists, three times of four, in the place of one that was made up."""
    number = draw(value)
    choices = WORLD.get(name)
    if number is None or not choices or number % 4 == 0:
        return value
    return choices[(number >> 8) % len(choices)]


def refer(value, name=None):
    if isinstance(value, dict):
        return {key: refer(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [refer(inner, name) for inner in value]
    if name in REFERRED:
        return known("task_id" if name in ("parent_task_id", "depends_on") else name, value)
    return value


def waits(values):
    if isinstance(values, dict):
        asked = values.get("wait_ms")
        if isinstance(asked, int) and not isinstance(asked, bool) and WAIT_MS < asked <= 60_000:
            values["wait_ms"] = WAIT_MS
        if isinstance(asked, str) and asked.isascii() and asked.isdigit() and WAIT_MS < int(asked) <= 60_000:
            values["wait_ms"] = str(WAIT_MS)


def positions(headers):
    """A made-up position or tenant is refused as such nearly always: seven of eight are left out where they are good."""
    for name in ("If-Sequence", "Mainstay-Tenant", "Mainstay-Wait-For", "Last-Event-ID", "Mainstay-Log"):
        value = headers.get(name)
        if value is None or value in ("default", "*"):
            continue
        text = str(value)
        good = draw(text) is not None if name in ("Mainstay-Tenant", "Mainstay-Log") else text.isascii() and text.isdigit()
        if good and sum(text.encode()) % 8 != 0:
            del headers[name]


# A request of the right shape that is refused all the same, because of a rule that JSON Schema cannot say: about several fields at once, about
# what there is, or about the text inside a string. Whatever else is refused with 422 is a finding.
RULES = {
    "capability_missing": "an actor has what it registered with",
    "limit_exceeded": "a number of things that there are, or of bytes of UTF-8",
    "query_refused": "SQL is a language of its own",
    "zero_limit": "a budget of nothing",
}
# Beside these, a whole number is spelled without a fraction: `3.0` is none to the server, and an integer to JSON Schema.
MESSAGES = [re.compile(text) for text in (
    r"invalid type: floating point `",
    r"exclude each other|cannot be given together|differs from the (header|run)",
    r"is one of the built-in roles|must be one of the built-in roles|is of a tenant, a system key is not",
    r"must be an IANA time zone|run_policy\.expression|needs five|cron",
    r"no word in it",
    r"cursor must be the next_cursor",
    r"page must begin within",
    r"must be in the future|must not be before start_at|must put the last run before the year 10000",
    r"reserve at most their limit|must be at least the reserve|name each dimension once",
    r"queues times kinds|is of one tenant: it cannot claim over all of them",
    r"must be between 1 and \d+$",
    r"bytes",
    r"filter names a state in which the action does nothing|has a fingerprint that no dead letter",
    r"names a task with a calendar|goes with cron tasks alone",
    r"If-Sequence is not supported",
    r"must be the same for every task of an atomic batch",
)]


# Batches answer each item by itself: an item that is wrong is refused in its place of an answer that is good.
BATCHES = ("/api/v1/tasks/batch", "/api/v1/leases/finish", "/api/v1/leases/heartbeat")


def is_refused_in_its_place(case, response):
    if case.operation.path not in BATCHES or response.status_code != 200:
        return False
    return any("error" in item for item in response.json()["results"])


@schemathesis.hook
def filter_failure(context, failure, case, response):
    kind = type(failure).__name__
    if kind == "AcceptedNegativeData":
        # A header that nobody knows is ignored (RFC 9110, 5.1).
        unknown = "in header - object with unexpected properties" in str(failure.message)
        return not unknown and not is_refused_in_its_place(case, response)
    if kind != "RejectedPositiveData":
        return True
    if response.status_code == 410:
        # A cursor of another log.
        return False
    if response.status_code != 422:
        return True
    refused = response.json()
    return refused["error"] not in RULES and not any(rule.search(refused["message"]) for rule in MESSAGES)


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.query:
        waits(case.query)
    if isinstance(case.body, dict):
        waits(case.body)
    if case.meta is None or case.meta.generation.mode.is_negative:
        return
    if case.headers:
        positions(case.headers)
    # What a link handed over stays.
    if case.meta.phase.name.value == "stateful":
        return
    for name, value in (case.path_parameters or {}).items():
        case.path_parameters[name] = known(name, value)
    if isinstance(case.body, dict):
        case.body = refer(case.body)
