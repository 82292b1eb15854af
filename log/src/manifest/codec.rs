//! The bytes of a manifest: tagged fields under one checksum.
//! Owns: tags (never reused) and field layouts.
//! Never: touches a disk.

use crate::frame::Hash;
use crate::identity::{Identity, LogId, Salt};
use crate::segment::{FORMAT, Position, bytes};

const MAGIC: [u8; 8] = *b"MSTAYMAN";
/// magic, format (u16), reserved (u16), payload length (u32)
const HEAD_BYTES: usize = 16;
const HASH_BYTES: usize = 32;
/// tag (u16), length (u32)
const FIELD_HEAD_BYTES: usize = 6;
/// Fields from this tag on may be skipped by a version that does not know them.
const TAG_OPTIONAL_MIN: u16 = 0x8000;

const TAG_LOG_ID: u16 = 1;
const TAG_INCARNATION: u16 = 2;
const TAG_SECRET: u16 = 3;
const TAG_FLOOR: u16 = 4;
const TAG_CLEAN: u16 = 5;
const TAG_SEGMENT: u16 = 6;

/// A place in the chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) frame: u64,
    pub(crate) sequence: u64,
    pub(crate) hash: Hash,
}

/// One segment, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SegmentEntry {
    pub(crate) first_sequence: u64,
    pub(crate) first_frame: u64,
    pub(crate) previous_hash: Hash,
    pub(crate) salt: Salt,
    /// The last frame, once nothing more is written to it.
    pub(crate) sealed: Option<Mark>,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Manifest {
    pub(crate) log_id: LogId,
    pub(crate) incarnation: u64,
    pub(crate) secret: [u8; 32],
    /// Known durable when this manifest was written.
    pub(crate) floor: Mark,
    /// The log was stopped cleanly, with `floor` as its very last frame.
    pub(crate) clean: bool,
    pub(crate) segments: Vec<SegmentEntry>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ManifestFault {
    Broken(&'static str),
    Format(String),
}

impl Mark {
    /// The place after this frame.
    pub(crate) fn after(&self) -> Position {
        Position::before(
            self.frame.saturating_add(1),
            self.sequence.saturating_add(1),
            self.hash,
        )
    }

    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.frame.to_le_bytes());
        out.extend_from_slice(&self.sequence.to_le_bytes());
        out.extend_from_slice(&self.hash);
    }

    fn get(from: &[u8]) -> Mark {
        Mark {
            frame: bytes::get_u64(from, 0),
            sequence: bytes::get_u64(from, 8),
            hash: bytes::get(from, 16),
        }
    }
}

pub(super) fn put_field(out: &mut Vec<u8>, tag: u16, value: &[u8]) {
    out.extend_from_slice(&tag.to_le_bytes());
    out.extend_from_slice(&(value.len() as u32).to_le_bytes());
    out.extend_from_slice(value);
}

impl SegmentEntry {
    /// The place before its first frame.
    pub(crate) fn start(&self) -> Position {
        Position::before(self.first_frame, self.first_sequence, self.previous_hash)
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(104);
        out.extend_from_slice(&self.first_sequence.to_le_bytes());
        out.extend_from_slice(&self.first_frame.to_le_bytes());
        out.extend_from_slice(&self.previous_hash);
        out.extend_from_slice(&self.salt.0.to_le_bytes());
        if let Some(mark) = &self.sealed {
            mark.put(&mut out);
        }
        out
    }

    fn decode(from: &[u8]) -> Result<SegmentEntry, ManifestFault> {
        let sealed = match from.len() {
            56 => None,
            104 => Some(Mark::get(&from[56..])),
            _ => return Err(ManifestFault::Broken("a segment entry has a wrong length")),
        };
        Ok(SegmentEntry {
            first_sequence: bytes::get_u64(from, 0),
            first_frame: bytes::get_u64(from, 8),
            previous_hash: bytes::get(from, 16),
            salt: Salt(bytes::get_u64(from, 48)),
            sealed,
        })
    }
}

impl Manifest {
    /// Who the log is in the life that this manifest is of.
    pub(crate) fn identity(&self) -> Identity {
        Identity {
            log_id: self.log_id,
            incarnation: self.incarnation,
            secret: self.secret,
        }
    }

    /// The place before the first frame that the log holds.
    pub(crate) fn start(&self) -> Position {
        match self.segments.first() {
            Some(first) => first.start(),
            None => self.floor.after(),
        }
    }

    /// The first event that the log holds, or will hold.
    pub(crate) fn oldest_sequence(&self) -> u64 {
        self.start().sequence.saturating_add(1)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut payload = Vec::new();
        put_field(&mut payload, TAG_LOG_ID, &self.log_id.0.to_le_bytes());
        put_field(
            &mut payload,
            TAG_INCARNATION,
            &self.incarnation.to_le_bytes(),
        );
        put_field(&mut payload, TAG_SECRET, &self.secret);
        let mut floor = Vec::new();
        self.floor.put(&mut floor);
        put_field(&mut payload, TAG_FLOOR, &floor);
        if self.clean {
            put_field(&mut payload, TAG_CLEAN, &[]);
        }
        for segment in &self.segments {
            put_field(&mut payload, TAG_SEGMENT, &segment.encode());
        }
        let mut out = Vec::with_capacity(HEAD_BYTES + payload.len() + HASH_BYTES);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&FORMAT.to_le_bytes());
        out.extend_from_slice(&[0; 2]);
        out.extend_from_slice(&(payload.len() as u32).to_le_bytes());
        out.extend_from_slice(&payload);
        let hash = blake3::hash(&out);
        out.extend_from_slice(hash.as_bytes());
        out
    }

    pub(crate) fn decode(from: &[u8]) -> Result<Manifest, ManifestFault> {
        let broken = |reason| Err(ManifestFault::Broken(reason));
        if from.len() < HEAD_BYTES + HASH_BYTES || from[..8] != MAGIC {
            return broken("no manifest header");
        }
        let (covered, hash) = from.split_at(from.len() - HASH_BYTES);
        if blake3::hash(covered).as_bytes() != hash {
            return broken("the checksum does not hold");
        }
        let format = bytes::get_u16(covered, 8);
        if format != FORMAT {
            return Err(ManifestFault::Format(format!("format {format}")));
        }
        let payload = &covered[HEAD_BYTES..];
        if bytes::get_u16(covered, 10) != 0 || bytes::get_u32(covered, 12) as usize != payload.len()
        {
            return broken("the length does not fit");
        }
        Manifest::decode_fields(payload)
    }

    fn decode_fields(mut payload: &[u8]) -> Result<Manifest, ManifestFault> {
        let broken = |reason| Err(ManifestFault::Broken(reason));
        let (mut log_id, mut incarnation, mut secret, mut floor) = (None, None, None, None);
        let (mut clean, mut segments) = (false, Vec::new());
        while !payload.is_empty() {
            let tag = bytes::get_u16(payload, 0);
            let length = bytes::get_u32(payload, 2) as usize;
            let end = FIELD_HEAD_BYTES.saturating_add(length);
            let Some(value) = payload.get(FIELD_HEAD_BYTES..end) else {
                return broken("a field reaches past the end");
            };
            match (tag, value.len()) {
                (TAG_LOG_ID, 16) => log_id = Some(LogId(u128::from_le_bytes(bytes::get(value, 0)))),
                (TAG_INCARNATION, 8) => incarnation = Some(bytes::get_u64(value, 0)),
                (TAG_SECRET, 32) => secret = Some(bytes::get(value, 0)),
                (TAG_FLOOR, 48) => floor = Some(Mark::get(value)),
                (TAG_CLEAN, 0) => clean = true,
                (TAG_SEGMENT, _) => segments.push(SegmentEntry::decode(value)?),
                (TAG_LOG_ID..=TAG_SEGMENT, _) => return broken("a field has a wrong length"),
                (TAG_OPTIONAL_MIN.., _) => {}
                _ => return Err(ManifestFault::Format(format!("field {tag}"))),
            }
            payload = &payload[end..];
        }
        let (Some(log_id), Some(incarnation), Some(secret), Some(floor)) =
            (log_id, incarnation, secret, floor)
        else {
            return broken("a field is missing");
        };
        Ok(Manifest {
            log_id,
            incarnation,
            secret,
            floor,
            clean,
            segments,
        })
    }
}
