//! The audit trail: who asked for which act of control, on what, and why, as the log's command records hold it.
//! Owns: which command records are entries of the trail, and what an entry says.
//! Never: holds more than the record and its events do.

use alloc::string::ToString;

use super::names::note_of;
use crate::codec::CommandRecord;
use crate::event::{Event, FactValue};
use crate::machine::Entry;
use crate::time::Timestamp;
use crate::{RunId, TenantId, Text};

/// One entry of the audit trail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditRow {
    /// The sequence of the command's first event.
    pub sequence: u64,
    /// Recorded time of the command.
    pub at: Timestamp,
    /// The tenant acted in.
    pub tenant: TenantId,
    /// Who asked: the name of the key, person or program.
    pub who: Text,
    /// The command's name.
    pub what: Text,
    /// What it was done to, by its id or name; absent for what concerns the engine or the tenant as a whole.
    pub target: Option<Text>,
    /// Why, in the words of whoever asked.
    pub reason: Option<Text>,
    /// The request's id.
    pub request_id: Option<Text>,
}

impl AuditRow {
    /// The entry that a command record with its events stands for; `None` for a command that is no act of control, and for one
    /// without events, which is in no log.
    #[must_use]
    pub fn of(
        record: &CommandRecord,
        events: &[Entry],
        sequence: u64,
        at: Timestamp,
    ) -> Option<AuditRow> {
        let note = note_of(record.kind).filter(|note| note.is_control)?;
        let first = events.first()?;
        Some(AuditRow {
            sequence,
            at,
            tenant: record.tenant,
            who: record.principal.clone(),
            what: Text::from(note.name),
            target: target_of(&first.event),
            reason: record.reason.clone(),
            request_id: record.request_id.clone(),
        })
    }
}

/// What a fact is about: its first id; without one, its first text that names a thing. For ever, as entries are compared with the log.
fn target_of(event: &Event) -> Option<Text> {
    let (mut id, mut name) = (None, None);
    event.fields(&mut |field, value| match (field, value) {
        (_, FactValue::Id(value)) => {
            id.get_or_insert(value);
        }
        ("by" | "reason" | "dimension" | "owner" | "worker", _) => {}
        (_, FactValue::Text(text)) => {
            name.get_or_insert(text);
        }
        _ => {}
    });
    let id = id.map(|id| Text::from(RunId(id).to_string()));
    id.or_else(|| name.map(Text::from))
}
