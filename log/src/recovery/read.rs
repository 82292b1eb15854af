//! Reading a whole file.
//! Owns: the rule that an unreadable block is an error, never an end.
//! Never: guesses at bytes it could not read.

use std::io;

use crate::disk::DiskFile;
use crate::fault::{Fault, OpenError};

/// Bytes read in one call.
const READ_BYTES: usize = 1 << 20;

/// Reads a file of at most `bytes_max`.
pub(crate) fn read_whole<F: DiskFile>(
    file: &F,
    name: &str,
    bytes_max: u64,
) -> Result<Vec<u8>, OpenError> {
    let (bytes, fault) = read_prefix(file, name, bytes_max)?;
    fault.map_or(Ok(bytes), |fault| Err(fault.into()))
}

/// Reads the first `bytes_max` bytes of a file, or all if it is shorter.
pub(crate) fn read_start<F: DiskFile>(
    file: &F,
    name: &str,
    bytes_max: u64,
) -> Result<Vec<u8>, Fault> {
    let length = file.len().map_err(Fault::at("measure", name))?;
    let mut bytes = vec![0; length.min(bytes_max) as usize];
    let (read, fault) = fill(file, name, &mut bytes);
    bytes.truncate(read);
    fault.map_or(Ok(bytes), Err)
}

/// Reads a file up to its end or to the first block that cannot be read.
pub(crate) fn read_prefix<F: DiskFile>(
    file: &F,
    name: &str,
    bytes_max: u64,
) -> Result<(Vec<u8>, Option<Fault>), Fault> {
    let length = file.len().map_err(Fault::at("measure", name))?;
    let wanted = usize::try_from(length.min(bytes_max)).unwrap_or(usize::MAX);
    let mut bytes = Vec::new();
    if length > bytes_max || bytes.try_reserve_exact(wanted).is_err() {
        let error = io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("{length} bytes are too many to read"),
        );
        return Err(Fault {
            operation: "read",
            file: name.to_owned(),
            error,
        });
    }
    bytes.resize(wanted, 0);
    let (read, fault) = fill(file, name, &mut bytes);
    bytes.truncate(read);
    Ok((bytes, fault))
}

/// Reads into `bytes` up to their end, the file's, or the first block that cannot be read; says how much was read.
fn fill<F: DiskFile>(file: &F, name: &str, bytes: &mut [u8]) -> (usize, Option<Fault>) {
    let mut at = 0;
    while at < bytes.len() {
        let end = bytes.len().min(at + READ_BYTES);
        match file.read_at(at as u64, &mut bytes[at..end]) {
            Ok(0) => break,
            Ok(count) => at += count.min(end - at),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (at, Some(Fault::at("read", name)(error))),
        }
    }
    (at, None)
}
