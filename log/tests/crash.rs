//! Crashes and power cuts at every disk operation, of writing and of recovering.
//! Owns: the property that what was acknowledged comes back, and what comes back was appended.
//! Never: plants damage; that is `rot`'s.

mod cutdisk;

use cutdisk::{CutDisk, Survives};
use mainstay_log::contract::{Seen, draft};
use mainstay_log::{
    Disk, Draft, Entropy, Flush, FromStart, Log, OpenError, Options, Plant, RamDisk, Recovery,
    Stopped, open,
};

fn options(plant: Plant) -> Options {
    Options {
        segment_bytes: 4096,
        group_bytes_max: 2048,
        plant,
        ..Options::default()
    }
}

const SOUND: Plant = Plant {
    ack_before_sync: false,
    skip_sync_every_n: 0,
    sync_wrong_file: false,
    rename_before_content_sync: false,
    ignore_sync_error: false,
    retry_failed_sync: false,
    continue_after_short_write: false,
    skip_dir_sync_on_segment_create: false,
    crc_skips_header: false,
    crc_skips_last_byte: false,
    truncate_at_first_bad: false,
    eio_is_end_of_log: false,
    missing_segment_is_end: false,
    serve_before_tail_rewrite: false,
};

/// What a life appended and what it was told to be durable.
#[derive(Clone, Default)]
struct Ledger {
    appended: Vec<Draft>,
    acked_sequence: u64,
}

/// One life: some groups, some seals, rolls in between, maybe a clean stop. Ends at the first fault.
fn live<D: Disk>(
    disk: D,
    plant: Plant,
    entropy: u8,
    ledger: &mut Ledger,
    groups: u64,
    close: bool,
) -> Result<(), Stopped> {
    let mut sequence = 0;
    let opened = open(
        disk,
        options(plant),
        Entropy([entropy; 64]),
        &mut FromStart(|frame| {
            sequence = frame.first_sequence + u64::from(frame.event_count) - 1;
            Ok(())
        }),
    );
    let mut opened = match opened {
        Ok(opened) => opened,
        Err(OpenError::Io { .. }) => return Err(Stopped::Closed),
        Err(other) => panic!("a crash is no damage: {other}"),
    };
    // What recovery showed is durable from now on, and what it did not show will be appended anew.
    ledger.acked_sequence = ledger.acked_sequence.max(sequence);
    ledger
        .appended
        .retain(|draft| draft.first_sequence <= sequence);
    for group in 0..groups {
        for at in 0..=group % 3 {
            let mut draft = draft(
                sequence + 1,
                1 + (at as u32 % 2),
                (group * 97 + at * 31) as usize % 900,
            );
            draft.wall_ms += u64::from(entropy);
            sequence += u64::from(draft.event_count);
            opened.log.append(draft.clone())?;
            ledger.appended.push(draft);
        }
        let result = opened.flusher.flush();
        ledger.acked_sequence = ledger.acked_sequence.max(opened.log.durable().sequence);
        if result.is_err() {
            let again = opened.log.append(draft(sequence + 1, 1, 0));
            assert_eq!(
                again.err(),
                result.clone().err(),
                "after a fault the log takes nothing more"
            );
            assert_eq!(
                opened.flusher.flush().err(),
                result.clone().err(),
                "and flushes nothing more"
            );
            assert_eq!(
                opened.flusher.close().err(),
                result.clone().err(),
                "and is never closed cleanly"
            );
        }
        result?;
        if group % 2 == 0 {
            opened.flusher.seal()?;
        }
    }
    if close {
        opened.flusher.close()
    } else {
        Ok(())
    }
}

/// Recovers on a disk without faults and compares with the ledger.
fn verdict(disk: &RamDisk, ledger: &Ledger) -> Result<Recovery, String> {
    let mut seen = Vec::new();
    let opened = open(
        disk.clone(),
        options(SOUND),
        Entropy([99; 64]),
        &mut FromStart(|frame| {
            seen.push(Seen::of(frame).draft);
            Ok(())
        }),
    );
    let recovery = opened.map_err(|error| error.to_string())?.recovery;
    if ledger.appended.get(..seen.len()) != Some(&seen[..]) {
        return Err(String::from("what came back is not what was appended"));
    }
    if recovery.last_sequence < ledger.acked_sequence {
        return Err(format!(
            "lost {} of {}",
            recovery.last_sequence, ledger.acked_sequence
        ));
    }
    Ok(recovery)
}

fn check(disk: &RamDisk, ledger: &Ledger, what: &str) -> Recovery {
    verdict(disk, ledger).unwrap_or_else(|error| panic!("{what}: {error}"))
}

fn survivals(seed: u64, mixes: u64) -> impl Iterator<Item = Survives> {
    let mixed = (0..mixes)
        .map(move |mix| Survives::Mixed((seed + 1).wrapping_mul(0x9e37_79b9) ^ (mix << 40)));
    [Survives::All, Survives::Synced].into_iter().chain(mixed)
}

#[test]
fn a_crash_at_any_operation_loses_nothing_acknowledged() {
    let mut cuts = 0;
    for fail_from in 1.. {
        let mut ledger = Ledger::default();
        let disk = CutDisk::new(&RamDisk::new(512), fail_from);
        let ended = live(disk.clone(), SOUND, 1, &mut ledger, 14, true);
        for survives in survivals(fail_from, 24) {
            let recovery = check(
                &disk.after(survives),
                &ledger,
                &format!("operation {fail_from}, {survives:?}"),
            );
            cuts += u64::from(recovery.cut.is_some());
        }
        if ended.is_ok() {
            assert!(
                fail_from > 100,
                "the life has too few operations to mean anything: {fail_from}"
            );
            break;
        }
    }
    assert!(cuts > 50, "torn tails must have been among them: {cuts}");
}

#[test]
fn a_crash_inside_recovery_to_any_depth_loses_nothing_acknowledged() {
    // A life that ends with a torn group, then recoveries that are cut off again and again.
    for seed in 0..40_u64 {
        let mut ledger = Ledger::default();
        let disk = CutDisk::new(&RamDisk::new(512), 40 + seed * 2);
        live(disk.clone(), SOUND, 1, &mut ledger, 14, true).expect_err("cut");
        let mut image = disk.after(Survives::Mixed(seed * 7 + 1));
        for depth in 0..12_u64 {
            let disk = CutDisk::new(&image, 1 + (seed * 5 + depth * 11) % 19);
            let _ = live(disk.clone(), SOUND, 2, &mut ledger, 2, false);
            let survives = survivals(seed * 100 + depth, 2)
                .nth((depth % 4) as usize)
                .expect("four");
            image = disk.after(survives);
            check(
                &image.fork(),
                &ledger,
                &format!("seed {seed}, depth {depth}, {survives:?}"),
            );
        }
        live(image.clone(), SOUND, 3, &mut ledger, 5, true).expect("at last a whole life");
        assert!(check(&image, &ledger, "the end").was_clean);
    }
}

#[test]
fn a_crash_at_any_operation_of_a_second_life_loses_nothing_acknowledged() {
    let mut first = Ledger::default();
    let base = CutDisk::new(&RamDisk::new(512), 90);
    live(base.clone(), SOUND, 1, &mut first, 14, false).expect_err("cut");
    let image = base.after(Survives::All);
    for fail_from in 1.. {
        let mut ledger = first.clone();
        let disk = CutDisk::new(&image, fail_from);
        let ended = live(disk.clone(), SOUND, 2, &mut ledger, 3, true);
        for survives in survivals(fail_from, 24) {
            check(
                &disk.after(survives),
                &ledger,
                &format!("operation {fail_from}, {survives:?}"),
            );
        }
        if ended.is_ok() {
            break;
        }
    }
}

#[test]
fn one_failed_operation_stops_the_log_or_costs_nothing() {
    // The fault is gone at the next operation: a log that retried would not notice.
    for fail_at in 1.. {
        let mut ledger = Ledger::default();
        let disk = CutDisk::failing_once(&RamDisk::new(512), fail_at);
        let ended = live(disk.clone(), SOUND, 1, &mut ledger, 14, false);
        for survives in survivals(fail_at, 4) {
            check(
                &disk.after(survives),
                &ledger,
                &format!("operation {fail_at}, {survives:?}"),
            );
        }
        if ended.is_ok() && disk.operations() < fail_at {
            break;
        }
        assert!(
            ended.is_err() || !disk.syncs().contains(&fail_at),
            "a failed group sync must stop the log"
        );
    }
}

#[test]
fn recovery_twice_is_recovery_once() {
    let mut ledger = Ledger::default();
    let disk = CutDisk::new(&RamDisk::new(512), 83);
    live(disk.clone(), SOUND, 1, &mut ledger, 14, false).expect_err("cut");
    let image = disk.after(Survives::All);
    let first = check(&image, &ledger, "first");
    let second = check(&image, &ledger, "second");
    assert_eq!(
        (first.last_frame, first.head_hash),
        (second.last_frame, second.head_hash)
    );
    assert_eq!(second.cut, None);
}

/// A sync fails once, the process starts again and shows what the page cache has, then the power goes.
fn page_cache_lies(plant: Plant, fail_at: u64) -> Result<Recovery, String> {
    let mut ledger = Ledger::default();
    let disk = CutDisk::failing_once(&RamDisk::new(512), fail_at);
    let _ = live(disk.clone(), SOUND, 1, &mut ledger, 14, false);
    let _ = live(disk.restart(), plant, 2, &mut ledger, 0, false);
    verdict(&disk.after(Survives::Synced), &ledger)
}

#[test]
fn what_recovery_showed_is_durable_even_if_the_page_cache_lied() {
    for fail_at in 20..150 {
        page_cache_lies(SOUND, fail_at)
            .unwrap_or_else(|error| panic!("operation {fail_at}: {error}"));
    }
    let bug = Plant {
        serve_before_tail_rewrite: true,
        ..SOUND
    };
    assert!(
        (20..150).any(|fail_at| page_cache_lies(bug, fail_at).is_err()),
        "the planted bug must be seen"
    );
}

/// Whether any crash or fault in a life with a planted bug contradicts its ledger.
fn is_seen(plant: Plant) -> bool {
    (20..150).any(|fail_at| {
        let disks = [
            CutDisk::new(&RamDisk::new(512), fail_at),
            CutDisk::failing_once(&RamDisk::new(512), fail_at),
        ];
        disks.into_iter().any(|disk| {
            let mut ledger = Ledger::default();
            // A planted bug may also break the promises that `live` itself asserts.
            let alive = std::panic::AssertUnwindSafe(|| {
                live(disk.clone(), plant, 1, &mut ledger, 14, false)
            });
            std::panic::catch_unwind(alive).is_err()
                || survivals(fail_at, 2)
                    .any(|survives| verdict(&disk.after(survives), &ledger).is_err())
        })
    })
}

#[test]
fn planted_bugs_of_the_commit_path_are_seen() {
    assert!(!is_seen(SOUND));
    let bugs = [
        Plant {
            ack_before_sync: true,
            ..SOUND
        },
        Plant {
            skip_sync_every_n: 3,
            ..SOUND
        },
        Plant {
            ignore_sync_error: true,
            ..SOUND
        },
        Plant {
            retry_failed_sync: true,
            ..SOUND
        },
        Plant {
            continue_after_short_write: true,
            ..SOUND
        },
        Plant {
            skip_dir_sync_on_segment_create: true,
            ..SOUND
        },
    ];
    for bug in bugs {
        assert!(is_seen(bug), "not seen: {bug:?}");
    }
}
