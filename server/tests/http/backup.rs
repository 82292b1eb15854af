//! Backups as archives.

use std::fs;
use std::process::Command;

use crate::harness::World;

#[test]
fn a_backup_is_an_archive_and_leaves_nothing_behind() {
    let world = World::new();
    world.submit(r#"{"kind":"a"}"#);
    let before = files(&world);
    let response = world.post("/api/v1/backup", "");
    assert_eq!(response.status, 200, "{}", response.text());
    response.check_headers();
    assert_eq!(response.header("content-type"), Some("application/x-tar"));
    let name = response.header("content-disposition").expect("a name");
    assert!(name.contains("mainstay-backup-"), "{name}");
    let into = tempfile::tempdir().expect("a directory");
    let file = into.path().join("b.tar");
    fs::write(&file, &response.body).expect("written");
    let listed = Command::new("tar")
        .arg("-tf")
        .arg(&file)
        .output()
        .expect("tar");
    assert!(listed.status.success());
    assert!(!listed.stdout.is_empty());
    // A second one can be made: the first has given its turn back.
    let mut again = world.post("/api/v1/backup", "{}");
    while again.status == 503 {
        again = world.post("/api/v1/backup", "{}");
    }
    assert_eq!(again.status, 200);
    world
        .post("/api/v1/backup", r#"{"into":"/tmp/x"}"#)
        .expect_error(422, "unknown_field");
    while files(&world) != before {
        std::thread::yield_now();
    }
}

#[test]
fn a_caller_that_goes_away_leaves_nothing_behind() {
    let world = World::new();
    world.submit(r#"{"kind":"a"}"#);
    let before = files(&world);
    for _ in 0..5 {
        let mut connection = world.connect();
        connection.write(&world.request("POST", "/api/v1/backup", &[], b""));
        drop(connection);
    }
    loop {
        let response = world.post("/api/v1/backup", "");
        if response.status == 200 {
            break;
        }
        response.expect_error(503, "busy");
    }
    while files(&world) != before {
        std::thread::yield_now();
    }
}

/// Directories in the store's folder.
fn files(world: &World) -> Vec<String> {
    let entries = fs::read_dir(world.directory().join("store")).expect("the store's folder");
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
