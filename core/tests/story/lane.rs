//! The verbs of the direct lane: `move`, `hold`, `keep`, `expire`, `let_go`, `start`, `end`.

use mainstay_core::{AttemptId, Command, FinishOutcome, RunError, RunState, Text, Timestamp};

use super::line::Line;
use super::verbs::{SHARED, bytes, text};
use super::world::World;

fn state(line: &Line, name: &str) -> Result<RunState, String> {
    let state = RunState::from_name(line.get(name)?);
    state.ok_or_else(|| format!("`{name}` is not a state"))
}

impl World {
    pub(super) fn move_run(&mut self, line: &Line) -> Result<String, String> {
        line.only(&[&["run", "from", "to"][..], &SHARED].concat())?;
        let command = Command::TransitionRun {
            run: self.run(line)?,
            expected: state(line, "from")?,
            to: state(line, "to")?,
        };
        Ok(self.answer(line, line.get("run")?, command))
    }

    /// A lease by hand: taken, kept, expired or given back. `until=` is its end.
    pub(super) fn lease(&mut self, line: &Line) -> Result<String, String> {
        line.only(&[&["run", "owner", "for", "until"][..], &SHARED].concat())?;
        let run = self.run(line)?;
        let owner = text(line, "owner").unwrap_or_else(|| Text::from("w"));
        let expires_at = self.instant(line, "until")?.unwrap_or(Timestamp(0));
        let command = match line.verb.as_str() {
            "hold" => Command::AcquireLease {
                run,
                owner,
                lease_ms: line.span("for")?,
            },
            "keep" => Command::RenewLease {
                run,
                owner,
                expires_at,
            },
            "expire" => Command::ExpireLease {
                run,
                owner,
                expires_at,
            },
            _ => Command::ReleaseLease {
                run,
                owner,
                expires_at,
            },
        };
        Ok(self.answer(line, line.get("run")?, command))
    }

    pub(super) fn start_attempt(&mut self, line: &Line) -> Result<String, String> {
        line.only(&[&["run"][..], &SHARED].concat())?;
        let run = self.run(line)?;
        Ok(self.answer(line, line.get("run")?, Command::StartAttempt { run }))
    }

    /// The end of attempt `attempt=`, well or `as=` something else.
    pub(super) fn end_attempt(&mut self, line: &Line) -> Result<String, String> {
        line.only(&[&["run", "attempt", "as", "output", "code"][..], &SHARED].concat())?;
        let run = self.run(line)?;
        let number = line.number("attempt")?.ok_or("`end` needs `attempt=`")?;
        let outcome = match line.find("as").unwrap_or("success") {
            "success" => FinishOutcome::Success,
            "failure" => FinishOutcome::Failure,
            "suspended" => FinishOutcome::Suspended,
            "canceled" => FinishOutcome::Canceled,
            "released" => FinishOutcome::Released,
            other => return Err(format!("`{other}` is not an outcome")),
        };
        let error = text(line, "code").map(|code| {
            Box::new(RunError {
                code,
                message: Text::from(""),
                retryable: true,
            })
        });
        let command = Command::FinishAttempt {
            run,
            attempt: AttemptId::derive(run, number),
            outcome,
            output: bytes(line, "output"),
            error,
        };
        Ok(self.answer(line, line.get("run")?, command))
    }
}
