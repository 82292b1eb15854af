//! The first sector of a segment.
//! Owns: the byte layout of a segment header.
//! Never: reads frames.

use crate::frame::Hash;
use crate::identity::{LogId, Salt};
use crate::manifest::SegmentEntry;
use crate::options::sector_is_valid;
use crate::segment::bytes;

/// The format that this version writes, of segments and of the manifest.
pub(crate) const FORMAT: u16 = 1;
const MAGIC: [u8; 8] = *b"MSTAYSEG";
const HEADER_BYTES: usize = 128;
const CRC_AT: usize = 124;
const FLAG_REWRITTEN: u16 = 1;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    /// Written by recovery from an open tail.
    pub(crate) rewritten: bool,
    /// Alignment of groups in this segment.
    pub(crate) sector: u32,
    pub(crate) log_id: LogId,
    pub(crate) salt: Salt,
    /// Salt of the file that the rewrite replaced; 0 for none.
    pub(crate) replaces: Salt,
    pub(crate) incarnation: u64,
    pub(crate) first_sequence: u64,
    pub(crate) first_frame: u64,
    /// Last frame known durable when this header was written.
    pub(crate) durable_upto: u64,
    /// Chain hash of the frame before the first.
    pub(crate) previous_hash: Hash,
    /// Length that the file had, durably, when it got its name; it never shrinks.
    pub(crate) bytes_min: u64,
}

/// Why a first sector is not a segment header.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SegmentHeaderFault {
    Broken(&'static str),
    Format(u16),
}

impl SegmentHeader {
    /// The whole first sector.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![0; self.sector as usize];
        out[..8].copy_from_slice(&MAGIC);
        bytes::put_u16(&mut out, 8, FORMAT);
        bytes::put_u16(
            &mut out,
            10,
            if self.rewritten { FLAG_REWRITTEN } else { 0 },
        );
        bytes::put_u32(&mut out, 12, self.sector);
        out[16..32].copy_from_slice(&self.log_id.0.to_le_bytes());
        bytes::put_u64(&mut out, 32, self.salt.0);
        bytes::put_u64(&mut out, 40, self.replaces.0);
        bytes::put_u64(&mut out, 48, self.incarnation);
        bytes::put_u64(&mut out, 56, self.first_sequence);
        bytes::put_u64(&mut out, 64, self.first_frame);
        bytes::put_u64(&mut out, 72, self.durable_upto);
        out[80..112].copy_from_slice(&self.previous_hash);
        bytes::put_u64(&mut out, 112, self.bytes_min);
        let crc = crc32c::crc32c(&out[..CRC_AT]);
        bytes::put_u32(&mut out, CRC_AT, crc);
        out
    }

    /// How the manifest names this segment while it is open.
    pub(crate) fn entry(&self) -> SegmentEntry {
        SegmentEntry {
            first_sequence: self.first_sequence,
            first_frame: self.first_frame,
            previous_hash: self.previous_hash,
            salt: self.salt,
            sealed: None,
        }
    }

    /// Reads the header at the start of a segment; its sector must be zero after it.
    pub(crate) fn decode(from: &[u8]) -> Result<SegmentHeader, SegmentHeaderFault> {
        let Some(head) = from.get(..HEADER_BYTES) else {
            return Err(SegmentHeaderFault::Broken(
                "the file is shorter than a segment header",
            ));
        };
        if head[..8] != MAGIC {
            return Err(SegmentHeaderFault::Broken("no segment header"));
        }
        if crc32c::crc32c(&head[..CRC_AT]) != bytes::get_u32(head, CRC_AT) {
            return Err(SegmentHeaderFault::Broken(
                "the checksum of the segment header does not hold",
            ));
        }
        let format = bytes::get_u16(head, 8);
        if format != FORMAT || bytes::get_u16(head, 10) & !FLAG_REWRITTEN != 0 {
            return Err(SegmentHeaderFault::Format(format));
        }
        let sector = bytes::get_u32(head, 12);
        if !sector_is_valid(sector) {
            return Err(SegmentHeaderFault::Broken(
                "the segment header names an impossible sector size",
            ));
        }
        if !from
            .get(HEADER_BYTES..sector as usize)
            .is_some_and(bytes::all_zero)
        {
            return Err(SegmentHeaderFault::Broken(
                "the padding of the segment header is not zero",
            ));
        }
        Ok(SegmentHeader {
            rewritten: bytes::get_u16(head, 10) & FLAG_REWRITTEN != 0,
            sector,
            log_id: LogId(u128::from_le_bytes(bytes::get(head, 16))),
            salt: Salt(bytes::get_u64(head, 32)),
            replaces: Salt(bytes::get_u64(head, 40)),
            incarnation: bytes::get_u64(head, 48),
            first_sequence: bytes::get_u64(head, 56),
            first_frame: bytes::get_u64(head, 64),
            durable_upto: bytes::get_u64(head, 72),
            previous_hash: bytes::get(head, 80),
            bytes_min: bytes::get_u64(head, 112),
        })
    }
}
