//! The one shape of every error.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Every error of the API.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The stable code, such as `lease_lost`.
    pub error: String,
    /// Text for people.
    pub message: String,
    /// What a program may want to read.
    #[serde(default)]
    pub details: serde_json::Map<String, serde_json::Value>,
}

impl fmt::Display for ErrorBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.error)
    }
}

impl std::error::Error for ErrorBody {}
