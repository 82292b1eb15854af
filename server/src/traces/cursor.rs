//! Up to which event spans were sent, in a small file: a start goes on there, and what it sends again has the ids it had.

use std::io;
use std::path::{Path, PathBuf};

/// How far behind a start may be; what is older is left out.
const BEHIND_MAX: u64 = 1_000_000;

/// The file, if there is one.
pub(super) struct Cursor {
    path: Option<PathBuf>,
    log: String,
    saved: u64,
}

impl Cursor {
    pub(super) fn new(path: Option<PathBuf>, log: String) -> Cursor {
        Cursor {
            path,
            log,
            saved: 0,
        }
    }

    /// Where to begin: after what was sent, if the file speaks of this log; else after `now`.
    pub(super) fn begin(&mut self, now: u64) -> u64 {
        let told = self.path.as_deref().and_then(|path| read(path, &self.log));
        let begin = told
            .filter(|sequence| *sequence <= now)
            .map_or(now, |sequence| sequence.max(now.saturating_sub(BEHIND_MAX)));
        self.saved = begin;
        begin
    }

    /// Remembers that spans were sent up to here.
    pub(super) fn save(&mut self, sequence: u64) {
        let Some(path) = self.path.as_deref().filter(|_| sequence > self.saved) else {
            return;
        };
        match write(path, &self.log, sequence) {
            Ok(()) => self.saved = sequence,
            Err(error) => {
                tracing::warn!(%error, "the cursor of traces could not be written; a start may send spans again");
            }
        }
    }
}

fn read(path: &Path, log: &str) -> Option<u64> {
    let text = std::fs::read_to_string(path).ok()?;
    let (told, sequence) = text.trim_end().split_once(' ')?;
    (told == log).then(|| sequence.parse().ok())?
}

/// Whole or not at all. It need not outlive a loss of power: then spans are sent again.
fn write(path: &Path, log: &str, sequence: u64) -> io::Result<()> {
    let beside = path.with_extension("tmp");
    std::fs::write(&beside, format!("{log} {sequence}\n"))?;
    std::fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::Cursor;

    #[test]
    fn a_start_goes_on_where_the_last_one_ended_in_the_same_log() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("traces.cursor");
        let of = |log: &str| Cursor::new(Some(path.clone()), log.to_owned());
        assert_eq!(of("a").begin(7), 7);
        let mut cursor = of("a");
        cursor.begin(7);
        cursor.save(9);
        cursor.save(8);
        assert_eq!(of("a").begin(20), 9);
        assert_eq!(of("b").begin(20), 20);
        assert_eq!(of("a").begin(5), 5, "the log lost its end");
        assert_eq!(of("a").begin(3_000_000), 2_000_000);
        std::fs::write(&path, "nonsense").expect("written");
        assert_eq!(of("a").begin(7), 7);
        assert_eq!(Cursor::new(None, "a".into()).begin(7), 7);
    }
}
