//! Tests of names, segment headers and short writes.
//! Owns: what names, segment headers and scans promise.
//! Never: opens a log.

use std::io;
use std::sync::Mutex;

use super::bytes::all_zero;
use super::{
    Image, Position, SegmentHeader, SegmentHeaderFault, Stop, align_up, first_sequence_of,
    frame_span,
};
use super::{is_spare, segment_name, write_fully};
use crate::disk::DiskFile;
use crate::frame::NO_HASH;
use crate::identity::{LogId, Salt};
use crate::options::Plant;

fn header() -> SegmentHeader {
    SegmentHeader {
        rewritten: true,
        sector: 4096,
        log_id: LogId(1 << 100),
        salt: Salt(2),
        replaces: Salt(3),
        incarnation: 4,
        first_sequence: 5,
        first_frame: 6,
        durable_upto: 7,
        previous_hash: [8; 32],
        bytes_min: 9,
    }
}

#[test]
fn every_segment_header_field_comes_back() {
    let bytes = header().encode();
    assert_eq!(bytes.len(), 4096);
    assert_eq!(SegmentHeader::decode(&bytes), Ok(header()));
}

#[test]
fn another_segment_format_is_named() {
    let mut bytes = header().encode();
    bytes[8] = 2;
    let crc = crc32c::crc32c(&bytes[..124]).to_le_bytes();
    bytes[124..128].copy_from_slice(&crc);
    assert_eq!(
        SegmentHeader::decode(&bytes),
        Err(SegmentHeaderFault::Format(2))
    );
}

#[test]
fn names_of_segments_are_exact() {
    assert_eq!(segment_name(42), "log/00000000000000000042.log");
    assert_eq!(first_sequence_of("00000000000000000042.log"), Some(42));
    for wrong in [
        "42.log",
        "0000000000000000004x.log",
        "00000000000000000042.log.tmp",
        "spare-1",
        "",
        ".log",
    ] {
        assert_eq!(first_sequence_of(wrong), None, "{wrong}");
    }
    assert_eq!(
        first_sequence_of("99999999999999999999.log"),
        None,
        "more than there are sequences"
    );
    assert!(
        is_spare("spare-0") && !is_spare("spare-") && !is_spare("spare-x") && !is_spare("spares")
    );
}

#[test]
fn spans_are_aligned() {
    assert_eq!(align_up(0, 512), 0);
    assert_eq!(align_up(1, 512), 512);
    assert_eq!(align_up(512, 512), 512);
    assert_eq!(frame_span(0), 152);
    assert_eq!(frame_span(1), 160);
}

#[test]
fn zeros_are_told_from_almost_zeros() {
    let mut bytes = vec![0; 10_000];
    assert!(all_zero(&bytes) && all_zero(&[]));
    for at in [0, 1, 4095, 4096, 9_999] {
        bytes[at] = 1;
        assert!(!all_zero(&bytes));
        bytes[at] = 0;
    }
}

#[test]
fn any_bytes_can_be_scanned() {
    let mut seed = 1_u64;
    let mut bytes = vec![0; 3000];
    for round in 0..200_usize {
        for byte in &mut bytes {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = (seed >> 33) as u8;
        }
        let image = Image {
            bytes: &bytes[..round * 15],
            sector: 512,
            log_id: LogId(1),
            salt: Salt(1),
            // Without its checksum even garbage behind a magic is taken for a header.
            plant: Plant {
                crc_skips_header: true,
                ..Plant::default()
            },
        };
        for offset in [0, 7, 511, 512, 2999, 3000, 5000] {
            let mut at = Position::before(1, 1, NO_HASH);
            let stop = image
                .walk(offset, &mut at, &mut |_| Ok::<(), ()>(()))
                .expect("walks");
            assert!(matches!(stop, Stop::End { .. } | Stop::Broken { .. }));
            assert_eq!(image.later(offset, 0), None);
        }
    }
}

/// Takes a few bytes per call, and interrupts every other one.
struct Trickle {
    written: Mutex<Vec<u8>>,
    calls: Mutex<u32>,
    fail_at: u32,
}

impl DiskFile for Trickle {
    fn read_at(&self, _: u64, _: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }

    fn write_at(&self, offset: u64, parts: &[io::IoSlice<'_>]) -> io::Result<usize> {
        let mut calls = self.calls.lock().expect("calls");
        *calls += 1;
        if *calls == self.fail_at {
            return Err(io::Error::other("full"));
        }
        if calls.is_multiple_of(2) {
            return Err(io::Error::from(io::ErrorKind::Interrupted));
        }
        let mut written = self.written.lock().expect("written");
        assert_eq!(offset, written.len() as u64, "goes on where it stopped");
        let bytes: Vec<u8> = parts
            .iter()
            .flat_map(|part| part.iter().copied())
            .take(3)
            .collect();
        written.extend_from_slice(&bytes);
        Ok(bytes.len())
    }

    fn allocate(&self, _: u64) -> io::Result<()> {
        Ok(())
    }

    fn set_len(&self, _: u64) -> io::Result<()> {
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(0)
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn sync_all(&self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_short_write_is_continued_and_an_error_ends_it() {
    let write = |fail_at| {
        let file = Trickle {
            written: Mutex::default(),
            calls: Mutex::default(),
            fail_at,
        };
        let mut parts = [
            io::IoSlice::new(b""),
            io::IoSlice::new(b"ab"),
            io::IoSlice::new(b""),
            io::IoSlice::new(b"cdefgh"),
        ];
        let result = write_fully(&file, 0, &mut parts);
        let calls = *file.calls.lock().expect("calls");
        let written = file.written.into_inner().expect("written");
        (result.is_ok(), written, calls)
    };
    assert_eq!(write(0), (true, b"abcdefgh".to_vec(), 5));
    assert_eq!(write(3), (false, b"abc".to_vec(), 3));
}
