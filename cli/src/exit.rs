//! How the program ends: the exit codes of the contract and what leads to each.

use std::process::ExitCode;

use mainstay_client::Error;
use serde_json::{Value, json};

/// The exit codes. Scripts rely on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// What was asked for is done.
    Done = 0,
    /// The thing asked about failed, or the server refused.
    Failed = 1,
    /// The run was canceled (with `--wait`).
    Canceled = 2,
    /// The command line does not say what is wanted.
    Usage = 64,
    /// The server is not reachable.
    Unreachable = 69,
    /// A file or directory cannot be created or opened.
    CannotCreate = 73,
    /// The storage failed.
    Storage = 74,
    /// Another process holds the data directory.
    Held = 75,
    /// The key does not allow it.
    NotAllowed = 77,
    /// A configuration or a format is not understood.
    NotUnderstood = 78,
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> ExitCode {
        ExitCode::from(code as u8)
    }
}

/// An end that is no success, with what to tell.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) code: Code,
    /// The stable name of what went wrong, for `--json`.
    pub(crate) name: String,
    pub(crate) message: String,
    pub(crate) details: Value,
}

impl Failure {
    /// A failure that this program found itself.
    pub(crate) fn new(code: Code, name: &str, message: impl Into<String>) -> Failure {
        Failure {
            code,
            name: name.to_owned(),
            message: message.into(),
            details: json!({}),
        }
    }

    /// The command line is not usable.
    pub(crate) fn usage(message: impl Into<String>) -> Failure {
        Failure::new(Code::Usage, "usage", message)
    }

    /// The envelope that `--json` writes.
    pub(crate) fn envelope(&self) -> Value {
        json!({"error": self.name, "message": self.message, "details": self.details})
    }

    /// The line for people.
    pub(crate) fn sentence(&self) -> String {
        format!("mainstay: {}", self.message)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        match &error {
            Error::Refused(refusal) => {
                let mut message = error.to_string();
                if refusal.status == 401 {
                    message += "; give a key with --key, MAINSTAY_API_KEY or --data-dir (the directory with admin.key)";
                }
                Failure {
                    code: of_refusal(refusal.status, &refusal.code),
                    name: refusal.code.clone(),
                    message,
                    details: refusal.details.clone(),
                }
            }
            Error::Transport { .. } => {
                let message =
                    format!("{error}; is `mainstay serve` running there? (--server, MAINSTAY_URL)");
                Failure::new(Code::Unreachable, "unreachable", message)
            }
            Error::Answer(_) => Failure::new(
                Code::NotUnderstood,
                "answer_not_understood",
                error.to_string(),
            ),
            Error::Setup(_) => {
                Failure::new(Code::NotUnderstood, "configuration", error.to_string())
            }
        }
    }
}

/// The exit code for a refusal by the server.
fn of_refusal(status: u16, code: &str) -> Code {
    match (status, code) {
        (401 | 403, _) => Code::NotAllowed,
        (503, "commit_unknown" | "storage_full") => Code::Storage,
        (429 | 502 | 503 | 504, _) => Code::Unreachable,
        _ => Code::Failed,
    }
}

/// The exit code for the state in which a run ended.
pub(crate) fn of_state(state: &str) -> Code {
    match state {
        "completed" => Code::Done,
        "canceled" => Code::Canceled,
        _ => Code::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_end_with_the_code_of_the_contract() {
        assert_eq!(of_refusal(401, "unauthorized"), Code::NotAllowed);
        assert_eq!(of_refusal(403, "forbidden"), Code::NotAllowed);
        assert_eq!(of_refusal(404, "run_not_found"), Code::Failed);
        assert_eq!(of_refusal(422, "invalid_task"), Code::Failed);
        assert_eq!(of_refusal(503, "busy"), Code::Unreachable);
        assert_eq!(of_refusal(503, "storage_full"), Code::Storage);
    }

    #[test]
    fn a_waited_for_run_ends_the_program_with_its_own_outcome() {
        assert_eq!(of_state("completed") as u8, 0);
        assert_eq!(of_state("failed") as u8, 1);
        assert_eq!(of_state("canceled") as u8, 2);
    }

    #[test]
    fn an_absent_server_is_69_and_a_bad_address_78() {
        let away = Error::Transport {
            message: "refused".into(),
            definite: true,
        };
        assert_eq!(Failure::from(away).code, Code::Unreachable);
        assert_eq!(
            Failure::from(Error::Setup("https".into())).code,
            Code::NotUnderstood
        );
    }
}
