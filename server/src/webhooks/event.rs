//! What is sent: an event as the feed shows it, and the event that says nothing.

use mainstay_core::{TenantId, Timestamp};

use crate::api::write_event;
use crate::json::Writer;
use mainstay::FeedEvent;

/// The body of an event.
pub(super) fn body_of(event: &FeedEvent) -> Vec<u8> {
    let mut json = Writer::new();
    write_event(&mut json, event);
    json.done()
}

/// The body of a test.
pub(super) fn body_of_test(sequence: u64, at: Timestamp, tenant: TenantId, kind: &str) -> Vec<u8> {
    let mut json = Writer::new();
    json.object()
        .number_field("sequence", sequence)
        .instant_field("at", at)
        .string_field("type", kind)
        .plain_field("tenant_id", &tenant)
        .name("data")
        .object()
        .end_object()
        .end_object();
    json.done()
}
