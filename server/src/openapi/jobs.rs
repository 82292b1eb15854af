//! The shapes of statistics and of the administration of jobs, in the notation of `schemas.rs`.

use super::schemas::{Schema, answered};

/// What those are made of.
pub(super) const JOBS: &[Schema] = &[
    answered("Execution", &["life! Spans", "last_hour! Spans"]),
    answered(
        "KindExecution",
        &[
            "tenant_id! uuid",
            "kind! string?",
            "life! Spans",
            "last_hour! Spans",
        ],
    ),
    answered(
        "Spans",
        &[
            "count! integer",
            "avg_ms! number",
            "p50_ms! integer",
            "p95_ms! integer",
            "p99_ms! integer",
            "max_ms! integer",
        ],
    ),
];
