//! The real disk: a data directory of the operating system.
//! Owns: file modes, no-follow opens, the advisory lock, the sector query.
//! Never: decides anything about the log.

use std::fs::{DirBuilder, File, TryLockError};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{AtFlags, FallocateFlags, Mode, OFlags};
use rustix::io::Errno;

use super::seam::{Disk, DiskFile, LockError};
use crate::fault::is_full;
use crate::options::sector_is_valid;

/// Parts of one vectored write that Linux takes at most.
const PARTS_MAX: usize = 1024;
/// Bytes of a lock file that are shown as its holder.
const HOLDER_BYTES_MAX: u64 = 512;
const SECTOR_BYTES_UNKNOWN: u32 = 4096;

/// A data directory on a real file system. Directories are made with mode 0700, files with mode 0600; symbolic links
/// are not followed.
#[derive(Clone, Debug)]
pub struct RealDisk {
    root: Arc<OwnedFd>,
    sector: u32,
}

impl RealDisk {
    /// Opens the data directory at `path`; it is made if it is not there (its parent must be).
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn open(path: impl AsRef<Path>) -> io::Result<RealDisk> {
        let path = path.as_ref();
        match DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => sync_parent(path)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        RealDisk::open_existing(path)
    }

    /// Opens a data directory that must be there already; makes nothing.
    ///
    /// # Errors
    /// `NotFound` if it is not there.
    pub fn open_existing(path: impl AsRef<Path>) -> io::Result<RealDisk> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(path.as_ref(), flags, Mode::empty())?;
        let sector = sector_of(&root).unwrap_or(SECTOR_BYTES_UNKNOWN);
        Ok(RealDisk {
            root: Arc::new(root),
            sector,
        })
    }

    fn open_at(&self, name: &str, flags: OFlags) -> io::Result<File> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(File::from(rustix::fs::openat(
            &*self.root,
            name,
            flags,
            Mode::RUSR | Mode::WUSR,
        )?))
    }

    fn open_dir(&self, name: &str) -> io::Result<OwnedFd> {
        let name = if name.is_empty() { "." } else { name };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(&*self.root, name, flags, Mode::empty())?)
    }
}

/// A directory just made must itself survive a power cut before anything in it can.
fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

fn sector_of(root: &OwnedFd) -> Option<u32> {
    let device = rustix::fs::fstat(root).ok()?.st_dev;
    let block = format!(
        "/sys/dev/block/{}:{}",
        rustix::fs::major(device),
        rustix::fs::minor(device)
    );
    // A partition has no queue of its own: its disk is one directory up.
    let text = ["queue", "../queue"].iter().find_map(|queue| {
        std::fs::read_to_string(format!("{block}/{queue}/physical_block_size")).ok()
    })?;
    let bytes = text.trim().parse::<u32>().ok()?.max(512);
    sector_is_valid(bytes).then_some(bytes)
}

fn holder_text(file: &File) -> String {
    let mut bytes = Vec::new();
    // The text is advice only: whatever cannot be read is left out.
    let _ = file.take(HOLDER_BYTES_MAX).read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes).trim().to_owned();
    if text.is_empty() {
        String::from("an unknown process")
    } else {
        text
    }
}

/// The exclusive lock of a data directory; released when dropped or when the process ends.
#[derive(Debug)]
pub struct RealLock {
    _file: File,
}

impl Disk for RealDisk {
    type File = RealFile;
    type Lock = RealLock;

    fn lock(&self, name: &str, holder: &str) -> Result<RealLock, LockError> {
        let mut file = self.open_at(name, OFlags::RDWR | OFlags::CREATE)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Held {
                    holder: holder_text(&file),
                });
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        // If the name was removed and made again in between, this would be a lock on a file nobody else looks at.
        let named = rustix::fs::statat(&*self.root, name, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(io::Error::from)?;
        if named.st_ino != file.metadata()?.ino() {
            return Err(LockError::Io(io::Error::other(
                "the lock file was replaced while it was being locked",
            )));
        }
        let process = rustix::process::getpid().as_raw_nonzero();
        let text = format!("process {process}: {holder}\n");
        // Over the old name, and cut only then: a file that has its block needs no room.
        let written = file
            .write_all(text.as_bytes())
            .and_then(|()| file.set_len(text.len() as u64));
        match written {
            // The lock is held on a full disk too. Best effort: no name is better than that of another.
            Err(error) if is_full(&error) => drop(file.set_len(0)),
            written => written?,
        }
        Ok(RealLock { _file: file })
    }

    fn lock_holder(&self, name: &str) -> io::Result<Option<String>> {
        let file = match self.open_at(name, OFlags::RDONLY) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        // Trying the lock would take it for a moment from a process that is just starting.
        let wanted = format!(":{}", file.metadata()?.ino());
        let locks = std::fs::read_to_string("/proc/locks")?;
        let held = locks.lines().any(|line| {
            line.contains(" FLOCK ")
                && line
                    .split_whitespace()
                    .any(|field| field.ends_with(&wanted))
        });
        Ok(held.then(|| holder_text(&file)))
    }

    fn create_dir(&self, name: &str) -> io::Result<()> {
        match rustix::fs::mkdirat(&*self.root, name, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::new(self.open_dir(dir)?)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy();
            if name != "." && name != ".." {
                names.push(name.into_owned());
            }
        }
        Ok(names)
    }

    fn open(&self, name: &str) -> io::Result<RealFile> {
        let opened =
            self.open_at(name, OFlags::RDWR)
                .or_else(|error| match Errno::from_io_error(&error) {
                    // Inspection must work on a directory that may only be read.
                    Some(Errno::ROFS | Errno::ACCESS | Errno::PERM) => {
                        self.open_at(name, OFlags::RDONLY)
                    }
                    _ => Err(error),
                });
        opened.map(|file| RealFile { file })
    }

    fn create(&self, name: &str) -> io::Result<RealFile> {
        let file = self.open_at(name, OFlags::RDWR | OFlags::CREATE | OFlags::EXCL)?;
        Ok(RealFile { file })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(rustix::fs::renameat(&*self.root, from, &*self.root, to)?)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&*self.root, name, AtFlags::empty())?)
    }

    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        Ok(rustix::fs::fsync(self.open_dir(dir)?)?)
    }

    fn sector(&self) -> u32 {
        self.sector
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let space = rustix::fs::fstatvfs(&*self.root)?;
        Ok(space.f_bavail.saturating_mul(space.f_frsize))
    }
}

/// A file of a [`RealDisk`].
#[derive(Debug)]
pub struct RealFile {
    file: File,
}

impl DiskFile for RealFile {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(into, offset)
    }

    fn write_at(&self, offset: u64, parts: &[io::IoSlice<'_>]) -> io::Result<usize> {
        let parts = &parts[..parts.len().min(PARTS_MAX)];
        Ok(rustix::io::pwritev(&self.file, parts, offset)?)
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        match rustix::fs::fallocate(&self.file, FallocateFlags::empty(), 0, len) {
            Ok(()) => Ok(()),
            // Without preallocation in the file system a hole of zeros serves; only full disks show later.
            Err(Errno::OPNOTSUPP | Errno::NOSYS) if self.len()? < len => self.file.set_len(len),
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn sync_data(&self) -> io::Result<()> {
        // Not `File::sync_data`: the standard library retries a sync that was interrupted.
        Ok(rustix::fs::fdatasync(&self.file)?)
    }

    fn sync_all(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.file)?)
    }
}
