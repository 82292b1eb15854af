//! Tests of the manifest codec.
//! Owns: what the manifest codec promises.
//! Never: touches a disk.

use super::codec::{ManifestFault, put_field};
use super::{Manifest, Mark, SegmentEntry};
use crate::identity::{LogId, Salt};

fn manifest() -> Manifest {
    let mark = Mark {
        frame: 8,
        sequence: 9,
        hash: [10; 32],
    };
    let open = SegmentEntry {
        first_sequence: 10,
        first_frame: 9,
        previous_hash: [10; 32],
        salt: Salt(77),
        sealed: None,
    };
    let sealed = SegmentEntry {
        first_sequence: 1,
        first_frame: 1,
        sealed: Some(mark),
        ..open.clone()
    };
    Manifest {
        log_id: LogId(1),
        incarnation: 2,
        secret: [3; 32],
        floor: mark,
        clean: true,
        segments: vec![sealed, open],
    }
}

fn decode(bytes: &[u8]) -> Result<Manifest, ManifestFault> {
    Manifest::decode(bytes)
}

/// Puts the right length and checksum on changed bytes.
fn seal_again(mut bytes: Vec<u8>, extra: &[u8]) -> Vec<u8> {
    bytes.truncate(bytes.len() - 32);
    bytes.extend_from_slice(extra);
    let length = (bytes.len() - 16) as u32;
    bytes[12..16].copy_from_slice(&length.to_le_bytes());
    let hash = blake3::hash(&bytes);
    bytes.extend_from_slice(hash.as_bytes());
    bytes
}

#[test]
fn every_manifest_field_comes_back() {
    for clean in [false, true] {
        let manifest = Manifest {
            clean,
            ..manifest()
        };
        assert!(decode(&manifest.encode()) == Ok(manifest));
    }
}

#[test]
fn every_flipped_bit_of_a_manifest_is_seen() {
    let bytes = manifest().encode();
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(
            matches!(decode(&flipped), Err(ManifestFault::Broken(_))),
            "bit {bit}"
        );
    }
}

#[test]
fn a_truncated_manifest_is_none() {
    let bytes = manifest().encode();
    for length in 0..bytes.len() {
        assert!(decode(&bytes[..length]).is_err(), "length {length}");
    }
}

#[test]
fn an_unknown_field_is_another_format_and_an_optional_one_is_skipped() {
    let mut unknown = Vec::new();
    put_field(&mut unknown, 7, b"new");
    assert!(matches!(
        decode(&seal_again(manifest().encode(), &unknown)),
        Err(ManifestFault::Format(_))
    ));
    let mut optional = Vec::new();
    put_field(&mut optional, 0x8007, b"new");
    assert!(decode(&seal_again(manifest().encode(), &optional)) == Ok(manifest()));
}

#[test]
fn a_field_that_lies_about_its_length_is_broken() {
    let lie = [7, 0x80, 0xff, 0xff, 0xff, 0xff, 1];
    assert!(matches!(
        decode(&seal_again(manifest().encode(), &lie)),
        Err(ManifestFault::Broken(_))
    ));
    let short = [2, 0, 1, 0, 0, 0, 1];
    assert!(matches!(
        decode(&seal_again(manifest().encode(), &short)),
        Err(ManifestFault::Broken(_))
    ));
}

#[test]
fn another_format_is_named() {
    let mut bytes = manifest().encode();
    bytes[8] = 2;
    assert!(
        decode(&seal_again(bytes, &[])) == Err(ManifestFault::Format(String::from("format 2")))
    );
}
