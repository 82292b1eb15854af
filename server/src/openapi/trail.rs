//! The shapes of the audit trail, ledgers and approvals, in the notation of the other schemas.

use super::schemas::{Schema, answered, sent};

/// What the audit trail, ledgers and approvals are made of.
pub(super) const TRAIL: &[Schema] = &[
    answered(
        "AuditPage",
        &["entries! [AuditEntry]", "next! count", "oldest! count"],
    ),
    answered(
        "AuditEntry",
        &[
            "sequence! count",
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
            "from! count",
            "to! count",
            "head_hash! hash",
            "entries! count",
            "oldest! count",
            "gaps! [AuditGap]",
            "gaps_more! count",
        ],
    ),
    answered(
        "AuditGap",
        &[
            "from! count",
            "to! count",
            "file! string",
            "offset! count",
            "frame! count",
            "message! string",
        ],
    ),
    sent(
        "LedgerAppend",
        &[
            "ledger_key! name",
            "payload! any",
            "actor_id uuid?",
            "tenant_id tenant?",
            "idempotency_key idempotency_key?",
        ],
    ),
    answered("LedgerAppended", &["sequence! count", "created! boolean"]),
    answered("LedgerPage", &["entries! [LedgerEntry]", "next! count"]),
    answered(
        "LedgerEntry",
        &[
            "sequence! count",
            "at! instant",
            "tenant_id! uuid",
            "ledger_key! name",
            "by! string",
            "actor_id! uuid?",
            "payload! any",
        ],
    ),
    sent(
        "ApprovalSpec",
        &[
            "subject! subject",
            "plan! any",
            "ledger_key name?",
            "approval_id uuid?",
            "reason reason?",
        ],
    ),
    sent(
        "ApprovalDecision",
        &["decision! review|approve|reject", "reason reason?"],
    ),
    answered(
        "ApprovalBrief",
        &[
            "approval_id! uuid",
            "state! planned|reviewed|approved|rejected",
        ],
    ),
    answered("ApprovalPage", &["approvals! [Approval]", "next! count"]),
    answered(
        "Approval",
        &[
            "approval_id! uuid",
            "tenant_id! uuid",
            "state! planned|reviewed|approved|rejected",
            "subject! string",
            "plan! any",
            "ledger_key! name",
            "sequence! count",
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
