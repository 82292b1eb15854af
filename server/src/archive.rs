//! A directory as a tar archive (ustar), of a length known before its first byte.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use bytes::{Bytes, BytesMut};

const BLOCK: usize = 512;
/// Bytes read from a file at once.
const PIECE: usize = 256 << 10;
/// The archive's end: two empty blocks.
const END: usize = 2 * BLOCK;
/// Sizes from here on do not fit eleven octal digits.
const OCTAL_MAX: u64 = 1 << 33;

/// A directory that is going to be an archive. Its files must not change meanwhile.
#[derive(Debug)]
pub(crate) struct Archive {
    root: PathBuf,
    entries: Vec<Entry>,
    length: u64,
}

#[derive(Debug)]
struct Entry {
    /// Relative to the root, with slashes; directories end with one.
    path: String,
    size: u64,
    modified_s: u64,
}

impl Archive {
    /// Everything in a directory, in order of names.
    pub(crate) fn of(root: &Path) -> io::Result<Archive> {
        let mut archive = Archive {
            root: root.to_owned(),
            entries: Vec::new(),
            length: END as u64,
        };
        archive.add_directory("")?;
        Ok(archive)
    }

    /// Bytes of the archive.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    fn add_directory(&mut self, path: &str) -> io::Result<()> {
        let mut names = Vec::new();
        for found in fs::read_dir(self.root.join(path))? {
            let name = found?.file_name().into_string();
            names.push(name.map_err(|_| io::Error::other("a file name is not UTF-8"))?);
        }
        names.sort_unstable();
        for name in names {
            let path = format!("{path}{name}");
            let meta = fs::symlink_metadata(self.root.join(&path))?;
            let modified = meta.modified()?.duration_since(UNIX_EPOCH);
            let modified_s = modified.map_or(0, |span| span.as_secs());
            if meta.is_dir() {
                let path = format!("{path}/");
                self.add(Entry {
                    path: path.clone(),
                    size: 0,
                    modified_s,
                })?;
                self.add_directory(&path)?;
            } else if meta.is_file() {
                self.add(Entry {
                    path,
                    size: meta.len(),
                    modified_s,
                })?;
            } else {
                return Err(io::Error::other(format!(
                    "{path} is neither a file nor a directory"
                )));
            }
        }
        Ok(())
    }

    fn add(&mut self, entry: Entry) -> io::Result<()> {
        split(&entry.path)?;
        self.length += BLOCK as u64 + entry.size + padding(entry.size) as u64;
        self.entries.push(entry);
        Ok(())
    }

    /// Hands out the archive piece by piece, until `send` refuses one.
    pub(crate) fn write(&self, mut send: impl FnMut(Bytes) -> bool) -> io::Result<()> {
        for entry in &self.entries {
            if !send(Bytes::copy_from_slice(&header(entry)?)) {
                return Ok(());
            }
            if entry.size > 0 && !self.write_file(entry, &mut send)? {
                return Ok(());
            }
        }
        send(Bytes::from_static(&[0; END]));
        Ok(())
    }

    fn write_file(&self, entry: &Entry, send: &mut impl FnMut(Bytes) -> bool) -> io::Result<bool> {
        let mut file = File::open(self.root.join(&entry.path))?;
        let mut left = entry.size;
        while left > 0 {
            let count = PIECE.min(usize::try_from(left).unwrap_or(PIECE));
            let mut piece = BytesMut::zeroed(count);
            file.read_exact(&mut piece)?;
            left -= count as u64;
            if left == 0 {
                piece.resize(count + padding(entry.size), 0);
            }
            if !send(piece.freeze()) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// What fills a file's last block.
fn padding(size: u64) -> usize {
    (size.next_multiple_of(BLOCK as u64) - size) as usize
}

/// Prefix and name of a path: 155 and 100 bytes at most, cut at a slash.
fn split(path: &str) -> io::Result<(&str, &str)> {
    if path.len() <= 100 {
        return Ok(("", path));
    }
    let from = path.len() - 100 - 1;
    let cut = path[from.min(path.len())..path.len() - 1]
        .find('/')
        .map(|at| from + at);
    match cut {
        Some(cut) if cut <= 155 => Ok((&path[..cut], &path[cut + 1..])),
        _ => Err(io::Error::other(format!("the path {path} is too long"))),
    }
}

fn header(entry: &Entry) -> io::Result<[u8; BLOCK]> {
    let (prefix, name) = split(&entry.path)?;
    let is_directory = entry.path.ends_with('/');
    let mut block = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, name.as_bytes());
    put(
        100,
        if is_directory {
            b"0000700\0"
        } else {
            b"0000600\0"
        },
    );
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    if entry.size < OCTAL_MAX {
        put(124, format!("{:011o}\0", entry.size).as_bytes());
    } else {
        // The first bit set: the size in binary, which every tar of today reads.
        put(124, &[0x80, 0, 0, 0]);
        put(128, &entry.size.to_be_bytes());
    }
    put(
        136,
        format!("{:011o}\0", entry.modified_s.min(OCTAL_MAX - 1)).as_bytes(),
    );
    put(148, b"        ");
    put(156, if is_directory { b"5" } else { b"0" });
    put(257, b"ustar\x0000");
    put(345, prefix.as_bytes());
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Ok(block)
}

#[cfg(test)]
mod tests {
    use super::{Archive, Entry, header, split};
    use std::fs;
    use std::process::{Command, Stdio};

    fn written(archive: &Archive) -> Vec<u8> {
        let mut bytes = Vec::new();
        let write = archive.write(|piece| {
            bytes.extend_from_slice(&piece);
            true
        });
        write.expect("written");
        bytes
    }

    #[test]
    fn what_tar_unpacks_is_what_was_there() {
        let from = tempfile::tempdir().expect("a directory");
        let deep = format!("{}/{}", "d".repeat(90), "e".repeat(60));
        fs::create_dir_all(from.path().join(&deep)).expect("made");
        let files = [
            ("empty".to_owned(), 0),
            ("one".to_owned(), 1),
            ("block".to_owned(), 512),
            ("pieces".to_owned(), (600 << 10) + 7),
            (format!("{deep}/deep"), 513),
        ];
        for (name, size) in &files {
            let bytes: Vec<u8> = (0..*size).map(|at: usize| (at % 251) as u8).collect();
            fs::write(from.path().join(name), bytes).expect("written");
        }
        let archive = Archive::of(from.path()).expect("read");
        let bytes = written(&archive);
        assert_eq!(bytes.len() as u64, archive.length());
        let into = tempfile::tempdir().expect("a directory");
        let file = into.path().join("a.tar");
        fs::write(&file, bytes).expect("written");
        let mut tar = Command::new("tar");
        tar.arg("-xf").arg(&file).arg("-C").arg(into.path());
        assert!(
            tar.stdin(Stdio::null())
                .status()
                .expect("tar runs")
                .success()
        );
        for (name, size) in &files {
            let there = fs::read(into.path().join(name)).expect("unpacked");
            assert_eq!(there.len(), *size, "{name}");
            assert_eq!(there, fs::read(from.path().join(name)).expect("read"));
        }
    }

    #[test]
    fn nothing_more_is_read_once_nobody_takes_it() {
        let from = tempfile::tempdir().expect("a directory");
        fs::write(from.path().join("a"), [1; 2000]).expect("written");
        fs::write(from.path().join("b"), [1; 2000]).expect("written");
        let archive = Archive::of(from.path()).expect("read");
        let mut taken = 0;
        let write = archive.write(|_| {
            taken += 1;
            taken < 2
        });
        write.expect("no fault");
        assert_eq!(taken, 2);
    }

    #[test]
    fn a_file_that_shrank_is_a_fault_and_a_link_is_refused() {
        let from = tempfile::tempdir().expect("a directory");
        fs::write(from.path().join("a"), [1; 2000]).expect("written");
        let archive = Archive::of(from.path()).expect("read");
        fs::write(from.path().join("a"), [1; 1000]).expect("written");
        assert!(archive.write(|_| true).is_err());
        std::os::unix::fs::symlink("a", from.path().join("b")).expect("linked");
        assert!(Archive::of(from.path()).is_err());
    }

    #[test]
    fn sizes_beyond_octal_digits_are_binary() {
        let header = header(&Entry {
            path: "big".into(),
            size: 1 << 40,
            modified_s: 0,
        });
        let header = header.expect("a header");
        assert_eq!(header[124..136], [0x80, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn a_path_that_no_header_holds_is_refused() {
        assert!(split(&"x".repeat(101)).is_err());
        assert!(split(&format!("{}/x", "d".repeat(156))).is_err());
        let fits = format!("{}/{}", "d".repeat(155), "x".repeat(100));
        assert_eq!(split(&fits).expect("cut").1.len(), 100);
    }
}
