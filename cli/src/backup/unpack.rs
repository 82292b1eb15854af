//! Unpacks the archive of a backup: two files of known names and nothing else, whatever the archive says.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use mainstay::Progress;
use mainstay::ops::{self, Backup, LABEL_FILE, STORE_FILE};

use crate::exit::{Code, Failure};
use crate::ops::{failed, io};

const BLOCK: usize = 512;
/// The label's name until everything else is there.
const LABEL_PASSING: &str = "backup.json.tmp";
/// No label is longer.
const LABEL_BYTES_MAX: u64 = 64 << 10;

/// What the next bytes are.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Header,
    /// Of a file: bytes that are left, and padding after them.
    File {
        left: u64,
        padding: u64,
    },
    /// Nothing but zeros.
    End,
}

/// An archive on its way into a directory. What is not finished is taken away again.
#[derive(Debug)]
pub(super) struct Unpack {
    into: PathBuf,
    made: bool,
    done: bool,
    next: Next,
    header: Vec<u8>,
    file: Option<File>,
    seen: Vec<&'static str>,
}

fn broken(what: impl Into<String>) -> Failure {
    let text = format!("the archive is not one of a backup: {}", what.into());
    Failure::new(Code::NotUnderstood, "answer_not_understood", text)
}

impl Unpack {
    /// Begins with a directory that is not there or empty.
    pub(super) fn begin(into: &Path) -> Result<Unpack, Failure> {
        let told = |error: std::io::Error| io(&error, format!("{}: {error}", into.display()));
        let made = match DirBuilder::new().mode(0o700).create(into) {
            Ok(()) => true,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => false,
            Err(error) => return Err(told(error)),
        };
        if fs::read_dir(into).map_err(told)?.next().is_some() {
            let text = format!("{}: not empty; name another directory", into.display());
            return Err(Failure::new(Code::CannotCreate, "occupied", text));
        }
        Ok(Unpack {
            into: into.to_owned(),
            made,
            done: false,
            next: Next::Header,
            header: Vec::with_capacity(BLOCK),
            file: None,
            seen: Vec::new(),
        })
    }

    /// Takes the archive's next bytes.
    pub(super) fn take(&mut self, mut bytes: &[u8]) -> Result<(), Failure> {
        while !bytes.is_empty() {
            let used = match &mut self.next {
                Next::End => {
                    if bytes.iter().any(|byte| *byte != 0) {
                        return Err(broken("there is something after its end"));
                    }
                    bytes.len()
                }
                Next::Header => {
                    let used = bytes.len().min(BLOCK - self.header.len());
                    self.header.extend_from_slice(&bytes[..used]);
                    used
                }
                Next::File { left, padding } if *left > 0 => {
                    let used =
                        usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                    *left -= used as u64;
                    let rest = (*left, *padding);
                    self.write(&bytes[..used])?;
                    self.close_if_over(rest)?;
                    used
                }
                Next::File { left, padding } => {
                    let used = usize::try_from(*padding).unwrap_or(BLOCK).min(bytes.len());
                    *padding -= used as u64;
                    let rest = (*left, *padding);
                    self.close_if_over(rest)?;
                    used
                }
            };
            bytes = &bytes[used..];
            if self.header.len() == BLOCK {
                self.begin_entry()?;
            }
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let file = self
            .file
            .as_mut()
            .ok_or_else(|| broken("a file without a name"))?;
        file.write_all(bytes)
            .map_err(|error| io(&error, format!("{}: {error}", self.into.display())))
    }

    fn close_if_over(&mut self, (left, padding): (u64, u64)) -> Result<(), Failure> {
        if left == 0
            && let Some(file) = self.file.take()
        {
            file.sync_all()
                .map_err(|error| io(&error, format!("{}: {error}", self.into.display())))?;
        }
        if (left, padding) == (0, 0) {
            self.next = Next::Header;
        }
        Ok(())
    }

    fn begin_entry(&mut self) -> Result<(), Failure> {
        let header = std::mem::take(&mut self.header);
        if header.iter().all(|byte| *byte == 0) {
            self.next = Next::End;
            return Ok(());
        }
        let (name, bytes) = entry_of(&header)?;
        if self.seen.contains(&name) {
            return Err(broken(format!("it holds {name} twice")));
        }
        self.seen.push(name);
        let passing = if name == LABEL_FILE {
            if bytes > LABEL_BYTES_MAX {
                return Err(broken(format!("{name} has {bytes} bytes")));
            }
            LABEL_PASSING
        } else {
            name
        };
        let path = self.into.join(passing);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| io(&error, format!("{}: {error}", path.display())))?;
        self.file = Some(file);
        let padding = bytes.next_multiple_of(BLOCK as u64) - bytes;
        self.next = Next::File {
            left: bytes,
            padding,
        };
        self.close_if_over((bytes, padding))
    }

    /// The archive is over: the label gets its name, and everything is verified.
    pub(super) fn finish(mut self, progress: &mut dyn FnMut(Progress)) -> Result<Backup, Failure> {
        if self.next != Next::End || self.seen.len() != 2 {
            return Err(broken("it ends too early"));
        }
        let into = self.into.clone();
        let told = |error: std::io::Error| io(&error, format!("{}: {error}", into.display()));
        fs::rename(into.join(LABEL_PASSING), into.join(LABEL_FILE)).map_err(told)?;
        File::open(&into)
            .and_then(|directory| directory.sync_all())
            .map_err(told)?;
        let label = ops::verify_backup(&into, progress).map_err(|error| failed(&into, error))?;
        self.done = true;
        Ok(label)
    }
}

impl Drop for Unpack {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        // The first error is the one to tell; without its label it is no backup.
        for name in [LABEL_FILE, LABEL_PASSING, STORE_FILE] {
            let _ = fs::remove_file(self.into.join(name));
        }
        if self.made {
            let _ = fs::remove_dir(&self.into);
        }
    }
}

/// Which of the known files an entry is, and how long.
fn entry_of(header: &[u8]) -> Result<(&'static str, u64), Failure> {
    let text = |from: usize, to: usize| {
        let field = &header[from..to];
        let end = field.iter().position(|byte| *byte == 0);
        String::from_utf8_lossy(&field[..end.unwrap_or(field.len())]).into_owned()
    };
    let told = u32::from_str_radix(text(148, 156).trim(), 8);
    let sum: u32 = header
        .iter()
        .enumerate()
        .map(|(at, byte)| {
            if (148..156).contains(&at) {
                32
            } else {
                u32::from(*byte)
            }
        })
        .sum();
    if told != Ok(sum) {
        return Err(broken("a header's sum does not hold"));
    }
    let name = text(0, 100);
    let known = [LABEL_FILE, STORE_FILE];
    let known = known.into_iter().find(|known| *known == name);
    let is_file = header[156] == b'0' && text(345, 500).is_empty();
    let (Some(known), true) = (known, is_file) else {
        return Err(broken(format!("it holds {name:?}")));
    };
    let bytes = if header[124] & 0x80 != 0 {
        // In binary: the first four bytes say nothing below 2^64.
        let size = header[128..136].try_into().map(u64::from_be_bytes);
        (header[124..128] == [0x80, 0, 0, 0])
            .then_some(size.ok())
            .flatten()
    } else {
        u64::from_str_radix(text(124, 136).trim(), 8).ok()
    };
    let bytes = bytes.filter(|bytes| *bytes < 1 << 62);
    Ok((known, bytes.ok_or_else(|| broken("a size cannot be read"))?))
}

#[cfg(test)]
mod tests;
