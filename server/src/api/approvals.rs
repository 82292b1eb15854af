//! Approvals: a plan waits for its review and its approval, each by somebody else.

use mainstay::store::{ApprovalAsk, Scope};
use mainstay_client::wire;
use mainstay_core::{
    ApprovalId, ApprovalRow, ApprovalState, Attest, Command, Decision, Outcome, RequestApproval,
    TaskId, Text,
};

use super::audit::after_and_limit;
use super::convert::json_bytes;
use super::lists::refused;
use crate::edge::{Exchange, Failure, Placed, Reading, Reply, invalid_parameter};
use crate::json::{Subject, Writer};

/// What [`list`] reads, as `name type`.
pub(crate) const APPROVAL_PARAMETERS: &[&str] = &[
    "state planned|reviewed|approved|rejected",
    "after position",
    "limit limit",
];
/// Bytes of an approval, about.
const APPROVAL_BYTES: usize = 1024;

/// `POST /api/v1/approvals`.
pub(crate) async fn request(exchange: Exchange) -> Result<Reply, Failure> {
    let (ask, keyed, reason) = read_request(&exchange)?;
    let earlier = match keyed {
        Some(id) => find(&exchange, id).await?.value,
        None => None,
    };
    if let Some(earlier) = earlier {
        return repeated(&exchange, &ask, &earlier);
    }
    let command = Command::Attest(Box::new(Attest::Request(ask.clone())));
    let placed = match (exchange.call_because(command, reason).await, keyed) {
        (Err(failure), Some(id)) if failure.code() == "approval_already_exists" => {
            let earlier = find(&exchange, id).await?.value;
            return repeated(&exchange, &ask, &earlier.ok_or(failure)?);
        }
        (answer, _) => answer?,
    };
    let Outcome::ApprovalRequested(id) = placed.value else {
        return Err(Failure::internal());
    };
    Ok(brief(id, ApprovalState::Planned)
        .status(201)
        .at(placed.sequence))
}

fn read_request(
    exchange: &Exchange,
) -> Result<(RequestApproval, Option<ApprovalId>, Option<Text>), Failure> {
    let body: wire::ApprovalSpec<'_> = exchange.read(Subject::Request)?;
    let chosen = body.approval_id.as_deref().map(read_approval).transpose()?;
    let keyed = exchange.keyed_id("approval", TaskId(0), chosen.map(|_| "approval_id"))?;
    let keyed = keyed.map(ApprovalId);
    let ask = RequestApproval {
        approval: chosen.or(keyed),
        subject: Text::from(&*body.subject),
        plan: json_bytes(&body.plan),
        ledger_key: body.ledger_key.as_deref().map(Text::from),
    };
    Ok((ask, keyed, body.reason.as_deref().map(Text::from)))
}

/// The answer to a request whose key made an approval before.
fn repeated(
    exchange: &Exchange,
    ask: &RequestApproval,
    earlier: &ApprovalRow,
) -> Result<Reply, Failure> {
    let row = &earlier.approval;
    let ledger = ask.ledger_key.as_deref().unwrap_or("decision");
    let same = row.subject == ask.subject && row.plan == ask.plan && &*row.ledger_key == ledger;
    if !same {
        return Err(exchange.key_conflict());
    }
    Ok(brief(earlier.id, row.state).at(row.number))
}

fn brief(id: ApprovalId, state: ApprovalState) -> Reply {
    let mut json = Writer::new();
    json.object()
        .plain_field("approval_id", &id)
        .string_field("state", state.name())
        .end_object();
    Reply::json(json.done())
}

fn read_approval(text: &str) -> Result<ApprovalId, Failure> {
    text.parse().map_err(|_| {
        Failure::new("invalid_approval_id", "invalid approval id")
            .text("approval_id", text.to_owned())
    })
}

fn not_found(id: ApprovalId) -> Failure {
    Failure::new("approval_not_found", "approval not found").text("approval_id", id.to_string())
}

/// An approval of the caller's tenant, as it stands now.
async fn find(exchange: &Exchange, id: ApprovalId) -> Result<Placed<Option<ApprovalRow>>, Failure> {
    let tenant = exchange.principal.tenant;
    let now = exchange.handle().sequence();
    let read = exchange.read_stored_at(Reading::List, now, move |library| {
        library.approval(tenant, id)
    });
    let found = read.await?.value;
    let (value, sequence) = found.map_err(|error| refused(exchange, error))?;
    Ok(Placed {
        value,
        sequence,
        durable: true,
    })
}

/// `POST /api/v1/approvals/{approval_id}/decide`.
pub(crate) async fn decide(exchange: Exchange) -> Result<Reply, Failure> {
    let approval = read_approval(exchange.target(0))?;
    let (decision, reason) = {
        let body: wire::ApprovalDecision<'_> = exchange.read(Subject::Request)?;
        let decision = Decision::find(&body.decision).ok_or_else(|| {
            Subject::Request.wrong("decision", "must be review, approve or reject")
        })?;
        (decision, body.reason.as_deref().map(Text::from))
    };
    let command = Command::Attest(Box::new(Attest::Decide {
        approval,
        decision,
        reason,
    }));
    let placed = match exchange.call(command).await {
        Err(failure) if failure.code() == "approval_not_found" => {
            return Err(decided(&exchange, approval, decision, failure).await?);
        }
        answer => answer?,
    };
    let Outcome::ApprovalDecided(state) = placed.value else {
        return Err(Failure::internal());
    };
    Ok(brief(approval, state).at(placed.sequence))
}

/// What is not open may have been decided: then it is not unknown.
async fn decided(
    exchange: &Exchange,
    id: ApprovalId,
    decision: Decision,
    unknown: Failure,
) -> Result<Failure, Failure> {
    let found = find(exchange, id).await?;
    let Some(row) = found.value else {
        return Ok(unknown);
    };
    let rejection = mainstay_core::Rejection::ApprovalStateMismatch {
        state: row.approval.state,
        decision,
    };
    Ok(Failure::from(rejection).at(found.sequence))
}

/// `GET /api/v1/approvals/{approval_id}`.
pub(crate) async fn get(exchange: Exchange) -> Result<Reply, Failure> {
    let id = read_approval(exchange.target(0))?;
    let found = find(&exchange, id).await?;
    let Some(row) = found.value else {
        return Err(not_found(id).at(found.sequence));
    };
    let mut json = Writer::with_capacity(APPROVAL_BYTES);
    write_approval(&mut json, &row);
    Ok(Reply::json(json.done()).at(found.sequence))
}

/// `GET /api/v1/approvals`.
pub(crate) async fn list(exchange: Exchange) -> Result<Reply, Failure> {
    let (after, limit) = after_and_limit(&exchange)?;
    let state = exchange.parameter("state").map(|text| {
        let what = "must be planned, reviewed, approved or rejected";
        ApprovalState::find(text).ok_or_else(|| invalid_parameter("state", what))
    });
    let scope: Scope = exchange.scope;
    let ask = ApprovalAsk {
        scope,
        state: state.transpose()?,
        after,
        limit,
    };
    let read = exchange
        .read_stored(Reading::List, move |library| library.approvals(&ask))
        .await?;
    let page = read.value.map_err(|error| refused(&exchange, error))?;
    let mut json = Writer::with_capacity(64 + page.rows.len() * APPROVAL_BYTES);
    json.object().name("approvals").array();
    for row in &page.rows {
        write_approval(&mut json, row);
    }
    json.end_array()
        .number_field("next", page.next)
        .end_object();
    Ok(Reply::json(json.done())
        .at(page.checkpoint)
        .stale(read.stale))
}

fn write_approval(json: &mut Writer, row: &ApprovalRow) {
    let approval = &row.approval;
    json.object()
        .plain_field("approval_id", &row.id)
        .plain_field("tenant_id", &row.tenant)
        .string_field("state", approval.state.name())
        .string_field("subject", &approval.subject)
        .name("plan")
        .raw(&approval.plan);
    json.string_field("ledger_key", &approval.ledger_key)
        .number_field("sequence", approval.number)
        .string_field("requested_by", &approval.requested_by)
        .instant_field("requested_at", approval.requested_at);
    let people = [
        (
            "reviewed",
            &approval.reviewed_by,
            approval.reviewed_at,
            &approval.review_reason,
        ),
        (
            "decided",
            &approval.decided_by,
            approval.decided_at,
            &approval.decision_reason,
        ),
    ];
    for (name, by, at, reason) in people {
        json.maybe(name, by.as_ref(), |json, by| {
            json.object().string_field("by", by);
            json.maybe("at", at, |json, at| {
                json.instant(at);
            });
            json.maybe("reason", reason.as_ref(), |json, reason| {
                json.string(reason);
            });
            json.end_object();
        });
    }
    json.end_object();
}
