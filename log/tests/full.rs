//! A full disk at every step of an open.
//! Owns: the property that the directory opens again, whole, when there is room, and can be read until then.
//! Never: fills a disk of the machine.

mod cutdisk;

use cutdisk::{CutDisk, Survives};
use mainstay_log::contract::{Collect, Seen, draft};
use mainstay_log::{
    Disk, Entropy, Flush, FromStart, Log, OpenError, Options, RamDisk, Recovery, Start, begin_at,
    look, open,
};

fn options() -> Options {
    Options {
        segment_bytes: 4096,
        ..Options::default()
    }
}

fn collect<D: Disk>(disk: D) -> Result<(Recovery, Vec<Seen>), OpenError> {
    let mut from = Collect::default();
    let opened = open(disk, options(), Entropy([5; 64]), &mut from)?;
    Ok((opened.recovery, from.seen))
}

fn write(disk: &RamDisk, count: u64) {
    let mut from = Collect::default();
    let mut opened = open(disk.clone(), options(), Entropy([4; 64]), &mut from).expect("opens");
    let first = opened.recovery.last_sequence + 1;
    for sequence in first..first + count {
        opened.log.append(draft(sequence, 1, 700)).expect("append");
        opened.flusher.flush().expect("flush");
    }
}

/// A directory in every state that an open finds: none, busy, torn, begun at a backup, with what a crash left behind.
fn directories() -> Vec<(&'static str, RamDisk)> {
    let busy = RamDisk::new(512);
    write(&busy, 9);
    let torn = busy.fork();
    let name = torn
        .names()
        .into_iter()
        .rfind(|name| name.ends_with(".log"));
    let name = name.expect("a segment");
    let mut bytes = torn.get(&name).expect("segment");
    let end = bytes.iter().rposition(|&byte| byte != 0).expect("some");
    bytes[end / 512 * 512..].fill(7);
    torn.put(&name, bytes);
    let littered = busy.fork();
    littered.put("log/spare-0", vec![0; 4096]);
    littered.put("log/tail.tmp", vec![1; 4096]);
    littered.put("manifest.tmp", vec![2; 100]);
    let begun = RamDisk::new(512);
    let start = Start {
        sequence: 77,
        holder: String::from("restore"),
    };
    begin_at(&begun, &Entropy([1; 64]), &start).expect("begins");
    vec![
        ("none", RamDisk::new(512)),
        ("busy", busy),
        ("torn", torn),
        ("littered", littered),
        ("begun", begun),
    ]
}

fn without_space(found: &RamDisk, what: &str, once: bool) {
    let (sound, frames) = collect(found.fork()).expect("opens with room");
    for fail_at in 1.. {
        let disk = CutDisk::full(found, fail_at, once);
        let ended = collect(disk.clone());
        let what = format!("{what}, operation {fail_at}, once {once}");
        match &ended {
            Ok((_, seen)) => {
                assert!(*seen == frames, "{what}");
                assert!(disk.operations() < fail_at, "{what}: not noticed");
                assert!(fail_at > 8, "{what}: too few operations to mean anything");
                return;
            }
            Err(error) => assert!(error.is_full(), "{what}: {error}"),
        }
        if found.get("manifest").is_some() {
            let mut from = Collect::default();
            let before = disk.operations();
            let looked = look(&disk, &options(), &mut from);
            let recovery = looked.expect("can be read").recovery;
            assert_eq!(disk.operations(), before, "a look changes nothing");
            assert!(from.seen == frames, "{what}");
            assert_eq!(recovery.last_sequence, sound.last_sequence);
        }
        for survives in [Survives::All, Survives::Synced, Survives::Mixed(fail_at)] {
            let (recovery, seen) = collect(disk.after(survives)).expect("opens");
            assert!(seen == frames, "{what}, {survives:?}");
            assert_eq!(recovery.last_sequence, sound.last_sequence);
        }
        let (_, seen) = collect(disk.restart()).expect("opens when there is room");
        assert!(seen == frames, "{what}");
    }
}

#[test]
fn a_full_disk_at_any_step_of_an_open_costs_nothing() {
    for (what, found) in directories() {
        without_space(&found, what, false);
        without_space(&found, what, true);
    }
}

#[test]
fn starts_that_fail_for_want_of_space_take_no_more_of_it() {
    let (_, torn) = directories().swap_remove(2);
    let (_, frames) = collect(torn.fork()).expect("opens");
    let mut image = torn;
    let count = |image: &RamDisk| image.names().len();
    let before = count(&image);
    for fail_at in 1..24 {
        let disk = CutDisk::full(&image, fail_at, false);
        if collect(disk.clone()).is_ok() {
            continue;
        }
        image = disk.after(Survives::All);
        // The manifest's and the tail's new file, and what was cut off.
        assert!(count(&image) <= before + 3, "{:?}", image.names());
    }
    assert!(collect(image.fork()).expect("opens").1 == frames);
    let is_kept = |name: &&String| name.starts_with("quarantine/");
    assert_eq!(image.names().iter().filter(is_kept).count(), 1);
}

#[test]
fn a_look_shows_what_an_open_shows_and_holds_the_lock() {
    for (what, found) in directories().split_off(1) {
        let disk = found.fork();
        let names: Vec<_> = disk.names();
        let files: Vec<_> = names.iter().map(|name| disk.get(name)).collect();
        let mut from = Collect::default();
        let looked = look(&disk, &options(), &mut from).expect("looks");
        let held = collect(disk.clone());
        assert!(matches!(held, Err(OpenError::Held { .. })), "{what}");
        assert!(
            files
                .iter()
                .eq(&names.iter().map(|name| disk.get(name)).collect::<Vec<_>>())
        );
        drop(looked.lock);
        let (recovery, seen) = collect(disk).expect("opens");
        assert!(seen == from.seen, "{what}");
        assert_eq!(
            (
                looked.recovery.last_sequence,
                looked.recovery.last_wall_ms,
                looked.recovery.events
            ),
            (
                recovery.last_sequence,
                recovery.last_wall_ms,
                recovery.events
            )
        );
    }
    let nothing = RamDisk::new(512);
    let looked = look(&nothing, &options(), &mut FromStart(|_| Ok(())));
    assert!(matches!(looked, Err(OpenError::Missing { .. })));
    assert_eq!(nothing.names(), ["LOCK"]);
}
