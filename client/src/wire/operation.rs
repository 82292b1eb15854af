//! Bodies of acts on many runs, and of the list of dead letters.

use serde::{Deserialize, Serialize};

use super::object;
use super::text::Str;

/// Which runs are acted on; what is absent says nothing.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunFilter<'a> {
    /// In this state.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub state: Option<Str<'a>>,
    /// Of this task.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub task_id: Option<Str<'a>>,
    /// In this queue.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<Str<'a>>,
    /// Of this kind.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Str<'a>>,
    /// Of tasks with this tag.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<Str<'a>>,
    /// Held by this worker, or last worked on by it.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<Str<'a>>,
    /// Whose last ended attempt had this error.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<Str<'a>>,
    /// Dead letters with this fingerprint.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Str<'a>>,
    /// Created then or later.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub created_after: Option<Str<'a>>,
    /// Created before.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub created_before: Option<Str<'a>>,
    /// Of tasks with these words.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub q: Option<Str<'a>>,
}

impl RunFilter<'_> {
    /// What it says, by name.
    pub fn pairs(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [
            ("state", &self.state),
            ("task_id", &self.task_id),
            ("queue", &self.queue),
            ("kind", &self.kind),
            ("tag", &self.tag),
            ("worker", &self.worker),
            ("error_code", &self.error_code),
            ("fingerprint", &self.fingerprint),
            ("created_after", &self.created_after),
            ("created_before", &self.created_before),
            ("q", &self.q),
        ];
        all.into_iter()
            .filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }
}

/// Body of `POST /api/v1/bulk`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bulk<'a> {
    /// `cancel`, `retry` or `resume`.
    #[serde(borrow)]
    pub action: Str<'a>,
    /// Which runs, of those that the action can be about.
    #[serde(borrow, deserialize_with = "object::one")]
    pub filter: RunFilter<'a>,
    /// Nothing happens; the answer says how many and which come first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// Refused as `expected_count_mismatch` unless so many match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_count: Option<u64>,
    /// Why; kept in the audit trail.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Str<'a>>,
}

/// Body of `POST /api/v1/dead-letters/clear`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClearDeadLetters<'a> {
    /// Which dead letters.
    #[serde(borrow, deserialize_with = "object::one")]
    pub filter: RunFilter<'a>,
    /// Nothing happens; the answer says how many and which come first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// Refused as `expected_count_mismatch` unless so many match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_count: Option<u64>,
    /// Why; kept in the audit trail.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Str<'a>>,
}

/// What a dry run would act on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkPreview {
    /// What would be done.
    pub action: String,
    /// How many runs match.
    pub matched: u64,
    /// The first of them.
    pub run_ids: Vec<String>,
}

/// A run that an operation could not act on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedRun {
    /// The run.
    pub run_id: String,
    /// Why: an error code, or `already_canceled` or `already_terminal`.
    pub code: String,
}

/// What is done, or was, to many runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// The operation.
    pub operation_id: String,
    /// Its tenant.
    pub tenant_id: String,
    /// `cancel`, `retry`, `resume` or `clear`.
    pub action: String,
    /// To which runs.
    pub filter: serde_json::Map<String, serde_json::Value>,
    /// Why.
    pub reason: Option<String>,
    /// `running`, `done` or `canceled`.
    pub state: String,
    /// How many runs matched when it began.
    pub matched: u64,
    /// How many were acted on.
    pub done: u64,
    /// How many were refused.
    pub refused_total: u64,
    /// The first of them.
    pub refused: Vec<RefusedRun>,
    /// When it began.
    pub created_at: String,
    /// By whom.
    pub created_by: String,
    /// When it ended.
    pub finished_at: Option<String>,
}

/// `GET /api/v1/bulk`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OperationList {
    /// The operations, the newest first.
    pub operations: Vec<Operation>,
    /// Rows at most.
    pub limit: u32,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
}

/// A run that failed for good, and was neither tried again nor cleared away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// The run.
    pub run_id: String,
    /// Its task.
    pub task_id: String,
    /// Its tenant.
    pub tenant_id: String,
    /// Which handler.
    pub kind: String,
    /// Which lane.
    pub queue: String,
    /// What it has in common with others that failed alike.
    pub fingerprint: String,
    /// The error's code of its last ended attempt.
    pub error_code: Option<String>,
    /// The error's text of its last ended attempt.
    pub error_message: Option<String>,
    /// How often it was granted.
    pub attempt_count: u32,
    /// When it was made.
    pub created_at: String,
    /// When it was due.
    pub scheduled_at: String,
    /// When it failed for good.
    pub failed_at: String,
}

/// Dead letters that failed alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetterGroup {
    /// What they have in common.
    pub fingerprint: String,
    /// Which handler.
    pub kind: String,
    /// The error's code of one of them.
    pub error_code: Option<String>,
    /// The error's text of one of them.
    pub error_message: Option<String>,
    /// How many there are.
    pub count: u64,
    /// When the last of them failed.
    pub last_at: String,
    /// The last of them.
    pub last_run_id: String,
}

/// `GET /api/v1/dead-letters`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetterList {
    /// The letters, the last that failed first.
    pub dead_letters: Vec<DeadLetter>,
    /// Rows at most.
    pub limit: u32,
    /// Rows left out before them.
    pub offset: u32,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
}

/// `GET /api/v1/dead-letters?group=fingerprint`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetterGroups {
    /// The groups, the largest first.
    pub groups: Vec<DeadLetterGroup>,
    /// Letters of all groups together, also of those that are not shown.
    pub total: u64,
}

/// Answer of `DELETE /api/v1/dead-letters/{run_id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetterCleared {
    /// The run.
    pub run_id: String,
    /// `cleared`.
    pub status: String,
}
