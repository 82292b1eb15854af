//! What operators send and are answered.

use serde::{Deserialize, Serialize};

use super::{RunState, Str};

/// Body of `POST /api/v1/runs/{run_id}/retry`: all of it optional.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetryRun<'a> {
    /// Why; kept in the audit trail.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Str<'a>>,
    /// Refused as `previous_state_mismatch` unless the run is in this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_state: Option<RunState>,
}

/// Body of `POST /admin/jobs/retry-all` and `/admin/jobs/dead-letter/clear`: all of it optional.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeadJobs<'a> {
    /// Only those of this kind.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub job_type: Option<Str<'a>>,
    /// Only those with this fingerprint.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Str<'a>>,
    /// Nothing happens; the answer says how many it would be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// Refused as `expected_count_mismatch` unless it is so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_count: Option<u64>,
    /// Why; kept in the audit trail.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Str<'a>>,
}

/// Answer of a retry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRetried {
    /// The run that takes the dead letter's place.
    pub run_id: String,
    /// The dead letter.
    pub retry_of: String,
}
