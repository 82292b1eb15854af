//! The shapes of claims, leases, heartbeats and finishes, in the notation of `schemas.rs`.

use super::schemas::{Schema, answered, sent};

/// What leases are made of.
pub(super) const LEASES: &[Schema] = &[
    sent(
        "Claim",
        &[
            "worker! worker",
            "queues queues?",
            "kinds kinds?",
            "capabilities capabilities?",
            "actor_id uuid?",
            "max claim_max?",
            "lease_ms lease_ms?",
            "wait_ms wait_ms?",
            "idempotency_key idempotency_key?",
        ],
    ),
    answered("ClaimAnswer", &["leases! [Lease]"]),
    answered(
        "Lease",
        &[
            "run_id! uuid",
            "task_id! uuid",
            "tenant_id! uuid",
            "attempt_id! uuid",
            "attempt! count",
            "token! string",
            "kind! name",
            "queue! name",
            "payload any",
            "payload_base64 string",
            "content_type! string",
            "expires_at! instant",
            "lease_ms! count",
            "deadline_at instant",
            "checkpoints! map",
            "budgets! [Budget]",
            "metadata! Metadata",
            "children [Child]",
            "children_total count",
            "children_live count",
            "resume_payload any",
            "traceparent string",
        ],
    ),
    sent("HeartbeatBatch", &["leases! heartbeats"]),
    sent(
        "Heartbeat",
        &[
            "run_id uuid?",
            "token! string",
            "lease_ms lease_ms?",
            "progress any",
            "tenant_id tenant?",
        ],
    ),
    answered("HeartbeatAnswer", &["results! [Beat]"]),
    answered(
        "Beat",
        &[
            "run_id! string",
            "expires_at instant",
            "directive continue|cancel|suspend|drain",
            "error string",
            "message string",
            "details object",
        ],
    ),
    sent("FinishBatch", &["results! finishes"]),
    sent(
        "Finish",
        &[
            "run_id uuid?",
            "token! string",
            "outcome! success|failure|suspended|canceled|released",
            "output any",
            "error FinishError?",
            "checkpoints map?",
            "retry_after_ms span_ms?",
            "reason reason?",
            "consumption amounts?",
            "children children?",
            "custom_events custom_events?",
            "tenant_id tenant?",
        ],
    ),
    sent(
        "FinishError",
        &[
            "code error_code?",
            "message error_message?",
            "retryable boolean?",
        ],
    ),
    answered("FinishAnswer", &["results! [Finished]", "sequence! count"]),
    answered(
        "Finished",
        &[
            "run_id! string",
            "state run_state",
            "dropped [string]",
            "error string",
            "message string",
            "details object",
        ],
    ),
    answered(
        "FinishOne",
        &[
            "run_id! uuid",
            "state! run_state",
            "dropped [string]",
            "sequence! count",
        ],
    ),
    sent(
        "Checkpoint",
        &[
            "token! string",
            "name! checkpoint_name",
            "value! any",
            "tenant_id tenant?",
        ],
    ),
    answered(
        "CheckpointSaved",
        &["run_id! uuid", "name! checkpoint_name", "sequence! count"],
    ),
];
