//! Every view is answered by walks that begin with the tenant.

use rusqlite::Connection;

use super::room::Room;
use crate::list::{Scope, SqlAsk};
use crate::{SqliteOptions, SqliteStore, file_of};
use mainstay_core::TenantId;

/// A store with a place of each of two tenants.
fn room_of_one_among_two() -> (tempfile::TempDir, Room) {
    let dir = tempfile::tempdir().expect("a directory");
    drop(SqliteStore::open(dir.path(), "log", SqliteOptions::default()).expect("a store"));
    let conn = Connection::open(file_of(dir.path())).expect("a connection");
    let other = TenantId(9);
    conn.execute_batch(&format!(
        "INSERT INTO names VALUES (1, '{}'), (2, '{other}'), (3, 'default'); \
         INSERT INTO place_row VALUES (0, 1, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), (1, 2, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)",
        TenantId::DEFAULT
    ))
    .expect("two places");
    let ask = SqlAsk::new(Scope::Tenant(TenantId::DEFAULT), "");
    let room = Room::new(conn, &ask).expect("a room").expect("a store");
    (dir, room)
}

#[test]
fn no_statement_of_a_tenant_reaches_a_row_by_its_number() {
    let (_dir, mut room) = room_of_one_among_two();
    let none: Option<fn(rusqlite::hooks::AuthContext<'_>) -> rusqlite::hooks::Authorization> = None;
    room.conn
        .authorizer(none)
        .expect("the gate is taken away to look at plans");
    for sql in [
        "SELECT * FROM tasks",
        "SELECT count(*) FROM tasks",
        "SELECT * FROM tasks WHERE number = 5",
        "SELECT * FROM tasks WHERE number = 5 OR number = 6",
        "SELECT * FROM tasks WHERE id_key = x'00' OR number = 6",
        "SELECT * FROM tasks WHERE kind = 'a' OR state = 'failed' ORDER BY number",
        "SELECT max(number) FROM tasks",
        "SELECT * FROM runs WHERE number = 5 OR worker = 'w' OR error_code = 'e'",
        "SELECT * FROM runs WHERE id_key = x'00' OR task_key = x'00'",
        "SELECT * FROM runs a JOIN tasks b ON a.task_key = b.id_key AND b.number < a.number",
        "SELECT * FROM tasks a JOIN tasks b ON a.number = b.number",
        "SELECT * FROM attempts WHERE run_key = x'00' OR number = 7",
    ] {
        let mut explain = room
            .conn
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .expect("a plan");
        let steps = explain
            .query_map([], |row| row.get::<_, String>(3))
            .expect("steps");
        for step in steps {
            let step = step.expect("a step");
            // A run leads to its own task by number, and a row to its own place; nothing else does. Rows of a table are read as
            // `t` and `r`, those of places as `p`.
            let alone = !sql.contains("runs");
            let by_number = step.starts_with("SEARCH r USING INTEGER PRIMARY KEY")
                || alone && step.starts_with("SEARCH t USING INTEGER PRIMARY KEY");
            assert!(!by_number, "{sql}: {step}");
            assert!(
                !step.contains("MULTI-INDEX OR") || !sql.contains("number = 6"),
                "{sql}: {step}"
            );
            assert!(!step.contains("AUTOMATIC"), "{sql}: {step}");
        }
    }
}
