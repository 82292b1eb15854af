//! Copies the store while it is written: one commit, as one file that stands by itself.
//! Owns: the copy's mode and its way to the disk.
//! Never: holds up the writer; its write-ahead log grows meanwhile, because the copy reads an older commit.

use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::fault::{OrFault, Outcome};
use super::known::read_base;
use super::open::{open_reader, pragma, sync_dir};
use crate::seam::{Base, StoreError};

/// Pages between two calls of `progress`.
const PAGES_PER_STEP: i32 = 1024;

/// Copies the store in the file `from` to the new file `to`, which must not exist, and gives what it holds. The copy is one commit, is
/// durable when this returns, and has no write-ahead log beside it. `progress` is told how many pages are done, and of how many.
///
/// # Errors
/// [`StoreError::Full`], [`StoreError::Medium`], [`StoreError::Damaged`]; what was copied by then is removed.
pub fn copy_store(
    from: &Path,
    to: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Base, StoreError> {
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)
        .or_fault()?;
    let copied = copy(from, to, progress);
    if copied.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(to);
    }
    copied
}

fn copy(from: &Path, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Outcome<Base> {
    let mut source = open_reader(from, 8 << 10)?;
    // One read transaction around all steps: every page is of the same commit, whatever is written meanwhile.
    let view = source.transaction().or_fault()?;
    let base = read_base(&view)?;
    let mut target = Connection::open(to).or_fault()?;
    pragma(&target, "journal_mode", "OFF")?;
    pragma(&target, "synchronous", "OFF")?;
    {
        let backup = Backup::new(&view, &mut target).or_fault()?;
        loop {
            let step = backup.step(PAGES_PER_STEP).or_fault()?;
            let state = backup.progress();
            let total = state.pagecount.max(0) as u64;
            progress(
                total - state.remaining.clamp(0, state.pagecount) as u64,
                total,
            );
            match step {
                StepResult::Done => break,
                StepResult::More => {}
                _ => return Err(StoreError::Medium(String::from("the source is locked"))),
            }
        }
    }
    // The copied header still says that a write-ahead log may stand beside the file.
    pragma(&target, "journal_mode", "DELETE")?;
    target
        .close()
        .map_err(|(_, error)| super::fault::fault(&error))?;
    fs::File::open(to)
        .and_then(|file| file.sync_all())
        .or_fault()?;
    sync_dir(to.parent().unwrap_or(Path::new(".")))?;
    Ok(base)
}
