//! Bodies that change a task, and their answers: update, dependencies, further runs, subscriptions, events.

use serde::{Deserialize, Serialize};

use super::object;
use super::submit::RunPolicySpec;
use super::text::Str;
use super::words::RunState;

/// Body of `PATCH /api/v1/tasks/{task_id}`: what is absent stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskPatch<'a> {
    /// Higher first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// All its tags from now on.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<Str<'a>>>,
    /// Text for people; empty takes it away.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Str<'a>>,
    /// Another cron for a cron task.
    #[serde(
        borrow,
        default,
        deserialize_with = "object::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub run_policy: Option<RunPolicySpec<'a>>,
    /// Whether a cron task's schedule stops for a while.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
    /// Why; kept in the audit trail.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Str<'a>>,
}

/// Body of `POST /api/v1/tasks/{task_id}/dependencies`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dependencies<'a> {
    /// Its further prerequisites, at least one.
    #[serde(borrow)]
    pub depends_on: Vec<Str<'a>>,
    /// Why; kept in the audit trail.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Str<'a>>,
}

/// Answer of `POST /api/v1/tasks/{task_id}/dependencies`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DependenciesDeclared {
    /// The task.
    pub task_id: String,
    /// Prerequisites that are not completed.
    pub unmet: u32,
}

/// Body of `POST /api/v1/tasks/{task_id}/runs`: all of it optional.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRun<'a> {
    /// Chosen by the client; minted when absent.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<Str<'a>>,
    /// When it is due (RFC 3339); now when absent.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub scheduled_at: Option<Str<'a>>,
    /// Must be `scheduled`: every run begins there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<RunState>,
    /// Why; kept in the audit trail.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Str<'a>>,
}

/// Body of `POST /api/v1/tasks/{task_id}/subscriptions`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscribe<'a> {
    /// What the task waits to hear of.
    #[serde(borrow, deserialize_with = "object::one")]
    pub filter: FilterSpec<'a>,
    /// Chosen by the client; minted when absent.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub subscription_id: Option<Str<'a>>,
}

/// What a subscription waits for: each type has fields of its own.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilterSpec<'a> {
    /// `task_completed`, `run_state_changed`, `budget_threshold` or `custom`.
    #[serde(borrow, rename = "type")]
    pub kind: Str<'a>,
    /// Of all but `custom`: the task.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub task_id: Option<Str<'a>>,
    /// Of `run_state_changed`: the state a run comes to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<RunState>,
    /// Of `budget_threshold`: the budget.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub dimension: Option<Str<'a>>,
    /// Of `budget_threshold`: how much of its limit is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u32>,
    /// Of `custom`: the event's key.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Str<'a>>,
}

/// Answer of `POST /api/v1/tasks/{task_id}/subscriptions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscribed {
    /// The subscription.
    pub subscription_id: String,
}

/// Answer of `DELETE /api/v1/subscriptions/{subscription_id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsubscribed {
    /// The subscription.
    pub subscription_id: String,
    /// `canceled`.
    pub status: String,
}

/// Answer of `POST /api/v1/custom-events`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Triggered {
    /// How many subscriptions it met.
    pub triggered: u32,
}

/// Body of `POST /api/v1/schedule/preview`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreviewBody<'a> {
    /// The schedule.
    #[serde(borrow, deserialize_with = "object::one")]
    pub run_policy: RunPolicySpec<'a>,
    /// How many instants, 1..=1000; 10 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u32>,
}

/// Answer of `POST /api/v1/schedule/preview` and `GET /api/v1/tasks/{task_id}/schedule`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurrences {
    /// The coming instants, the earliest first.
    pub occurrences: Vec<String>,
}
