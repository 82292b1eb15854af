//! Files of backups and restores: made private, hashed while they are copied, durable when done.
//! Owns: the order of write, sync and rename here.
//! Never: follows a link, or replaces a file that it did not make.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use super::error::OpsError;
use crate::recovery::Progress;

/// Bytes that are read at once.
const CHUNK_BYTES: usize = 1 << 20;

/// A file's length and BLAKE3 hash in hex.
pub(super) type Hashed = (u64, String);

/// Opens a file that is no link.
fn open(path: &Path) -> Result<File, OpsError> {
    let no_follow = rustix::fs::OFlags::NOFOLLOW.bits() as i32;
    OpenOptions::new()
        .read(true)
        .custom_flags(no_follow)
        .open(path)
        .map_err(OpsError::at(path))
}

/// Makes a new file that only its owner may read.
pub(super) fn create(path: &Path) -> Result<File, OpsError> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(OpsError::at(path))
}

/// Reads a small file whole.
pub(super) fn read_small(path: &Path, bytes_max: u64) -> Result<Vec<u8>, OpsError> {
    let mut bytes = Vec::new();
    let read = open(path)?.take(bytes_max + 1).read_to_end(&mut bytes);
    read.map_err(OpsError::at(path))?;
    if bytes.len() as u64 > bytes_max {
        return Err(OpsError::Damaged {
            file: path.to_owned(),
            what: format!("it is longer than {bytes_max} bytes"),
        });
    }
    Ok(bytes)
}

/// Reads a file to its end, hashing it, and hands its pieces on.
fn walk(
    path: &Path,
    what: &str,
    progress: &mut dyn FnMut(Progress),
    piece: &mut dyn FnMut(&[u8]) -> Result<(), OpsError>,
) -> Result<Hashed, OpsError> {
    let mut file = open(path)?;
    let total = file.metadata().map_err(OpsError::at(path))?.len();
    let mut hasher = blake3::Hasher::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut done = 0;
    loop {
        let read = match file.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(OpsError::at(path)(error)),
        };
        hasher.update(&chunk[..read]);
        piece(&chunk[..read])?;
        done += read as u64;
        let what = what.to_owned();
        progress(Progress { what, done, total });
    }
    Ok((done, hasher.finalize().to_hex().to_string()))
}

/// Hashes a file.
pub(super) fn hash(
    path: &Path,
    what: &str,
    progress: &mut dyn FnMut(Progress),
) -> Result<Hashed, OpsError> {
    walk(path, what, progress, &mut |_| Ok(()))
}

/// Copies a file to a new one, durable when this returns, and hashes what was copied.
pub(super) fn copy(
    from: &Path,
    to: &Path,
    what: &str,
    progress: &mut dyn FnMut(Progress),
) -> Result<Hashed, OpsError> {
    let mut target = create(to)?;
    let hashed = walk(from, what, progress, &mut |bytes| {
        target.write_all(bytes).map_err(OpsError::at(to))
    })?;
    target.sync_all().map_err(OpsError::at(to))?;
    Ok(hashed)
}

/// Writes a file under a passing name and gives it its own when it is durable. A file of that name is replaced.
pub(super) fn install(directory: &Path, name: &str, bytes: &[u8]) -> Result<(), OpsError> {
    let (passing, path) = (directory.join(format!("{name}.tmp")), directory.join(name));
    remove(&passing)?;
    let mut file = create(&passing)?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(OpsError::at(&passing))?;
    fs::rename(&passing, &path).map_err(OpsError::at(&path))?;
    sync_directory(directory)
}

/// Removes a file, if it is there.
pub(super) fn remove(path: &Path) -> Result<(), OpsError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(OpsError::at(path)(error)),
        _ => Ok(()),
    }
}

/// Makes the names in a directory durable.
pub(super) fn sync_directory(path: &Path) -> Result<(), OpsError> {
    File::open(path)
        .and_then(|directory| directory.sync_all())
        .map_err(OpsError::at(path))
}

/// Makes a directory that only its owner may read, unless it is there. True when it was made.
pub(super) fn make_directory(path: &Path) -> Result<bool, OpsError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {
            sync_directory(parent_of(path))?;
            Ok(true)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(OpsError::at(path)(error)),
    }
}

fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Names in a directory, in order; none when it is not there.
pub(super) fn names(path: &Path) -> Result<Vec<String>, OpsError> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(OpsError::at(path)(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(OpsError::at(path))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    Ok(names)
}
