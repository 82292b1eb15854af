//! The tables of the store's file, as SQL.
//! Owns: what each column means, the format number, the numbers that tell our files from others.
//! Never: a trigger, or anything that another SQLite client could not read.

/// `PRAGMA application_id` of our files: "Main" in ASCII.
pub(crate) const APPLICATION_ID: i64 = 0x4d61_696e;

/// `PRAGMA user_version`: what this release writes. An older one it knows is brought up to this when it is opened for writing; any other
/// is refused.
pub(crate) const FORMAT: i64 = 3;

/// The oldest format that can be brought up to [`FORMAT`].
pub(crate) const FORMAT_OLDEST: i64 = 1;

/// The first format with objects and parents.
pub(crate) const OBJECTS_SINCE: i64 = 2;

/// The first format with an audit trail, ledgers and approvals.
pub(crate) const TRAIL_SINCE: i64 = 3;

/// Every table and index.
///
/// All instants are milliseconds since 1970. States and results are the codes of the log. Ids are 16 bytes, big endian. A row's number
/// is the sequence of the event that made it, unique over tasks and runs, and is its rowid.
///
/// * `task_row.live`, `run_row.live`: 1 when recovery needs the row.
/// * `task_row.tags`: a JSON array of strings; NULL when there are none.
/// * `task_row.has_text`: 1 when `text` has a row for the task.
/// * `run_row.worker`, `started_at`: of the current attempt, else of the last ended one. `result`, `error_code`, `error_message`: of the
///   last ended one.
/// * `run_row.attempts`: a JSON array of the ended attempts that the row keeps, oldest first, as objects of `number`, `result`,
///   `started_at`, `finished_at`, `worker`, `error_code`, `error_message` (the last two may be missing). NULL when there is none, or when
///   the columns say it all: one ended attempt, its number `attempt_count`, its end `finished_at`, and nobody holds the run.
/// * `run_row.dead`: 1 of a dead letter, NULL of every other run; `fingerprint`: of a run that failed, see `Fingerprint`, as a signed number.
/// * `place_row.dead`: dead letters there.
/// * `task_row.parent`: the id of the task it belongs to.
/// * `approval_row.number`: the event that made it.
/// * `audit_row.sequence`: of the first event of an act of control; `hash`: see `chain_entry`.
/// * `"check"`: see `check_of` and `object_check`; of payloads and keys, see `sqlite/sum.rs`.
/// * The first run of a task mostly has the number after it, and needs no entry in
///   `run_task`, `run_unended` and `run_task_error`.
pub(crate) const TABLES: &str = r#"
CREATE TABLE meta(name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
CREATE TABLE names(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE place_row(
  place INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, queue INTEGER NOT NULL, kind INTEGER NOT NULL,
  c0 INTEGER NOT NULL, c1 INTEGER NOT NULL, c2 INTEGER NOT NULL, c3 INTEGER NOT NULL, c4 INTEGER NOT NULL,
  c5 INTEGER NOT NULL, c6 INTEGER NOT NULL, c7 INTEGER NOT NULL, c8 INTEGER NOT NULL, dead INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE task_row(
  number INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, place INTEGER NOT NULL, id BLOB NOT NULL, state INTEGER NOT NULL,
  live INTEGER NOT NULL, priority INTEGER NOT NULL, created_at INTEGER NOT NULL, canceled_at INTEGER, created_by TEXT,
  description TEXT, tags TEXT, concurrency_key TEXT, has_text INTEGER NOT NULL, parent BLOB, "check" INTEGER NOT NULL,
  image BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX task_id ON task_row(tenant, id);
CREATE INDEX task_state ON task_row(tenant, state, priority DESC, created_at, id);
CREATE INDEX task_place ON task_row(place, state, priority DESC, created_at, id);
CREATE INDEX task_parent ON task_row(tenant, parent, state, priority DESC, created_at, id) WHERE parent IS NOT NULL;
CREATE INDEX task_live ON task_row(number) WHERE live = 1;
CREATE TABLE run_row(
  number INTEGER PRIMARY KEY, task INTEGER NOT NULL, tenant INTEGER NOT NULL, place INTEGER NOT NULL, id BLOB NOT NULL,
  state INTEGER NOT NULL, live INTEGER NOT NULL, scheduled_at INTEGER NOT NULL, created_at INTEGER NOT NULL, finished_at INTEGER,
  attempt_count INTEGER NOT NULL, worker TEXT, started_at INTEGER, result INTEGER, error_code TEXT, error_message TEXT,
  attempts TEXT, "check" INTEGER NOT NULL, image BLOB NOT NULL, dead INTEGER, fingerprint INTEGER
) STRICT;
CREATE UNIQUE INDEX run_id ON run_row(tenant, id);
CREATE INDEX run_state ON run_row(tenant, state, scheduled_at);
CREATE INDEX run_place ON run_row(place, state, scheduled_at);
CREATE INDEX run_error ON run_row(tenant, error_code, scheduled_at) WHERE error_code IS NOT NULL;
CREATE INDEX run_worker ON run_row(tenant, worker, scheduled_at) WHERE state IN (2, 3);
CREATE INDEX run_task ON run_row(task) WHERE task <> number - 1;
CREATE INDEX run_unended ON run_row(task, state) WHERE live = 1 AND task <> number - 1;
CREATE INDEX run_task_error ON run_row(task) WHERE error_code IS NOT NULL AND task <> number - 1;
CREATE INDEX run_live ON run_row(number) WHERE live = 1;
CREATE INDEX run_dead ON run_row(tenant, fingerprint, finished_at, number) WHERE dead = 1;
CREATE INDEX run_dead_at ON run_row(tenant, finished_at, number) WHERE dead = 1;
CREATE INDEX run_dead_number ON run_row(number) WHERE dead = 1;
CREATE INDEX run_ended ON run_row(finished_at, tenant) WHERE finished_at IS NOT NULL;
CREATE TABLE task_tag(tenant INTEGER NOT NULL, tag TEXT NOT NULL, number INTEGER NOT NULL,
  PRIMARY KEY(tenant, tag, number)) STRICT, WITHOUT ROWID;
CREATE TABLE payload_row(number INTEGER PRIMARY KEY, "check" INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT;
CREATE TABLE key_row(tenant INTEGER NOT NULL, class INTEGER NOT NULL, key TEXT NOT NULL, until INTEGER NOT NULL, task BLOB,
  "check" INTEGER NOT NULL, image BLOB NOT NULL, PRIMARY KEY(tenant, class, key)) STRICT, WITHOUT ROWID;
CREATE INDEX key_until ON key_row(until);
CREATE TABLE object_row(class INTEGER NOT NULL, tenant INTEGER NOT NULL, key TEXT NOT NULL, "check" INTEGER NOT NULL,
  image BLOB NOT NULL, PRIMARY KEY(class, tenant, key)) STRICT, WITHOUT ROWID;
CREATE TABLE audit_row(sequence INTEGER PRIMARY KEY, at INTEGER NOT NULL, tenant INTEGER NOT NULL, who TEXT NOT NULL,
  what TEXT NOT NULL, target TEXT, reason TEXT, request_id TEXT, hash BLOB NOT NULL) STRICT;
CREATE INDEX audit_tenant ON audit_row(tenant, sequence);
CREATE TABLE ledger_row(sequence INTEGER PRIMARY KEY, at INTEGER NOT NULL, tenant INTEGER NOT NULL, key TEXT NOT NULL,
  by TEXT NOT NULL, actor BLOB, payload BLOB NOT NULL, "check" INTEGER NOT NULL) STRICT;
CREATE INDEX ledger_tenant ON ledger_row(tenant, sequence);
CREATE INDEX ledger_key ON ledger_row(tenant, key, sequence);
CREATE TABLE approval_row(number INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, id BLOB NOT NULL, state INTEGER NOT NULL,
  image BLOB NOT NULL, "check" INTEGER NOT NULL) STRICT;
CREATE INDEX approval_id ON approval_row(tenant, id);
CREATE INDEX approval_state ON approval_row(tenant, state, number);
CREATE VIRTUAL TABLE text USING fts5(kind, tags, description, error, content='', contentless_delete=1, detail='column',
  tokenize="unicode61 remove_diacritics 2 tokenchars '_-'");
"#;

/// The first format with dead letters.
pub(crate) const DEAD_SINCE: i64 = 3;

/// From format 1 to 2. No row of format 1 has a parent.
pub(crate) const FROM_1: &str = r#"
CREATE TABLE object_row(class INTEGER NOT NULL, tenant INTEGER NOT NULL, key TEXT NOT NULL, "check" INTEGER NOT NULL,
  image BLOB NOT NULL, PRIMARY KEY(class, tenant, key)) STRICT, WITHOUT ROWID;
ALTER TABLE task_row ADD COLUMN parent BLOB;
CREATE INDEX task_parent ON task_row(tenant, parent, state, priority DESC, created_at, id) WHERE parent IS NOT NULL;
CREATE INDEX run_unended ON run_row(task, state) WHERE live = 1 AND task <> number - 1;
CREATE INDEX run_task_error ON run_row(task) WHERE error_code IS NOT NULL AND task <> number - 1;
"#;

/// From format 2 to 3. The audit trail begins with the next commit. Every failed run of format 2 is a dead letter; fingerprints are made
/// afterwards.
pub(crate) const FROM_2: &str = r#"
CREATE TABLE audit_row(sequence INTEGER PRIMARY KEY, at INTEGER NOT NULL, tenant INTEGER NOT NULL, who TEXT NOT NULL,
  what TEXT NOT NULL, target TEXT, reason TEXT, request_id TEXT, hash BLOB NOT NULL) STRICT;
CREATE INDEX audit_tenant ON audit_row(tenant, sequence);
ALTER TABLE place_row ADD COLUMN dead INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run_row ADD COLUMN dead INTEGER;
ALTER TABLE run_row ADD COLUMN fingerprint INTEGER;
UPDATE run_row SET dead = 1 WHERE state = 7;
UPDATE place_row SET dead = (SELECT count(*) FROM run_row r WHERE r.place = place_row.place AND r.state = 7);
CREATE INDEX run_dead ON run_row(tenant, fingerprint, finished_at, number) WHERE dead = 1;
CREATE INDEX run_dead_at ON run_row(tenant, finished_at, number) WHERE dead = 1;
CREATE INDEX run_dead_number ON run_row(number) WHERE dead = 1;
CREATE INDEX run_ended ON run_row(finished_at, tenant) WHERE finished_at IS NOT NULL;
CREATE TABLE ledger_row(sequence INTEGER PRIMARY KEY, at INTEGER NOT NULL, tenant INTEGER NOT NULL, key TEXT NOT NULL,
  by TEXT NOT NULL, actor BLOB, payload BLOB NOT NULL, "check" INTEGER NOT NULL) STRICT;
CREATE INDEX ledger_tenant ON ledger_row(tenant, sequence);
CREATE INDEX ledger_key ON ledger_row(tenant, key, sequence);
CREATE TABLE approval_row(number INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, id BLOB NOT NULL, state INTEGER NOT NULL,
  image BLOB NOT NULL, "check" INTEGER NOT NULL) STRICT;
CREATE INDEX approval_id ON approval_row(tenant, id);
CREATE INDEX approval_state ON approval_row(tenant, state, number);
UPDATE meta SET value = 3 WHERE name = 'format';
DROP VIEW tasks;
DROP VIEW runs;
DROP VIEW attempts;
DROP VIEW queues;
"#;
