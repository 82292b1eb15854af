//! The doctor: clean directories, damaged ones, and what is none.

use crate::harness::{Served, mainstay, run, serve};

#[test]
fn a_directory_that_was_stopped_or_killed_is_clean() {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("data");
    let served = Served::start(&data);
    served.submit(&["a"]);
    served.submit(&["b"]);
    served
        .run(&["work", "--kind", "a", "--until-idle", "--", "true"])
        .good();
    let running = run(mainstay().args(["doctor", "--json"]).arg(&data));
    assert_eq!(running.code, Some(0), "{running:?}");
    served.kill();
    let killed = run(mainstay().args(["doctor", "--json"]).arg(&data))
        .good()
        .json();
    assert_eq!(
        (&killed["live_runs"], &killed["damage"]),
        (&1.into(), &serde_json::json!([]))
    );
    assert!(Served::start(&data).stop().success());
    let stopped = run(mainstay().arg("doctor").arg(&data)).good();
    assert!(stopped.stdout.contains("all is well"), "{stopped:?}");
}

#[test]
fn a_flipped_byte_is_found_and_never_served() {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("data");
    let served = Served::start(&data);
    for _ in 0..20 {
        served.submit(&["k", "--payload", r#""some text to be damaged""#]);
    }
    assert!(served.stop().success());
    let logs = std::fs::read_dir(data.join("log"))
        .expect("a directory")
        .map(|entry| entry.expect("an entry").path());
    let mut logs: Vec<_> = logs
        .filter(|path| path.extension().is_some_and(|end| end == "log"))
        .collect();
    logs.sort();
    let mut bytes = std::fs::read(&logs[0]).expect("a log");
    let damaged = b"text to be damaged";
    let at = bytes
        .windows(damaged.len())
        .position(|window| window == damaged)
        .expect("the payload is in the log");
    bytes[at] ^= 1;
    std::fs::write(&logs[0], bytes).expect("written");

    let found = run(mainstay().args(["doctor", "--json"]).arg(&data));
    assert_eq!(found.code, Some(1), "{found:?}");
    let damage = &found.json()["damage"][0];
    assert!(
        damage["file"]
            .as_str()
            .is_some_and(|file| file.ends_with(".log")),
        "{damage}"
    );
    assert!(
        damage["offset"].as_u64().is_some_and(|offset| offset > 0),
        "{damage}"
    );
    let refused = run(&mut serve(&data, "127.0.0.1:0"));
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("damage in "), "{refused:?}");
}

#[test]
fn what_is_no_data_directory_is_told_apart_from_damage() {
    let directory = tempfile::tempdir().expect("a directory");
    let absent = run(mainstay().arg("doctor").arg(directory.path().join("none")));
    assert_eq!(absent.code, Some(73), "{absent:?}");
    let empty = run(mainstay().arg("doctor").arg(directory.path()));
    assert_eq!(empty.code, Some(78), "{empty:?}");
    assert_eq!(
        std::fs::read_dir(directory.path()).expect("a list").count(),
        0
    );
    let repair = run(mainstay()
        .args(["doctor", "--repair", "log"])
        .arg(directory.path()));
    assert_eq!(repair.code, Some(78), "{repair:?}");
    assert!(repair.stderr.contains("restoring a backup"), "{repair:?}");
}

#[test]
fn a_lost_store_is_told_and_a_damaged_one_is_set_aside() {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("data");
    let served = Served::start(&data);
    served.submit(&["k"]);
    let held = run(mainstay().args(["doctor", "--repair", "store"]).arg(&data));
    assert_eq!(held.code, Some(75), "{held:?}");
    assert!(served.stop().success());
    let store = data.join("store").join("mainstay.db");
    std::fs::write(&store, "no database").expect("written");
    for tail in ["mainstay.db-wal", "mainstay.db-shm"] {
        // The newest pages may stand there.
        let _ = std::fs::remove_file(data.join("store").join(tail));
    }
    let damaged = run(mainstay().args(["doctor", "--json"]).arg(&data));
    assert_eq!(damaged.code, Some(1), "{damaged:?}");
    assert_eq!(damaged.json()["store"]["state"], "damaged");
    run(mainstay().args(["doctor", "--repair", "store"]).arg(&data)).good();
    let aside = run(mainstay().args(["doctor", "--json"]).arg(&data))
        .good()
        .json();
    assert_eq!(aside["store"]["state"], "missing");
    assert_eq!(aside["leftovers"][0]["file"], "store/damaged-1.db");
    assert!(Served::start(&data).stop().success());
    let made = run(mainstay().args(["doctor", "--json"]).arg(&data))
        .good()
        .json();
    assert_eq!(made["store"]["state"], "sound");
}
