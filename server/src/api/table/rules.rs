//! What several routes have in common: their bodies and their errors.

use crate::api::route::BodyRule;

pub(super) const SMALL_BODY_BYTES_MAX: usize = 64 << 10;
/// A body that is required.
pub(super) const fn body(schema: &'static str, limit: usize) -> BodyRule {
    BodyRule {
        limit,
        required: true,
        scales: false,
        lines: false,
        schema,
    }
}

/// A small body that may be empty.
pub(super) const fn optional(schema: &'static str) -> BodyRule {
    BodyRule {
        limit: SMALL_BODY_BYTES_MAX,
        required: false,
        scales: false,
        lines: false,
        schema,
    }
}

pub(super) const LIST: &[&str] = &[
    "invalid_task_id",
    "invalid_pagination",
    "invalid_parameter",
    "cursor_expired",
];
