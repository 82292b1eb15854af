//! The disk as the file log sees it: a data directory with files that are written, synced and renamed.
//! Owns: the traits `Disk` and `DiskFile`.
//! Never: retries, buffers or hides an error.

use std::io;

/// Why the lock of a data directory was not given.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Someone else holds it.
    #[error("held by {holder}")]
    Held {
        /// What the holder wrote about itself.
        holder: String,
    },
    /// The operation failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A data directory. Names are relative to it, with `/` between, for instance `log/spare-0`; the directory itself
/// is named by the empty string.
pub trait Disk: Clone + Send + Sync + 'static {
    /// An open file.
    type File: DiskFile;
    /// Held for as long as it lives.
    type Lock: Send;
    /// Takes the exclusive lock on file `name`, which is made if it is not there and never removed, and writes
    /// `holder` into it. On a full disk the lock is given all the same, with its holder unknown.
    ///
    /// # Errors
    /// `LockError::Held` at once if someone else holds it.
    fn lock(&self, name: &str, holder: &str) -> Result<Self::Lock, LockError>;
    /// Who holds the lock on `name` now, without taking it. The default cannot tell and answers `None`.
    ///
    /// # Errors
    /// Those of reading.
    fn lock_holder(&self, name: &str) -> io::Result<Option<String>> {
        let _ = name;
        Ok(None)
    }
    /// Makes a directory; one that is there already is fine.
    ///
    /// # Errors
    /// Those of the operating system.
    fn create_dir(&self, name: &str) -> io::Result<()>;
    /// Names in a directory, without the directory's own name, in any order.
    ///
    /// # Errors
    /// `NotFound` if there is no such directory.
    fn list(&self, dir: &str) -> io::Result<Vec<String>>;
    /// Opens a file that is there.
    ///
    /// # Errors
    /// `NotFound` if it is not there.
    fn open(&self, name: &str) -> io::Result<Self::File>;
    /// Makes a new file, open for reading and writing.
    ///
    /// # Errors
    /// `AlreadyExists` if the name is taken.
    fn create(&self, name: &str) -> io::Result<Self::File>;
    /// Renames a file; what had the new name is replaced in the same act.
    ///
    /// # Errors
    /// Those of the operating system.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file.
    ///
    /// # Errors
    /// `NotFound` if it is not there.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes names made, renamed or removed in a directory durable.
    ///
    /// # Errors
    /// Those of the operating system; the names may then be durable or not.
    fn sync_dir(&self, dir: &str) -> io::Result<()>;
    /// Physical sector in bytes, a power of two from 512 to 65536; 4096 if unknown.
    fn sector(&self) -> u32;
    /// Bytes that can still be allocated.
    ///
    /// # Errors
    /// Those of the operating system.
    fn free_bytes(&self) -> io::Result<u64>;
}

/// An open file. All offsets and lengths are in bytes.
#[allow(clippy::len_without_is_empty)] // nobody asks whether a preallocated file is empty
pub trait DiskFile: Send {
    /// Reads from `offset`; returns 0 only at the end of the file.
    ///
    /// # Errors
    /// Those of the operating system.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize>;
    /// Writes the parts one after the other from `offset`. May write less than asked; says how much.
    ///
    /// # Errors
    /// Those of the operating system.
    fn write_at(&self, offset: u64, parts: &[io::IoSlice<'_>]) -> io::Result<usize>;
    /// Reserves space up to `len` and extends the file to it; new bytes read as zero, old ones stay.
    ///
    /// # Errors
    /// Those of the operating system.
    fn allocate(&self, len: u64) -> io::Result<()>;
    /// Cuts or extends the file.
    ///
    /// # Errors
    /// Those of the operating system.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Length of the file.
    ///
    /// # Errors
    /// Those of the operating system.
    fn len(&self) -> io::Result<u64>;
    /// Makes the bytes and the length durable.
    ///
    /// # Errors
    /// Those of the operating system; after one the bytes may be durable or not, and no later call can tell.
    fn sync_data(&self) -> io::Result<()>;
    /// As `sync_data`, and all other metadata of the file.
    ///
    /// # Errors
    /// As `sync_data`.
    fn sync_all(&self) -> io::Result<()>;
}
