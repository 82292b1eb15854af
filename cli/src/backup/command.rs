//! The command: who makes the backup, and what is told of it.

use std::path::Path;

use mainstay::ops::{self, Backup};
use mainstay_log::{Disk, RealDisk};
use serde_json::json;

use super::unpack::Unpack;
use crate::args::{BackupArgs, Global};
use crate::connection::{self, SHORT_PATIENCE};
use crate::exit::{Code, Failure};
use crate::ops::{Bar, failed, instant, size};
use crate::screen::Screen;

/// Makes a backup and tells what is in it.
pub(crate) fn backup(global: &Global, args: &BackupArgs, screen: Screen) -> Result<Code, Failure> {
    let directory = connection::data_dir(global);
    let (made, by) = if is_served(global, &directory) {
        let served = crate::blocking(download(global, &directory, &args.into, screen))?;
        (served, "server")
    } else {
        let mut bar = Bar::new(screen);
        let made = ops::backup_directory(&directory, &args.into, Default::default(), &mut |at| {
            bar.tell(at);
        });
        (
            made.map_err(|error| failed(&directory, error))?,
            "directory",
        )
    };
    tell(screen, &args.into, &made, by);
    Ok(Code::Done)
}

/// Whether a server is named, or somebody holds the directory.
fn is_served(global: &Global, directory: &Path) -> bool {
    let is_named = global.server.is_some() || std::env::var_os("MAINSTAY_URL").is_some();
    is_named
        || RealDisk::open_existing(directory)
            .and_then(|disk| disk.lock_holder("LOCK"))
            .is_ok_and(|holder| holder.is_some())
}

async fn download(
    global: &Global,
    directory: &Path,
    into: &Path,
    screen: Screen,
) -> Result<Backup, Failure> {
    let mut unpack = Unpack::begin(into)?;
    let client = connection::client(global, SHORT_PATIENCE)?;
    let mut stream = client.backup().await?;
    let mut bar = Bar::new(screen);
    let (total, mut done) = (stream.length(), 0);
    while let Some(piece) = stream.next().await? {
        unpack.take(&piece)?;
        done += piece.len() as u64;
        let what = "downloading".to_owned();
        bar.tell(mainstay::Progress { what, done, total });
    }
    let label = unpack.finish(&mut |at| bar.tell(at))?;
    // A server that was found by the directory that it holds must be the one that was asked.
    let extent = RealDisk::open_existing(directory)
        .ok()
        .and_then(|disk| mainstay_log::extent(&disk).ok());
    if let (None, Some(extent)) = (&global.server, extent)
        && std::env::var_os("MAINSTAY_URL").is_none()
        && extent.log_id.to_string() != label.log_id
    {
        return Err(Failure::new(
            Code::Failed,
            "another_log",
            format!(
                "the backup in {} is of log {}, which that server serves, and not of {}; name the server with --server",
                into.display(),
                label.log_id,
                directory.display()
            ),
        ));
    }
    Ok(label)
}

fn tell(screen: Screen, into: &Path, made: &Backup, by: &str) {
    let bytes: u64 = made.files.iter().map(|file| file.bytes).sum();
    if screen.is_json() {
        screen.json(&json!({
            "directory": into, "made_by": by, "log_id": made.log_id, "sequence": made.sequence, "at": instant(made.wall),
            "created_at": instant(made.created_at), "live_rows": made.live_rows, "digest": made.digest, "bytes": bytes,
        }));
        return;
    }
    screen.pairs(&[
        ("backup", into.display().to_string()),
        ("sequence", made.sequence.to_string()),
        ("at", instant(made.wall)),
        ("unfinished", format!("{} rows", made.live_rows)),
        ("size", size(bytes)),
        ("log", made.log_id.clone()),
        ("digest", made.digest.clone()),
    ]);
    screen.line("verified");
}
