//! Rot: every single bit of a 64 KiB log, every truncation, every misplaced sector.
//! Owns: the property that rot is refused or provably costs nothing that was acknowledged.
//! Never: models crashes; `log/tests/crash.rs` does.

use super::check::{Checked, check_segment};
use super::recover::Proven;
use super::survey::{Judged, judge_tail};
use crate::contract::{Seen, draft};
use crate::disk::RamDisk;
use crate::manifest::{self, Manifest};
use crate::segment::{Position, Stop};
use crate::{Entropy, Flush, FromStart, Log, OpenError, Options, Plant, Recovery, open};

const SEGMENT_BYTES: u64 = 64 << 10;
const SEGMENT: &str = "log/00000000000000000001.log";
const ENTROPY: Entropy = Entropy([5; 64]);

fn options(plant: Plant) -> Options {
    Options {
        segment_bytes: SEGMENT_BYTES,
        plant,
        ..Options::default()
    }
}

/// A directory whose one segment is nearly full; returns the last acknowledged sequence too.
fn nearly_full(sealed: bool, closed: bool) -> (RamDisk, u64) {
    let disk = RamDisk::new(512);
    let mut opened = open(
        disk.clone(),
        options(Plant::default()),
        ENTROPY,
        &mut FromStart(|_| Ok(())),
    )
    .expect("open");
    let mut sequence = 0;
    for group in 0..60_usize {
        for frame in 0..group % 4 + 1 {
            sequence += 1;
            opened
                .log
                .append(draft(sequence, 1, group * 37 % 700 + frame * 11))
                .expect("append");
        }
        opened.flusher.flush().expect("flush");
        if group % 7 == 3 {
            opened.flusher.seal().expect("seal");
        }
        let used = disk
            .get(SEGMENT)
            .expect("segment")
            .iter()
            .rposition(|&byte| byte != 0)
            .expect("some");
        if used as u64 > SEGMENT_BYTES - 6000 {
            break;
        }
    }
    if sealed {
        opened.flusher.seal().expect("seal");
    }
    if closed {
        opened.flusher.close().expect("close");
    }
    assert_eq!(opened.flusher.stats().rolls, 0);
    (disk, sequence)
}

fn load(disk: &RamDisk) -> (Manifest, Checked, Vec<(usize, Position)>) {
    let manifest = manifest::load(disk).expect("manifest").expect("there");
    let first = &manifest.segments[0];
    let start = first.start();
    let mut at = start.clone();
    let checked = check_segment(
        disk,
        Plant::default(),
        &manifest,
        0,
        &mut at,
        &mut |_, _| Ok(()),
    )
    .expect("intact")
    .expect("there");
    // The places after each frame, from which a scan can go on.
    let mut places = vec![(checked.header.sector as usize, start.clone())];
    let mut at = start;
    checked
        .image(Plant::default())
        .walk(checked.header.sector as usize, &mut at, &mut |visited| {
            let mut after = places.last().expect("some").1.clone();
            after.advance(visited);
            places.push((visited.end, after));
            Ok::<(), ()>(())
        })
        .expect("walks");
    (manifest, checked, places)
}

/// What recovery says about the segment: the last sequence if it goes on, `None` if it refuses.
fn judge_from(
    disk: &RamDisk,
    manifest: &Manifest,
    checked: &mut Checked,
    place: &(usize, Position),
) -> Option<(u64, Judged)> {
    let mut at = place.1.clone();
    let image = checked.image(Plant::default());
    checked.stop = image
        .walk(place.0, &mut at, &mut |_| Ok::<(), ()>(()))
        .expect("walks");
    if matches!(checked.stop, Stop::Format { .. }) {
        return None;
    }
    judge_tail(
        disk,
        Plant::default(),
        manifest,
        checked,
        &at,
        Proven::default(),
    )
    .ok()
    .map(|judged| (at.sequence, judged))
}

/// Flips every bit from the end of the segment's header on. Returns (refused, cut).
fn flip_every_bit(
    disk: &RamDisk,
    lossless_from: usize,
    least_sequence: u64,
    acked: u64,
) -> (u64, u64) {
    let halves: Vec<(u64, u64)> = std::thread::scope(|scope| {
        let run = |half: usize| {
            let (manifest, mut checked, places) = load(disk);
            let (mut refused, mut cut) = (0, 0);
            for byte in (checked.header.sector as usize..checked.bytes.len())
                .filter(|byte| byte % 2 == half)
            {
                // Everything before the frame that holds this byte is as it was: the scan goes on from there.
                let place = &places[places.partition_point(|place| place.0 <= byte) - 1];
                for bit in 0..8 {
                    checked.bytes[byte] ^= 1 << bit;
                    match judge_from(disk, &manifest, &mut checked, place) {
                        None => refused += 1,
                        Some((sequence, Judged::Torn { .. })) => {
                            cut += 1;
                            let least = if byte < lossless_from {
                                acked
                            } else {
                                least_sequence
                            };
                            assert!(
                                sequence >= least,
                                "byte {byte} bit {bit}: silently back to {sequence}"
                            );
                        }
                        Some((_, Judged::End)) => panic!("byte {byte} bit {bit}: not detected"),
                    }
                    checked.bytes[byte] ^= 1 << bit;
                }
            }
            (refused, cut)
        };
        let threads = [0, 1].map(|half| scope.spawn(move || run(half)));
        threads
            .into_iter()
            .map(|thread| thread.join().expect("a half"))
            .collect()
    });
    (halves[0].0 + halves[1].0, halves[0].1 + halves[1].1)
}

#[test]
fn every_flipped_bit_of_a_sealed_log_is_refused_or_costs_nothing() {
    let (disk, acked) = nearly_full(true, false);
    let (refused, cut) = flip_every_bit(&disk, usize::MAX, acked, acked);
    assert_eq!(refused + cut, (SEGMENT_BYTES - 512) * 8);
    assert!(refused > cut * 5, "{refused} {cut}");
}

#[test]
fn every_flipped_bit_of_a_busy_log_is_detected_outside_the_last_group() {
    let (disk, acked) = nearly_full(false, false);
    let (_, _, places) = load(&disk);
    // The last group is the one whose first frame begins at the last sector boundary; its frames share a durable_upto.
    let last_group = places.iter().rev().map(|place| place.0).find(|end| {
        let start = end.next_multiple_of(512);
        let is_start_of_group = disk.get(SEGMENT).expect("segment")[*end..start]
            .iter()
            .all(|&byte| byte == 0);
        is_start_of_group && *end != places.last().expect("some").0
    });
    let last_group = last_group.expect("a last group");
    let before = places
        .iter()
        .find(|place| place.0 == last_group)
        .expect("place")
        .1
        .sequence;
    let (refused, cut) = flip_every_bit(&disk, last_group, before, acked);
    assert_eq!(refused + cut, (SEGMENT_BYTES - 512) * 8);
}

#[test]
fn every_flipped_bit_of_a_cleanly_stopped_log_is_refused_or_costs_nothing() {
    let (disk, acked) = nearly_full(true, true);
    let (refused, cut) = flip_every_bit(&disk, usize::MAX, acked, acked);
    assert_eq!(refused + cut, (SEGMENT_BYTES - 512) * 8);
    let (_, _, places) = load(&disk);
    let used = (places.last().expect("some").0 as u64 - 512) * 8;
    assert!(
        refused >= used,
        "not one bit of a frame may be lost after a clean stop: {refused} of {used}"
    );
}

fn open_copy(disk: &RamDisk, plant: Plant) -> Result<(Recovery, Vec<Seen>), OpenError> {
    let mut seen = Vec::new();
    let opened = open(
        disk.fork(),
        options(plant),
        ENTROPY,
        &mut FromStart(|frame| {
            seen.push(Seen::of(frame));
            Ok(())
        }),
    )?;
    Ok((opened.recovery, seen))
}

#[test]
fn a_whole_open_says_the_same_as_the_shortcut() {
    let (disk, acked) = nearly_full(true, false);
    let bytes = disk.get(SEGMENT).expect("segment");
    let (manifest, mut checked, places) = load(&disk);
    for at in (0..bytes.len() * 8).step_by(1021) {
        let mut flipped = bytes.clone();
        flipped[at / 8] ^= 1 << (at % 8);
        let fork = disk.fork();
        fork.put(SEGMENT, flipped);
        let whole = open_copy(&fork, Plant::default());
        if at / 8 < 512 {
            assert!(
                matches!(
                    whole,
                    Err(OpenError::Damage { offset: 0, .. } | OpenError::Format { .. })
                ),
                "{at}"
            );
            continue;
        }
        let place = &places[places.partition_point(|place| place.0 <= at / 8) - 1];
        checked.bytes[at / 8] ^= 1 << (at % 8);
        let short = judge_from(&disk, &manifest, &mut checked, place);
        checked.bytes[at / 8] ^= 1 << (at % 8);
        match (whole, short) {
            (Ok((recovery, _)), Some((sequence, _))) => {
                assert_eq!(
                    (recovery.last_sequence, sequence),
                    (acked, acked),
                    "bit {at}"
                );
                let cut = recovery.cut.expect("what was flipped is kept aside");
                assert!(
                    fork.names().iter().all(|name| *name != cut.quarantine),
                    "the copy was forked again"
                );
            }
            (Err(_), None) => {}
            (whole, short) => panic!("bit {at}: {:?} but {}", whole.map(|_| ()), short.is_some()),
        }
    }
}

#[test]
fn every_flipped_bit_of_the_segment_header_is_refused() {
    let (disk, _) = nearly_full(false, false);
    let (manifest, checked, _) = load(&disk);
    for bit in 0..512 * 8 {
        let mut bytes = checked.bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        disk.put(SEGMENT, bytes);
        let mut at = Position::before(1, 1, [0; 32]);
        let refused = check_segment(
            &disk,
            Plant::default(),
            &manifest,
            0,
            &mut at,
            &mut |_, _| Ok(()),
        );
        assert!(refused.is_err(), "bit {bit}");
    }
}

#[test]
fn a_truncated_segment_is_refused_at_every_length() {
    let (disk, _) = nearly_full(true, false);
    let bytes = disk.get(SEGMENT).expect("segment");
    for length in 0..bytes.len() {
        let fork = disk.fork();
        fork.put(SEGMENT, bytes[..length].to_vec());
        let refused = open_copy(&fork, Plant::default());
        assert!(
            matches!(refused, Err(OpenError::Damage { .. })),
            "length {length}: {:?}",
            refused.map(|_| ())
        );
    }
}

#[test]
fn bytes_zeroed_from_any_place_on_are_recovered_or_refused_by_the_rule() {
    // A truncation that keeps the length: what a lost tail looks like in preallocated space.
    let (disk, acked) = nearly_full(true, false);
    let (manifest, mut checked, places) = load(&disk);
    let whole = checked.bytes.clone();
    for from in (512..whole.len()).rev() {
        checked.bytes[from] = 0;
        let place = &places[places.partition_point(|place| place.0 <= from) - 1];
        // Without a later frame nothing but the manifest can prove anything: the intact prefix is what remains.
        if let Some((sequence, _)) = judge_from(&disk, &manifest, &mut checked, place) {
            assert!(
                sequence >= place.1.sequence && sequence <= acked,
                "from {from}"
            );
        }
    }
}

#[test]
fn a_sector_in_the_wrong_place_is_refused() {
    let (disk, _) = nearly_full(true, false);
    let (manifest, mut checked, places) = load(&disk);
    let whole = checked.bytes.clone();
    let last = places.last().expect("some").0 / 512 - 1;
    for from in 1..last {
        for to in (1..last).filter(|to| *to != from) {
            checked.bytes[to * 512..][..512].copy_from_slice(&whole[from * 512..][..512]);
            let same = checked.bytes == whole;
            let judged = judge_from(&disk, &manifest, &mut checked, &places[0]);
            assert_eq!(judged.is_some(), same, "sector {from} over {to}");
            checked.bytes[to * 512..][..512].copy_from_slice(&whole[to * 512..][..512]);
        }
        if from > 12 {
            break;
        }
    }
}

#[test]
fn a_naive_recovery_would_lose_what_this_one_refuses() {
    let (disk, acked) = nearly_full(true, false);
    let mut bytes = disk.get(SEGMENT).expect("segment");
    bytes[20_000] ^= 1;
    disk.put(SEGMENT, bytes);
    assert!(matches!(
        open_copy(&disk, Plant::default()),
        Err(OpenError::Damage { .. })
    ));
    let naive = Plant {
        truncate_at_first_bad: true,
        ..Plant::default()
    };
    assert!(
        open_copy(&disk, naive)
            .expect("the planted bug opens")
            .0
            .last_sequence
            < acked
    );
}
