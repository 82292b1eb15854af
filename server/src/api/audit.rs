//! The audit trail: pages of it, and its verification.

use std::fmt::Write as _;

use mainstay::store::AuditAsk;
use mainstay::{AuditCheck, AuditReport, AuditRow};
use mainstay_client::wire;
use mainstay_core::Text;
use mainstay_core::limits::LIST_LIMIT_MAX;
use tokio::task::spawn_blocking;

use super::filters::invalid_page;
use super::lists::refused;
use crate::edge::{Exchange, Failure, Reading, Reply, invalid_parameter};
use crate::json::{Subject, Writer};

/// What [`list`] reads, as `name type`.
pub(crate) const AUDIT_PARAMETERS: &[&str] = &["after position", "limit limit"];
/// Entries of a page when nothing is asked for.
const LIMIT_DEFAULT: u32 = 100;
/// Bytes of an entry, about.
const ENTRY_BYTES: usize = 256;

/// Where a page that goes on after a sequence begins, and how many rows it may have.
pub(super) fn after_and_limit(exchange: &Exchange) -> Result<(u64, u32), Failure> {
    let after = exchange.parameter("after").map(|text| {
        let what = "must be a number that is not negative";
        text.parse().map_err(|_| invalid_parameter("after", what))
    });
    let limit = exchange.parameter("limit").map(|text| {
        let read = text.parse().ok();
        let within = read.filter(|limit| (1..=LIST_LIMIT_MAX).contains(limit));
        within.ok_or_else(|| {
            let message = format!("limit must be between 1 and {LIST_LIMIT_MAX}");
            invalid_page("limit", message)
        })
    });
    let limit = limit.transpose()?.unwrap_or(LIMIT_DEFAULT);
    Ok((after.transpose()?.unwrap_or(0), limit))
}

/// `GET /api/v1/audit`.
pub(crate) async fn list(exchange: Exchange) -> Result<Reply, Failure> {
    let (after, limit) = after_and_limit(&exchange)?;
    let ask = AuditAsk {
        scope: exchange.scope,
        after,
        limit,
    };
    let read = exchange
        .read_stored(Reading::List, move |library| library.audit(&ask))
        .await?;
    let page = read.value.map_err(|error| refused(&exchange, error))?;
    let mut json = Writer::with_capacity(64 + page.rows.len() * ENTRY_BYTES);
    json.object().name("entries").array();
    for row in &page.rows {
        write_entry(&mut json, row);
    }
    json.end_array()
        .number_field("next", page.next)
        .number_field("oldest", page.oldest)
        .end_object();
    Ok(Reply::json(json.done())
        .at(page.checkpoint)
        .stale(read.stale))
}

fn write_entry(json: &mut Writer, row: &AuditRow) {
    json.object()
        .number_field("sequence", row.sequence)
        .instant_field("at", row.at)
        .plain_field("tenant_id", &row.tenant)
        .string_field("who", &row.who)
        .string_field("what", &row.what);
    for (name, text) in [
        ("target", &row.target),
        ("reason", &row.reason),
        ("request_id", &row.request_id),
    ] {
        json.maybe(name, text.as_ref(), |json, text: &Text| {
            json.string(text);
        });
    }
    json.end_object();
}

/// `POST /api/v1/audit/verify`.
pub(crate) async fn verify(exchange: Exchange) -> Result<Reply, Failure> {
    let wire::EmptyBody {} = exchange.read(Subject::Request)?;
    let turn = exchange.edge.stored.verify_turn()?;
    let handle = exchange.handle().clone();
    let begun = spawn_blocking(move || handle.check_audit()).await;
    let begun = begun.map_err(|_| Failure::internal())?;
    let begun = begun.ok_or_else(|| Failure::not_supported("audit verification"))?;
    let mut check = begun.map_err(|_| Failure::not_ready("not able to read its files"))?;
    // Piece by piece: a caller that goes away ends it.
    loop {
        let stepped = spawn_blocking(move || step(check)).await;
        let (next, is_more) = stepped.map_err(|_| Failure::internal())?;
        check = next;
        if !is_more {
            break;
        }
    }
    let report = spawn_blocking(move || check.end()).await;
    let report = report.map_err(|_| Failure::internal())?;
    drop(turn);
    Ok(Reply::json(write_report(&report)).at(report.to).unwritten())
}

fn step(mut check: AuditCheck) -> (AuditCheck, bool) {
    let is_more = check.step();
    (check, is_more)
}

fn write_report(report: &AuditReport) -> Vec<u8> {
    let mut hash = String::with_capacity(64);
    for byte in report.head_hash {
        // Text takes whatever is written.
        let _ = write!(hash, "{byte:02x}");
    }
    let mut json = Writer::with_capacity(256 + report.gaps.len() * ENTRY_BYTES);
    json.object()
        .number_field("from", report.from)
        .number_field("to", report.to)
        .string_field("head_hash", &hash)
        .number_field("entries", report.entries)
        .number_field("oldest", report.trail_after)
        .name("gaps")
        .array();
    for gap in &report.gaps {
        json.object()
            .number_field("from", gap.from)
            .number_field("to", gap.to)
            .string_field("file", &gap.file)
            .number_field("offset", gap.offset)
            .number_field("frame", gap.frame)
            .string_field("message", &gap.message)
            .end_object();
    }
    json.end_array()
        .number_field("gaps_more", report.gaps_more)
        .end_object();
    json.done()
}
