//! The doctor: what it finds, and what it leaves alone.

use std::fs;
use std::path::{Path, PathBuf};

use mainstay::doctor::{self, Report, StoreReport};
use mainstay::ops;
use mainstay::{Engine, Task};

use crate::life::{Left, PAYLOAD, Place, close, live, open, stored};

/// A directory with a life in it, stopped in order, and its store in one file.
fn lived() -> (Place, Left) {
    let place = Place::new();
    let engine = open(&place.data());
    let left = live(&engine.handle());
    stored(&engine.handle());
    close(engine);
    let (file, copy) = (store_of(&place), place.at("copy.db"));
    mainstay::store::copy_store(&file, &copy, &mut |_, _| {}).unwrap();
    fs::remove_dir_all(file.parent().unwrap()).unwrap();
    fs::create_dir(file.parent().unwrap()).unwrap();
    fs::rename(copy, file).unwrap();
    (place, left)
}

fn store_of(place: &Place) -> PathBuf {
    place.data().join("store").join("mainstay.db")
}

fn examine(place: &Place) -> Report {
    doctor::examine(place.data()).unwrap()
}

/// Flips a bit in each place of the file where these bytes stand.
fn flip_where(file: &Path, bytes: &[u8]) -> usize {
    let mut all = fs::read(file).unwrap();
    let found: Vec<usize> = (0..all.len() - bytes.len())
        .filter(|at| all[*at..].starts_with(bytes))
        .collect();
    for at in &found {
        all[*at] ^= 1;
    }
    fs::write(file, all).unwrap();
    found.len()
}

#[test]
fn a_sound_directory_is_sound_in_every_part() {
    let (place, _) = lived();
    let report = examine(&place);
    assert!(report.is_clean(), "{report:?}");
    let StoreReport::Sound(store) = &report.store else {
        panic!("{report:?}");
    };
    assert_eq!((store.tasks, store.runs), (5, 5));
    assert_eq!(store.digest.len(), report.digest.len());
    assert!(store.sequence <= report.sequence && report.leftovers.is_empty());
}

#[test]
fn a_running_engine_is_examined_beside_its_work() {
    let place = Place::new();
    let engine = open(&place.data());
    for _ in 0..5 {
        live_a_little(&engine);
        let report = examine(&place);
        assert!(
            report.is_clean() && report.log.held_by.is_some(),
            "{report:?}"
        );
    }
    close(engine);
}

fn live_a_little(engine: &Engine) {
    for _ in 0..20 {
        engine.submit(Task::new("k").json(PAYLOAD)).unwrap();
    }
}

#[test]
fn a_flipped_byte_in_a_row_is_found() {
    // A run that ended, by its output; a run that did not, by its worker; a payload.
    for (what, bytes) in [
        ("history", &br#"{"n": 1.50}"#[..]),
        ("live", b"no such host"),
        ("payload", b"long enough to be stored"),
    ] {
        let (place, _) = lived();
        let flipped = flip_where(&store_of(&place), bytes);
        assert!(flipped > 0, "{what}");
        let report = examine(&place);
        assert!(!report.is_clean(), "{what}");
        assert_eq!(report.store, StoreReport::Unusable, "{what}");
        assert!(report.findings[0].contains("mainstay.db"), "{report:?}");
    }
}

#[test]
fn a_deleted_store_is_no_damage_and_is_made_again() {
    let (place, _) = lived();
    let before = examine(&place).digest;
    fs::remove_dir_all(place.data().join("store")).unwrap();
    let report = examine(&place);
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.store, StoreReport::Missing);
    assert!(report.notes[0].contains("makes it again from the first event"));
    assert_eq!(report.digest, before);
    close(open(&place.data()));
    let report = examine(&place);
    assert!(report.is_clean(), "{report:?}");
    assert!(matches!(report.store, StoreReport::Sound(_)));
}

#[test]
fn a_store_of_another_directory_is_found() {
    let (place, _) = lived();
    let (other, _) = lived();
    fs::copy(store_of(&other), store_of(&place)).unwrap();
    let report = examine(&place);
    assert!(!report.is_clean());
    assert!(report.findings[0].contains("log"), "{report:?}");
    assert_eq!(report.store, StoreReport::Unusable);
}

#[test]
fn a_store_ahead_of_its_log_is_damage() {
    let (place, _) = lived();
    copy_tree(&place.data().join("log"), &place.at("log"));
    fs::copy(place.data().join("manifest"), place.at("manifest")).unwrap();
    let engine = open(&place.data());
    live_a_little(&engine);
    stored(&engine.handle());
    close(engine);
    // A log from before, as a restored file system image brings it back.
    fs::remove_dir_all(place.data().join("log")).unwrap();
    copy_tree(&place.at("log"), &place.data().join("log"));
    fs::copy(place.at("manifest"), place.data().join("manifest")).unwrap();
    let report = examine(&place);
    let ahead = |text: &String| text.contains("the end of the log was lost");
    assert!(report.findings.iter().any(ahead), "{report:?}");
    assert!(Engine::open(place.data()).is_err(), "nor is it served");
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// A directory with two snapshots.
fn with_snapshots() -> (Place, Vec<PathBuf>) {
    let place = Place::new();
    let options = || Engine::options().low_water_bytes(0).snapshot_every_bytes(1);
    for _ in 0..3 {
        let engine = options().open(place.data()).unwrap();
        live_a_little(&engine);
        let handle = engine.handle();
        let before = handle.metrics().snapshots;
        while handle.metrics().snapshots == before {
            live_a_little(&engine);
            stored(&handle);
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        close(engine);
    }
    let mut snapshots: Vec<PathBuf> = fs::read_dir(place.data().join("store"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "snap"))
        .collect();
    snapshots.sort();
    assert!(!snapshots.is_empty());
    (place, snapshots)
}

#[test]
fn snapshots_are_compared_with_the_log_and_a_flipped_byte_in_one_is_found() {
    let (place, snapshots) = with_snapshots();
    let report = examine(&place);
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.snapshots.len(), snapshots.len());
    assert!(report.snapshots.iter().all(|one| one.problem.is_none()));
    let bytes = fs::read(&snapshots[0]).unwrap().len();
    for at in [20, bytes / 2, bytes - 1] {
        let mut all = fs::read(&snapshots[0]).unwrap();
        all[at] ^= 1;
        fs::write(&snapshots[0], &all).unwrap();
        let report = examine(&place);
        assert!(!report.is_clean(), "byte {at}");
        assert!(report.findings[0].contains("snapshot"), "{report:?}");
        all[at] ^= 1;
        fs::write(&snapshots[0], all).unwrap();
    }
    assert!(examine(&place).is_clean());
}

#[test]
fn what_lies_about_is_listed_and_is_no_damage() {
    let (place, _) = lived();
    let store = place.data().join("store");
    fs::write(store.join("damaged-1.db"), "old").unwrap();
    fs::write(store.join("snapshot.tmp"), "half").unwrap();
    let report = examine(&place);
    assert!(report.is_clean(), "{report:?}");
    let listed: Vec<_> = report
        .leftovers
        .iter()
        .map(|path| path.to_str().unwrap())
        .collect();
    assert_eq!(listed, ["store/damaged-1.db", "store/snapshot.tmp"]);
}

#[test]
fn a_damaged_store_is_set_aside_only_when_something_brings_it_back() {
    let (place, _) = lived();
    let before = examine(&place).digest;
    flip_where(&store_of(&place), b"long enough to be stored");
    let repaired = doctor::set_store_aside(&place.data(), &mut |_| {}).unwrap();
    assert!(repaired.kept_as.is_some_and(|path| path.exists()));
    assert!(!store_of(&place).exists());
    let report = examine(&place);
    assert!(report.is_clean() && report.digest == before, "{report:?}");

    let engine = open(&place.data());
    let held = doctor::set_store_aside(&place.data(), &mut |_| {});
    assert!(held.unwrap_err().to_string().contains("held by"));
    engine.handle().backup(&place.at("b"), &mut |_| {}).unwrap();
    close(engine);
    // The log of a restored directory begins after the backup: its store is all there is.
    ops::restore(&place.at("b"), &place.at("new"), &mut |_| {}).unwrap();
    let refused = doctor::set_store_aside(&place.at("new"), &mut |_| {}).unwrap_err();
    assert!(
        refused.to_string().contains("nothing would bring"),
        "{refused}"
    );
    assert!(place.at("new").join("store").join("mainstay.db").exists());
}
