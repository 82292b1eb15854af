//! Bodies of the event feed.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One durable event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its number in the log: the cursor that goes on after it.
    pub sequence: u64,
    /// When it happened.
    pub at: String,
    /// Its type, such as `run_completed`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its tenant; for system keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    /// The task it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_id: Option<String>,
    /// The run it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// By whom; absent for the machine itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// What else it says, by type.
    pub data: Map<String, Value>,
}

/// `GET /api/v1/events`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventPage {
    /// The events, in order.
    pub events: Vec<Event>,
    /// The cursor that goes on from here.
    pub next: u64,
}
