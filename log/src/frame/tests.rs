//! Tests of frame headers and the chain.
//! Owns: what headers and the chain promise.
//! Never: touches a disk.

use crate::frame::{FRAME_HEADER_BYTES, Flags, Header, HeaderFault, body_crc, chain_hash};
use crate::identity::{LogId, Salt};
use crate::options::Plant;

fn header() -> Header {
    Header {
        flags: Flags::SEAL,
        key_id: 0,
        rules_version: 0x0102_0304,
        log_id: LogId(0x1111_2222_3333_4444_5555_6666_7777_8888),
        salt: Salt(0xaaaa_bbbb_cccc_dddd),
        incarnation: 2,
        number: 3,
        durable_upto: 4,
        first_sequence: 5,
        wall_ms: 6,
        steady_ms: 7,
        id_seed: 8,
        event_count: 9,
        command_count: 10,
        previous_hash: [11; 32],
        body_bytes: 12,
        body_crc: 13,
    }
}

fn decode(bytes: &[u8], of: &Header) -> Result<Header, HeaderFault> {
    Header::decode(bytes, of.log_id, of.salt, Plant::default())
}

#[test]
fn every_field_comes_back() {
    let header = header();
    let bytes = header.encode();
    assert_eq!(&bytes[..4], b"MSFr");
    assert_eq!(decode(&bytes, &header), Ok(header));
}

#[test]
fn every_flipped_bit_of_a_header_is_seen() {
    let header = header();
    for bit in 0..FRAME_HEADER_BYTES * 8 {
        let mut bytes = header.encode();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(
            matches!(decode(&bytes, &header), Err(HeaderFault::Broken(_))),
            "bit {bit}"
        );
    }
}

#[test]
fn a_header_of_another_salt_or_log_is_none() {
    let header = header();
    let bytes = header.encode();
    let other_salt = Header::decode(&bytes, header.log_id, Salt(1), Plant::default());
    let other_log = Header::decode(&bytes, LogId(1), header.salt, Plant::default());
    assert!(other_salt.is_err() && other_log.is_err());
}

#[test]
fn a_short_header_is_none() {
    let header = header();
    let bytes = header.encode();
    for length in 0..bytes.len() {
        assert!(decode(&bytes[..length], &header).is_err());
    }
}

#[test]
fn flags_that_are_not_understood_are_another_format() {
    for flags in [Flags::COMPRESSED, Flags::ENCRYPTED, Flags(1 << 15)] {
        let header = Header { flags, ..header() };
        assert!(matches!(
            decode(&header.encode(), &header),
            Err(HeaderFault::Format(_))
        ));
    }
}

#[test]
fn the_chain_covers_what_a_rewrite_keeps_and_nothing_else() {
    let base = header();
    let hash = chain_hash(&base, b"body");
    let covered = [
        Header {
            log_id: LogId(1),
            ..base.clone()
        },
        Header {
            number: 99,
            ..base.clone()
        },
        Header {
            first_sequence: 99,
            ..base.clone()
        },
        Header {
            event_count: 99,
            ..base.clone()
        },
        Header {
            command_count: 99,
            ..base.clone()
        },
        Header {
            wall_ms: 99,
            ..base.clone()
        },
        Header {
            steady_ms: 99,
            ..base.clone()
        },
        Header {
            rules_version: 99,
            ..base.clone()
        },
        Header {
            id_seed: 99,
            ..base.clone()
        },
        Header {
            previous_hash: [99; 32],
            ..base.clone()
        },
    ];
    for changed in covered {
        assert_ne!(chain_hash(&changed, b"body"), hash, "{changed:?}");
    }
    assert_ne!(chain_hash(&base, b"bodY"), hash);
    let kept = [
        Header {
            flags: Flags::REWRITTEN,
            ..base.clone()
        },
        Header {
            salt: Salt(99),
            ..base.clone()
        },
        Header {
            incarnation: 99,
            ..base.clone()
        },
        Header {
            durable_upto: 99,
            ..base.clone()
        },
        Header {
            body_crc: 99,
            ..base.clone()
        },
    ];
    for changed in kept {
        assert_eq!(chain_hash(&changed, b"body"), hash, "{changed:?}");
    }
}

#[test]
fn no_debug_text_shows_a_salt() {
    let text = format!("{:?}", header());
    assert!(
        !text.contains(&format!("{:?}", 0xaaaa_bbbb_cccc_dddd_u64)) && !text.contains("aaaa"),
        "{text}"
    );
}

#[test]
fn the_body_checksum_covers_the_last_byte() {
    assert_ne!(
        body_crc(b"ab", Plant::default()),
        body_crc(b"ac", Plant::default())
    );
    let plant = Plant {
        crc_skips_last_byte: true,
        ..Plant::default()
    };
    assert_eq!(
        body_crc(b"ab", plant),
        body_crc(b"ac", plant),
        "the planted bug is there"
    );
}
