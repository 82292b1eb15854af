//! What only the SQLite store can do wrong: files, damage, room, text.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use mainstay_core::{
    Approval, ApprovalId, ApprovalRow, Command, LedgerRow, ObjectClass, RunState, TaskSpec,
    TenantId, Text, Timestamp,
};
use rusqlite::{Connection, params};
use tempfile::TempDir;

use super::known::Known;
use super::open::{self, open_reader, with_tail};
use super::{
    STORE_FILE, SqliteOptions, SqliteReader, SqliteStore, copy_store, examine, file_of, put,
    set_aside,
};
use crate::contract::{LOG_ID, World, load};
use crate::seam::{Keep, LiveRow, Reader, Retention, Store, StoreError};

fn directory() -> TempDir {
    tempfile::tempdir().expect("directory")
}

fn open(dir: &Path) -> SqliteStore {
    SqliteStore::open(dir, LOG_ID, SqliteOptions::default()).expect("open")
}

fn in_queue(queue: &str) -> TaskSpec {
    let mut spec = TaskSpec::new("mail.send");
    spec.queue = Text::from(queue);
    spec
}

/// A store with three live tasks and two finished ones.
fn filled(dir: &Path) -> World {
    let mut world = World::default();
    let mut store = open(dir);
    for _ in 0..2 {
        let mut spec = in_queue("q");
        spec.payload.bytes = vec![b'7'; 100].into();
        world.run_through(spec);
    }
    for _ in 0..3 {
        world.submit(in_queue("later"));
    }
    world.store(&mut store);
    world
}

/// Changes the file behind the store's back.
fn tamper(dir: &Path, sql: &str) {
    let connection = Connection::open(file_of(dir)).expect("open");
    assert_ne!(connection.execute(sql, []).expect("tamper"), 0, "{sql}");
}

fn live(dir: &Path) -> Result<u64, StoreError> {
    let mut rows = 0;
    SqliteReader::open(&file_of(dir), 1024)?.live(&mut |row| {
        rows += match row {
            LiveRow::Base(_) => 0,
            // How long attempts take stands there as soon as there is work.
            LiveRow::Object(row) => u64::from(row.class != ObjectClass::Statistics),
            LiveRow::Task(_) | LiveRow::Run(_) => 1,
        };
        Ok(())
    })?;
    Ok(rows)
}

fn is_damaged<T: std::fmt::Debug>(outcome: Result<T, StoreError>) -> bool {
    match outcome {
        Err(StoreError::Damaged(_)) => true,
        other => panic!("not damaged: {other:?}"),
    }
}

#[test]
fn nobody_else_can_read_the_files() {
    let dir = directory();
    let at = dir.path().join("data/store");
    let mut store = open(&at);
    let mut world = World::default();
    world.submit(in_queue("q"));
    world.store(&mut store);
    let mode = |path: &Path| fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
    assert_eq!(mode(&at), 0o700);
    for tail in ["", "-wal", "-shm"] {
        assert_eq!(mode(&with_tail(&file_of(&at), tail)), 0o600, "{tail}");
    }
}

#[test]
fn an_interrupted_creation_is_made_again() {
    let dir = directory();
    fs::write(file_of(dir.path()), b"").expect("an empty file");
    assert!(open(dir.path()).is_fresh());
    assert!(!open(dir.path()).is_fresh());
    let other = directory();
    let half = Connection::open(file_of(other.path())).expect("open");
    let mode = half.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()));
    mode.expect("the mode is set before any table is made");
    drop(half);
    assert!(open(other.path()).is_fresh());
    assert_eq!(live(other.path()), Ok(0));
}

#[test]
fn files_of_others_are_refused() {
    let dir = directory();
    filled(dir.path());
    let refused = SqliteStore::open(dir.path(), "another", SqliteOptions::default());
    let found = String::from(LOG_ID);
    assert_eq!(refused.err(), Some(StoreError::Foreign { found }));
    tamper_pragma(dir.path(), "user_version", 99);
    let refused = SqliteStore::open(dir.path(), LOG_ID, SqliteOptions::default());
    assert_eq!(
        refused.err(),
        Some(StoreError::Format {
            found: 99,
            known: 3
        })
    );
    tamper_pragma(dir.path(), "application_id", 1);
    let refused = SqliteStore::open(dir.path(), LOG_ID, SqliteOptions::default());
    assert!(matches!(refused, Err(StoreError::Foreign { .. })));
    fs::write(file_of(dir.path()), [7; 9000]).expect("write");
    assert!(is_damaged(SqliteStore::open(
        dir.path(),
        LOG_ID,
        SqliteOptions::default()
    )));
}

fn tamper_pragma(dir: &Path, name: &str, value: i64) {
    let connection = Connection::open(file_of(dir)).expect("open");
    connection.pragma_update(None, name, value).expect("tamper");
}

#[test]
fn a_damaged_file_is_set_aside_and_a_new_one_made() {
    let dir = directory();
    assert_eq!(set_aside(dir.path()), Ok(None));
    for number in 1..=2 {
        filled(dir.path());
        let aside = dir.path().join(format!("damaged-{number}.db"));
        assert_eq!(set_aside(dir.path()), Ok(Some(aside.clone())));
        assert!(aside.exists() && !file_of(dir.path()).exists());
        assert!(examine(&aside, &mut |_| {}).is_ok(), "it is kept as it was");
    }
    assert!(open(dir.path()).is_fresh());
    assert_eq!(STORE_FILE, "mainstay.db");
}

#[test]
fn a_changed_byte_of_a_live_row_is_found() {
    for sql in [
        "UPDATE task_row SET image = CAST(image || x'00' AS BLOB) WHERE number = (SELECT max(number) FROM task_row)",
        "UPDATE run_row SET image = CAST(x'00' || substr(image, 2) AS BLOB) WHERE live = 1",
        "UPDATE run_row SET \"check\" = \"check\" + 1 WHERE live = 1",
        "UPDATE run_row SET live = 0 WHERE number = (SELECT max(number) FROM run_row)",
        "UPDATE task_row SET live = 1",
        "DELETE FROM run_row WHERE live = 1",
        "UPDATE meta SET value = value + 1 WHERE name = 'live_sum'",
        "DELETE FROM meta WHERE name = 'machine'",
        "UPDATE names SET text = 'x' WHERE id = 1",
    ] {
        let dir = directory();
        filled(dir.path());
        assert_eq!(live(dir.path()), Ok(6));
        tamper(dir.path(), sql);
        assert!(is_damaged(live(dir.path())), "{sql}");
        assert!(
            is_damaged(examine(&file_of(dir.path()), &mut |_| {})),
            "{sql}"
        );
    }
}

#[test]
fn a_changed_byte_of_a_finished_row_is_found_when_it_is_looked_at() {
    let dir = directory();
    let world = {
        let mut world = World::default();
        let mut store = open(dir.path());
        let mut spec = in_queue("q");
        spec.payload.bytes = vec![b'7'; 100].into();
        spec.extras_mut().idempotency_key = Some(Text::from("key"));
        let submitted = world.run_through(spec);
        world.store(&mut store);
        submitted
    };
    for sql in [
        "UPDATE run_row SET image = CAST(image || x'00' AS BLOB)",
        "UPDATE payload_row SET bytes = CAST(bytes || x'00' AS BLOB)",
        "UPDATE key_row SET until = until + 1",
        "UPDATE task_row SET image = CAST(image || x'00' AS BLOB)",
    ] {
        tamper(dir.path(), sql);
    }
    let mut reader = SqliteReader::open(&file_of(dir.path()), 1024).expect("reader");
    assert!(is_damaged(reader.task(TenantId::DEFAULT, world.task)));
    assert!(is_damaged(reader.run(TenantId::DEFAULT, world.run.run)));
    assert!(is_damaged(reader.payload(1)));
    assert!(is_damaged(reader.key(
        TenantId::DEFAULT,
        mainstay_core::KeyClass::Submit,
        "key"
    )));
    assert_eq!(live(dir.path()), Ok(0), "recovery needs none of them");
}

#[test]
fn an_examination_compares_columns_payloads_and_pages() {
    let dir = directory();
    filled(dir.path());
    let examined = examine(&file_of(dir.path()), &mut |_| {}).expect("sound");
    assert_eq!(
        (examined.tasks, examined.runs, examined.payloads),
        (5, 5, 2)
    );
    assert_eq!((examined.base.live_rows, examined.objects), (7, 1));
    for sql in [
        "UPDATE task_row SET state = 2 WHERE state = 1",
        "UPDATE payload_row SET bytes = x'00'",
        "UPDATE run_row SET image = CAST(image || x'00' AS BLOB) WHERE live = 0",
    ] {
        let dir = directory();
        filled(dir.path());
        tamper(dir.path(), sql);
        assert!(
            is_damaged(examine(&file_of(dir.path()), &mut |_| {})),
            "{sql}"
        );
    }
    let mut bytes = fs::read(file_of(dir.path())).expect("read");
    // A whole page: half of one may hold nothing.
    let middle = bytes.len() / 2 / 8192 * 8192;
    bytes[middle..middle + 8192].fill(0x55);
    fs::write(file_of(dir.path()), bytes).expect("write");
    assert!(is_damaged(examine(&file_of(dir.path()), &mut |_| {})));
}

#[test]
fn a_transaction_that_was_cut_off_leaves_the_commit_before() {
    let dir = directory();
    let mut world = filled(dir.path());
    let before = world.machine.sequence();
    let options = SqliteOptions {
        cache_kib: 1024,
        ..SqliteOptions::default()
    };
    let (connection, _) = open::open_file(dir.path(), LOG_ID, &options).expect("open");
    let mut known = Known::read(&connection).expect("known");
    for _ in 0..500 {
        let mut spec = in_queue("q");
        spec.payload.bytes = vec![b'7'; 5000].into();
        world.run_through(spec);
    }
    let cut = world.cut();
    // As a crash in the middle: the rows are written, some of them into the file, and nothing says that they hold.
    connection.execute_batch("BEGIN IMMEDIATE").expect("begin");
    put::write(&connection, &mut known, &options.unsearched, &cut).expect("write");
    let after_crash = directory();
    for tail in ["", "-wal"] {
        let from = with_tail(&file_of(dir.path()), tail);
        fs::copy(from, with_tail(&file_of(after_crash.path()), tail)).expect("copy");
    }
    let wal = fs::metadata(with_tail(&file_of(after_crash.path()), "-wal")).expect("wal");
    assert!(
        wal.len() > 1_000_000,
        "part of the transaction reached the disk"
    );
    let mut store = open(after_crash.path());
    assert_eq!(store.checkpoint(), before);
    assert_eq!(live(after_crash.path()), Ok(6));
    let through = cut.through;
    store.put(cut).expect("put");
    assert_eq!(
        store.durable(through),
        Ok(through),
        "the log gives it again"
    );
}

#[test]
fn a_cut_that_cannot_be_read_is_not_committed_in_part() {
    let dir = directory();
    let mut world = filled(dir.path());
    let mut store = open(dir.path());
    let before = store.checkpoint();
    world.submit(in_queue("q"));
    world.submit(in_queue("q"));
    let mut cut = world.cut();
    let through = cut.through;
    let last = cut.images.len() - 1;
    cut.images.truncate(last);
    cut.rows.last_mut().expect("rows").range.end = last;
    store.put(cut).expect("put");
    assert!(is_damaged(store.durable(through)));
    assert!(
        is_damaged(store.durable(through)),
        "it says so until it is opened again"
    );
    drop(store);
    assert_eq!(open(dir.path()).checkpoint(), before);
    assert_eq!(live(dir.path()), Ok(6));
}

#[test]
fn a_full_disk_is_told_and_the_store_goes_on_when_there_is_room() {
    let dir = directory();
    let mut world = World::default();
    drop(open(dir.path()));
    let options = SqliteOptions {
        pages_max: 250,
        ..SqliteOptions::default()
    };
    let mut store = SqliteStore::open(dir.path(), LOG_ID, options).expect("open");
    let mut tries = 0;
    let refused = loop {
        for _ in 0..20 {
            let mut spec = in_queue("q");
            spec.payload.bytes = vec![b'7'; 5000].into();
            world.run_through(spec);
        }
        let cut = world.cut();
        store.put(cut).expect("put");
        tries += 1;
        assert!(tries < 100, "the file stays small");
        if let Err(refused) = store.durable(u64::MAX) {
            break refused;
        }
    };
    assert!(matches!(refused, StoreError::Full(_)), "{refused:?}");
    let before = store.checkpoint();
    assert!(before > 0 && before < world.machine.sequence());
    assert!(
        matches!(store.durable(u64::MAX), Err(StoreError::Full(_))),
        "still no room"
    );
    let rule = Retention {
        default: Keep { age_ms: 1 },
        queues: std::collections::BTreeMap::new(),
        audit: Keep { age_ms: 1 },
        bytes_max: u64::MAX,
    };
    while store.retain(Timestamp(world.wall), &rule).expect("retain") {}
    assert_eq!(
        store.durable(u64::MAX),
        Ok(world.machine.sequence()),
        "the cut was kept"
    );
    assert!(examine(&file_of(dir.path()), &mut |_| {}).is_ok());
}

fn matches_of(dir: &Path, words: &str) -> Vec<i64> {
    let reader = open_reader(&file_of(dir), 1024).expect("reader");
    let mut find = reader
        .prepare("SELECT rowid FROM text WHERE text MATCH ?1 ORDER BY rowid")
        .expect("prepare");
    let found = find
        .query_map(params![words], |row| row.get(0))
        .expect("query");
    found.map(|number| number.expect("number")).collect()
}

fn one<T: rusqlite::types::FromSql>(dir: &Path, sql: &str) -> T {
    let reader = open_reader(&file_of(dir), 1024).expect("reader");
    reader.query_row(sql, [], |row| row.get(0)).expect("a row")
}

#[test]
fn tags_descriptions_and_errors_are_found_by_their_words() {
    let dir = directory();
    let options = SqliteOptions {
        unsearched: [Text::from("secret")].into(),
        ..SqliteOptions::default()
    };
    let mut store = SqliteStore::open(dir.path(), LOG_ID, options).expect("open");
    let mut world = World::default();
    let described = |queue: &str| {
        let mut spec = in_queue(queue);
        spec.extras_mut().tags = vec![Text::from("ord_42"), Text::from("say \"hi\"")];
        spec.extras_mut().description = Some(Text::from("Rechnung für Zoë"));
        spec.policy_mut().max_attempts = 2;
        spec
    };
    world.submit(described("q"));
    world.submit(described("secret"));
    world.submit(in_queue("plain"));
    world.store(&mut store);
    assert_eq!(matches_of(dir.path(), "zoe AND tags:ord_42"), [1]);
    assert_eq!(
        matches_of(dir.path(), "mail"),
        [1],
        "the kind is part of a document, not its reason"
    );
    for queue in ["q", "secret", "plain"] {
        let grants = world.claim(queue, 1);
        world.fail(&grants[0], queue == "q");
    }
    world.store(&mut store);
    assert_eq!(matches_of(dir.path(), "error:smtp_refused"), [1, 5]);
    assert_eq!(matches_of(dir.path(), "rechnung refused"), [1]);
    assert_eq!(
        one::<i64>(dir.path(), "SELECT sum(has_text) FROM task_row"),
        2
    );
    // The second attempt goes well: the last one is what is found.
    world.wall += 3_600_000;
    world.step(mainstay_core::Command::Tick);
    let grants = world.claim("q", 1);
    assert_eq!(world.complete(&grants[0]), RunState::Completed);
    world.store(&mut store);
    assert_eq!(matches_of(dir.path(), "smtp_refused"), [5]);
    assert_eq!(matches_of(dir.path(), "rechnung"), [1]);
    let attempts: String = one(
        dir.path(),
        "SELECT json_extract(attempts, '$[0].error_message') FROM run_row WHERE task = 1",
    );
    assert_eq!(attempts, "the other side \"refused\" the connection");
    assert_eq!(
        one::<String>(
            dir.path(),
            "SELECT json_extract(tags, '$[1]') FROM task_row WHERE number = 1"
        ),
        "say \"hi\""
    );
}

#[test]
fn what_retention_removes_leaves_no_tag_and_no_text() {
    let dir = directory();
    let mut store = open(dir.path());
    let mut world = World::default();
    let mut spec = in_queue("q");
    spec.extras_mut().tags = vec![Text::from("nightly"), Text::from("a \"b\"")];
    world.run_through(spec);
    world.store(&mut store);
    assert_eq!(one::<i64>(dir.path(), "SELECT count(*) FROM task_tag"), 2);
    let rule = Retention {
        default: Keep { age_ms: 1 },
        queues: std::collections::BTreeMap::new(),
        audit: Keep { age_ms: 1 },
        bytes_max: u64::MAX,
    };
    while store
        .retain(Timestamp(world.wall + 10), &rule)
        .expect("retain")
    {}
    assert_eq!(one::<i64>(dir.path(), "SELECT count(*) FROM task_tag"), 0);
    assert!(matches_of(dir.path(), "nightly").is_empty());
    assert_eq!(one::<i64>(dir.path(), "SELECT count(*) FROM task_row"), 0);
    assert_eq!(
        one::<i64>(dir.path(), "SELECT c6 FROM place_row"),
        1,
        "counts are for life"
    );
}

#[test]
fn a_dead_letter_goes_once_it_is_cleared_away() {
    let dir = directory();
    let mut world = World::new(3);
    let mut store = open(dir.path());
    let dead = world.submit(in_queue("q"));
    let grant = world.claim("q", 1).remove(0);
    assert_eq!(world.fail(&grant, false), RunState::Failed);
    // Stored, and still in memory: what has left it is found again by the engine alone.
    store.put(world.machine.take_cut()).expect("put");
    store.durable(u64::MAX).expect("durable");
    let rule = Retention {
        default: Keep { age_ms: 1 },
        queues: std::collections::BTreeMap::new(),
        audit: Keep { age_ms: 1 },
        bytes_max: u64::MAX,
    };
    let pass = |store: &mut SqliteStore, now: u64| {
        while store.retain(Timestamp(now), &rule).expect("retain") {}
        store.overdue()
    };
    let later = world.wall + 10;
    assert_eq!(pass(&mut store, later), [(TenantId::DEFAULT, dead.run.run)]);
    assert_eq!(one::<i64>(dir.path(), "SELECT count(*) FROM run_row"), 1);
    world.step(Command::ClearDeadLetter {
        run: dead.run.run,
        reason: None,
    });
    world.store(&mut store);
    let later = world.wall + 10;
    assert_eq!(pass(&mut store, later), []);
    assert_eq!(one::<i64>(dir.path(), "SELECT count(*) FROM run_row"), 0);
    assert_eq!(one::<i64>(dir.path(), "SELECT dead FROM place_row"), 0);
}

#[test]
fn a_copy_is_one_commit_whatever_is_written_meanwhile() {
    let dir = directory();
    let mut world = filled(dir.path());
    let mut store = open(dir.path());
    for _ in 0..2000 {
        let mut spec = in_queue("q");
        spec.payload.bytes = vec![b'7'; 5000].into();
        world.run_through(spec);
    }
    let at = world.store(&mut store);
    let to = dir.path().join("copy.db");
    let mut last = (0, 0);
    let mut calls = 0;
    let base = copy_store(&file_of(dir.path()), &to, &mut |done, total| {
        assert!(done >= last.0 && done <= total);
        last = (done, total);
        calls += 1;
        world.submit(in_queue("q"));
        world.store(&mut store);
    })
    .expect("copy");
    assert!(calls > 1 && last.0 == last.1);
    assert_eq!(base.sequence, at);
    assert!(store.checkpoint() > at);
    assert_eq!(examine(&to, &mut |_| {}).expect("sound").base, base);
    assert!(!with_tail(&to, "-wal").exists(), "it stands by itself");
    let mode = fs::metadata(&to).expect("metadata").permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    assert!(
        copy_store(&file_of(dir.path()), &to, &mut |_, _| {}).is_err(),
        "nothing is overwritten"
    );
    assert!(to.exists());
    // It is a store like any other.
    let restored = directory();
    fs::rename(&to, file_of(restored.path())).expect("rename");
    assert_eq!(open(restored.path()).checkpoint(), at);
    assert_eq!(live(restored.path()), Ok(6));
}

#[test]
fn many_live_rows_are_read_in_order_while_others_are_written() {
    let dir = directory();
    let mut store = open(dir.path());
    let mut world = World::default();
    for _ in 0..9000 {
        world.submit(in_queue("q"));
    }
    world.store(&mut store);
    let path = file_of(dir.path());
    let reading = std::thread::spawn(move || {
        for _ in 0..5 {
            let mut reader = SqliteReader::open(&path, 1024).expect("reader");
            let (mut last, mut rows) = ((false, 0), 0);
            let base = reader.live(&mut |row| {
                let at = match row {
                    LiveRow::Base(_) => return Ok(()),
                    LiveRow::Object(_) => {
                        rows += 1;
                        return Ok(());
                    }
                    LiveRow::Task(image) => (
                        false,
                        mainstay_core::TaskColumns::read(image)
                            .expect("task")
                            .number,
                    ),
                    LiveRow::Run(image) => (
                        true,
                        mainstay_core::RunColumns::read(image).expect("run").number,
                    ),
                };
                assert!(at > last);
                last = at;
                rows += 1;
                Ok(())
            });
            assert_eq!(base.expect("sound").live_rows, rows);
        }
    });
    while !reading.is_finished() {
        let grants = world.claim("q", 5);
        for grant in grants {
            world.complete(&grant);
        }
        world.submit(in_queue("q"));
        world.store(&mut store);
    }
    reading.join().expect("every walk is sound");
}

/// What a file of format 2 was: no audit trail, no ledgers, no dead letters.
const DOWN_TO_2: &str = "DROP TABLE audit_row; DROP TABLE ledger_row; DROP TABLE approval_row; DELETE FROM meta WHERE name LIKE 'audit_%'; \
     DROP VIEW tasks; DROP VIEW runs; DROP VIEW attempts; DROP VIEW queues; DROP INDEX run_dead; DROP INDEX run_dead_at; DROP INDEX run_dead_number; DROP INDEX run_ended; \
     ALTER TABLE run_row DROP COLUMN dead; ALTER TABLE run_row DROP COLUMN fingerprint; ALTER TABLE place_row DROP COLUMN dead; \
     UPDATE meta SET value = 2 WHERE name = 'format'; \
     CREATE VIEW tasks AS SELECT 1; CREATE VIEW runs AS SELECT 1; CREATE VIEW attempts AS SELECT 1; CREATE VIEW queues AS SELECT 1; \
     PRAGMA user_version = 2;";
/// What a file of format 1 was: no objects, no parents.
const DOWN_TO_1: &str = "DROP VIEW tasks; DROP VIEW runs; DROP VIEW attempts; DROP VIEW queues; DROP INDEX task_parent; DROP INDEX run_unended; DROP INDEX run_task_error; \
     ALTER TABLE task_row DROP COLUMN parent; DROP TABLE object_row; UPDATE meta SET value = 1 WHERE name = 'format'; \
     CREATE VIEW tasks AS SELECT 1; CREATE VIEW runs AS SELECT 1; CREATE VIEW attempts AS SELECT 1; CREATE VIEW queues AS SELECT 1; \
     PRAGMA user_version = 1;";

/// Makes the file one of an older format, which knew nothing of how long attempts take.
fn age(dir: &Path, down: &str) {
    let connection = Connection::open(file_of(dir)).expect("open");
    let number = |sql: &str| -> i64 {
        let found = connection.query_row(sql, [], |row| row.get(0));
        found.expect("one row of statistics")
    };
    let check = number("SELECT \"check\" FROM object_row WHERE class = 10");
    let sum = number("SELECT value FROM meta WHERE name = 'live_sum'").wrapping_sub(check);
    let forget = format!(
        "UPDATE meta SET value = {sum} WHERE name = 'live_sum'; UPDATE meta SET value = value - 1 WHERE name = 'live_rows'; \
         DELETE FROM object_row WHERE class = 10; {down}"
    );
    connection.execute_batch(&forget).expect("an older format");
}

#[test]
fn a_store_of_the_format_before_is_brought_up() {
    let dir = directory();
    let mut world = filled(dir.path());
    age(dir.path(), &format!("{DOWN_TO_2} {DOWN_TO_1}"));
    let rows = live(dir.path()).expect("an old file can be read as it is");
    let seen = examine(&file_of(dir.path()), &mut |_| ()).expect("and looked at");
    assert_eq!((seen.base.live_rows, seen.objects), (rows, 0));
    let mut store = open(dir.path());
    world.step(mainstay_core::Command::WeighTenant { weight: 3 });
    world.run_through(in_queue("q"));
    world.store(&mut store);
    let mut reader = store.reader().expect("reader");
    assert_eq!(load(&mut *reader).digest(), world.machine.digest());
    drop(store);
    let seen = examine(&file_of(dir.path()), &mut |_| ()).expect("sound");
    assert_eq!((seen.base.live_rows, seen.objects), (rows + 2, 2));
    let connection = Connection::open(file_of(dir.path())).expect("open");
    let format = "SELECT value, (SELECT count(*) FROM tasks) > 0 FROM meta WHERE name = 'format'";
    let format: (i64, bool) = connection
        .query_row(format, [], |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("format");
    assert_eq!(format, (3, true));
}

#[test]
fn the_trail_of_a_store_of_an_older_format_begins_where_it_is_brought_up() {
    for down in [DOWN_TO_2, &format!("{DOWN_TO_2} {DOWN_TO_1}")] {
        let dir = directory();
        let world = filled(dir.path());
        age(dir.path(), down);
        let mut old = SqliteReader::open(&file_of(dir.path()), 256).expect("reader");
        let stored = world.machine.sequence();
        assert_eq!(old.trail(0, 9).expect("read as it is").extent.after, stored);
        assert!(examine(&file_of(dir.path()), &mut |_| ()).is_ok());
        let store = open(dir.path());
        let trail = store.reader().expect("reader").trail(0, 9).expect("trail");
        assert_eq!((trail.extent.after, trail.rows.len()), (stored, 0));
        drop(store);
        let seen = examine(&file_of(dir.path()), &mut |_| ()).expect("sound");
        assert_eq!(seen.entries, 0);
    }
}

#[test]
fn an_audit_entry_that_is_not_the_one_chained_is_found() {
    let dir = directory();
    filled(dir.path());
    let mut store = open(dir.path());
    let through = store.checkpoint();
    let cut = crate::contract::trail_cut(through, 4);
    store.put(cut).expect("put");
    store.durable(u64::MAX).expect("durable");
    drop(store);
    let path = file_of(dir.path());
    assert_eq!(examine(&path, &mut |_| ()).map(|seen| seen.entries), Ok(4));
    let sound = fs::read(&path).expect("file");
    for sql in [
        "UPDATE audit_row SET who = 'eve' WHERE sequence = (SELECT min(sequence) FROM audit_row)",
        "UPDATE audit_row SET reason = NULL WHERE sequence = (SELECT max(sequence) FROM audit_row)",
        "UPDATE audit_row SET at = at + 1 WHERE sequence = (SELECT min(sequence) + 1 FROM audit_row)",
        "DELETE FROM audit_row WHERE sequence = (SELECT min(sequence) FROM audit_row)",
        "DELETE FROM audit_row WHERE sequence = (SELECT max(sequence) FROM audit_row)",
        "DELETE FROM audit_row",
    ] {
        tamper(dir.path(), sql);
        assert!(is_damaged(examine(&path, &mut |_| ())), "{sql}");
        fs::write(&path, &sound).expect("put back");
    }
}

#[test]
fn an_entry_of_a_ledger_or_an_approval_that_is_not_what_was_written_is_found() {
    let dir = directory();
    let world = filled(dir.path());
    let mut store = open(dir.path());
    let through = world.machine.sequence();
    let entry = |sequence| LedgerRow {
        sequence,
        tenant: TenantId::DEFAULT,
        key: Text::from("incident"),
        by: Text::from("ann"),
        payload: b"{}"[..].into(),
        ..LedgerRow::default()
    };
    let approval = Approval {
        number: through + 3,
        subject: Text::from("deploy"),
        ..Approval::default()
    };
    let cut = mainstay_core::Cut {
        through: through + 3,
        ledger: vec![entry(through + 1), entry(through + 2)],
        approvals: vec![ApprovalRow {
            tenant: TenantId::DEFAULT,
            id: ApprovalId(7),
            approval,
        }],
        ..mainstay_core::Cut::default()
    };
    store.put(cut).expect("put");
    store.durable(u64::MAX).expect("durable");
    drop(store);
    let path = file_of(dir.path());
    let seen = examine(&path, &mut |_| ()).map(|seen| (seen.ledger, seen.approvals));
    assert_eq!(seen, Ok((2, 1)));
    let sound = fs::read(&path).expect("file");
    for sql in [
        "UPDATE ledger_row SET payload = x'5b5d'",
        "UPDATE ledger_row SET by = 'eve'",
        "UPDATE ledger_row SET key = 'accident'",
        "UPDATE ledger_row SET actor = zeroblob(16)",
        "UPDATE ledger_row SET sequence = sequence + 10",
        "UPDATE approval_row SET id = zeroblob(16)",
        "UPDATE approval_row SET image = x''",
        "UPDATE approval_row SET number = number + 1",
    ] {
        tamper(dir.path(), sql);
        assert!(is_damaged(examine(&path, &mut |_| ())), "{sql}");
        fs::write(&path, &sound).expect("put back");
    }
}

#[test]
fn an_object_that_rots_is_found() {
    let dir = directory();
    let mut world = filled(dir.path());
    let mut store = open(dir.path());
    world.step(mainstay_core::Command::WeighTenant { weight: 3 });
    world.store(&mut store);
    drop(store);
    assert!(live(dir.path()).is_ok());
    for sql in [
        "UPDATE object_row SET key = 'other' WHERE class = 2",
        "UPDATE object_row SET key = '', class = 1 WHERE class = 2",
        "UPDATE object_row SET class = 2, image = x'00' WHERE class = 1",
        "DELETE FROM object_row",
    ] {
        tamper(dir.path(), sql);
        assert!(is_damaged(live(dir.path())), "{sql}");
        assert!(is_damaged(examine(&file_of(dir.path()), &mut |_| ())));
    }
}
