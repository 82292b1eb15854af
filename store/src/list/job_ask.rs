//! What those who administer jobs ask of lists, and the answers.
//! Owns: the nouns of jobs, of dead letters and of acts on many runs.
//! Never: reads anything.

use mainstay_core::{
    Action, Fingerprint, RunId, RunState, Selection, TaskId, TenantId, Text, Timestamp,
};

use super::ask::{Page, Scope};

/// Which runs those who administer jobs see. Filters are ANDed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobAsk {
    /// Whose.
    pub scope: Scope,
    /// In this state.
    pub state: Option<RunState>,
    /// Only those that have ended, by their end, instead of all by their creation.
    pub ended: bool,
    /// Of this kind.
    pub kind: Option<Text>,
    /// Of tasks with these words, as in [`TaskAsk::q`](super::TaskAsk::q).
    pub q: Option<String>,
    /// Rows at most.
    pub limit: u32,
    /// Rows left out before them.
    pub offset: u64,
}

/// A run as those who administer jobs see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobLine {
    /// Its tenant.
    pub tenant: TenantId,
    /// Its id.
    pub id: RunId,
    /// Which handler.
    pub kind: Text,
    /// Where it stands.
    pub state: RunState,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Grants so far.
    pub attempt_count: u32,
    /// Its task's: higher first.
    pub priority: i32,
    /// The error's code of its last ended attempt.
    pub error_code: Option<Text>,
    /// The error's text of its last ended attempt.
    pub error_message: Option<Text>,
}

/// A page of such runs, all of it as of one commit, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobPage {
    /// The rows.
    pub rows: Vec<JobLine>,
    /// How many match, on all pages together.
    pub total: u64,
    /// The last event that the page reflects.
    pub checkpoint: u64,
}

/// Which dead letters are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadAsk {
    /// Whose.
    pub scope: Scope,
    /// Which of them; a state says nothing here.
    pub filter: Selection,
    /// Which page of them; of groups, how many.
    pub page: Page,
}

/// Dead letters that failed alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadGroup {
    /// What they have in common.
    pub fingerprint: Fingerprint,
    /// How many.
    pub count: u64,
    /// When the last of them failed.
    pub last_at: Timestamp,
    /// Which handler.
    pub kind: Text,
    /// The last of them.
    pub last: RunId,
    /// Its error's code.
    pub error_code: Option<Text>,
    /// Its error's text.
    pub error_message: Option<Text>,
}

/// Groups of dead letters, all as of one commit, the largest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeadGroups {
    /// The groups.
    pub groups: Vec<DeadGroup>,
    /// Letters of all groups together, those that are not shown among them.
    pub total: u64,
    /// The last event that they reflect.
    pub checkpoint: u64,
}

/// One dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its tenant.
    pub tenant: TenantId,
    /// The run's id.
    pub id: RunId,
    /// Its task.
    pub task: TaskId,
    /// Which handler.
    pub kind: Text,
    /// Which lane.
    pub queue: Text,
    /// What it has in common with others that failed alike.
    pub fingerprint: Fingerprint,
    /// The error's code of its last ended attempt.
    pub error_code: Option<Text>,
    /// The error's text of its last ended attempt.
    pub error_message: Option<Text>,
    /// Grants.
    pub attempt_count: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was due.
    pub scheduled_at: Timestamp,
    /// When it failed for good.
    pub failed_at: Timestamp,
}

/// Which runs an act on many is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchAsk {
    /// Whose.
    pub scope: Scope,
    /// What is to be done: it says which runs there are to choose from.
    pub action: Action,
    /// Which of them.
    pub filter: Selection,
    /// Those with greater numbers.
    pub after: u64,
    /// Those with numbers up to this one.
    pub through: u64,
    /// Of dead letters, those that had failed by then.
    pub until: Timestamp,
    /// Runs at most.
    pub limit: u32,
}

/// A run that matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Matched {
    /// Its number.
    pub number: u64,
    /// Its id.
    pub id: RunId,
    /// Bytes of its task's payload, about.
    pub payload_bytes: u64,
}

/// How many runs match, as of one commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matches {
    /// How many.
    pub total: u64,
    /// The first of them.
    pub first: Vec<Matched>,
    /// The last event that the commit reflects.
    pub through: u64,
    /// Recorded time of that event.
    pub until: Timestamp,
}
