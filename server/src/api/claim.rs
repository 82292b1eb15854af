//! Claiming work: the long poll and its answer.

use std::sync::Arc;
use std::time::Duration;

use mainstay_client::wire;
use mainstay_core::limits::CLAIM_WAIT_MS_MAX;
use mainstay_core::{Claim, ClaimGrant, Fence, GrantRare, Outcome, RunId, TenantId, Text};

use super::budgets::write_budgets;
use super::task_json::{write_memos, write_metadata, write_payload};
use crate::edge::{Addressed, Exchange, Failure, Grants, Reply, read_actor, until_ended};
use crate::json::{Subject, Writer};

/// `POST /api/v1/leases`.
pub(crate) async fn claim(exchange: Exchange) -> Result<Reply, Failure> {
    if exchange.expected_sequence.is_some() {
        return Err(Failure::not_supported("If-Sequence"));
    }
    let (claim, wait) = read_claim(&exchange)?;
    let keyed = claim.idempotency_key.is_some();
    // If the connection closes while this waits, the wait is dropped here and the engine takes back what it granted meanwhile.
    let claimed = exchange
        .handle()
        .claim(exchange.principal.clone(), claim, wait);
    let (edge, caller) = (Arc::clone(&exchange.edge), exchange.caller.clone());
    let replied = tokio::select! {
        biased;
        replied = claimed => replied?,
        failure = until_ended(edge, caller, exchange.route.needs) => return Err(failure),
    };
    let sequence = replied.sequence;
    let outcome = replied
        .value
        .map_err(|rejection| Failure::from(rejection).at(sequence))?;
    let Outcome::Claimed(granted) = outcome else {
        return Err(Failure::internal());
    };
    let fences: Vec<(TenantId, RunId, Fence)> = granted
        .iter()
        .map(|grant| (grant.tenant, grant.run, grant.fence))
        .collect();
    let grants = Grants::new(
        exchange.handle().clone(),
        exchange.principal.clone(),
        fences,
    );
    if !wait.is_zero() {
        // A key that was ended while it waited gets nothing: what it was granted goes back when `grants` is dropped.
        exchange.check_still().await?;
    }
    let bytes: usize = granted
        .iter()
        .map(|grant| 512 + grant.payload.bytes.len())
        .sum();
    let mut json = Writer::with_capacity(32 + bytes);
    json.object().name("leases").array();
    for grant in &granted {
        let token = exchange.handle().token(grant.run, grant.fence);
        write_grant(&mut json, grant, &token);
    }
    json.end_array().end_object();
    let mut reply = Reply::json(json.done()).at(sequence);
    reply.acknowledges = !granted.is_empty();
    if keyed {
        // The repeat with the same key asks for these leases again: they stay whatever happens to this answer.
        grants.delivered();
        return Ok(reply);
    }
    Ok(reply.with_grants(grants))
}

fn read_claim(exchange: &Exchange) -> Result<(Claim, Duration), Failure> {
    let body: wire::Claim<'_> = exchange.read(Subject::Request)?;
    let actor = body.actor_id.as_deref().map(read_actor).transpose()?;
    let wait = body.wait_ms.unwrap_or(0);
    if wait > CLAIM_WAIT_MS_MAX {
        let message = format!("wait_ms must be between 0 and {CLAIM_WAIT_MS_MAX}");
        return Err(Failure::new("invalid_request", message).text("field", "wait_ms"));
    }
    let key = exchange.merge_key(body.idempotency_key.as_deref(), "invalid_request")?;
    let texts = |list: &[wire::Str<'_>]| list.iter().map(|text| Text::from(&**text)).collect();
    let claim = Claim {
        worker: Text::from(&*body.worker),
        queues: body
            .queues
            .as_deref()
            .map_or_else(|| vec![Text::from("default")], texts),
        kinds: body.kinds.as_deref().map(texts).unwrap_or_default(),
        max: body.max.unwrap_or(1),
        lease_ms: body.lease_ms,
        idempotency_key: key.map(Text::from),
        capabilities: body.capabilities.as_deref().map(texts).unwrap_or_default(),
        all_tenants: exchange.addressed == Some(Addressed::All),
        actor,
    };
    Ok((claim, Duration::from_millis(wait)))
}

fn write_grant(json: &mut Writer, grant: &ClaimGrant, token: &str) {
    let rare = grant.rare.as_deref();
    let extras = rare.map(|rare| &rare.extras);
    json.object()
        .plain_field("run_id", &grant.run)
        .plain_field("task_id", &grant.task);
    json.plain_field("tenant_id", &grant.tenant)
        .plain_field("attempt_id", &grant.attempt_id);
    json.number_field("attempt", grant.attempt)
        .string_field("token", token);
    json.string_field("kind", &grant.kind)
        .string_field("queue", &grant.queue);
    write_payload(
        json,
        &grant.payload,
        extras.and_then(|extras| extras.content_type.as_ref()),
    );
    json.instant_field("expires_at", grant.expires_at)
        .number_field("lease_ms", grant.lease_ms);
    if let Some(at) = grant.deadline_at {
        json.instant_field("deadline_at", at);
    }
    write_memos(
        json,
        rare.map(|rare| rare.checkpoints.as_slice())
            .unwrap_or_default(),
    );
    json.name("budgets");
    write_budgets(
        json,
        rare.map(|rare| rare.budgets.as_slice()).unwrap_or_default(),
    );
    if let Some(rare) = rare.filter(|rare| rare.children_count.0 > 0) {
        write_children(json, rare);
    }
    write_metadata(json, grant.priority, extras);
    if let Some(payload) = rare.and_then(|rare| rare.resume_payload.as_ref()) {
        json.name("resume_payload").raw(payload);
    }
    if let Some(traceparent) = extras.and_then(|extras| extras.traceparent.as_ref()) {
        json.string_field("traceparent", traceparent);
    }
    json.end_object();
}

/// The first of the task's children, and how many there are.
fn write_children(json: &mut Writer, rare: &GrantRare) {
    json.name("children").array();
    for child in &rare.children {
        json.object()
            .plain_field("task_id", &child.task)
            .string_field("state", child.state.name());
        if let Some(output) = &child.output {
            json.name("output").raw(output);
        }
        json.end_object();
    }
    let (total, live) = rare.children_count;
    json.end_array()
        .number_field("children_total", total)
        .number_field("children_live", live);
}
