//! `restore`: a data directory made from a backup.

use mainstay::ops;
use serde_json::json;

use crate::args::{Global, RestoreArgs};
use crate::connection;
use crate::exit::{Code, Failure};
use crate::ops::{Bar, failed, instant};
use crate::screen::Screen;

/// Verifies the backup, makes the directory, and tells what it holds.
pub(crate) fn restore(
    global: &Global,
    args: &RestoreArgs,
    screen: Screen,
) -> Result<Code, Failure> {
    let directory = connection::data_dir(global);
    let mut bar = Bar::new(screen);
    let restored = ops::restore(&args.backup, &directory, &mut |at| bar.tell(at));
    drop(bar);
    let restored = restored.map_err(|error| failed(&directory, error))?;
    let backup = &restored.backup;
    if screen.is_json() {
        screen.json(&json!({
            "directory": restored.directory, "log_id": restored.log_id, "from_log_id": backup.log_id,
            "sequence": backup.sequence, "at": instant(backup.wall), "digest": backup.digest,
        }));
        return Ok(Code::Done);
    }
    screen.pairs(&[
        ("data directory", restored.directory.display().to_string()),
        ("sequence", backup.sequence.to_string()),
        ("at", instant(backup.wall)),
        (
            "log",
            format!("{} (was {})", restored.log_id, backup.log_id),
        ),
        ("digest", backup.digest.clone()),
    ]);
    screen.line(&format!(
        "restored; start it: mainstay serve --data-dir {}",
        restored.directory.display()
    ));
    Ok(Code::Done)
}
