//! The 152 bytes before every body.
//! Owns: the byte layout of a frame header and its keyed checksum.
//! Never: reads a body.

use crate::frame::chain::Hash;
use crate::frame::flags::Flags;
use crate::identity::{LogId, Salt};
use crate::options::Plant;
use crate::segment::bytes;

/// Bytes of a frame header.
pub const FRAME_HEADER_BYTES: usize = 152;
/// First four bytes of every frame: `MSFr`.
pub(crate) const MAGIC: u32 = u32::from_le_bytes(*b"MSFr");
/// The frame format that this version writes.
pub(crate) const FORMAT: u16 = 1;
const CRC_AT: usize = 148;

/// One intact frame, as recovery and doctor see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Frame number, 1-based, larger by one than the frame before.
    pub number: u64,
    /// Life of the data directory in which it was first written.
    pub incarnation: u64,
    /// What kind of frame it is.
    pub flags: Flags,
    /// Last frame known synced when this one was written.
    pub durable_upto: u64,
    /// Sequence of its first event; of the next event when it has none.
    pub first_sequence: u64,
    /// Number of its events.
    pub event_count: u32,
    /// Number of its commands.
    pub command_count: u32,
    /// Recorded time, Unix milliseconds.
    pub wall_ms: u64,
    /// Steady time, milliseconds.
    pub steady_ms: u64,
    /// Version of the rules that decided it.
    pub rules_version: u32,
    /// Seed of its ids.
    pub id_seed: u64,
    /// Its chain hash.
    pub hash: [u8; 32],
    /// The opaque body.
    pub body: &'a [u8],
}

impl Frame<'_> {
    /// Whether this is a seal: written by the flusher, without events.
    #[must_use]
    pub fn is_seal(&self) -> bool {
        self.flags.has(Flags::SEAL)
    }

    /// Sequence of its last event; of the event before it when it has none.
    #[must_use]
    pub fn last_sequence(&self) -> u64 {
        let after = self
            .first_sequence
            .saturating_add(u64::from(self.event_count));
        after.saturating_sub(1)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) flags: Flags,
    pub(crate) key_id: u32,
    pub(crate) rules_version: u32,
    pub(crate) log_id: LogId,
    pub(crate) salt: Salt,
    pub(crate) incarnation: u64,
    pub(crate) number: u64,
    pub(crate) durable_upto: u64,
    pub(crate) first_sequence: u64,
    pub(crate) wall_ms: u64,
    pub(crate) steady_ms: u64,
    pub(crate) id_seed: u64,
    pub(crate) event_count: u32,
    pub(crate) command_count: u32,
    pub(crate) previous_hash: Hash,
    pub(crate) body_bytes: u32,
    pub(crate) body_crc: u32,
}

/// Why bytes are not a header of this segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HeaderFault {
    /// Not a header, or not one that still holds.
    Broken(&'static str),
    /// A header that holds, of a format that this version does not know.
    Format(String),
}

fn header_crc(salt: Salt, covered: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&salt.0.to_le_bytes()), covered)
}

impl Header {
    pub(crate) fn encode(&self) -> [u8; FRAME_HEADER_BYTES] {
        let mut out = [0; FRAME_HEADER_BYTES];
        bytes::put_u32(&mut out, 0, MAGIC);
        bytes::put_u16(&mut out, 4, FORMAT);
        bytes::put_u16(&mut out, 6, self.flags.0);
        bytes::put_u32(&mut out, 8, self.key_id);
        bytes::put_u32(&mut out, 12, self.rules_version);
        out[16..32].copy_from_slice(&self.log_id.0.to_le_bytes());
        bytes::put_u64(&mut out, 32, self.salt.0);
        bytes::put_u64(&mut out, 40, self.incarnation);
        bytes::put_u64(&mut out, 48, self.number);
        bytes::put_u64(&mut out, 56, self.durable_upto);
        bytes::put_u64(&mut out, 64, self.first_sequence);
        bytes::put_u64(&mut out, 72, self.wall_ms);
        bytes::put_u64(&mut out, 80, self.steady_ms);
        bytes::put_u64(&mut out, 88, self.id_seed);
        bytes::put_u32(&mut out, 96, self.event_count);
        bytes::put_u32(&mut out, 100, self.command_count);
        out[104..136].copy_from_slice(&self.previous_hash);
        bytes::put_u32(&mut out, 136, self.body_bytes);
        bytes::put_u32(&mut out, 140, self.body_crc);
        let crc = header_crc(self.salt, &out[..CRC_AT]);
        bytes::put_u32(&mut out, CRC_AT, crc);
        out
    }

    /// Reads a header at the start of `from`. Total: any bytes give an answer.
    pub(crate) fn decode(
        from: &[u8],
        log_id: LogId,
        salt: Salt,
        plant: Plant,
    ) -> Result<Header, HeaderFault> {
        let Some(from) = from.get(..FRAME_HEADER_BYTES) else {
            return Err(HeaderFault::Broken("no room for a frame header"));
        };
        if bytes::get_u32(from, 0) != MAGIC {
            return Err(HeaderFault::Broken("no frame header"));
        }
        if header_crc(salt, &from[..CRC_AT]) != bytes::get_u32(from, CRC_AT)
            && !plant.crc_skips_header
        {
            return Err(HeaderFault::Broken("the header checksum does not hold"));
        }
        let format = bytes::get_u16(from, 4);
        let flags = Flags(bytes::get_u16(from, 6));
        if format != FORMAT {
            return Err(HeaderFault::Format(format!("a frame of format {format}")));
        }
        if !flags.understood() {
            return Err(HeaderFault::Format(format!(
                "a frame with flags {:#06x}",
                flags.0
            )));
        }
        let header = Header {
            flags,
            key_id: bytes::get_u32(from, 8),
            rules_version: bytes::get_u32(from, 12),
            log_id: LogId(u128::from_le_bytes(bytes::get(from, 16))),
            salt: Salt(bytes::get_u64(from, 32)),
            incarnation: bytes::get_u64(from, 40),
            number: bytes::get_u64(from, 48),
            durable_upto: bytes::get_u64(from, 56),
            first_sequence: bytes::get_u64(from, 64),
            wall_ms: bytes::get_u64(from, 72),
            steady_ms: bytes::get_u64(from, 80),
            id_seed: bytes::get_u64(from, 88),
            event_count: bytes::get_u32(from, 96),
            command_count: bytes::get_u32(from, 100),
            previous_hash: bytes::get(from, 104),
            body_bytes: bytes::get_u32(from, 136),
            body_crc: bytes::get_u32(from, 140),
        };
        if header.log_id != log_id || header.salt != salt {
            return Err(HeaderFault::Broken(
                "the header belongs to another log or segment",
            ));
        }
        Ok(header)
    }

    /// Last sequence after this frame; `None` if the header claims more than there can be.
    pub(crate) fn last_sequence(&self) -> Option<u64> {
        self.first_sequence
            .checked_sub(1)?
            .checked_add(u64::from(self.event_count))
    }

    pub(crate) fn frame<'a>(&self, hash: Hash, body: &'a [u8]) -> Frame<'a> {
        Frame {
            number: self.number,
            incarnation: self.incarnation,
            flags: self.flags,
            durable_upto: self.durable_upto,
            first_sequence: self.first_sequence,
            event_count: self.event_count,
            command_count: self.command_count,
            wall_ms: self.wall_ms,
            steady_ms: self.steady_ms,
            rules_version: self.rules_version,
            id_seed: self.id_seed,
            hash,
            body,
        }
    }
}
