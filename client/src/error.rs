//! What can go wrong with a call: a refusal by the server, or no certain answer at all.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

/// Why a call did not give what it was asked for.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The server answered with its error envelope.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// There was no answer.
    #[error("{message}")]
    Transport {
        /// What happened, for people.
        message: String,
        /// True when the request certainly never reached the server, so that nothing can have happened.
        definite: bool,
    },
    /// There was an answer, but it is not one of Mainstay's.
    #[error("the answer is not understood: {0}")]
    Answer(String),
    /// The client was set up in a way that cannot work.
    #[error("{0}")]
    Setup(String),
}

/// The server's error envelope with what came beside it.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The stable code, such as `run_not_found`.
    pub code: String,
    /// Text for people.
    pub message: String,
    /// What a program may want to read.
    pub details: Value,
    /// How long the server asks to wait before the next try.
    pub retry_after: Option<Duration>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

/// The envelope as it is written.
#[derive(Deserialize)]
struct Envelope {
    error: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    details: Value,
}

impl Refusal {
    /// Reads an answer that is no success. An answer without the envelope (a proxy's page, `/ready`) gets code `http_<status>`.
    pub(crate) fn read(status: u16, retry_after: Option<Duration>, body: &[u8]) -> Refusal {
        match serde_json::from_slice::<Envelope>(body) {
            Ok(envelope) => Refusal {
                status,
                code: envelope.error,
                message: envelope.message,
                details: envelope.details,
                retry_after,
            },
            Err(_) => Refusal {
                status,
                code: format!("http_{status}"),
                message: excerpt(body),
                details: Value::Null,
                retry_after,
            },
        }
    }
}

/// The beginning of a body as one line.
fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(200)]);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Error {
    /// The stable code when the server refused.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.refusal().map(|refusal| refusal.code.as_str())
    }

    /// The refusal, when it is one.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Error::Refused(refusal) => Some(refusal),
            Error::Transport { .. } | Error::Answer(_) | Error::Setup(_) => None,
        }
    }

    /// Whether nothing has happened for certain and the same call may work later: the server is away, starting or busy.
    #[must_use]
    pub fn is_not_now(&self) -> bool {
        match self {
            Error::Transport { definite, .. } => *definite,
            Error::Refused(refusal) => {
                matches!(refusal.status, 429 | 503) && refusal.code != "commit_unknown"
            }
            Error::Answer(_) | Error::Setup(_) => false,
        }
    }

    /// Whether nobody knows if the call had its effect: only a call that may be repeated safely is tried again.
    #[must_use]
    pub fn is_uncertain(&self) -> bool {
        match self {
            Error::Transport { definite, .. } => !*definite,
            Error::Refused(refusal) => {
                refusal.code == "commit_unknown" || matches!(refusal.status, 408 | 500 | 502 | 504)
            }
            Error::Answer(_) => true,
            Error::Setup(_) => false,
        }
    }

    /// Whether the server could not be reached at all.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Error::Transport { .. })
    }

    /// How long the server asks to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.refusal()?.retry_after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, body: &str) -> Error {
        Error::Refused(Box::new(Refusal::read(status, None, body.as_bytes())))
    }

    #[test]
    fn the_envelope_is_read_with_its_details() {
        let error = refused(
            404,
            r#"{"error":"run_not_found","message":"run not found","details":{"run_id":"x"}}"#,
        );
        assert_eq!(error.code(), Some("run_not_found"));
        assert_eq!(
            error.refusal().map(|r| r.details["run_id"].clone()),
            Some("x".into())
        );
        assert_eq!(error.to_string(), "run_not_found: run not found");
    }

    #[test]
    fn an_answer_without_the_envelope_gets_a_code_of_its_own() {
        let error = refused(502, "<html>\n  bad   gateway</html>");
        assert_eq!(error.code(), Some("http_502"));
        assert!(error.to_string().contains("bad gateway"));
        assert!(error.is_uncertain());
    }

    #[test]
    fn busy_means_nothing_happened_and_commit_unknown_does_not() {
        assert!(refused(503, r#"{"error":"busy","message":"","details":{}}"#).is_not_now());
        let unknown = refused(
            503,
            r#"{"error":"commit_unknown","message":"","details":{"sequence":3}}"#,
        );
        assert!(!unknown.is_not_now());
        assert!(unknown.is_uncertain());
    }
}
