//! Crashes and power cuts at every disk operation of a trim, and of beginning after a restored backup.
//! Owns: the property that what no snapshot holds comes back, and that nothing is left behind.
//! Never: judges what a trim may remove; the contract suite does.

mod cutdisk;

use cutdisk::{CutDisk, Survives};
use mainstay_log::contract::{Collect, Seen, draft};
use mainstay_log::{
    Disk, Draft, Entropy, Flush, Log, OpenError, Options, RamDisk, Start, Stopped, Trim, begin_at,
    inspect, open,
};

fn options() -> Options {
    Options {
        segment_bytes: 4096,
        ..Options::default()
    }
}

/// What was acknowledged, and up to where snapshots hold it.
#[derive(Clone, Default)]
struct Ledger {
    appended: Vec<Draft>,
    acked_sequence: u64,
    snapshot: u64,
}

fn rule(through_sequence: u64) -> Trim {
    Trim {
        through_sequence,
        bytes_kept: 0,
        older_than_wall_ms: 0,
    }
}

/// Frames of one event, a snapshot and a trim now and then. Ends at the first fault.
fn live<D: Disk>(disk: D, ledger: &mut Ledger, frames: u64) -> Result<(), Stopped> {
    let mut from = Collect::after(ledger.snapshot);
    let opened = open(disk, options(), Entropy([8; 64]), &mut from);
    let mut opened = match opened {
        Ok(opened) => opened,
        Err(OpenError::Io { .. }) => return Err(Stopped::Closed),
        Err(other) => panic!("a crash is no damage: {other}"),
    };
    let mut sequence = opened.recovery.last_sequence;
    ledger.acked_sequence = ledger.acked_sequence.max(sequence);
    ledger
        .appended
        .retain(|draft| draft.first_sequence <= sequence);
    for frame in 1..=frames {
        sequence += 1;
        let draft = draft(sequence, 1, 900);
        opened.log.append(draft.clone())?;
        ledger.appended.push(draft);
        opened.flusher.flush()?;
        ledger.acked_sequence = sequence;
        if frame % 7 == 0 {
            ledger.snapshot = sequence - 2;
            opened.flusher.trim(&rule(ledger.snapshot))?;
        }
    }
    Ok(())
}

fn segments(disk: &RamDisk) -> usize {
    let names = disk.names();
    names.iter().filter(|name| name.ends_with(".log")).count()
}

/// Opens with the snapshot and compares with the ledger; then nothing must be left of what was trimmed.
fn check(disk: &RamDisk, ledger: &Ledger, what: &str) {
    let report = inspect(disk, &mut |_| ());
    assert!(report.is_sound(), "{what}: {:?}", report.findings);
    let mut from = Collect::after(ledger.snapshot);
    let opened = open(disk.clone(), options(), Entropy([9; 64]), &mut from);
    let opened = opened.unwrap_or_else(|error| panic!("{what}: {error}"));
    let follows = ledger
        .appended
        .iter()
        .filter(|draft| draft.first_sequence > ledger.snapshot);
    let seen = from.seen.iter().map(|seen| &seen.draft);
    assert!(follows.take(from.seen.len()).eq(seen), "{what}");
    assert!(
        opened.recovery.last_sequence >= ledger.acked_sequence,
        "{what}"
    );
    let stats = opened.flusher.stats();
    let left = format!("log/{:020}.log", stats.oldest_sequence);
    let is_left = |name: &String| name.ends_with(".log") && *name < left;
    assert!(!disk.names().iter().any(is_left), "{what}: left behind");
    assert_eq!(
        stats.oldest_sequence,
        report.oldest_sequence.max(1),
        "{what}"
    );
}

fn survivals(seed: u64) -> impl Iterator<Item = Survives> {
    let mixed =
        (0..12).map(move |mix| Survives::Mixed((seed + 1).wrapping_mul(0x9e37_79b9) ^ (mix << 40)));
    [Survives::All, Survives::Synced].into_iter().chain(mixed)
}

#[test]
fn a_crash_at_any_operation_of_a_life_with_trims_loses_nothing_that_no_snapshot_holds() {
    for fail_from in 1.. {
        let mut ledger = Ledger::default();
        let disk = CutDisk::new(&RamDisk::new(512), fail_from);
        let ended = live(disk.clone(), &mut ledger, 30);
        for survives in survivals(fail_from) {
            let what = format!("operation {fail_from}, {survives:?}");
            check(&disk.after(survives), &ledger, &what);
        }
        if ended.is_ok() {
            assert!(ledger.snapshot > 20 && fail_from > 100);
            break;
        }
    }
}

#[test]
fn crashes_in_one_trimmed_life_after_the_other_lose_nothing() {
    for seed in 0..30_u64 {
        let mut ledger = Ledger::default();
        let mut image = RamDisk::new(512);
        for depth in 0..10_u64 {
            let disk = CutDisk::new(&image, 5 + (seed * 17 + depth * 29) % 90);
            let _ = live(disk.clone(), &mut ledger, 20);
            let survives = survivals(seed * 100 + depth).nth((depth % 5) as usize);
            image = disk.after(survives.expect("some"));
            check(
                &image.fork(),
                &ledger,
                &format!("seed {seed}, depth {depth}"),
            );
        }
    }
}

#[test]
fn a_file_that_cannot_be_removed_is_removed_later_and_stops_nothing() {
    let image = RamDisk::new(512);
    let mut ledger = Ledger::default();
    live(image.clone(), &mut ledger, 40).expect("a whole life");
    let count = |disk: &CutDisk| segments(&disk.after(Survives::All)) as u64;
    let (mut failures, mut faults) = (0, 0);
    for fail_at in 1.. {
        let disk = CutDisk::failing_once(&image, u64::MAX);
        let mut from = Collect::after(ledger.snapshot);
        let mut opened = open(disk.clone(), options(), Entropy([8; 64]), &mut from).expect("opens");
        let begun = disk.operations();
        disk.fail_at(begun + fail_at);
        let through = rule(ledger.acked_sequence);
        match opened.flusher.trim(&through) {
            // The manifest.
            Err(stopped) => {
                faults += 1;
                assert!(matches!(stopped, Stopped::Storage { .. }), "{stopped}");
                assert_eq!(opened.flusher.trim(&through), Err(stopped));
            }
            Ok(trimmed) => {
                assert!(trimmed.segments > 1);
                let stats = opened.flusher.stats();
                failures += stats.trim_failures;
                assert_eq!(count(&disk), stats.segments + stats.trim_failures);
                assert_eq!(
                    opened.flusher.trim(&through).map(|again| again.segments),
                    Ok(0)
                );
                assert_eq!(count(&disk), opened.flusher.stats().segments);
            }
        }
        if disk.operations() < begun + fail_at {
            break;
        }
    }
    assert!(failures > 1 && faults > 4, "{failures} {faults}");
}

#[test]
fn only_segments_of_this_log_are_removed_from_before_its_first() {
    let image = RamDisk::new(512);
    let mut ledger = Ledger::default();
    live(image.clone(), &mut ledger, 40).expect("a whole life");
    let foreign = RamDisk::new(512);
    drop(
        open(
            foreign.clone(),
            options(),
            Entropy([1; 64]),
            &mut Collect::default(),
        )
        .expect("opens"),
    );
    let first = "log/00000000000000000001.log";
    assert_eq!(image.get(first), None, "it was trimmed");
    let mine = [
        (first, foreign.get(first).expect("a segment")),
        ("log/00000000000000000002.log", b"no segment".to_vec()),
        ("log/3.log", b"mine".to_vec()),
    ];
    for (name, bytes) in &mine {
        image.put(name, bytes.clone());
    }
    let mut from = Collect::after(ledger.snapshot);
    let mut opened = open(image.clone(), options(), Entropy([8; 64]), &mut from).expect("opens");
    opened
        .flusher
        .trim(&rule(ledger.acked_sequence))
        .expect("trims");
    for (name, bytes) in mine {
        assert_eq!(image.get(name), Some(bytes));
    }
}

fn start(sequence: u64) -> Start {
    Start {
        sequence,
        holder: String::from("restore"),
    }
}

#[test]
fn a_log_begun_at_a_backup_goes_on_after_it() {
    let disk = RamDisk::new(512);
    let identity = begin_at(&disk, &Entropy([1; 64]), &start(500)).expect("begins");
    for needs in [0, 499] {
        let refused = open(
            disk.clone(),
            options(),
            Entropy([2; 64]),
            &mut Collect::after(needs),
        );
        assert!(matches!(
            refused,
            Err(OpenError::Trimmed { oldest: 501, .. })
        ));
    }
    let ahead = open(
        disk.clone(),
        options(),
        Entropy([2; 64]),
        &mut Collect::after(501),
    );
    assert!(matches!(ahead, Err(OpenError::Damage { .. })));
    let mut from = Collect::after(500);
    let mut opened = open(disk.clone(), options(), Entropy([2; 64]), &mut from).expect("opens");
    assert_eq!(from.oldest_sequence, 501);
    assert_eq!(opened.identity.incarnation, 1);
    assert_eq!(
        (opened.identity.log_id, opened.identity.secret),
        (identity.log_id, identity.secret)
    );
    assert_eq!(opened.log.durable().sequence, 500);
    assert_eq!(opened.log.append(draft(501, 1, 10)), Ok(1));
    opened.flusher.close().expect("close");
    drop(opened);
    let mut from = Collect::after(500);
    open(disk.clone(), options(), Entropy([2; 64]), &mut from).expect("opens");
    assert_eq!(
        from.seen
            .iter()
            .map(|seen| seen.draft.clone())
            .collect::<Vec<_>>(),
        [draft(501, 1, 10)]
    );
    let report = inspect(&disk, &mut |_| ());
    assert!(report.is_sound() && report.oldest_sequence == 501 && report.last_sequence == 501);
}

#[test]
fn a_log_is_begun_only_where_there_is_none() {
    let disk = RamDisk::new(512);
    let begin = |disk: &RamDisk| begin_at(disk, &Entropy([1; 64]), &start(9));
    drop(
        open(
            disk.clone(),
            options(),
            Entropy([1; 64]),
            &mut Collect::default(),
        )
        .expect("opens"),
    );
    assert!(matches!(begin(&disk), Err(OpenError::Occupied { file }) if file == "manifest"));
    disk.remove("manifest").expect("remove");
    assert!(matches!(begin(&disk), Err(OpenError::Occupied { file }) if file.ends_with("1.log")));
    let beyond = begin_at(&RamDisk::new(512), &Entropy([1; 64]), &start(u64::MAX));
    assert!(matches!(beyond, Err(OpenError::Option { .. })));
}

#[test]
fn a_crash_at_any_operation_of_beginning_leaves_a_log_or_none() {
    let mut whole = 0;
    for fail_from in 1.. {
        let disk = CutDisk::new(&RamDisk::new(512), fail_from);
        let begun = begin_at(&disk, &Entropy([1; 64]), &start(500)).is_ok();
        let mut acked = 0;
        if begun
            && let Ok(mut opened) = open(
                disk.clone(),
                options(),
                Entropy([2; 64]),
                &mut Collect::after(500),
            )
        {
            let appended = opened
                .log
                .append(draft(501, 1, 10))
                .and_then(|_| opened.flusher.flush());
            acked = appended.map_or(0, |flushed| flushed.durable.sequence);
        }
        for survives in survivals(fail_from) {
            let image = disk.after(survives);
            match begin_at(&image, &Entropy([1; 64]), &start(500)) {
                Ok(_) => assert!(!begun, "operation {fail_from}, {survives:?}"),
                Err(OpenError::Occupied { file }) => assert_eq!(file, "manifest"),
                Err(other) => panic!("{other}"),
            }
            let mut from = Collect::after(500);
            let opened = open(image, options(), Entropy([3; 64]), &mut from).expect("opens");
            let drafts: Vec<_> = from.seen.iter().map(|seen: &Seen| &seen.draft).collect();
            assert!(drafts.is_empty() || drafts == [&draft(501, 1, 10)]);
            assert!(opened.recovery.last_sequence >= acked.max(500));
        }
        if acked == 501 {
            whole += 1;
        }
        if whole == 3 {
            break;
        }
    }
}

#[test]
fn what_the_page_cache_shows_of_a_trim_is_durable_before_its_files_go() {
    // The manifest of a trim is renamed, its directory is not synced, and the process starts again.
    for fail_at in 60..130 {
        for second in 1..16 {
            let mut ledger = Ledger::default();
            let disk = CutDisk::failing_once(&RamDisk::new(512), fail_at);
            let _ = live(disk.clone(), &mut ledger, 20);
            let disk = disk.restart();
            disk.fail_at(disk.operations() + second);
            let _ = live(disk.clone(), &mut ledger, 0);
            for survives in [Survives::Synced, Survives::Mixed(fail_at * 100 + second)] {
                let what = format!("operations {fail_at} and {second}, {survives:?}");
                check(&disk.after(survives), &ledger, &what);
            }
        }
    }
}
