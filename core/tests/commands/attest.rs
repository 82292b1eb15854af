//! The rows about ledgers and approvals.

use mainstay_core::{
    AppendLedger, ApprovalId, Attest, Call, Command, Decision, Principal, RequestApproval, Text,
    limits,
};

use super::row::{OK, Row, after, row};
use super::stand::Stand;

const PLAN: ApprovalId = ApprovalId(77);

fn ask(what: Attest) -> Command {
    Command::Attest(Box::new(what))
}

fn append(key: &str, payload: &[u8], idempotency_key: Option<&str>) -> Command {
    ask(Attest::Append(AppendLedger {
        key: Text::from(key),
        payload: payload.into(),
        actor: None,
        idempotency_key: idempotency_key.map(Text::from),
    }))
}

fn plan(subject: &str, ledger: Option<&str>, plan: &[u8]) -> RequestApproval {
    RequestApproval {
        approval: Some(PLAN),
        subject: Text::from(subject),
        plan: plan.into(),
        ledger_key: ledger.map(Text::from),
    }
}

fn request(subject: &str, ledger: Option<&str>, bytes: &[u8]) -> Command {
    ask(Attest::Request(plan(subject, ledger, bytes)))
}

fn decide(decision: Decision) -> Command {
    ask(Attest::Decide {
        approval: PLAN,
        decision,
        reason: Some(Text::from("because")),
    })
}

fn by(stand: &mut Stand, name: &str, command: Command) {
    let principal = Principal {
        name: Text::from(name),
        ..Principal::default()
    };
    let step = stand.step(Call::by(&principal, command));
    assert!(step.outcome.is_ok(), "{step:?}");
}

fn own_plan(stand: &mut Stand) {
    stand.must(request("mine", None, b"{}"));
}

fn plan_of_ann(stand: &mut Stand) {
    by(stand, "ann", request("hers", Some("release"), b"[1]"));
}

fn reviewed_by_bob(stand: &mut Stand) {
    plan_of_ann(stand);
    by(stand, "bob", decide(Decision::Review));
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = entries();
    rows.extend(requests());
    rows.extend(decisions());
    rows
}

fn entries() -> Vec<Row> {
    let keyed = |stand: &mut Stand| {
        stand.must(append("incident", b"1", Some("k")));
    };
    vec![
        row(
            "an entry",
            |_| append("incident", b"{\"a\":1}", None),
            |_| OK,
        ),
        row(
            "to no ledger",
            |_| append("No Name", b"1", None),
            |_| "invalid_request",
        ),
        row(
            "an entry too large",
            |_| append("incident", &vec![b'1'; limits::PAYLOAD_BYTES_MAX + 1], None),
            |_| "limit_exceeded",
        ),
        row(
            "with an empty key",
            |_| append("incident", b"1", Some("")),
            |_| "invalid_request",
        ),
        after(
            keyed,
            "once more",
            |_| append("incident", b"1", Some("k")),
            |_| OK,
        ),
        after(
            keyed,
            "another under the same key",
            |_| append("incident", b"2", Some("k")),
            |_| "idempotency_conflict",
        ),
    ]
}

fn requests() -> Vec<Row> {
    vec![
        row("a plan", |_| request("drop a table", None, b"{}"), |_| OK),
        row(
            "a plan about nothing",
            |_| request("", None, b"{}"),
            |_| "invalid_request",
        ),
        row(
            "a plan for no ledger",
            |_| request("a", Some(""), b"{}"),
            |_| "invalid_request",
        ),
        row(
            "a plan too large",
            |_| request("a", None, &vec![b'1'; limits::PLAN_BYTES_MAX + 1]),
            |_| "limit_exceeded",
        ),
        row(
            "a plan of nil",
            |_| {
                ask(Attest::Request(RequestApproval {
                    approval: Some(ApprovalId(0)),
                    ..plan("a", None, b"1")
                }))
            },
            |_| "invalid_request",
        ),
        after(
            own_plan,
            "a plan that is there",
            |_| request("a", None, b"1"),
            |_| "approval_already_exists",
        ),
    ]
}

fn decisions() -> Vec<Row> {
    let long = |_: &Stand| {
        ask(Attest::Decide {
            approval: PLAN,
            decision: Decision::Reject,
            reason: Some("x".repeat(limits::REASON_BYTES_MAX + 1).into()),
        })
    };
    let review = |_: &Stand| decide(Decision::Review);
    let approve = |_: &Stand| decide(Decision::Approve);
    let reject = |_: &Stand| decide(Decision::Reject);
    let reviewed_here = |stand: &mut Stand| {
        plan_of_ann(stand);
        stand.must(decide(Decision::Review));
    };
    let approved = |stand: &mut Stand| {
        reviewed_by_bob(stand);
        stand.must(decide(Decision::Approve));
    };
    vec![
        row("a review of no plan", review, |_| "unknown_approval"),
        after(
            own_plan,
            "with too long a reason",
            long,
            |_| "limit_exceeded",
        ),
        after(
            own_plan,
            "a review of one's own",
            review,
            |_| "self_approval",
        ),
        after(plan_of_ann, "a review", review, |_| OK),
        after(
            plan_of_ann,
            "an approval without review",
            approve,
            |_| "approval_state_mismatch",
        ),
        after(reviewed_by_bob, "an approval", approve, |_| OK),
        after(
            reviewed_by_bob,
            "a second review",
            review,
            |_| "approval_state_mismatch",
        ),
        after(
            reviewed_here,
            "an approval of what one reviewed",
            approve,
            |_| "self_approval",
        ),
        after(own_plan, "taking one's own back", reject, |_| OK),
        after(reviewed_by_bob, "a rejection", reject, |_| OK),
        after(
            approved,
            "a rejection after all",
            reject,
            |_| "unknown_approval",
        ),
    ]
}
