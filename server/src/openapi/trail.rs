//! The shapes of the audit trail, ledgers and approvals, in the notation of the other schemas.

use super::schemas::{Schema, answered, sent};

/// What the audit trail, ledgers and approvals are made of.
pub(super) const TRAIL: &[Schema] = &[
    answered(
        "AuditPage",
        &["entries! [AuditEntry]", "next! integer", "oldest! integer"],
    ),
    answered(
        "AuditEntry",
        &[
            "sequence! integer",
            "at! instant",
            "tenant_id! uuid",
            "who! string",
            "what! string",
            "target! string?",
            "reason! string?",
            "request_id! string?",
        ],
    ),
    answered(
        "AuditReport",
        &[
            "from! integer",
            "to! integer",
            "head_hash! string",
            "entries! integer",
            "oldest! integer",
            "gaps! [AuditGap]",
            "gaps_more! integer",
        ],
    ),
    answered(
        "AuditGap",
        &[
            "from! integer",
            "to! integer",
            "file! string",
            "offset! integer",
            "frame! integer",
            "message! string",
        ],
    ),
    sent(
        "LedgerAppend",
        &[
            "ledger_key! string",
            "payload! any",
            "actor_id uuid?",
            "tenant_id string?",
            "idempotency_key string?",
        ],
    ),
    answered("LedgerAppended", &["sequence! integer", "created! boolean"]),
    answered("LedgerPage", &["entries! [LedgerEntry]", "next! integer"]),
    answered(
        "LedgerEntry",
        &[
            "sequence! integer",
            "at! instant",
            "tenant_id! uuid",
            "ledger_key! string",
            "by! string",
            "actor_id! uuid?",
            "payload! any",
        ],
    ),
    sent(
        "ApprovalSpec",
        &[
            "subject! string",
            "plan! any",
            "ledger_key string?",
            "approval_id uuid?",
            "reason string?",
        ],
    ),
    sent(
        "ApprovalDecision",
        &["decision! review|approve|reject", "reason string?"],
    ),
    answered(
        "ApprovalBrief",
        &[
            "approval_id! uuid",
            "state! planned|reviewed|approved|rejected",
        ],
    ),
    answered("ApprovalPage", &["approvals! [Approval]", "next! integer"]),
    answered(
        "Approval",
        &[
            "approval_id! uuid",
            "tenant_id! uuid",
            "state! planned|reviewed|approved|rejected",
            "subject! string",
            "plan! any",
            "ledger_key! string",
            "sequence! integer",
            "requested_by! string",
            "requested_at! instant",
            "reviewed! ApprovalStep?",
            "decided! ApprovalStep?",
        ],
    ),
    answered(
        "ApprovalStep",
        &["by! string", "at! instant", "reason! string?"],
    ),
];
