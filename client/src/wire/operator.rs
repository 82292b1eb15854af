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

/// Answer of a retry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRetried {
    /// The run that takes the dead letter's place.
    pub run_id: String,
    /// The dead letter.
    pub retry_of: String,
}
