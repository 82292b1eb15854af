//! The shapes of what operators send and are answered, in the notation of the other schemas.

use super::schemas::{Schema, answered, sent};

/// Dead letters and operations.
pub(super) const OPERATORS: &[Schema] = &[
    sent("RetryRun", &["reason reason?", "expected_state run_state?"]),
    answered("RunRetried", &["run_id! uuid", "retry_of! uuid"]),
];
