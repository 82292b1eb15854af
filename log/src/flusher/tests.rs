//! Tests of groups, seals, rolls and spares.
//! Owns: what the flusher promises beyond the contract suite.
//! Never: crashes; `log/tests/crash.rs` does.

use crate::contract::draft;
use crate::{Disk, Entropy, FileFlusher, FileLog, Flush, FromStart, Log, Opened, Options, RamDisk};
use crate::{Plant, Stopped, inspect, open};

const SEGMENT: &str = "log/00000000000000000001.log";

fn opens(disk: &RamDisk, options: Options) -> Opened<FileLog<RamDisk>, FileFlusher<RamDisk>> {
    open(
        disk.clone(),
        options,
        Entropy([9; 64]),
        &mut FromStart(|_| Ok(())),
    )
    .expect("opens")
}

fn small() -> Options {
    Options {
        segment_bytes: 64 << 10,
        group_bytes_max: 2000,
        ..Options::default()
    }
}

#[test]
fn a_group_is_bounded_and_a_large_frame_goes_alone() {
    let disk = RamDisk::new(512);
    let mut opened = opens(&disk, small());
    for (at, bytes) in [100, 100, 1900, 5000, 10, 10, 10].into_iter().enumerate() {
        let draft = draft(at as u64 + 1, 1, bytes);
        opened.log.append(draft).expect("append");
    }
    let mut frames = Vec::new();
    loop {
        let flushed = opened.flusher.flush().expect("flush");
        if !flushed.synced {
            break;
        }
        assert_eq!(flushed.bytes % 512, 0);
        frames.push(flushed.frames);
    }
    assert_eq!(frames, [2, 1, 1, 3]);
    assert_eq!(opened.flusher.stats().syncs, 4);
}

#[test]
fn no_sector_that_was_synced_is_written_again() {
    for sector in [512, 4096] {
        let disk = RamDisk::new(sector);
        let mut opened = opens(&disk, small());
        let mut before = disk.get(SEGMENT).expect("segment");
        for sequence in 1..40 {
            let draft = draft(sequence, 1, sequence as usize * 29 % 800);
            opened.log.append(draft).expect("append");
            opened.flusher.flush().expect("flush");
            if sequence % 3 == 0 {
                opened.flusher.seal().expect("seal");
            }
            let after = disk.get(SEGMENT).expect("segment");
            let used = before.iter().rposition(|&byte| byte != 0).expect("some") + 1;
            let synced = used.next_multiple_of(sector as usize).min(before.len());
            assert!(after[..synced] == before[..synced], "sequence {sequence}");
            before = after;
        }
        assert_eq!(
            opened.flusher.stats().rolls > 0,
            sector == 4096,
            "large sectors fill the segment"
        );
    }
}

#[test]
fn headers_say_what_was_durable_when_they_were_written() {
    let disk = RamDisk::new(512);
    let mut opened = opens(&disk, small());
    for group in 0..4_u64 {
        for at in 1..=3 {
            let draft = draft(group * 3 + at, 1, 20);
            opened.log.append(draft).expect("append");
        }
        opened.flusher.flush().expect("flush");
    }
    opened.flusher.seal().expect("seal");
    let mut said = Vec::new();
    inspect(&disk, &mut |frame| said.push(frame.durable_upto));
    assert_eq!(said, [0, 0, 0, 3, 3, 3, 6, 6, 6, 9, 9, 9, 12]);
}

#[test]
fn a_spare_is_prepared_when_idle_and_used_by_the_roll() {
    let disk = RamDisk::new(512);
    let mut opened = opens(&disk, small());
    opened.flusher.seal().expect("idle");
    assert!(disk.names().iter().any(|name| name == "log/spare-1"));
    let mut sequence = 0;
    while opened.flusher.stats().rolls == 0 {
        sequence += 1;
        opened.log.append(draft(sequence, 1, 1500)).expect("append");
        opened.flusher.flush().expect("flush");
    }
    assert!(
        !disk.names().iter().any(|name| name == "log/spare-1"),
        "it has a name now"
    );
    drop(opened);
    disk.put("log/spare-7", vec![1; 100]);
    let opened = opens(&disk, small());
    assert_eq!(opened.recovery.last_sequence, sequence);
    let spares = disk.list("log").expect("list");
    assert!(
        !spares.iter().any(|name| name.starts_with("spare-")),
        "spares of another life are swept"
    );
}

#[test]
fn a_body_beyond_its_limit_is_refused_alone() {
    let disk = RamDisk::new(512);
    let options = Options {
        frame_bytes_max: 1000,
        ..small()
    };
    let mut opened = opens(&disk, options);
    let refused = opened.log.append(draft(1, 1, 1001));
    assert!(
        matches!(refused, Err(Stopped::Refused { .. })),
        "{refused:?}"
    );
    assert_eq!(opened.log.append(draft(1, 1, 1000)), Ok(1));
    assert_eq!(opened.flusher.flush().expect("flush").durable.sequence, 1);
}

#[test]
fn a_log_without_planted_bugs_is_the_default() {
    let none = format!("{:?}", Plant::default());
    assert!(
        !none.contains("true") && none.contains("skip_sync_every_n: 0"),
        "{none}"
    );
}
