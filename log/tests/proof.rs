//! What a checkpoint proves about a log, and what a log tells that is read from a checkpoint on.
//! Owns: the tail rule with a checkpoint; the times of a log of which nothing is read.
//! Never: models crashes beyond the few it needs.

mod cutdisk;

use cutdisk::{CutDisk, Survives};
use mainstay_log::contract::{Collect, draft};
use mainstay_log::{
    Base, Disk, Entropy, Flush, Log, OpenError, Options, RamDisk, Recovery, inspect, open,
};

const FIRST: &str = "log/00000000000000000001.log";

fn options() -> Options {
    Options {
        segment_bytes: 4096,
        ..Options::default()
    }
}

fn write<D: Disk>(disk: D, frames: u64) {
    let mut from = Collect::default();
    let Ok(mut opened) = open(disk, options(), Entropy([3; 64]), &mut from) else {
        return;
    };
    for sequence in 1..=frames {
        let appended = opened.log.append(draft(sequence, 1, 700));
        if appended.is_err() || opened.flusher.flush().is_err() {
            return;
        }
    }
}

fn opens(disk: &RamDisk, base: Base) -> Result<(Recovery, Collect), OpenError> {
    let mut from = Collect {
        base: Some(base),
        ..Collect::default()
    };
    let opened = open(disk.fork(), options(), Entropy([3; 64]), &mut from)?;
    Ok((opened.recovery, from))
}

fn proven(proven_sequence: u64) -> Base {
    Base {
        from_sequence: 0,
        proven_sequence,
    }
}

#[test]
fn what_a_checkpoint_proves_is_damage_and_never_a_torn_tail() {
    let whole = RamDisk::new(512);
    write(whole.clone(), 3);
    let bytes = whole.get(FIRST).expect("segment");
    let end = bytes.iter().rposition(|&byte| byte != 0).expect("some") + 1;
    let spoil = |change: &dyn Fn(&mut Vec<u8>)| {
        let disk = whole.fork();
        let mut bytes = bytes.clone();
        change(&mut bytes);
        disk.put(FIRST, bytes);
        disk
    };
    // The last frame: torn, gone without a trace, and with spoilt padding behind it.
    let torn = spoil(&|bytes| bytes[end - 1] ^= 1);
    let gone = spoil(&|bytes| bytes[512 + 2 * 1024..].fill(0));
    let padding = spoil(&|bytes| bytes[end + 12] = 1);
    for (disk, left) in [(&torn, 2), (&gone, 2), (&padding, 3)] {
        for unproven in [0, 1, 2] {
            let (recovery, from) = opens(disk, proven(unproven)).expect("a torn tail");
            assert_eq!(
                (recovery.last_sequence, from.seen.len()),
                (left, left as usize)
            );
        }
        for base in [proven(3), proven(4), Collect::after(3).base.expect("some")] {
            let error = opens(disk, base).expect_err("damage");
            let OpenError::Damage { file, reason, .. } = &error else {
                panic!("{error}");
            };
            assert!(file == FIRST && reason.contains("checkpoint"), "{error}");
        }
    }
    assert!(opens(&whole, proven(3)).is_ok());
}

#[test]
fn a_frame_is_proven_by_its_seal_its_segment_or_the_manifest() {
    let disk = RamDisk::new(512);
    write(disk.clone(), 20);
    let (_, from) = opens(&disk, Base::default()).expect("opens");
    let sealed = inspect(&disk, &mut |_| ()).segments;
    let open_from = sealed.last().expect("some").first_frame;
    let numbers = from.seen.iter().map(|seen| seen.number);
    let expected: Vec<u64> = numbers.filter(|&number| number < open_from).collect();
    assert!(!expected.is_empty() && expected.len() < from.seen.len());
    assert_eq!(from.proven, expected);
    // The rewritten tail says of itself that all of it is durable.
    drop(
        open(
            disk.clone(),
            options(),
            Entropy([3; 64]),
            &mut Collect::default(),
        )
        .expect("opens"),
    );
    let (_, from) = opens(&disk, Base::default()).expect("opens");
    assert_eq!(from.proven.len(), from.seen.len());
}

#[test]
fn a_log_of_which_nothing_is_read_still_tells_its_last_times() {
    let mut found = 0;
    for fail_from in 20.. {
        let disk = CutDisk::new(&RamDisk::new(512), fail_from);
        write(disk.clone(), 12);
        let image = disk.after(Survives::Synced);
        let report = inspect(&image, &mut |_| ());
        if report
            .segments
            .last()
            .is_some_and(|open| open.last_frame < open.first_frame)
            && report.last_sequence > 0
        {
            found += 1;
            let (all, _) = opens(&image, Base::default()).expect("opens");
            let after = Collect::after(report.last_sequence).base.expect("some");
            let (nothing, from) = opens(&image, after).expect("opens");
            assert!(from.seen.is_empty() && all.last_wall_ms > 0);
            assert_eq!(
                (
                    nothing.last_wall_ms,
                    nothing.last_steady_ms,
                    nothing.last_frame,
                    nothing.head_hash
                ),
                (
                    all.last_wall_ms,
                    all.last_steady_ms,
                    all.last_frame,
                    all.head_hash
                )
            );
        }
        if disk.operations() < fail_from {
            break;
        }
    }
    assert!(
        found > 1,
        "a crash between a roll and its first group: {found}"
    );
}

#[test]
fn segments_before_the_base_are_not_read_but_must_be_there() {
    let disk = RamDisk::new(512);
    write(disk.clone(), 20);
    let names = disk.names();
    let sealed = names.iter().filter(|name| name.ends_with(".log")).nth(1);
    let sealed = sealed.expect("a segment");
    let spoilt = CutDisk::new(&disk, u64::MAX);
    spoilt.spoil(sealed, 600);
    let begin = |disk: CutDisk, from: u64| {
        let mut from = Collect::after(from);
        open(disk, options(), Entropy([3; 64]), &mut from).map(|_| from.seen.len())
    };
    assert!(matches!(
        begin(spoilt.clone(), 0),
        Err(OpenError::Io {
            operation: "read",
            ..
        })
    ));
    assert_eq!(begin(spoilt, 15).expect("opens"), 5);
    let missing = CutDisk::new(&disk, u64::MAX);
    missing.remove(sealed).expect("remove");
    let refused = begin(missing, 15);
    assert!(matches!(refused, Err(OpenError::Missing { file, .. }) if file == *sealed));
}
