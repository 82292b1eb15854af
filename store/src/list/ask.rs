//! What can be asked of lists and SQL, and the answers.
//! Owns: the nouns of the reading room.
//! Never: reads anything.

use mainstay_core::{
    ApprovalState, AuditRow, RunId, RunState, TaskId, TaskState, TaskView, TenantId, Text,
    Timestamp, limits::LIST_LIMIT_MAX, limits::LIST_OFFSET_MAX,
};

use crate::StoreError;

/// Whose rows an answer may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One tenant's.
    Tenant(TenantId),
    /// Every tenant's; rows carry theirs.
    All,
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// After this many rows, at most [`LIST_OFFSET_MAX`].
    Offset(u32),
    /// After the row that [`Listed::next_cursor`] stood for.
    Cursor(String),
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Rows at most, 1..=[`LIST_LIMIT_MAX`].
    pub limit: u32,
    /// Where it begins.
    pub from: From,
}

impl Page {
    /// The first rows of a list.
    #[must_use]
    pub fn first(limit: u32) -> Page {
        Page {
            limit,
            from: From::Offset(0),
        }
    }
}

/// Which tasks are listed. Filters are ANDed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskAsk {
    /// Whose.
    pub scope: Scope,
    /// Of this kind.
    pub kind: Option<Text>,
    /// In this queue.
    pub queue: Option<Text>,
    /// With this tag.
    pub tag: Option<Text>,
    /// In this state.
    pub state: Option<TaskState>,
    /// With this parent.
    pub parent: Option<TaskId>,
    /// Created then or later.
    pub created_after: Option<Timestamp>,
    /// Created before.
    pub created_before: Option<Timestamp>,
    /// With these words, each a prefix of a token of its kind, tags, description or errors.
    pub q: Option<String>,
    /// Which page.
    pub page: Page,
}

impl TaskAsk {
    /// Every task of a scope.
    #[must_use]
    pub fn all(scope: Scope, page: Page) -> TaskAsk {
        TaskAsk {
            scope,
            kind: None,
            queue: None,
            tag: None,
            state: None,
            parent: None,
            created_after: None,
            created_before: None,
            q: None,
            page,
        }
    }
}

/// Which runs are listed. Filters are ANDed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunAsk {
    /// Whose.
    pub scope: Scope,
    /// In this state.
    pub state: Option<RunState>,
    /// Of this task.
    pub task: Option<TaskId>,
    /// In this queue.
    pub queue: Option<Text>,
    /// Of this kind.
    pub kind: Option<Text>,
    /// Of tasks with this tag.
    pub tag: Option<Text>,
    /// Held by this worker, or last worked on by it.
    pub worker: Option<Text>,
    /// Whose last ended attempt had this error.
    pub error_code: Option<Text>,
    /// Created then or later.
    pub created_after: Option<Timestamp>,
    /// Created before.
    pub created_before: Option<Timestamp>,
    /// Of tasks with these words, as in [`TaskAsk::q`].
    pub q: Option<String>,
    /// Which page.
    pub page: Page,
}

impl RunAsk {
    /// Every run of a scope.
    #[must_use]
    pub fn all(scope: Scope, page: Page) -> RunAsk {
        RunAsk {
            scope,
            state: None,
            task: None,
            queue: None,
            kind: None,
            tag: None,
            worker: None,
            error_code: None,
            created_after: None,
            created_before: None,
            q: None,
            page,
        }
    }
}

/// A task in a list; lists are ordered by priority, highest first, then creation, then id.
#[derive(Clone, Debug)]
pub struct TaskLine {
    /// Its tenant.
    pub tenant: TenantId,
    /// The task, without its payload and without its runs.
    pub view: TaskView,
}

/// A run in a list; lists are ordered by the instant it is due, then by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunLine {
    /// Its tenant.
    pub tenant: TenantId,
    /// Its id.
    pub id: RunId,
    /// Its task.
    pub task: TaskId,
    /// Which handler.
    pub kind: Text,
    /// Which lane.
    pub queue: Text,
    /// Where it stands.
    pub state: RunState,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it is or was due.
    pub scheduled_at: Timestamp,
    /// Grants so far.
    pub attempt_count: u32,
    /// Its concurrency key.
    pub concurrency_key: Option<Text>,
}

/// A page of a list, all of it as of one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<T> {
    /// The rows; fewer than asked for does not mean that the list ends.
    pub rows: Vec<T>,
    /// Where the next page begins; `None` at the end of the list.
    pub next_cursor: Option<String>,
    /// The last event that the page reflects.
    pub checkpoint: u64,
}

/// Which entries of ledgers are listed: those after an event, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerAsk {
    /// Whose.
    pub scope: Scope,
    /// Of this ledger.
    pub key: Option<Text>,
    /// Only entries with a greater sequence.
    pub after: u64,
    /// Entries at most, 1..=[`LedgerAsk::LIMIT_MAX`]; out of range counts as the nearest bound.
    pub limit: u32,
}

impl LedgerAsk {
    /// Most entries of one page.
    pub const LIMIT_MAX: u32 = LIST_LIMIT_MAX;
}

/// Which approvals are listed: those asked for after an event, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalAsk {
    /// Whose.
    pub scope: Scope,
    /// In this state.
    pub state: Option<ApprovalState>,
    /// Only those asked for after this event.
    pub after: u64,
    /// Approvals at most, 1..=[`ApprovalAsk::LIMIT_MAX`]; out of range counts as the nearest bound.
    pub limit: u32,
}

impl ApprovalAsk {
    /// Most approvals of one page.
    pub const LIMIT_MAX: u32 = LIST_LIMIT_MAX;
}

/// A page of rows in the order of the log, all of it as of one commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AfterPage<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// The event to go on after: everything up to it was looked at.
    pub next: u64,
    /// The last event that the page reflects.
    pub checkpoint: u64,
}

/// Which entries of the audit trail are listed: those after an event, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditAsk {
    /// Whose.
    pub scope: Scope,
    /// Only entries with a greater sequence.
    pub after: u64,
    /// Entries at most, 1..=[`AuditAsk::LIMIT_MAX`]; out of range counts as the nearest bound.
    pub limit: u32,
}

impl AuditAsk {
    /// Most entries of one page.
    pub const LIMIT_MAX: u32 = LIST_LIMIT_MAX;
}

/// A page of the audit trail, all of it as of one commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditPage {
    /// The entries.
    pub rows: Vec<AuditRow>,
    /// The event to go on after: everything up to it was looked at.
    pub next: u64,
    /// The last event that the page reflects.
    pub checkpoint: u64,
    /// The trail holds every act of control after this event.
    pub oldest: u64,
}

/// Why there is no page.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// The cursor is of another log.
    #[error("the cursor is of another log")]
    CursorExpired,
    /// The cursor is not one that this list with these filters gave.
    #[error("the cursor is not one of this list")]
    CursorInvalid,
    /// The limit is not within 1..=[`LIST_LIMIT_MAX`].
    #[error("limit must be between 1 and {LIST_LIMIT_MAX}")]
    Limit,
    /// The offset is above [`LIST_OFFSET_MAX`].
    #[error("offset must not be above {LIST_OFFSET_MAX}; use cursor")]
    Offset,
    /// The search text cannot be searched for; the text says why.
    #[error("{0}")]
    Query(String),
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A question in SQL.
#[derive(Clone, Debug, PartialEq)]
pub struct SqlAsk {
    /// Whose rows it sees.
    pub scope: Scope,
    /// One `SELECT` or `WITH … SELECT` over the documented views.
    pub sql: String,
    /// Values of `?1`, `?2`, …
    pub params: Vec<SqlValue>,
    /// Rows at most, 1..=[`SqlAsk::LIMIT_MAX`]; out of range counts as the nearest bound.
    pub limit: u32,
    /// Milliseconds it may take.
    pub time_ms: u64,
    /// Rows of `events_recent`, for statements that [`SqlAsk::names_events`].
    pub events_recent: Option<Vec<EventLine>>,
}

impl SqlAsk {
    /// Rows unless the caller says otherwise.
    pub const LIMIT_DEFAULT: u32 = 1000;
    /// Rows at most.
    pub const LIMIT_MAX: u32 = 10_000;
    /// Milliseconds unless the caller says otherwise.
    pub const TIME_MS_DEFAULT: u64 = 2000;

    /// A question with every default.
    #[must_use]
    pub fn new(scope: Scope, sql: impl Into<String>) -> SqlAsk {
        SqlAsk {
            scope,
            sql: sql.into(),
            params: Vec::new(),
            limit: Self::LIMIT_DEFAULT,
            time_ms: Self::TIME_MS_DEFAULT,
            events_recent: None,
        }
    }

    /// Whether the statement may name `events_recent`, so that the caller has to fill it.
    #[must_use]
    pub fn names_events(&self) -> bool {
        self.sql.to_ascii_lowercase().contains("events_recent")
    }
}

/// A value of SQL.
#[derive(Clone, Debug, PartialEq)]
pub enum SqlValue {
    /// Nothing.
    Null,
    /// A whole number.
    Integer(i64),
    /// Another number.
    Real(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

/// The answer to a question in SQL, all of it as of one commit.
#[derive(Clone, Debug, PartialEq)]
pub struct SqlAnswer {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// The rows, each with as many values as there are columns.
    pub rows: Vec<Vec<SqlValue>>,
    /// Whether there would be more rows.
    pub truncated: bool,
    /// The last event that the answer reflects.
    pub checkpoint: u64,
}

/// Why a question in SQL has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SqlError {
    /// It is not one `SELECT`, names what is denied, or is not SQL; the text says what, for people.
    #[error("{0}")]
    Refused(String),
    /// It needs more than it may have.
    #[error("the query passed its limit {limit} of {value}")]
    Limit {
        /// `query_ms` or `query_bytes`.
        limit: &'static str,
        /// The limit's value.
        value: u64,
    },
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A row of `events_recent`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventLine {
    /// The event's number.
    pub sequence: u64,
    /// When it happened.
    pub at: Timestamp,
    /// Its public name.
    pub kind: &'static str,
    /// Its tenant.
    pub tenant: TenantId,
    /// The task it is about.
    pub task: Option<TaskId>,
    /// The run it is about.
    pub run: Option<RunId>,
    /// By whom; `None` for the machine itself.
    pub actor: Option<Text>,
}
