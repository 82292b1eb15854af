//! What the simulated disk keeps and what it forgets.

use std::io::IoSlice;

use mainstay_log::{Disk, DiskFile, LockError};

use super::{Act, Aim, Crash, Fault, Lasts, Plan, Planned, SimDisk};

fn write(disk: &SimDisk, name: &str, bytes: &[u8]) {
    let file = disk.create(name).unwrap();
    file.write_at(0, &[IoSlice::new(bytes)]).unwrap();
    file.sync_all().unwrap();
}

#[test]
fn a_process_crash_keeps_what_was_written() {
    let disk = SimDisk::new(1, 512);
    let file = disk.create("a").unwrap();
    file.write_at(0, &[IoSlice::new(b"hello")]).unwrap();
    disk.crash(Crash::Process);
    assert_eq!(disk.bytes("a").unwrap(), b"hello");
}

#[test]
fn a_power_cut_keeps_only_what_was_synced_with_its_name() {
    let disk = SimDisk::new(1, 512);
    write(&disk, "a", b"hello");
    disk.sync_dir("").unwrap();
    disk.crash(Crash::Power);
    assert_eq!(disk.bytes("a").unwrap(), b"hello");
    let lost = (0..50).any(|seed| {
        let disk = SimDisk::new(seed, 512);
        write(&disk, "a", b"hello");
        disk.crash(Crash::Power);
        disk.bytes("a").is_none()
    });
    assert!(lost, "a name that was not synced is lost sometimes");
}

#[test]
fn unsynced_sectors_survive_independently() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..400 {
        let disk = SimDisk::new(seed, 512);
        write(&disk, "a", &[0; 1024]);
        disk.sync_dir("").unwrap();
        let file = disk.open("a").unwrap();
        file.write_at(0, &[IoSlice::new(&[7; 1024])]).unwrap();
        disk.crash(Crash::Power);
        let bytes = disk.bytes("a").unwrap();
        let of = |half: &[u8]| match half {
            half if half.iter().all(|byte| *byte == 7) => "new",
            half if half.iter().all(|byte| *byte == 0) => "old",
            _ => "torn",
        };
        seen.insert((of(&bytes[..512]), of(&bytes[512..])));
    }
    for pair in [
        ("new", "old"),
        ("old", "new"),
        ("old", "old"),
        ("torn", "new"),
    ] {
        assert!(seen.contains(&pair), "{pair:?} was never left behind");
    }
}

#[test]
fn after_a_failed_sync_the_cache_lies_until_the_power_fails() {
    let mut lied = false;
    for seed in 0..40 {
        let disk = SimDisk::new(seed, 512);
        write(&disk, "a", &[0; 512]);
        disk.sync_dir("").unwrap();
        disk.begin(Plan {
            faults: vec![Planned {
                aim: Aim::Nth(Act::Sync, 1),
                fault: Fault::Io,
                lasts: Lasts::Once,
            }],
            ..Plan::default()
        });
        let file = disk.open("a").unwrap();
        file.write_at(0, &[IoSlice::new(&[7; 512])]).unwrap();
        assert!(file.sync_data().is_err());
        assert!(file.sync_data().is_ok(), "the pages are clean now");
        assert_eq!(disk.bytes("a").unwrap(), [7; 512], "the cache shows it");
        disk.crash(Crash::Process);
        assert_eq!(
            disk.bytes("a").unwrap(),
            [7; 512],
            "the next process sees it"
        );
        disk.crash(Crash::Power);
        lied |= disk.bytes("a").unwrap() == [0; 512];
    }
    assert!(lied, "a failed sync lost nothing in 40 seeds");
}

#[test]
fn a_lost_rename_leaves_the_old_name_the_new_or_both() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..200 {
        let disk = SimDisk::new(seed, 512);
        write(&disk, "new.tmp", b"new");
        write(&disk, "it", b"old");
        disk.sync_dir("").unwrap();
        disk.rename("new.tmp", "it").unwrap();
        disk.crash(Crash::Power);
        seen.insert((disk.bytes("it"), disk.bytes("new.tmp").is_some()));
    }
    let (old, new) = (Some(b"old".to_vec()), Some(b"new".to_vec()));
    let expected = [(new.clone(), false), (new, true), (old, true)];
    assert_eq!(seen, expected.into_iter().collect());
}

#[test]
fn a_lock_is_free_again_after_a_crash_only() {
    let disk = SimDisk::new(1, 512);
    let held = disk.lock("LOCK", "one").unwrap();
    assert!(matches!(disk.lock("LOCK", "two"), Err(LockError::Held { holder }) if holder == "one"));
    disk.crash(Crash::Process);
    let again = disk.lock("LOCK", "two").unwrap();
    drop(held);
    assert!(
        disk.lock("LOCK", "three").is_err(),
        "a dead holder frees nothing"
    );
    drop(again);
    assert!(disk.lock("LOCK", "three").is_ok());
}

#[test]
fn a_crash_in_the_middle_of_a_write_leaves_a_prefix() {
    for seed in 0..20 {
        let disk = SimDisk::new(seed, 512);
        let file = disk.create("a").unwrap();
        disk.begin(Plan {
            crash_at: Some(1),
            ..Plan::default()
        });
        assert!(file.write_at(0, &[IoSlice::new(&[7; 1000])]).is_err());
        assert!(file.sync_data().is_err(), "nothing works after it");
        assert!(disk.is_dead());
        disk.crash(Crash::Process);
        let bytes = disk.bytes("a").unwrap();
        assert!(bytes.len() < 1000 && bytes.iter().all(|byte| *byte == 7));
    }
}
