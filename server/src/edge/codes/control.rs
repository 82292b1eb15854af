//! The codes of what operators do.

use super::{Code, code};

/// These codes.
pub(super) const CODES: &[Code] = &[
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
