//! The shapes of acts on many runs and of dead letters, in the notation of the other schemas.

use super::schemas::{Schema, answered, one_of, sent};

/// What those are made of.
pub(super) const BULK: &[Schema] = &[
    sent(
        "RunFilter",
        &[
            "state run_state?",
            "task_id uuid?",
            "queue name?",
            "kind name?",
            "tag tag?",
            "worker worker?",
            "error_code error_code?",
            "fingerprint fingerprint?",
            "created_after instant?",
            "created_before instant?",
            "q string?",
        ],
    ),
    sent(
        "Bulk",
        &[
            "action! cancel|retry|resume",
            "filter! RunFilter",
            "dry_run boolean?",
            "expected_count count?",
            "reason reason?",
        ],
    ),
    sent(
        "ClearDeadLetters",
        &[
            "filter! RunFilter",
            "dry_run boolean?",
            "expected_count count?",
            "reason reason?",
        ],
    ),
    answered(
        "SelectedRuns",
        &[
            "state string",
            "task_id uuid",
            "queue name",
            "kind name",
            "tag tag",
            "worker worker",
            "error_code error_code",
            "fingerprint fingerprint",
            "created_after instant",
            "created_before instant",
            "q string",
        ],
    ),
    answered(
        "Operation",
        &[
            "operation_id! uuid",
            "tenant_id! uuid",
            "action! cancel|retry|resume|clear",
            "filter! SelectedRuns",
            "reason! string?",
            "state! running|done|canceled",
            "matched! count",
            "done! count",
            "refused_total! count",
            "refused! [RefusedRun]",
            "created_at! instant",
            "created_by! string",
            "finished_at! instant?",
        ],
    ),
    answered("RefusedRun", &["run_id! uuid", "code! string"]),
    answered(
        "BulkPreview",
        &["action! string", "matched! count", "run_ids! [uuid]"],
    ),
    // An earlier request's operation, or what a dry run would act on.
    one_of("OperationOrPreview", &["Operation", "BulkPreview"]),
    answered(
        "OperationList",
        &[
            "operations! [Operation]",
            "limit! limit",
            "next_cursor! string?",
        ],
    ),
    one_of("DeadLetterPage", &["DeadLetterList", "FailedAlikeList"]),
    answered(
        "DeadLetterList",
        &[
            "dead_letters! [DeadLetter]",
            "limit! limit",
            "offset! offset",
            "next_cursor! string?",
        ],
    ),
    answered(
        "FailedAlikeList",
        &["groups! [FailedAlike]", "total! count"],
    ),
    answered(
        "DeadLetter",
        &[
            "run_id! uuid",
            "task_id! uuid",
            "tenant_id! uuid",
            "kind! name",
            "queue! name",
            "fingerprint! fingerprint",
            "error_code! string?",
            "error_message! string?",
            "attempt_count! count",
            "created_at! instant",
            "scheduled_at! instant",
            "failed_at! instant",
        ],
    ),
    answered(
        "FailedAlike",
        &[
            "fingerprint! fingerprint",
            "kind! name",
            "error_code! string?",
            "error_message! string?",
            "count! count",
            "last_at! instant",
            "last_run_id! uuid",
        ],
    ),
    answered("DeadLetterCleared", &["run_id! uuid", "status! cleared"]),
];
