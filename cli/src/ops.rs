//! What the commands on whole data directories have in common: how they fail, how far they are, how they write an instant.

use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use mainstay::ops::OpsError;
use mainstay::store::StoreError;
use mainstay::{OpenError, Progress};

use crate::exit::{Code, Failure};
use crate::screen::Screen;
use crate::serve::refused;

/// How an operation on this directory that came to nothing ends the program.
pub(crate) fn failed(directory: &Path, error: OpsError) -> Failure {
    let text = error.to_string();
    let (code, name) = match error {
        OpsError::Open(error) => return refused(directory, &error),
        OpsError::Log(error) => return refused(directory, &OpenError::Log(error)),
        OpsError::Occupied { .. } => (Code::CannotCreate, "occupied"),
        OpsError::Absent { .. } => (Code::NotUnderstood, "not_found"),
        OpsError::Format { .. } | OpsError::Store(StoreError::Format { .. }) => {
            (Code::NotUnderstood, "format")
        }
        OpsError::Damaged { .. } | OpsError::Replay { .. } => (Code::Failed, "damage"),
        OpsError::Store(StoreError::Damaged(_) | StoreError::Foreign { .. }) => {
            (Code::Failed, "damage")
        }
        OpsError::Unreached { .. } => (Code::Failed, "unreached"),
        OpsError::Store(_) | OpsError::Behind { .. } => (Code::Storage, "storage_fault"),
        OpsError::Io { error, .. } => return io(&error, text),
        OpsError::NoDirectory | OpsError::Entropy(_) => (Code::CannotCreate, "cannot_create"),
    };
    Failure::new(code, name, text)
}

/// How a file that cannot be read or written ends the program.
pub(crate) fn io(error: &std::io::Error, text: String) -> Failure {
    use std::io::ErrorKind::{
        AlreadyExists, NotADirectory, NotFound, PermissionDenied, ReadOnlyFilesystem,
    };
    match error.kind() {
        NotFound | AlreadyExists | NotADirectory | PermissionDenied | ReadOnlyFilesystem => {
            Failure::new(Code::CannotCreate, "cannot_create", text)
        }
        _ => Failure::new(Code::Storage, "storage_fault", text),
    }
}

/// Between two drawings.
const DRAW_EVERY: Duration = Duration::from_millis(100);

/// A line on the terminal that tells how far long work is; nothing where nobody looks.
pub(crate) struct Bar {
    bar: ProgressBar,
    drawn: Instant,
}

impl Bar {
    pub(crate) fn new(screen: Screen) -> Bar {
        let target = if screen.draws_progress() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Bar {
            bar: ProgressBar::with_draw_target(Some(0), target),
            drawn: Instant::now(),
        }
    }

    /// Hears how far the work is.
    pub(crate) fn tell(&mut self, progress: Progress) {
        if self.drawn.elapsed() < DRAW_EVERY {
            return;
        }
        self.drawn = Instant::now();
        let template = match progress.total {
            0 => "{msg}: {pos}",
            _ => "{msg} {bar:40} {percent}% {eta}",
        };
        let style = ProgressStyle::with_template(template);
        self.bar
            .set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        self.bar.set_message(progress.what);
        self.bar.set_length(progress.total);
        self.bar.set_position(progress.done);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// An instant as text: RFC 3339 in UTC with milliseconds.
pub(crate) fn instant(ms: u64) -> String {
    let at = i64::try_from(ms)
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    at.map_or_else(
        || format!("{ms} ms"),
        |at| at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
    )
}

/// A size as people read it.
pub(crate) fn size(bytes: u64) -> String {
    indicatif::BinaryBytes(bytes).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_has_milliseconds_and_is_in_utc() {
        assert_eq!(instant(1_790_000_000_007), "2026-09-21T14:13:20.007Z");
        assert_eq!(instant(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(instant(u64::MAX), format!("{} ms", u64::MAX));
    }
}
