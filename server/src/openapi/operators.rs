//! The shapes of what operators send and are answered, in the notation of the other schemas.

use super::schemas::{Schema, answered, sent};

/// Dead letters and operations.
pub(super) const OPERATORS: &[Schema] = &[
    answered(
        "RunBrief",
        &["run_id! uuid", "state! string", "scheduled_at! instant"],
    ),
    sent("RetryRun", &["reason string?", "expected_state string?"]),
    answered("RunRetried", &["run_id! uuid", "retry_of! uuid"]),
];
