//! Ledgers and approvals.

use super::rules::{SMALL_BODY_BYTES_MAX, body};
use crate::api::approvals::APPROVAL_PARAMETERS;
use crate::api::ledger::LEDGER_PARAMETERS;
use crate::api::route::{BodyRule, Route};
use crate::api::{approvals, ledger};
use crate::auth::Needs;
use mainstay_core::Capability;
use mainstay_core::limits::TASK_BODY_BYTES_MAX;

/// A plan of 64 KiB and its words.
const PLAN_BODY_BYTES_MAX: usize = 2 * SMALL_BODY_BYTES_MAX;
const PAGE: &[&str] = &["invalid_pagination", "invalid_parameter"];
const APPROVAL: &[&str] = &["invalid_approval_id", "approval_not_found"];

/// These routes.
pub(super) const ROUTES: &[Route] = &[
    Route::post(
        "/api/v1/ledger",
        "Append an entry to a ledger",
        Needs::EXECUTE,
        BodyRule {
            scales: true,
            ..body("LedgerAppend", TASK_BODY_BYTES_MAX)
        },
        &[(201, "LedgerAppended"), (200, "LedgerAppended")],
        |x| Box::pin(ledger::append(x)),
    )
    .keyed()
    .errors(&[
        "limit_exceeded",
        "idempotency_conflict",
        "non_monotonic_sequence",
    ]),
    Route::get(
        "/api/v1/ledger",
        "Entries of ledgers after an event, oldest first",
        Needs::READ,
        &[(200, "LedgerPage")],
        |x| Box::pin(ledger::list(x)),
    )
    .all_tenants()
    .parameters(LEDGER_PARAMETERS)
    .errors(PAGE),
    Route::post(
        "/api/v1/approvals",
        "Let a plan wait for its review and its approval",
        Needs::SUBMIT,
        body("ApprovalSpec", PLAN_BODY_BYTES_MAX),
        &[(201, "ApprovalBrief"), (200, "ApprovalBrief")],
        |x| Box::pin(approvals::request(x)),
    )
    .control()
    .keyed()
    .errors(&[
        "invalid_approval_id",
        "approval_already_exists",
        "idempotency_conflict",
        "limit_exceeded",
        "non_monotonic_sequence",
    ]),
    Route::get(
        "/api/v1/approvals",
        "Approvals asked for after an event, oldest first",
        Needs::READ,
        &[(200, "ApprovalPage")],
        |x| Box::pin(approvals::list(x)),
    )
    .all_tenants()
    .parameters(APPROVAL_PARAMETERS)
    .errors(PAGE),
    Route::get(
        "/api/v1/approvals/{approval_id}",
        "One approval, decided or not",
        Needs::READ,
        &[(200, "Approval")],
        |x| Box::pin(approvals::get(x)),
    )
    .errors(APPROVAL),
    Route::post(
        "/api/v1/approvals/{approval_id}/decide",
        "Review, approve or reject a plan: `can_review` or `can_approve`, and nobody their own",
        Needs::Either(Capability::Review, Capability::Approve),
        body("ApprovalDecision", SMALL_BODY_BYTES_MAX),
        &[(200, "ApprovalBrief")],
        |x| Box::pin(approvals::decide(x)),
    )
    .control()
    .errors(&[
        "invalid_approval_id",
        "approval_not_found",
        "approval_state_mismatch",
        "self_approval",
        "forbidden",
        "limit_exceeded",
        "non_monotonic_sequence",
    ]),
];
