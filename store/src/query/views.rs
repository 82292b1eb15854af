//! The views for people, as SQL that any SQLite from 3.51.3 on understands.
//! Owns: their names and columns, which are the wire names of the HTTP API.
//! Never: a function that is not built into SQLite, or a column that would change its meaning.
//!
//! | view | one row for |
//! |---|---|
//! | `tasks` | a task: `number, id, id_key, tenant_id, kind, queue, priority, state, description, tags, concurrency_key, created_at, created_by, canceled_at, parent_task_id, parent_key` |
//! | `runs` | a run: `number, run_id, id_key, task_id, task_key, tenant_id, kind, queue, state, created_at, scheduled_at, finished_at, attempt_count, worker, started_at, result, error_code, error_message, concurrency_key` |
//! | `attempts` | an attempt that its run keeps: `run_id, run_key, tenant_id, kind, queue, number, result, started_at, finished_at, worker, error_code, error_message`; `result` and `finished_at` are null while it goes on |
//! | `queues` | a queue with its runs by state; terminal states count for life: `tenant_id, queue, kinds, scheduled, ready, leased, running, retry_wait, suspended, completed, failed, canceled` |
//!
//! Ids are UUID text, instants RFC 3339 text in UTC with milliseconds, states and results words, tags a JSON array. `worker` and
//! `started_at` of a run are those of its current attempt, else of its last; `result` and the error those of the last ended attempt.
//!
//! The text of an id is computed, so no index knows it. `id_key`, `run_key`, `task_key` and `parent_key` are the same ids as blobs, and an index does:
//! `WHERE id_key = unhex(replace('01890000-0000-7000-8000-000000000001', '-', ''))`.
//!
//! For a tenant among others that is one step into the index. Where a statement sees every row there is (system keys, the only tenant
//! of a store, the file itself) SQLite may walk the whole index of ids instead, because it begins with the tenant: about a tenth of a
//! second for a million rows.
//!
//! `number` rises with creation. It is an index for system keys and for the only tenant of a store (`ORDER BY number DESC LIMIT 10` gives
//! the newest at once); for a tenant among others it is not, because a way in by number would lead past rows of others.

/// A UUID as text.
macro_rules! uuid {
    ($column:literal) => {
        concat!(
            "lower(substr(hex(",
            $column,
            "),1,8)||'-'||substr(hex(",
            $column,
            "),9,4)||'-'||substr(hex(",
            $column,
            "),13,4)||'-'||substr(hex(",
            $column,
            "),17,4)||'-'||substr(hex(",
            $column,
            "),21))"
        )
    };
}

/// Milliseconds as text; null stays null.
macro_rules! instant {
    ($column:literal) => {
        concat!(
            "strftime('%Y-%m-%dT%H:%M:%fZ',",
            $column,
            "/1000.0,'unixepoch')"
        )
    };
}

macro_rules! task_state {
    ($column:literal) => {
        concat!("CASE ", $column, " WHEN 0 THEN 'active' WHEN 1 THEN 'completed' WHEN 2 THEN 'failed' WHEN 3 THEN 'canceled' \
             WHEN 4 THEN 'waiting_for_children' END")
    };
}

macro_rules! run_state {
    ($column:literal) => {
        concat!(
            "CASE ", $column, " WHEN 0 THEN 'scheduled' WHEN 1 THEN 'ready' WHEN 2 THEN 'leased' WHEN 3 THEN 'running' \
             WHEN 4 THEN 'retry_wait' WHEN 5 THEN 'suspended' WHEN 6 THEN 'completed' WHEN 7 THEN 'failed' WHEN 8 THEN 'canceled' END"
        )
    };
}

macro_rules! result {
    ($column:literal) => {
        concat!(
            "CASE ", $column, " WHEN 0 THEN 'success' WHEN 1 THEN 'failure' WHEN 2 THEN 'timeout' WHEN 3 THEN 'lease_expired' \
             WHEN 4 THEN 'suspended' WHEN 5 THEN 'released' WHEN 6 THEN 'canceled' END"
        )
    };
}

/// Places with their names: what the file's own views join with.
macro_rules! named_places {
    () => {
        "(SELECT p.place, p.tenant, t.text AS tenant_id, q.text AS queue, k.text AS kind, p.c0, p.c1, p.c2, p.c3, p.c4, p.c5, p.c6, \
         p.c7, p.c8 FROM place_row p JOIN names t ON t.id = p.tenant JOIN names q ON q.id = p.queue JOIN names k ON k.id = p.kind)"
    };
}

macro_rules! tasks {
    ($number:literal, $places:expr, $scope:literal) => {
        concat!(
            "SELECT ",
            $number,
            "t.number AS number, ",
            uuid!("t.id"),
            " AS id, t.id AS id_key, p.tenant_id, p.kind, p.queue, t.priority, ",
            task_state!("t.state"),
            " AS state, t.description, ifnull(t.tags, '[]') AS tags, t.concurrency_key, ",
            instant!("t.created_at"),
            " AS created_at, t.created_by, ",
            instant!("t.canceled_at"),
            " AS canceled_at, iif(t.parent IS NULL, NULL, ",
            uuid!("t.parent"),
            ") AS parent_task_id, t.parent AS parent_key ",
            "FROM task_row t JOIN ",
            $places,
            " p ON p.place = t.place AND p.tenant = t.tenant WHERE ",
            $scope
        )
    };
}

macro_rules! runs {
    ($number:literal, $places:expr, $scope:literal) => {
        concat!(
            "SELECT ",
            $number,
            "r.number AS number, ",
            uuid!("r.id"),
            " AS run_id, r.id AS id_key, ",
            uuid!("t.id"),
            " AS task_id, t.id AS task_key, p.tenant_id, p.kind, p.queue, ",
            run_state!("r.state"),
            " AS state, ",
            instant!("r.created_at"),
            " AS created_at, ",
            instant!("r.scheduled_at"),
            " AS scheduled_at, ",
            instant!("r.finished_at"),
            " AS finished_at, r.attempt_count, r.worker, ",
            instant!("r.started_at"),
            " AS started_at, ",
            result!("r.result"),
            " AS result, r.error_code, r.error_message, t.concurrency_key ",
            "FROM run_row r JOIN task_row t ON t.number = r.task AND t.tenant = r.tenant JOIN ",
            $places,
            " p ON p.place = r.place AND p.tenant = r.tenant WHERE ",
            $scope
        )
    };
}

/// Attempts come from JSON when a run had several; otherwise the run's columns say it all. The one on its way comes beside them.
macro_rules! attempts {
    ($number:literal, $places:expr, $scope:literal) => {
        concat!(
            "SELECT ", uuid!("r.id"), " AS run_id, r.id AS run_key, p.tenant_id, p.kind, p.queue, a.value->>'number' AS number, ",
            result!("(a.value->>'result')"), " AS result, ", instant!("(a.value->>'started_at')"), " AS started_at, ",
            instant!("(a.value->>'finished_at')"), " AS finished_at, a.value->>'worker' AS worker, ",
            "a.value->>'error_code' AS error_code, a.value->>'error_message' AS error_message ",
            "FROM run_row r JOIN ", $places, " p ON p.place = r.place AND p.tenant = r.tenant JOIN json_each(r.attempts) a WHERE ", $scope,
            " UNION ALL SELECT ", uuid!("r.id"), ", r.id, p.tenant_id, p.kind, p.queue, r.attempt_count, ", result!("r.result"), ", ",
            instant!("r.started_at"), ", ", instant!("r.finished_at"), ", r.worker, r.error_code, r.error_message ",
            "FROM run_row r JOIN ", $places, " p ON p.place = r.place AND p.tenant = r.tenant WHERE ", $scope,
            " AND r.attempts IS NULL AND r.result IS NOT NULL",
            " UNION ALL SELECT ", uuid!("r.id"), ", r.id, p.tenant_id, p.kind, p.queue, r.attempt_count, NULL, ",
            instant!("r.started_at"), ", NULL, r.worker, NULL, NULL ",
            "FROM run_row r JOIN ", $places, " p ON p.place = r.place AND p.tenant = r.tenant WHERE ", $scope, " AND r.state IN (2, 3)"
        )
    };
}

macro_rules! queues {
    ($places:expr) => {
        concat!(
            "SELECT p.tenant_id, p.queue, count(*) AS kinds, sum(p.c0) AS scheduled, sum(p.c1) AS ready, sum(p.c2) AS leased, ",
            "sum(p.c3) AS running, sum(p.c4) AS retry_wait, sum(p.c5) AS suspended, sum(p.c6) AS completed, sum(p.c7) AS failed, ",
            "sum(p.c8) AS canceled FROM ", $places, " p GROUP BY p.tenant_id, p.queue"
        )
    };
}

/// The views of the file itself, for people with an SQLite client of their own.
pub(crate) const VIEWS: &str = concat!(
    "CREATE VIEW tasks AS ",
    tasks!("", named_places!(), "true"),
    ";\n",
    "CREATE VIEW runs AS ",
    runs!("", named_places!(), "true"),
    ";\n",
    "CREATE VIEW attempts AS ",
    attempts!("", named_places!(), "true"),
    ";\n",
    "CREATE VIEW queues AS ",
    queues!(named_places!()),
    ";\n",
);

/// What stands for the table of places in [`SCOPED`] and [`WHOLE`].
pub(super) const PLACES: &str = "@places@";
/// What stands for the tenant's number in [`SCOPED`].
pub(super) const TENANT: &str = "@tenant@";

/// The views by name, over one tenant's rows. Rows of others are never reached, not even by a condition of the asker: every index that
/// a condition could choose begins with the tenant or a place of the tenant, and `number` is no way into a table.
pub(super) const SCOPED: [(&str, &str); 4] = [
    ("tasks", tasks!("+", "@places@", "t.tenant = @tenant@")),
    (
        "runs",
        runs!(
            "+",
            "@places@",
            "r.tenant = @tenant@ AND t.tenant = @tenant@"
        ),
    ),
    ("attempts", attempts!("", "@places@", "r.tenant = @tenant@")),
    ("queues", queues!("@places@")),
];

/// The views by name, over every row there is.
pub(super) const WHOLE: [(&str, &str); 4] = [
    ("tasks", tasks!("", "@places@", "true")),
    ("runs", runs!("", "@places@", "true")),
    ("attempts", attempts!("", "@places@", "true")),
    ("queues", queues!("@places@")),
];
