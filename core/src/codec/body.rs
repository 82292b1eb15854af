//! A frame's body: command records, each followed by its events.
//! Owns: the layout of bodies.
//! Never: panics on any bytes; an event of a later version is named, not skipped.
//!
//! ```text
//! body    := command*
//! command := length header event*          header: fields 1 kind, 2 tenant, 3 principal, 4 request id, 5 reason,
//!                                           6 cause sequence, 7 event count, 8 same principal as the command before
//! event   := tag version×2+t [tenant] length fields     t = 1 when the event is about another tenant than the command's
//! ```

use alloc::vec::Vec;
use core::fmt;

use super::record::put_sized;
use super::wire::{Malformed, Reader, put_bytes, put_number, put_u128, put_varint};
use crate::event::Event;
use crate::machine::Entry;
use crate::{Principal, TenantId, Text};

const EVENT_VERSION: u64 = 1;

/// Who asked for what, as the log keeps it beside the events that came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandRecord {
    /// The command's stable number ([`crate::Command::code`]).
    pub kind: u64,
    /// The tenant acted in.
    pub tenant: TenantId,
    /// Who asked.
    pub principal: Text,
    /// The request's id, for control commands.
    pub request_id: Option<Text>,
    /// Why, for control commands.
    pub reason: Option<Text>,
    /// The event that caused this command, when another did.
    pub cause_sequence: Option<u64>,
    /// How many events follow.
    pub event_count: u64,
}

/// Why a body cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The bytes are not what the codec writes.
    Malformed(Malformed),
    /// An event of a later version of the program.
    UnknownEvent {
        /// Its tag.
        tag: u64,
        /// Its version.
        version: u64,
    },
}

impl From<Malformed> for DecodeError {
    fn from(error: Malformed) -> Self {
        DecodeError::Malformed(error)
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::Malformed(error) => error.fmt(f),
            DecodeError::UnknownEvent { tag, version } => {
                write!(
                    f,
                    "event tag {tag} version {version} was written by a later version of the program"
                )
            }
        }
    }
}

/// Appends one command and its events to a body. `previous` is the principal of the command before it in the same body.
pub fn encode(
    body: &mut Vec<u8>,
    principal: &Principal,
    previous: Option<&Principal>,
    kind: u64,
    control: Option<Option<&Text>>,
    events: &[Entry],
) {
    put_sized(body, |out| {
        put_number(out, 1, kind);
        if principal.tenant != TenantId::DEFAULT {
            put_u128(out, 2, principal.tenant.0);
        }
        if previous.is_some_and(|previous| previous.name == principal.name) {
            put_number(out, 8, 1);
        } else {
            put_bytes(out, 3, principal.name.as_bytes());
        }
        if let Some(reason) = control {
            if let Some(id) = &principal.request_id {
                put_bytes(out, 4, id.as_bytes());
            }
            if let Some(reason) = reason {
                put_bytes(out, 5, reason.as_bytes());
            }
        }
        put_number(out, 7, events.len() as u64);
    });
    for entry in events {
        let foreign = entry.tenant != principal.tenant;
        put_varint(body, entry.event.kind() as u64);
        put_varint(body, EVENT_VERSION << 1 | u64::from(foreign));
        if foreign {
            body.extend_from_slice(&entry.tenant.0.to_be_bytes());
        }
        put_sized(body, |out| entry.event.put(out));
    }
}

/// Reads a body from its first byte to its last. `visit` gets each command record with its events.
///
/// # Errors
/// [`DecodeError`] when the bytes are malformed or hold an event of a later version; what was visited before stays visited.
pub fn decode(
    body: &[u8],
    visit: &mut dyn FnMut(&CommandRecord, &[Entry]),
) -> Result<(), DecodeError> {
    let mut reader = Reader::new(body);
    let mut principal = Text::default();
    let mut events = Vec::new();
    while !reader.is_empty() {
        let record = read_header(reader.sized()?, &principal)?;
        principal = record.principal.clone();
        events.clear();
        for _ in 0..record.event_count {
            events.push(read_event(&mut reader, record.tenant)?);
        }
        visit(&record, &events);
    }
    Ok(())
}

fn read_header(bytes: &[u8], previous: &Text) -> Result<CommandRecord, DecodeError> {
    let mut record = CommandRecord {
        tenant: TenantId::DEFAULT,
        ..CommandRecord::default()
    };
    let mut reader = Reader::new(bytes);
    let text = |bytes| {
        core::str::from_utf8(bytes)
            .map(Text::from)
            .map_err(|_| Malformed("text that is not UTF-8"))
    };
    while let Some((number, value)) = reader.field()? {
        match number {
            1 => record.kind = value.number()?,
            2 => record.tenant = TenantId(read_id(value.bytes()?)?),
            3 => record.principal = text(value.bytes()?)?,
            4 => record.request_id = Some(text(value.bytes()?)?),
            5 => record.reason = Some(text(value.bytes()?)?),
            6 => record.cause_sequence = Some(value.number()?),
            7 => record.event_count = value.number()?,
            8 => record.principal = previous.clone(),
            _ => {}
        }
    }
    Ok(record)
}

fn read_id(bytes: &[u8]) -> Result<u128, Malformed> {
    bytes
        .try_into()
        .map(u128::from_be_bytes)
        .map_err(|_| Malformed("an id that is not 16 bytes"))
}

fn read_event(reader: &mut Reader<'_>, tenant: TenantId) -> Result<Entry, DecodeError> {
    let tag = reader.varint()?;
    let form = reader.varint()?;
    let version = form >> 1;
    let tenant = if form & 1 == 1 {
        TenantId(read_id(reader.take(16)?)?)
    } else {
        tenant
    };
    let fields = reader.sized()?;
    if version != EVENT_VERSION {
        return Err(DecodeError::UnknownEvent { tag, version });
    }
    let event = Event::read(tag, fields).ok_or(DecodeError::UnknownEvent { tag, version })??;
    Ok(Entry { tenant, event })
}
