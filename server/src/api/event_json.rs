//! Events as JSON: the envelope of the contract, and what each fact shows.

use mainstay::FeedEvent;
use mainstay_core::TaskId;
use mainstay_core::events::{FactValue, Fields};
use serde::de::IgnoredAny;

use crate::json::Writer;

/// Payloads, outputs and memos up to so many bytes stand in an event; of larger ones it tells the size.
pub(super) const INLINE_BYTES_MAX: usize = 4096;

/// Writes one event.
pub(crate) fn write_event(json: &mut Writer, event: &FeedEvent) {
    json.object()
        .number_field("sequence", event.sequence)
        .instant_field("at", event.at)
        .string_field("type", event.kind)
        .plain_field("tenant_id", &event.tenant);
    if let Some(task) = event.task {
        json.plain_field("task_id", &task);
    }
    if let Some(run) = event.run {
        json.plain_field("run_id", &run);
    }
    if let Some(actor) = event.actor() {
        json.string_field("actor", actor);
    }
    json.name("data").object();
    event
        .event()
        .shown(&mut |name, value| write_field(json, name, value));
    json.end_object().end_object();
}

fn write_field(json: &mut Writer, name: &str, value: FactValue<'_>) {
    match value {
        FactValue::Json(bytes) if is_inline(bytes) => {
            json.name(name).raw(bytes);
        }
        FactValue::Json(bytes) | FactValue::Bytes(bytes) => {
            json.number_field(&format!("{name}_bytes"), bytes.len() as u64);
        }
        other => {
            json.name(name);
            write_value(json, other);
        }
    }
}

/// Small enough, and JSON: an embedding program may have stored anything as such.
fn is_inline(bytes: &[u8]) -> bool {
    bytes.len() <= INLINE_BYTES_MAX && serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}

fn write_value(json: &mut Writer, value: FactValue<'_>) {
    match value {
        FactValue::Id(id) => json.plain(&TaskId(id)),
        FactValue::Number(number) => json.number(number),
        FactValue::Signed(number) => json.number(number),
        FactValue::Flag(flag) => json.bool(flag),
        FactValue::At(at) => json.instant(at),
        FactValue::Word(text) | FactValue::Text(text) => json.string(text),
        FactValue::Json(bytes) | FactValue::Bytes(bytes) => json.number(bytes.len() as u64),
        FactValue::Digest(digest) => json.string(&format!("{digest:032x}")),
        FactValue::List(items) => {
            json.array();
            items.items(&mut |item| write_value(json, item));
            json.end_array()
        }
        FactValue::Record(record) => write_record(json, record),
    };
}

fn write_record<'a>(json: &'a mut Writer, record: &dyn Fields) -> &'a mut Writer {
    json.object();
    record.fields(&mut |name, value| write_field(json, name, value));
    json.end_object()
}

#[cfg(test)]
mod tests;
