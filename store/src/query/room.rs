//! The room of one statement: a connection with its limits, its views, and the gate.
//! Owns: what a statement can see and how much it can take.
//! Never: outlives the statement.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::limits::Limit;

use super::authorize::{Denied, Gate};
use super::views::{PLACES, SCOPED, TENANT, WHOLE};
use crate::library::{limit_time, standing};
use crate::list::{EventLine, Scope, SqlAsk};

/// Bytes of one value. The longest column, the attempts of a run, stays below unless most of its messages are escaped.
pub(super) const VALUE_BYTES_MAX: i32 = 512 << 10;
/// Bytes of a statement.
pub(super) const SQL_BYTES_MAX: i32 = 16 << 10;
/// KiB of pages kept, and of a sort before it goes to a temporary file.
const CACHE_KIB: i64 = 4 << 10;

const LIMITS: &[(Limit, i32)] = &[
    (Limit::SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX),
    (Limit::SQLITE_LIMIT_SQL_LENGTH, SQL_BYTES_MAX),
    (Limit::SQLITE_LIMIT_COLUMN, 100),
    (Limit::SQLITE_LIMIT_EXPR_DEPTH, 100),
    (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 20),
    (Limit::SQLITE_LIMIT_VDBE_OP, 25_000),
    (Limit::SQLITE_LIMIT_FUNCTION_ARG, 20),
    (Limit::SQLITE_LIMIT_ATTACHED, 0),
    (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 200),
    (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 100),
    (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 0),
    (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
];

/// A connection on which one statement may run.
pub(super) struct Room {
    pub(super) conn: Connection,
    pub(super) secret: String,
    pub(super) denied: Denied,
    /// The last event that its rows reflect.
    pub(super) checkpoint: u64,
}

/// A prefix that nobody can guess: 128 bits from the system, by way of the standard library's hash keys.
fn draw_secret() -> String {
    let draw = || RandomState::new().hash_one(std::process::id());
    format!("v{:016x}{:016x}_", draw(), draw())
}

impl Room {
    /// Prepares a connection: from here on it sees one commit, one scope, and nothing else. `None` when nothing was ever committed.
    pub(super) fn new(mut conn: Connection, ask: &SqlAsk) -> rusqlite::Result<Option<Room>> {
        limit_time(&mut conn, Duration::from_millis(ask.time_ms))?;
        conn.pragma_update(None, "cache_size", -CACHE_KIB)?;
        // An index made on the fly could ask the asker's conditions about rows that are not the asker's.
        conn.pragma_update(None, "automatic_index", "OFF")?;
        conn.execute_batch("BEGIN")?;
        let Some((_, checkpoint)) = standing(&conn)? else {
            return Ok(None);
        };
        let secret = draw_secret();
        make_places(&conn, &secret, ask.scope)?;
        make_views(&conn, &secret, ask.scope)?;
        if let Some(events) = &ask.events_recent {
            make_events(&conn, events, ask.scope)?;
        }
        conn.pragma_update(None, "query_only", "ON")?;
        let denied = Denied::default();
        let gate = Gate::new(secret.clone(), names(&conn)?, denied.clone());
        for (limit, value) in LIMITS {
            conn.set_limit(*limit, *value)?;
        }
        conn.authorizer(Some(move |context: rusqlite::hooks::AuthContext<'_>| {
            gate.decide(&context)
        }))?;
        Ok(Some(Room {
            conn,
            secret,
            denied,
            checkpoint,
        }))
    }
}

/// Every name that means something before the statement gives names of its own.
fn names(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut read = conn.prepare(
        "SELECT name FROM main.sqlite_master UNION SELECT name FROM temp.sqlite_master UNION SELECT name FROM pragma_module_list",
    )?;
    let names = read.query_map([], |row| row.get::<_, String>(0))?;
    names
        .map(|name| name.map(|name| name.to_ascii_lowercase()))
        .collect()
}

/// The scope's places with their names, as a table: its rows are all a statement can learn about names.
fn make_places(conn: &Connection, secret: &str, scope: Scope) -> rusqlite::Result<()> {
    conn.execute_batch(&format!(
        "CREATE TEMP TABLE {secret}places(place INTEGER PRIMARY KEY, tenant INTEGER, tenant_id TEXT, queue TEXT, kind TEXT, \
         c0 INTEGER, c1 INTEGER, c2 INTEGER, c3 INTEGER, c4 INTEGER, c5 INTEGER, c6 INTEGER, c7 INTEGER, c8 INTEGER)"
    ))?;
    let only = match scope {
        Scope::All => None,
        Scope::Tenant(tenant) => Some(tenant.to_string()),
    };
    conn.execute(
        &format!(
            "INSERT INTO {secret}places SELECT p.place, p.tenant, t.text, q.text, k.text, p.c0, p.c1, p.c2, p.c3, p.c4, p.c5, p.c6, \
             p.c7, p.c8 FROM main.place_row p JOIN main.names t ON t.id = p.tenant JOIN main.names q ON q.id = p.queue \
             JOIN main.names k ON k.id = p.kind WHERE ?1 IS NULL OR t.text = ?1"
        ),
        [only],
    )?;
    Ok(())
}

/// The number of a tenant among others. `None` when its rows are all there are, so that there is nothing to keep from it.
fn tenant_among_others(conn: &Connection, scope: Scope) -> rusqlite::Result<Option<i64>> {
    let Scope::Tenant(tenant) = scope else {
        return Ok(None);
    };
    let mut read = conn.prepare("SELECT id FROM main.names WHERE text = ?1")?;
    let mut rows = read.query([tenant.to_string()])?;
    // Names are numbered from 1: a tenant without a name has no rows.
    let number: i64 = rows.next()?.map_or(Ok(0), |row| row.get(0))?;
    let mut others = conn.prepare("SELECT 1 FROM main.place_row WHERE tenant <> ?1")?;
    Ok(others.exists([number])?.then_some(number))
}

fn make_views(conn: &Connection, secret: &str, scope: Scope) -> rusqlite::Result<()> {
    let (views, tenant) = match tenant_among_others(conn, scope)? {
        None => (WHOLE, 0),
        Some(number) => (SCOPED, number),
    };
    for (name, body) in views {
        let places = format!("temp.{secret}places");
        let body = body
            .replace(PLACES, &places)
            .replace(TENANT, &tenant.to_string());
        conn.execute_batch(&format!(
            "CREATE TEMP VIEW {secret}{name} AS {body}; CREATE TEMP VIEW {name} AS SELECT * FROM {secret}{name}"
        ))?;
    }
    Ok(())
}

fn make_events(conn: &Connection, events: &[EventLine], scope: Scope) -> rusqlite::Result<()> {
    conn.execute_batch(
        "CREATE TEMP TABLE events_recent(sequence INTEGER PRIMARY KEY, at TEXT, type TEXT, tenant_id TEXT, task_id TEXT, run_id TEXT, \
         actor TEXT)",
    )?;
    let mut insert = conn.prepare(
        "INSERT OR REPLACE INTO temp.events_recent VALUES (?1, strftime('%Y-%m-%dT%H:%M:%fZ', ?2 / 1000.0, 'unixepoch'), ?3, ?4, ?5, ?6, ?7)",
    )?;
    for event in events {
        if matches!(scope, Scope::Tenant(tenant) if tenant != event.tenant) {
            continue;
        }
        insert.execute((
            event.sequence as i64,
            event.at.0 as i64,
            event.kind,
            event.tenant.to_string(),
            event.task.map(|task| task.to_string()),
            event.run.map(|run| run.to_string()),
            event.actor.as_deref(),
        ))?;
    }
    Ok(())
}
