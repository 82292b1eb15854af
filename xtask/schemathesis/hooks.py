"""What schemathesis sends besides what it makes up: ids that exist, and nothing that only waits.

Nothing is left out of any check here. A value is replaced where it is good as it stands, so that what is bad reaches the server untouched.
"""

import json
import os
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


@schemathesis.hook
def before_call(context, case, kwargs):
    stateful = case.meta is not None and case.meta.phase.name.value == "stateful"
    if case.path_parameters and not stateful:
        for name, value in case.path_parameters.items():
            case.path_parameters[name] = known(name, value)
    if case.headers:
        positions(case.headers)
    if case.query:
        waits(case.query)
    if isinstance(case.body, dict):
        waits(case.body)
        if not stateful:
            case.body = refer(case.body)
