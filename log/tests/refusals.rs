//! What a start refuses, and that a refusal changes nothing.
//! Owns: missing, stale, unreadable, foreign and misnamed files; what doctor says about them.
//! Never: flips bits; the unit tests beside recovery do.

mod cutdisk;

use cutdisk::CutDisk;
use mainstay_log::contract::draft;
use mainstay_log::{
    Disk, Entropy, Flush, FromStart, Log, OpenError, Options, Plant, RamDisk, Recovery, Report,
    inspect, open,
};

const FIRST: &str = "log/00000000000000000001.log";

fn options() -> Options {
    Options {
        segment_bytes: 4096,
        ..Options::default()
    }
}

fn open_with<D: Disk>(disk: D, plant: Plant) -> Result<Recovery, OpenError> {
    let options = Options { plant, ..options() };
    open(disk, options, Entropy([3; 64]), &mut FromStart(|_| Ok(()))).map(|opened| opened.recovery)
}

fn opens<D: Disk>(disk: D) -> Result<Recovery, OpenError> {
    open_with(disk, Plant::default())
}

/// Appends this many frames in one life, three to a segment or so.
fn write(disk: &RamDisk, count: u64, close: bool) -> u64 {
    let mut opened = open(
        disk.clone(),
        options(),
        Entropy([3; 64]),
        &mut FromStart(|_| Ok(())),
    )
    .expect("opens");
    let first = opened.recovery.last_sequence + 1;
    for sequence in first..first + count {
        opened.log.append(draft(sequence, 1, 700)).expect("append");
        opened.flusher.flush().expect("flush");
    }
    if close {
        opened.flusher.close().expect("close");
    }
    first + count - 1
}

fn segments(disk: &RamDisk) -> Vec<String> {
    disk.names()
        .into_iter()
        .filter(|name| name.ends_with(".log"))
        .collect()
}

/// The open is refused, nothing but the lock changes, and doctor sees damage too.
fn refused(disk: &RamDisk) -> (OpenError, Report) {
    let before: Vec<_> = disk
        .names()
        .into_iter()
        .map(|name| (disk.get(&name), name))
        .collect();
    let error = opens(disk.clone()).expect_err("refused");
    let after: Vec<_> = disk
        .names()
        .into_iter()
        .map(|name| (disk.get(&name), name))
        .collect();
    let is_lock = |entry: &&(Option<Vec<u8>>, String)| entry.1 != "LOCK";
    assert!(
        before
            .iter()
            .filter(is_lock)
            .eq(after.iter().filter(is_lock)),
        "a refusal touches nothing"
    );
    let report = inspect(disk, &mut |_| ());
    assert!(!report.is_sound(), "doctor sees it too: {error}");
    (error, report)
}

#[test]
fn a_directory_without_a_manifest_but_with_segments_is_refused() {
    let disk = RamDisk::new(512);
    write(&disk, 5, false);
    disk.remove("manifest").expect("remove");
    assert!(matches!(refused(&disk).0, OpenError::Missing { file, .. } if file == "manifest"));
}

#[test]
fn any_missing_segment_is_refused() {
    let whole = RamDisk::new(512);
    write(&whole, 20, false);
    assert!(segments(&whole).len() > 3);
    for name in segments(&whole) {
        let disk = whole.fork();
        disk.remove(&name).expect("remove");
        let (error, report) = refused(&disk);
        assert!(matches!(error, OpenError::Missing { file, .. } if file == name));
        assert_eq!(
            report
                .segments
                .iter()
                .filter(|segment| !segment.is_intact)
                .count(),
            1,
            "doctor goes on"
        );
    }
    let last = segments(&whole).pop().expect("some");
    whole.remove(&last).expect("remove");
    let bug = Plant {
        missing_segment_is_end: true,
        ..Plant::default()
    };
    assert!(open_with(whole, bug).is_ok(), "the planted bug is there");
}

#[test]
fn segments_in_each_others_place_are_refused() {
    let disk = RamDisk::new(512);
    write(&disk, 20, false);
    let names = segments(&disk);
    let (one, two) = (
        disk.get(&names[0]).expect("one"),
        disk.get(&names[1]).expect("two"),
    );
    disk.put(&names[0], two);
    disk.put(&names[1], one);
    assert!(
        matches!(refused(&disk).0, OpenError::Damage { file, offset: 0, .. } if file == names[0])
    );
}

#[test]
fn a_bit_in_a_sealed_segment_is_refused_wherever_it_is() {
    let whole = RamDisk::new(512);
    write(&whole, 20, false);
    let name = segments(&whole)[1].clone();
    let bytes = whole.get(&name).expect("segment");
    for at in (0..bytes.len()).step_by(7) {
        let disk = whole.fork();
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x10;
        disk.put(&name, flipped);
        let error = opens(disk).expect_err("refused");
        assert!(
            matches!(error, OpenError::Damage { file, .. } if file == name),
            "byte {at}"
        );
    }
}

#[test]
fn an_older_manifest_is_refused() {
    let disk = RamDisk::new(512);
    write(&disk, 2, true);
    let old = disk.get("manifest").expect("manifest");
    let old_segment = disk.get(FIRST).expect("segment");
    write(&disk, 20, false);
    disk.put("manifest", old.clone());
    assert!(matches!(refused(&disk).0, OpenError::Damage { .. }));
    // The segment restored too, but not the later ones: they still tell.
    disk.put(FIRST, old_segment);
    let (error, _) = refused(&disk);
    assert!(error.to_string().contains("durable"), "{error}");
}

#[test]
fn an_older_copy_of_the_open_segment_is_refused() {
    let disk = RamDisk::new(512);
    write(&disk, 1, true);
    let old = disk.get(FIRST).expect("segment");
    write(&disk, 1, false);
    disk.put(FIRST, old);
    assert!(matches!(
        refused(&disk).0,
        OpenError::Damage { offset: 0, .. }
    ));
}

#[test]
fn a_manifest_with_any_flipped_bit_is_refused() {
    let whole = RamDisk::new(512);
    write(&whole, 3, false);
    let bytes = whole.get("manifest").expect("manifest");
    for at in 0..bytes.len() {
        let disk = whole.fork();
        let mut flipped = bytes.clone();
        flipped[at] ^= 4;
        disk.put("manifest", flipped);
        assert!(matches!(opens(disk), Err(OpenError::Damage { file, .. }) if file == "manifest"));
    }
}

#[test]
fn an_unreadable_block_is_never_the_end_of_the_log() {
    let disk = RamDisk::new(512);
    write(&disk, 20, false);
    for name in segments(&disk)
        .into_iter()
        .chain([String::from("manifest")])
    {
        for offset in (0..disk.get(&name).expect("file").len() as u64).step_by(512) {
            let spoilt = CutDisk::new(&disk, u64::MAX);
            spoilt.spoil(&name, offset);
            let error = opens(spoilt.clone()).expect_err("refused");
            assert!(
                matches!(&error, OpenError::Io { operation: "read", file, .. } if *file == name),
                "{error}"
            );
            assert_eq!(spoilt.operations(), 0, "nothing was changed");
        }
    }
    let spoilt = CutDisk::new(&disk, u64::MAX);
    spoilt.spoil(segments(&disk).last().expect("some"), 600);
    let bug = Plant {
        eio_is_end_of_log: true,
        ..Plant::default()
    };
    assert!(open_with(spoilt, bug).is_ok(), "the planted bug is there");
}

#[test]
fn bytes_behind_the_end_are_cut_and_kept_aside() {
    for close in [false, true] {
        let disk = RamDisk::new(512);
        let last = write(&disk, 2, close);
        let mut bytes = disk.get(FIRST).expect("segment");
        bytes[3600..3610].copy_from_slice(b"0123456789");
        disk.put(FIRST, bytes);
        let report = inspect(&disk, &mut |_| ());
        assert!(
            report.is_sound() && report.findings.len() == 1,
            "{:?}",
            report.findings
        );
        let recovery = opens(disk.clone()).expect("opens");
        assert_eq!((recovery.last_sequence, recovery.was_clean), (last, close));
        let cut = recovery.cut.expect("a cut");
        assert_eq!(cut.file, FIRST);
        let kept = disk.get(&cut.quarantine).expect("kept aside");
        assert!(kept.len() as u64 == cut.bytes && kept.ends_with(b"0123456789"));
        assert_eq!(inspect(&disk, &mut |_| ()).quarantine, [cut.quarantine]);
        assert_eq!(opens(disk).expect("opens again").cut, None);
    }
}

#[test]
fn a_torn_tail_is_cut_and_kept_aside() {
    let disk = RamDisk::new(512);
    let last = write(&disk, 2, false);
    // The last group was written and its sync never returned: its second sector is missing.
    let mut bytes = disk.get(FIRST).expect("segment");
    let end = bytes.iter().rposition(|&byte| byte != 0).expect("some");
    bytes[end / 512 * 512..].fill(0);
    disk.put(FIRST, bytes);
    let recovery = opens(disk.clone()).expect("opens");
    assert_eq!(recovery.last_sequence, last - 1);
    let cut = recovery.cut.expect("a cut");
    assert!(
        disk.get(&cut.quarantine)
            .expect("kept")
            .starts_with(b"MSFr")
    );
}

#[test]
fn unknown_files_are_ignored_and_kept() {
    let disk = RamDisk::new(512);
    write(&disk, 2, false);
    disk.put("log/notes.txt", b"mine".to_vec());
    disk.put("log/00000000000000000001.log.bak", b"mine".to_vec());
    disk.put("log/00000000000000099999.log", b"not a segment".to_vec());
    write(&disk, 9, true);
    opens(disk.clone()).expect("opens");
    assert_eq!(disk.get("log/notes.txt"), Some(b"mine".to_vec()));
    assert_eq!(
        disk.get("log/00000000000000099999.log"),
        Some(b"not a segment".to_vec())
    );
    assert!(
        inspect(&disk, &mut |_| ())
            .unnamed
            .contains(&String::from("log/notes.txt"))
    );
}

#[test]
fn another_format_is_refused_by_name() {
    let disk = RamDisk::new(512);
    write(&disk, 2, false);
    let mut bytes = disk.get(FIRST).expect("segment");
    bytes[8] = 9;
    let crc = crc32c::crc32c(&bytes[..124]).to_le_bytes();
    bytes[124..128].copy_from_slice(&crc);
    disk.put(FIRST, bytes);
    let (error, _) = refused(&disk);
    assert!(
        matches!(&error, OpenError::Format { supported: 1, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("format 9"));
}

#[test]
fn another_process_that_takes_the_directory_over_fences_this_one() {
    let disk = RamDisk::new(512);
    let mut opened = open(
        disk.clone(),
        options(),
        Entropy([3; 64]),
        &mut FromStart(|_| Ok(())),
    )
    .expect("opens");
    disk.put("manifest", {
        let other = disk.fork();
        opens(other.clone()).expect("opens");
        other.get("manifest").expect("manifest")
    });
    let stopped = (1..20).find_map(|sequence| {
        opened.log.append(draft(sequence, 1, 700)).expect("append");
        opened.flusher.flush().err()
    });
    assert!(
        stopped
            .expect("stops at the roll")
            .to_string()
            .contains("taken over")
    );
    assert!(opened.log.append(draft(90, 1, 1)).is_err());
}

#[test]
fn damage_names_file_offset_frame_sequences_and_doctor() {
    let disk = RamDisk::new(512);
    write(&disk, 3, true);
    let mut bytes = disk.get(FIRST).expect("segment");
    bytes[700] ^= 1;
    disk.put(FIRST, bytes);
    let (error, report) = refused(&disk);
    let text = error.to_string();
    for part in [
        FIRST,
        "offset 512",
        "frame 1",
        "sequences 1 to 3",
        "mainstay doctor",
        "checksum",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(
        (report.findings[0].offset, report.findings[0].frame),
        (512, 1)
    );
}

#[test]
fn a_sound_directory_has_nothing_to_report() {
    let disk = RamDisk::new(512);
    write(&disk, 12, false);
    let last = write(&disk, 3, true);
    let mut frames = Vec::new();
    let report = inspect(&disk, &mut |frame| {
        frames.push((frame.number, frame.is_seal()))
    });
    assert!(report.is_sound() && report.findings.is_empty() && report.is_clean);
    assert_eq!(
        (report.last_sequence, report.events, report.incarnation),
        (last, last, 2)
    );
    assert_eq!(report.frames, frames.len() as u64);
    assert!(frames.windows(2).all(|pair| pair[0].0 + 1 == pair[1].0));
    assert!(
        frames.last().expect("some").1,
        "the last frame of a clean stop is a seal"
    );
    assert_eq!(report.held_by, None);
}

#[test]
fn options_out_of_range_are_refused() {
    let wrong = [
        Options {
            segment_bytes: 100,
            ..Options::default()
        },
        Options {
            group_bytes_max: 0,
            ..Options::default()
        },
        Options {
            frame_bytes_max: u64::MAX,
            ..Options::default()
        },
        Options {
            sector: Some(1000),
            ..Options::default()
        },
    ];
    for options in wrong {
        let error = open(
            RamDisk::new(512),
            options,
            Entropy([0; 64]),
            &mut FromStart(|_| Ok(())),
        )
        .expect_err("refused");
        assert!(matches!(error, OpenError::Option { .. }));
    }
}
