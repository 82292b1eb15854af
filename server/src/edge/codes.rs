//! Every error code of the API with its one status: the table that answers, the documentation and the metrics share.

/// One stable error code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Code {
    /// The code.
    pub(crate) name: &'static str,
    /// Its only status.
    pub(crate) status: u16,
    /// What it means, for the reference.
    pub(crate) meaning: &'static str,
    /// The names in `details`, for the reference.
    pub(crate) details: &'static str,
}

const fn code(
    name: &'static str,
    status: u16,
    details: &'static str,
    meaning: &'static str,
) -> Code {
    Code {
        name,
        status,
        meaning,
        details,
    }
}

/// The code with this name.
pub(crate) fn find_code(name: &str) -> Option<&'static Code> {
    CODES.iter().find(|code| code.name == name)
}

/// Every code, by status and name.
pub(crate) const CODES: &[Code] = &[
    code(
        "invalid_actor_id",
        400,
        "actor_id",
        "Not a UUID, or the nil UUID.",
    ),
    code(
        "invalid_header",
        400,
        "header",
        "A header's value is not of its form.",
    ),
    code("invalid_json", 400, "line, column", "The body is not JSON."),
    code(
        "invalid_key_id",
        400,
        "key_id",
        "Not a UUID, or the nil UUID.",
    ),
    code(
        "invalid_run_id",
        400,
        "run_id, field",
        "Not a UUID, or the nil UUID.",
    ),
    code(
        "invalid_subscription_id",
        400,
        "subscription_id",
        "Not a UUID, or the nil UUID.",
    ),
    code(
        "invalid_task_id",
        400,
        "task_id, field",
        "Not a UUID, or the nil UUID.",
    ),
    code("malformed_request", 400, "", "Not an HTTP request."),
    code("unauthorized", 401, "", "No API key, or not a valid one."),
    code(
        "forbidden",
        403,
        "required",
        "The key lacks what the route needs: a capability, or that it is a system key.",
    ),
    code(
        "actor_not_found",
        404,
        "actor_id",
        "No such actor in the tenant: it never registered, left, or fell silent.",
    ),
    code("key_not_found", 404, "key_id", "No such key in the tenant."),
    code(
        "queue_not_found",
        404,
        "queue",
        "No such queue in the tenant: nothing was ever submitted to it or set on it.",
    ),
    code("role_not_found", 404, "role", "No such role in the tenant."),
    code("route_not_found", 404, "", "There is nothing at this path."),
    code("run_not_found", 404, "run_id", "No such run in the tenant."),
    code(
        "subscription_not_found",
        404,
        "subscription_id",
        "No such subscription in the tenant.",
    ),
    code(
        "task_not_found",
        404,
        "task_id, state",
        "No such task in the tenant, or none that goes on: nothing is added to a task that is completed or has failed, and `state` says so.",
    ),
    code(
        "tenant_not_found",
        404,
        "tenant_id",
        "No such tenant for this key.",
    ),
    code(
        "method_not_allowed",
        405,
        "allow",
        "The path exists, the method does not.",
    ),
    code(
        "request_timeout",
        408,
        "applied",
        "The body came too slowly; nothing was applied.",
    ),
    code(
        "actor_already_registered",
        409,
        "actor_id",
        "The chosen actor id is in use.",
    ),
    code(
        "already_finished",
        409,
        "run_id, state",
        "The attempt has ended with another outcome, output or error.",
    ),
    code(
        "attempt_already_active",
        409,
        "attempt_id",
        "An attempt is on its way.",
    ),
    code(
        "attempt_finish_missing_active",
        409,
        "run_id",
        "No attempt is on its way.",
    ),
    code(
        "attempt_finish_requires_running",
        409,
        "state",
        "Attempts end on running runs only.",
    ),
    code(
        "attempt_mismatch",
        409,
        "expected, provided",
        "Another attempt is on its way.",
    ),
    code(
        "attempt_start_requires_running",
        409,
        "state",
        "Attempts begin on running runs only.",
    ),
    code(
        "budget_not_allocated",
        409,
        "dimension",
        "No budget of this dimension was set.",
    ),
    code(
        "checkpoint_conflict",
        409,
        "name",
        "The checkpoint exists with another value.",
    ),
    code(
        "dependency_cycle",
        409,
        "task_id",
        "The task would wait for itself.",
    ),
    code(
        "engine_already_paused",
        409,
        "",
        "The engine is paused already.",
    ),
    code("engine_not_paused", 409, "", "The engine is not paused."),
    code(
        "idempotency_conflict",
        409,
        "idempotency_key",
        "The key was used for a different request.",
    ),
    code(
        "invalid_transition",
        409,
        "from, to",
        "A run cannot go from one of these states to the other.",
    ),
    code(
        "key_already_exists",
        409,
        "key_id",
        "The chosen key id is taken.",
    ),
    code(
        "lease_already_active",
        409,
        "owner",
        "Somebody holds the run.",
    ),
    code(
        "lease_expiry_mismatch",
        409,
        "expected_ms, provided_ms",
        "The lease ends at another time.",
    ),
    code(
        "lease_heartbeat_expiry_regression",
        409,
        "current_ms, provided_ms",
        "The lease would end earlier.",
    ),
    code(
        "lease_invalid_run_state",
        409,
        "state, block_reason",
        "Only ready runs can be leased, and only held ones kept or given back.",
    ),
    code(
        "lease_lost",
        409,
        "run_id",
        "The token is not the live one; nothing was changed.",
    ),
    code(
        "lease_missing_active",
        409,
        "run_id",
        "Nobody holds the run.",
    ),
    code(
        "lease_owner_mismatch",
        409,
        "expected, provided",
        "Somebody else holds the run.",
    ),
    code(
        "non_monotonic_sequence",
        409,
        "expected, provided",
        "The log does not stand where `If-Sequence` says.",
    ),
    code(
        "parent_terminal",
        409,
        "task_id",
        "The parent has ended: it gets no further children.",
    ),
    code(
        "previous_state_mismatch",
        409,
        "expected, actual",
        "The run is not in the expected state.",
    ),
    code(
        "queue_already_paused",
        409,
        "queue",
        "The queue is paused already.",
    ),
    code("queue_not_paused", 409, "queue", "The queue is not paused."),
    code(
        "role_in_use",
        409,
        "role",
        "A key or an actor has the role.",
    ),
    code(
        "run_already_exists",
        409,
        "run_id",
        "The chosen run id is taken.",
    ),
    code(
        "run_resume_requires_suspended",
        409,
        "state",
        "Only a suspended run can be resumed.",
    ),
    code(
        "run_suspend_requires_running",
        409,
        "state",
        "Only a running run can be suspended.",
    ),
    code(
        "sequence_overflow",
        409,
        "",
        "The log's sequence has reached its end.",
    ),
    code(
        "subscription_already_canceled",
        409,
        "subscription_id",
        "The subscription was canceled before.",
    ),
    code(
        "subscription_already_exists",
        409,
        "subscription_id",
        "The chosen subscription id is taken.",
    ),
    code(
        "task_already_exists",
        409,
        "task_id",
        "The chosen task id is taken.",
    ),
    code(
        "task_already_started",
        409,
        "task_id",
        "A run of the task has started: it waits for nothing any more.",
    ),
    code(
        "task_canceled",
        409,
        "task_id",
        "The task is canceled: it changes no more.",
    ),
    code(
        "tenant_already_exists",
        409,
        "tenant_id",
        "The chosen tenant id or name is taken.",
    ),
    code(
        "cursor_expired",
        410,
        "oldest",
        "The cursor is of another log, or points to what is no longer kept.",
    ),
    code(
        "body_too_large",
        413,
        "limit_bytes",
        "The body is longer than this route takes.",
    ),
    code(
        "uri_too_long",
        414,
        "limit_bytes",
        "The request's target is too long.",
    ),
    code(
        "unsupported_media_type",
        415,
        "expected",
        "The Content-Type or Content-Encoding is not one this route takes.",
    ),
    code(
        "capability_missing",
        422,
        "capability",
        "The actor does not have a capability that its claim asks with.",
    ),
    code(
        "empty_capabilities",
        422,
        "",
        "An actor that is able to do nothing.",
    ),
    code(
        "empty_dependency_list",
        422,
        "",
        "A declaration names no task.",
    ),
    code(
        "hierarchy_too_deep",
        422,
        "limit",
        "Tasks would nest deeper than they may.",
    ),
    code(
        "invalid_pagination",
        422,
        "field",
        "`limit`, `offset` or `cursor` is not of its form or out of bounds.",
    ),
    code(
        "invalid_parameter",
        422,
        "parameter, allowed",
        "A query parameter's value is not of its form; `allowed` lists the words it may be.",
    ),
    code(
        "invalid_request",
        422,
        "field",
        "A field is missing, malformed or out of bounds.",
    ),
    code(
        "invalid_task",
        422,
        "field",
        "A field of the task is missing, malformed or out of bounds.",
    ),
    code(
        "limit_exceeded",
        422,
        "limit, value",
        "A limit of the system is exceeded.",
    ),
    code(
        "not_supported",
        422,
        "field",
        "Part of the contract, but not acted on by this version.",
    ),
    code(
        "query_refused",
        422,
        "",
        "Not one `SELECT` over the documented views, or not SQL.",
    ),
    code(
        "run_create_requires_scheduled",
        422,
        "state",
        "Every run begins as scheduled.",
    ),
    code(
        "unknown_field",
        422,
        "field",
        "The body has a field that nothing reads.",
    ),
    code(
        "unknown_parameter",
        422,
        "parameter",
        "The query has a parameter that nothing reads.",
    ),
    code("zero_limit", 422, "dimension", "A budget of nothing."),
    code(
        "rate_limited",
        429,
        "limit",
        "Too many requests without a valid API key from this address, or with this key's name.",
    ),
    code(
        "headers_too_large",
        431,
        "limit_bytes, limit_count",
        "The header fields are too many or too long.",
    ),
    code(
        "internal_error",
        500,
        "",
        "A fault of the server; the request id finds it in the log.",
    ),
    code(
        "busy",
        503,
        "limit",
        "A limit on work in progress is reached: try again after `Retry-After`.",
    ),
    code(
        "commit_unknown",
        503,
        "sequence",
        "Written but not confirmed: after the restart it is fully there or never was.",
    ),
    code(
        "not_ready",
        503,
        "reason",
        "The server is starting, draining or stopped.",
    ),
    code(
        "storage_full",
        503,
        "free_bytes, needed_bytes",
        "The disk is nearly full: nothing is taken on until there is room.",
    ),
];

#[cfg(test)]
mod tests {
    use super::CODES;
    use std::fmt::Write as _;

    fn reference() -> String {
        let mut text = String::from(
            "# Error codes\n\nGenerated from `server/src/edge/codes.rs`; do not edit. Every error answers\n\
             `{\"error\": \"<code>\", \"message\": \"<for people>\", \"details\": {…}}` with the one status of its code. Where one\n\
             of many things that go together is refused, and with it all of them, `details` also has `index`, its place from 0.\n\n\
             | code | status | details | meaning |\n|---|---|---|---|\n",
        );
        for code in CODES {
            let details: Vec<String> = code
                .details
                .split(", ")
                .filter(|name| !name.is_empty())
                .map(|name| format!("`{name}`"))
                .collect();
            let _ = writeln!(
                text,
                "| `{}` | {} | {} | {} |",
                code.name,
                code.status,
                details.join(", "),
                code.meaning
            );
        }
        text
    }

    #[test]
    fn the_error_reference_is_this_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/reference/errors.md");
        if std::env::var_os("MAINSTAY_BLESS").is_some() {
            std::fs::write(path, reference()).expect("docs/reference can be written");
        }
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            written == reference(),
            "docs/reference/errors.md differs from the table of codes; run the test again with MAINSTAY_BLESS=1"
        );
    }

    #[test]
    fn each_code_stands_once_and_in_order() {
        for pair in CODES.windows(2) {
            assert!(
                (pair[0].status, pair[0].name) < (pair[1].status, pair[1].name),
                "{}",
                pair[1].name
            );
        }
    }
}
