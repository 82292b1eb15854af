//! The hash chain over frames and the checksum of bodies.
//! Owns: what a chain hash covers.
//! Never: covers what a rewrite may change (flags, salt, incarnation, durable_upto, checksums).

use crate::frame::header::Header;
use crate::options::Plant;
use crate::segment::bytes;

/// A chain hash.
pub(crate) type Hash = [u8; 32];
/// What stands before the first frame of a log.
pub(crate) const NO_HASH: Hash = [0; 32];

const FIELDS_BYTES: usize = 124;

/// The chain hash of a frame: over its predecessor's hash and everything that a rewrite keeps.
pub(crate) fn chain_hash(header: &Header, body: &[u8]) -> Hash {
    // One update for all fields: many small ones cost more than hashing them.
    let mut fields = [0; FIELDS_BYTES];
    fields[..16].copy_from_slice(b"mainstay frame 1");
    fields[16..48].copy_from_slice(&header.previous_hash);
    fields[48..64].copy_from_slice(&header.log_id.0.to_le_bytes());
    bytes::put_u64(&mut fields, 64, header.number);
    bytes::put_u64(&mut fields, 72, header.first_sequence);
    bytes::put_u32(&mut fields, 80, header.event_count);
    bytes::put_u32(&mut fields, 84, header.command_count);
    bytes::put_u64(&mut fields, 88, header.wall_ms);
    bytes::put_u64(&mut fields, 96, header.steady_ms);
    bytes::put_u32(&mut fields, 104, header.rules_version);
    bytes::put_u64(&mut fields, 108, header.id_seed);
    bytes::put_u64(&mut fields, 116, body.len() as u64);
    let mut hasher = blake3::Hasher::new();
    hasher.update(&fields);
    hasher.update(body);
    *hasher.finalize().as_bytes()
}

/// The checksum of a body.
pub(crate) fn body_crc(body: &[u8], plant: Plant) -> u32 {
    if plant.crc_skips_last_byte && !body.is_empty() {
        return crc32c::crc32c(&body[..body.len() - 1]);
    }
    crc32c::crc32c(body)
}
