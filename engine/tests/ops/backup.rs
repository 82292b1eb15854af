//! Backups and what is made of them.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mainstay::ops::{self, InspectAsk, OpsError};
use mainstay::{Answer, Command, Engine, FinishOutcome, Outcome, Query, RunState, Task};

use crate::life::{OUTPUT, PAYLOAD, Place, TENANT, call, claim, close, finish, live, open, stored};

fn digest_at(directory: &Path, at: u64) -> String {
    let ask = InspectAsk {
        directory,
        at: Some(at),
        backup: None,
    };
    let seen = ops::inspect_at(&ask, &mut |_| {}).unwrap();
    seen.digest().to_string()
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_restored_directory_goes_on_where_the_backup_ended() {
    let place = Place::new();
    let engine = open(&place.data());
    let left = live(&engine.handle());
    let backup = engine.handle().backup(&place.at("b"), &mut |_| {}).unwrap();
    assert_eq!(backup.sequence, engine.handle().sequence());
    assert_eq!(names(&place.at("b")), ["backup.json", "store.db"]);
    close(engine);
    let restored = ops::restore(&place.at("b"), &place.at("new"), &mut |_| {}).unwrap();
    assert_eq!(restored.backup, backup);
    assert_ne!(restored.log_id, backup.log_id);
    assert_eq!(digest_at(&place.at("b"), backup.sequence), backup.digest);
    assert_eq!(digest_at(&place.at("new"), backup.sequence), backup.digest);

    let engine = open(&place.at("new"));
    let handle = engine.handle();
    assert_eq!(handle.log_id(), restored.log_id);
    assert_eq!(engine.recovered().rebuilt_from, None);
    let ask = |query| handle.ask(TENANT, query).wait().unwrap().value;
    let Answer::Run(done) = ask(Query::Run(left.done.1)) else {
        panic!("finished history is gone");
    };
    assert_eq!(done.state, RunState::Completed);
    assert_eq!(done.output.as_deref(), Some(OUTPUT.as_bytes()));
    let Answer::Task(task) = ask(Query::Task(left.done.0)) else {
        panic!("a task is gone");
    };
    assert_eq!(&*task.payload.bytes, PAYLOAD.as_bytes());
    let again = Task::new("done").queue("a").json(PAYLOAD);
    let again = handle.submit(again.idempotency_key("once")).unwrap();
    assert_eq!((again.task, again.created), (left.done.0, false));
    assert_eq!(handle.read_token(left.running, &left.token), None);
    let waiting = claim(&handle, "e");
    assert_eq!(waiting.run, left.waiting);
    assert_eq!(&*waiting.payload.bytes, PAYLOAD.as_bytes());
    finish(&handle, &waiting, FinishOutcome::Success);
    let new = handle.submit(Task::new("new")).unwrap();
    assert!(new.run.run > left.waiting, "ids go on rising");
    close(engine);
    assert!(
        mainstay::doctor::examine(place.at("new"))
            .unwrap()
            .is_clean()
    );
}

#[test]
fn a_backup_under_load_is_of_one_event_and_what_the_log_comes_to_there() {
    let place = Place::new();
    let engine = open(&place.data());
    let handle = engine.handle();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for queue in ["x", "y"] {
            let (handle, over) = (handle.clone(), &over);
            scope.spawn(move || {
                while !over.load(Ordering::Acquire) {
                    handle
                        .submit(Task::new("k").queue(queue).json(PAYLOAD))
                        .unwrap();
                    finish(&handle, &claim(&handle, queue), FinishOutcome::Success);
                }
            });
        }
        let backups = ["b1", "b2", "b3"].map(|name| {
            let before = handle.sequence();
            let backup = handle.backup(&place.at(name), &mut |_| {});
            (name, before, backup)
        });
        over.store(true, Ordering::Release);
        for (name, before, backup) in backups {
            let backup = backup.unwrap();
            assert!(backup.sequence >= before);
            assert_eq!(digest_at(&place.data(), backup.sequence), backup.digest);
            let checked = ops::verify_backup(&place.at(name), &mut |_| {}).unwrap();
            assert_eq!(checked, backup);
        }
    });
    close(engine);
}

#[test]
fn a_directory_that_nobody_holds_is_backed_up_to_its_last_event() {
    let place = Place::new();
    let engine = open(&place.data());
    live(&engine.handle());
    let held = ops::backup_directory(
        &place.data(),
        &place.at("b"),
        Default::default(),
        &mut |_| {},
    );
    assert!(matches!(held, Err(OpsError::Open(_))), "{held:?}");
    let last = engine.handle().sequence();
    close(engine);
    let backup = ops::backup_directory(
        &place.data(),
        &place.at("b"),
        Default::default(),
        &mut |_| {},
    );
    assert!(backup.unwrap().sequence >= last);
    let none = ops::backup_directory(
        &place.at("none"),
        &place.at("c"),
        Default::default(),
        &mut |_| {},
    );
    assert!(matches!(none, Err(OpsError::Absent { .. })), "{none:?}");
    assert!(!place.at("none").exists() && !place.at("c").exists());
}

#[test]
fn a_backup_never_touches_what_is_there() {
    let place = Place::new();
    let engine = open(&place.data());
    let handle = engine.handle();
    let backup = |name: &str| handle.backup(&place.at(name), &mut |_| {});
    backup("b").unwrap();
    let before = fs::read(place.at("b").join("store.db")).unwrap();
    handle.submit(Task::new("more")).unwrap();
    assert!(matches!(backup("b"), Err(OpsError::Occupied { .. })));
    assert_eq!(fs::read(place.at("b").join("store.db")).unwrap(), before);
    fs::create_dir(place.at("full")).unwrap();
    fs::write(place.at("full").join("letter"), "").unwrap();
    assert!(matches!(backup("full"), Err(OpsError::Occupied { .. })));
    fs::write(place.at("file"), "").unwrap();
    assert!(matches!(backup("file"), Err(OpsError::Occupied { .. })));
    fs::create_dir(place.at("empty")).unwrap();
    backup("empty").unwrap();
    close(engine);
}

/// What a restore says of a backup, after this was done to it.
fn refused(harm: impl FnOnce(&Path)) -> String {
    let place = Place::new();
    let engine = open(&place.data());
    live(&engine.handle());
    engine.handle().backup(&place.at("b"), &mut |_| {}).unwrap();
    close(engine);
    harm(&place.at("b"));
    let restored = ops::restore(&place.at("b"), &place.at("new"), &mut |_| {});
    assert!(
        !place.at("new").exists(),
        "nothing is made before all is verified"
    );
    restored.unwrap_err().to_string()
}

fn flip(file: &Path, at: impl FnOnce(usize) -> usize) {
    let mut bytes = fs::read(file).unwrap();
    let at = at(bytes.len());
    bytes[at] ^= 1;
    fs::write(file, bytes).unwrap();
}

#[test]
fn a_damaged_backup_is_refused_with_the_name_of_the_file() {
    let store = refused(|backup| flip(&backup.join("store.db"), |bytes| bytes / 2));
    assert!(
        store.contains("damage in") && store.contains("store.db"),
        "{store}"
    );
    let short = refused(|backup| {
        let file = fs::OpenOptions::new()
            .write(true)
            .open(backup.join("store.db"));
        file.unwrap().set_len(8192).unwrap();
    });
    assert!(
        short.contains("store.db") && short.contains("bytes"),
        "{short}"
    );
    let missing = refused(|backup| fs::remove_file(backup.join("store.db")).unwrap());
    assert!(missing.contains("store.db: it is missing"), "{missing}");
    let label = refused(|backup| {
        let file = backup.join("backup.json");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replacen("\"sequence\": ", "\"sequence\": 1", 1)).unwrap();
    });
    assert!(label.contains("backup.json: its own check"), "{label}");
    let unlabeled = refused(|backup| fs::remove_file(backup.join("backup.json")).unwrap());
    assert!(unlabeled.contains("not finished"), "{unlabeled}");
}

#[test]
fn a_restore_goes_into_a_new_directory_only() {
    let place = Place::new();
    let engine = open(&place.data());
    engine.handle().backup(&place.at("b"), &mut |_| {}).unwrap();
    let into = |name: &str| ops::restore(&place.at("b"), &place.at(name), &mut |_| {});
    assert!(matches!(into("data"), Err(OpsError::Occupied { .. })));
    close(engine);
    assert!(matches!(into("data"), Err(OpsError::Occupied { .. })));
    fs::create_dir(place.at("empty")).unwrap();
    into("empty").unwrap();
    assert!(matches!(into("empty"), Err(OpsError::Occupied { .. })));
    close(open(&place.at("empty")));
}

#[test]
fn a_restore_that_was_interrupted_does_not_open_and_can_be_given_again() {
    let place = Place::new();
    let engine = open(&place.data());
    live(&engine.handle());
    let backup = engine.handle().backup(&place.at("b"), &mut |_| {}).unwrap();
    close(engine);
    let new = place.at("new");
    let restore = || ops::restore(&place.at("b"), &new, &mut |_| {});
    restore().unwrap();
    // What a crash leaves at each step, the last one first: the mark is what goes last.
    for gone in ["", "manifest", "store/mainstay.db", "store"] {
        fs::write(new.join("restore.unfinished"), "").unwrap();
        match gone {
            "" => {}
            "store" => fs::remove_dir_all(new.join(gone)).unwrap(),
            file => fs::remove_file(new.join(file)).unwrap(),
        }
        let refused = Engine::open(&new).err().unwrap().to_string();
        assert!(refused.contains("mainstay restore"), "{refused}");
        assert!(!mainstay::doctor::examine(&new).unwrap().is_clean());
        restore().unwrap();
    }
    assert_eq!(digest_at(&new, backup.sequence), backup.digest);
    close(open(&new));
}

#[test]
fn a_lease_from_before_the_restore_is_lost_and_its_run_comes_back() {
    let place = Place::new();
    let engine = open(&place.data());
    let handle = engine.handle();
    let mut task = Task::new("k").queue("q");
    task.spec_mut().policy_mut().lease_ms = 1000;
    let run = handle.submit(task).unwrap().run.run;
    let grant = claim(&handle, "q");
    let token = handle.token(run, grant.fence);
    stored(&handle);
    handle.backup(&place.at("b"), &mut |_| {}).unwrap();
    close(engine);
    ops::restore(&place.at("b"), &place.at("new"), &mut |_| {}).unwrap();
    let engine = open(&place.at("new"));
    let handle = engine.handle();
    assert_eq!(handle.read_token(run, &token), None, "lease_lost");
    let again = claim(&handle, "q");
    assert_eq!((again.run, again.attempt), (run, 2));
    assert_ne!(handle.token(run, again.fence), token);
    let canceled = call(
        &handle,
        Command::CancelRun {
            run,
            reason: None,
            force: true,
        },
    );
    assert!(!matches!(canceled, Outcome::Claimed(_)));
    engine.shutdown(Duration::from_secs(5)).unwrap();
}
