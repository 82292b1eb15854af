//! The hash chain over frames and the checksum of bodies.
//! Owns: what a chain hash covers.
//! Never: covers what a rewrite may change (flags, salt, incarnation, durable_upto, checksums).

use crate::frame::header::Header;
use crate::options::Plant;

/// A chain hash.
pub(crate) type Hash = [u8; 32];
/// What stands before the first frame of a log.
pub(crate) const NO_HASH: Hash = [0; 32];

/// The chain hash of a frame: over its predecessor's hash and everything that a rewrite keeps.
pub(crate) fn chain_hash(header: &Header, body: &[u8]) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"mainstay frame 1");
    hasher.update(&header.previous_hash);
    hasher.update(&header.log_id.0.to_le_bytes());
    hasher.update(&header.number.to_le_bytes());
    hasher.update(&header.first_sequence.to_le_bytes());
    hasher.update(&header.event_count.to_le_bytes());
    hasher.update(&header.command_count.to_le_bytes());
    hasher.update(&header.wall_ms.to_le_bytes());
    hasher.update(&header.steady_ms.to_le_bytes());
    hasher.update(&header.rules_version.to_le_bytes());
    hasher.update(&header.id_seed.to_le_bytes());
    hasher.update(&(body.len() as u64).to_le_bytes());
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
