//! Reading without the lock, beside whoever writes.
//! Owns: what `read` shows and what it bears.
//! Never: threads; the writer acts inside the reader's visits, where it disturbs most.

mod cutdisk;

use std::ops::ControlFlow;

use cutdisk::CutDisk;
use mainstay_log::contract::{Collect, draft};
use mainstay_log::{
    Disk, Entropy, FileFlusher, FileLog, Flush, Log, OpenError, Opened, Options, RamDisk, Trim,
    inspect, open, read, tail_from,
};

type OpenedRam = Opened<FileLog<RamDisk>, FileFlusher<RamDisk>>;

fn options() -> Options {
    Options {
        segment_bytes: 4096,
        ..Options::default()
    }
}

fn opens(disk: &RamDisk) -> OpenedRam {
    let mut from = Collect::default();
    open(disk.clone(), options(), Entropy([6; 64]), &mut from).expect("opens")
}

/// Appends frames of two events.
fn write(opened: &mut OpenedRam, frames: u64) {
    for _ in 0..frames {
        let next = opened.log.durable().sequence + 1;
        opened.log.append(draft(next, 2, 700)).expect("append");
        opened.flusher.flush().expect("flush");
    }
}

fn trim(opened: &mut OpenedRam, through_sequence: u64) -> u64 {
    let rule = Trim {
        through_sequence,
        bytes_kept: 0,
        older_than_wall_ms: 0,
    };
    opened.flusher.trim(&rule).expect("trim").oldest_sequence
}

/// First sequences of the frames that have events.
fn firsts<D: Disk>(disk: &D, from_sequence: u64) -> Result<Vec<u64>, OpenError> {
    let mut firsts = Vec::new();
    read(disk, from_sequence, &mut |frame| {
        if !frame.is_seal() {
            firsts.push(frame.first_sequence);
        }
        ControlFlow::Continue(())
    })?;
    Ok(firsts)
}

#[test]
fn reading_begins_with_the_frame_that_holds_the_event() {
    let disk = RamDisk::new(512);
    let mut opened = opens(&disk);
    write(&mut opened, 30);
    let unchanged = CutDisk::new(&disk, 1);
    for from_sequence in 0..=62 {
        let first = (from_sequence.max(1) - 1) / 2 * 2 + 1;
        let expected: Vec<u64> = (first..=60).step_by(2).collect();
        let read = firsts(&unchanged, from_sequence).expect("reads");
        assert_eq!(read, expected, "from {from_sequence}");
    }
    let oldest = trim(&mut opened, 33);
    assert!(oldest > 20);
    for from_sequence in [0, oldest - 1, oldest] {
        assert_eq!(firsts(&disk, from_sequence).expect("reads")[0], oldest);
    }
    assert_eq!(unchanged.operations(), 0, "a reader changes nothing");
}

#[test]
fn a_reader_can_stop() {
    let disk = RamDisk::new(512);
    write(&mut opens(&disk), 30);
    let mut count = 0;
    let stop_at_seven = &mut |_: &mainstay_log::Frame<'_>| {
        count += 1;
        match count {
            7 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    };
    read(&disk, 0, stop_at_seven).expect("reads");
    assert_eq!(count, 7);
}

#[test]
fn a_torn_end_is_the_end_and_damage_before_it_is_not() {
    let disk = RamDisk::new(512);
    write(&mut opens(&disk), 30);
    let names = disk.names();
    let segments: Vec<_> = names.iter().filter(|name| name.ends_with(".log")).collect();
    let torn = disk.fork();
    let last = segments.last().expect("some");
    let mut bytes = torn.get(last).expect("segment");
    let end = bytes.iter().rposition(|&byte| byte != 0).expect("some");
    bytes[end / 512 * 512..].fill(9);
    torn.put(last, bytes);
    let whole = firsts(&disk, 0).expect("reads");
    assert_eq!(firsts(&torn, 0).expect("reads"), whole[..whole.len() - 1]);
    let mut bytes = disk.get(segments[2]).expect("segment");
    bytes[700] ^= 1;
    disk.put(segments[2], bytes);
    let error = firsts(&disk, 0).expect_err("damage");
    assert!(matches!(&error, OpenError::Damage { file, .. } if file == segments[2]));
    assert!(firsts(&disk, 59).is_ok(), "what is not read is not judged");
    disk.remove(segments[2]).expect("remove");
    let error = firsts(&disk, 0).expect_err("missing");
    assert!(matches!(&error, OpenError::Missing { file, .. } if file == segments[2]));
    let nothing = firsts(&RamDisk::new(512), 0).expect_err("no log");
    assert!(matches!(nothing, OpenError::Missing { file, .. } if file == "manifest"));
}

#[test]
fn a_reader_keeps_up_with_rolls_and_new_lives() {
    let disk = RamDisk::new(512);
    let mut opened = Some(opens(&disk));
    write(opened.as_mut().expect("open"), 3);
    let mut numbers = Vec::new();
    let mut sequence = 0;
    read(&disk, 0, &mut |frame| {
        numbers.push(frame.number);
        sequence = frame.last_sequence();
        if frame.is_seal() || sequence >= 200 {
            return ControlFlow::Continue(());
        }
        match sequence % 10 {
            // Rolls, a rewritten tail with another salt, and a clean stop.
            0 => write(opened.as_mut().expect("open"), 9),
            4 => {
                opened = None;
                opened = Some(opens(&disk));
            }
            8 => {
                opened
                    .as_mut()
                    .expect("open")
                    .flusher
                    .close()
                    .expect("close");
                opened = None;
                opened = Some(opens(&disk));
            }
            _ => write(opened.as_mut().expect("open"), 1),
        }
        ControlFlow::Continue(())
    })
    .expect("reads");
    let last = opened.expect("open").log.durable();
    assert_eq!(sequence, last.sequence, "to the very end");
    assert!(sequence >= 200);
    assert!(
        numbers.iter().copied().eq(1..=numbers.len() as u64),
        "each frame once"
    );
}

#[test]
fn a_reader_bears_that_what_it_was_to_read_is_trimmed() {
    let disk = RamDisk::new(512);
    let mut opened = opens(&disk);
    write(&mut opened, 60);
    let mut seen = Vec::new();
    read(&disk, 0, &mut |frame| {
        seen.push(frame.first_sequence);
        if frame.first_sequence == 11 {
            trim(&mut opened, 80);
        }
        ControlFlow::Continue(())
    })
    .expect("reads");
    assert!(seen.windows(2).all(|pair| pair[0] < pair[1]));
    let gap = seen.windows(2).filter(|pair| pair[0] + 2 < pair[1]);
    assert_eq!(gap.count(), 1);
    assert_eq!(seen.last(), Some(&119));
}

#[test]
fn an_inspection_takes_what_is_trimmed_meanwhile_for_no_damage() {
    let disk = RamDisk::new(512);
    let mut opened = opens(&disk);
    write(&mut opened, 60);
    let mut oldest = 0;
    let report = inspect(&disk, &mut |frame| {
        if frame.first_sequence == 11 {
            oldest = trim(&mut opened, 80);
        }
    });
    assert!(report.is_sound() && !report.findings.is_empty());
    assert_eq!((report.oldest_sequence, report.last_sequence), (1, 120));
    let report = inspect(&disk, &mut |_| ());
    assert!(report.is_sound() && report.findings.is_empty() && oldest > 11);
    assert_eq!(
        (report.oldest_sequence, report.last_sequence),
        (oldest, 120)
    );
}

#[test]
fn the_tail_holds_the_events_that_are_wanted() {
    let disk = RamDisk::new(512);
    let mut opened = opens(&disk);
    assert_eq!(tail_from(&disk, 10).expect("a place"), 1);
    write(&mut opened, 30);
    for wanted in [0, 1, 10, 59, 60, 100] {
        let from = tail_from(&disk, wanted).expect("a place");
        assert!(from + wanted <= 61 || from == 1, "{from}");
        let events = firsts(&disk, from).expect("reads").len() as u64 * 2;
        assert!(events >= wanted.min(60) && events <= wanted + 12);
    }
    let oldest = trim(&mut opened, 40);
    assert_eq!(tail_from(&disk, 1000).expect("a place"), oldest);
    assert!(tail_from(&RamDisk::new(512), 1).is_err());
}
