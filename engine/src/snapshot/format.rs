//! The bytes of a snapshot file: a head, blocks of rows, an end; each block under a CRC, the whole under a BLAKE3 hash.
//! Owns: names, tags and limits of the format.
//! Never: touches a disk.
//!
//! ```text
//! file   := magic "MSTAYSNP" format:u16 zero:u16 zero:u32 block* end
//! block  := length:u32 crc32c:u32 bytes          the CRC covers the bytes
//! first block (head): length-prefixed fields: log id text, sequence:u64, wall:u64, meta, place count:u32, places, dead letters of each place
//! row blocks: rows, each kind:u8 length:u32 bytes      kind 1 task image, 2 run image, 3 payload of the task before, 4 object
//! object := class:u8 tenant:16, big endian, length-prefixed key text, image to the end
//! end    := length 0xffff_ffff crc32c bytes: rows:u64 sum:u64 hash:32   the hash covers everything before the end
//! ```

use mainstay_core::{ObjectClass, ObjectRow, PlaceRow, TenantId, Text};

pub(super) const MAGIC: [u8; 8] = *b"MSTAYSNP";
/// What is written; format 1 had no objects, format 2 those of queues and tenants alone and no dead letters in its places; both are
/// read as well.
pub(super) const FORMAT: u16 = 3;
pub(super) const FORMAT_OLDEST: u16 = 1;
pub(super) const HEAD_BYTES: usize = 16;
/// The length that marks the end.
pub(super) const END: u32 = u32::MAX;
pub(super) const END_BYTES: usize = 8 + 8 + 32;
/// A row block is closed when it reaches this size.
pub(super) const BLOCK_SOFT_BYTES: usize = 256 << 10;
/// No block is larger: a run's memos and outputs, each at its limit, and some.
pub(super) const BLOCK_BYTES_MAX: usize = 1 << 30;
pub(super) const TASK: u8 = 1;
pub(super) const RUN: u8 = 2;
pub(super) const PAYLOAD: u8 = 3;
pub(super) const OBJECT: u8 = 4;

/// Where snapshots live, in the data directory.
pub(super) const DIRECTORY: &str = "store";
pub(super) const TEMPORARY: &str = "store/snapshot.tmp";

/// A snapshot's file name.
pub(super) fn name_of(sequence: u64) -> String {
    format!("{DIRECTORY}/snapshot-{sequence:020}.snap")
}

/// The sequence in a snapshot's file name, directory not included.
pub(super) fn sequence_of(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("snapshot-")?.strip_suffix(".snap")?;
    (digits.len() == 20).then(|| digits.parse().ok()).flatten()
}

/// What the head says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) log_id: String,
    pub(crate) sequence: u64,
    pub(crate) wall_ms: u64,
    pub(crate) meta: Vec<u8>,
    pub(crate) places: Vec<PlaceRow>,
}

/// Appends bytes behind their length, as [`Walk::sized`] reads them.
pub(super) fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    out.extend_from_slice(bytes);
}

impl Head {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put(&mut out, self.log_id.as_bytes());
        out.extend_from_slice(&self.sequence.to_le_bytes());
        out.extend_from_slice(&self.wall_ms.to_le_bytes());
        put(&mut out, &self.meta);
        out.extend_from_slice(&(self.places.len() as u32).to_le_bytes());
        for place in &self.places {
            out.extend_from_slice(&place.tenant.0.to_be_bytes());
            put(&mut out, place.queue.as_bytes());
            put(&mut out, place.kind.as_bytes());
            for count in place.counts {
                out.extend_from_slice(&count.to_le_bytes());
            }
        }
        for place in &self.places {
            out.extend_from_slice(&place.dead_letters.to_le_bytes());
        }
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Head> {
        let mut walk = Walk(bytes);
        let log_id = walk.text()?.to_owned();
        let (sequence, wall_ms) = (walk.u64()?, walk.u64()?);
        let meta = walk.sized()?.to_vec();
        let count = walk.u32()?;
        let mut places = Vec::new();
        for place in 0..count {
            let tenant = TenantId(u128::from_be_bytes(walk.take(16)?.try_into().ok()?));
            let queue = Text::from(walk.text()?);
            let kind = Text::from(walk.text()?);
            let mut counts = [0; 9];
            for count in &mut counts {
                *count = walk.u64()?;
            }
            places.push(PlaceRow {
                place,
                tenant,
                queue,
                kind,
                counts,
                dead_letters: 0,
            });
        }
        if !walk.0.is_empty() {
            for place in &mut places {
                place.dead_letters = walk.u64()?;
            }
        }
        walk.0.is_empty().then_some(Head {
            log_id,
            sequence,
            wall_ms,
            meta,
            places,
        })
    }
}

/// An object's bytes in a row.
pub(super) fn object_bytes(row: &ObjectRow) -> Vec<u8> {
    let mut out = vec![row.class as u8];
    out.extend_from_slice(&row.tenant.0.to_be_bytes());
    put(&mut out, row.key.as_bytes());
    out.extend_from_slice(&row.image);
    out
}

/// The object that these bytes are, if they are one.
pub(super) fn object_of(bytes: &[u8]) -> Option<ObjectRow> {
    let mut walk = Walk(bytes);
    Some(ObjectRow {
        class: ObjectClass::from_code(walk.u8()?.into())?,
        tenant: TenantId(u128::from_be_bytes(walk.take(16)?.try_into().ok()?)),
        key: Text::from(walk.text()?),
        image: walk.0.to_vec(),
    })
}

/// Walks over bytes, checking every length before it is used.
pub(super) struct Walk<'a>(pub(super) &'a [u8]);

impl<'a> Walk<'a> {
    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|byte| byte[0])
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.take(8)?.try_into().ok().map(u64::from_le_bytes)
    }

    pub(super) fn sized(&mut self) -> Option<&'a [u8]> {
        let length = self.u32()? as usize;
        self.take(length)
    }

    fn text(&mut self) -> Option<&'a str> {
        core::str::from_utf8(self.sized()?).ok()
    }
}
