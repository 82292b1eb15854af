//! The codes of what operators do.

use super::{Code, code};

/// These codes.
pub(super) const CODES: &[Code] = &[
    code(
        "expected_count_mismatch",
        409,
        "expected, actual",
        "Another number of things matches than was expected; nothing happened.",
    ),
    code("invalid_operation_id", 400, "operation_id", "Not a UUID."),
    code(
        "operation_not_found",
        404,
        "operation_id",
        "No such operation in the caller's tenant, or it ended too long ago.",
    ),
    code(
        "operation_already_exists",
        409,
        "operation_id",
        "The chosen operation id is taken by an operation on other runs.",
    ),
    code(
        "invalid_approval_id",
        400,
        "approval_id",
        "Not a UUID, or the nil UUID.",
    ),
    code(
        "self_approval",
        403,
        "",
        "Nobody reviews or approves what they asked for, or approves what they reviewed.",
    ),
    code(
        "approval_not_found",
        404,
        "approval_id",
        "No such approval in the caller's tenant.",
    ),
    code(
        "approval_already_exists",
        409,
        "approval_id",
        "The chosen approval id is taken.",
    ),
    code(
        "approval_state_mismatch",
        409,
        "state, decision",
        "An approval is reviewed first and approved afterwards; a decided one stays as it is.",
    ),
    code(
        "not_dead_lettered",
        409,
        "run_id, state",
        "The run did not fail for good, or was tried again or cleared away since.",
    ),
    code(
        "unique_key_taken",
        409,
        "task_id",
        "Another task that has not ended has the unique key by now.",
    ),
];
