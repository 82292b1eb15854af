//! A backup of the whole data directory as an archive.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mainstay::Handle;
use mainstay::ops::OpsError;
use mainstay::store::StoreError;
use mainstay_client::wire;
use tokio::task::spawn_blocking;

use crate::archive::Archive;
use crate::edge::{Exchange, Failure, Pieces, Reply};
use crate::json::Subject;

/// A directory that goes when nobody holds it any more.
struct Outgoing(PathBuf);

impl Drop for Outgoing {
    fn drop(&mut self) {
        // What cannot be removed now is removed at the next start.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A backup on the disk, ready to be sent.
struct Made {
    archive: Archive,
    sequence: u64,
    outgoing: Outgoing,
}

/// `POST /api/v1/backup`.
pub(crate) async fn backup(exchange: Exchange) -> Result<Reply, Failure> {
    let wire::EmptyBody {} = exchange.read(Subject::Request)?;
    let Some(outgoing) = exchange.edge.config.outgoing.clone() else {
        return Err(Failure::not_supported("backup"));
    };
    let turn = exchange.edge.stored.backup_turn()?;
    let handle = exchange.handle().clone();
    // A caller that goes away meanwhile takes nothing with it: what was made is removed once it is there.
    let made = spawn_blocking(move || make(&handle, &outgoing).map(|made| (made, turn))).await;
    let (made, turn) = made.map_err(|_| Failure::internal())??;
    let sequence = made.sequence;
    let (sender, pieces) = Pieces::new(made.archive.length());
    spawn_blocking(move || {
        // A file that cannot be read ends the answer early, which its reader sees by its length.
        let _ = made.archive.write(|piece| sender.send(piece));
        drop((made.outgoing, turn));
    });
    let filename = format!("mainstay-backup-{sequence}.tar");
    Ok(Reply::archive(pieces, filename).at(sequence).unwritten())
}

/// Makes a backup in the one directory that backups are sent from.
fn make(handle: &Handle, outgoing: &Path) -> Result<Made, Failure> {
    let outgoing = Outgoing(outgoing.to_owned());
    let internal = |_: io::Error| Failure::internal();
    fs::create_dir_all(&outgoing.0).map_err(internal)?;
    let backup = handle.backup(&outgoing.0, &mut |_| {});
    let backup = backup.map_err(|error| refused(handle, &error))?;
    Ok(Made {
        archive: Archive::of(&outgoing.0).map_err(internal)?,
        sequence: backup.sequence,
        outgoing,
    })
}

fn refused(handle: &Handle, error: &OpsError) -> Failure {
    match error {
        OpsError::Store(StoreError::Full(_)) => no_room(handle),
        OpsError::Io { error, .. } if error.kind() == io::ErrorKind::StorageFull => no_room(handle),
        OpsError::Behind { .. } => {
            let message = "the store does not catch up with the log; try again";
            Failure::new("busy", message).text("limit", "store_lag")
        }
        _ => Failure::internal(),
    }
}

fn no_room(handle: &Handle) -> Failure {
    Failure::new("storage_full", "there is no room to make a backup in")
        .number("free_bytes", handle.metrics().disk_free_bytes)
}
