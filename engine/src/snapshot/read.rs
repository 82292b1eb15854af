//! Reading a snapshot file, block by block, each checked before it is used, the whole at the end.
//! Owns: which snapshots there are, and whether one can be trusted.
//! Never: holds more than one block in memory, or trusts a length.

use std::io;

use mainstay_core::ObjectRow;
use mainstay_log::{Disk, DiskFile};

use super::format::{
    BLOCK_BYTES_MAX, DIRECTORY, END, END_BYTES, FORMAT, FORMAT_OLDEST, HEAD_BYTES, Head, MAGIC,
    OBJECT, PAYLOAD, RUN, TASK, Walk, name_of, object_of, sequence_of,
};

/// The snapshots in a data directory by sequence, the newest first.
pub(crate) fn newest_first<D: Disk>(disk: &D) -> io::Result<Vec<u64>> {
    let names = match disk.list(DIRECTORY) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        listed => listed?,
    };
    let mut found: Vec<u64> = names.iter().filter_map(|name| sequence_of(name)).collect();
    found.sort_unstable_by(|a, b| b.cmp(a));
    Ok(found)
}

/// One row of a snapshot.
pub(crate) enum SnapshotRow<'a> {
    Object(ObjectRow),
    Task(&'a [u8]),
    Run(&'a [u8]),
    /// The payload of the task before.
    Payload(&'a [u8]),
}

/// A snapshot file.
pub(crate) struct Snapshot<F> {
    name: String,
    file: F,
    offset: u64,
    hasher: blake3::Hasher,
}

fn wrong(name: &str, what: &str) -> String {
    format!("{name}: {what}")
}

impl<F: DiskFile> Snapshot<F> {
    pub(crate) fn open<D: Disk<File = F>>(disk: &D, sequence: u64) -> Result<Snapshot<F>, String> {
        Snapshot::open_named(disk, name_of(sequence))
    }

    pub(super) fn open_named<D: Disk<File = F>>(
        disk: &D,
        name: String,
    ) -> Result<Snapshot<F>, String> {
        let file = disk
            .open(&name)
            .map_err(|error| wrong(&name, &error.to_string()))?;
        let mut snapshot = Snapshot {
            name,
            file,
            offset: 0,
            hasher: blake3::Hasher::new(),
        };
        let head = snapshot.exactly(HEAD_BYTES)?;
        let format = u16::from_le_bytes([head[8], head[9]]);
        let is_known = (FORMAT_OLDEST..=FORMAT).contains(&format);
        if head[..8] != MAGIC || !is_known || head[10..] != [0; 6] {
            return Err(wrong(
                &snapshot.name,
                "not a snapshot of a format this version understands",
            ));
        }
        snapshot.hasher.update(&head);
        Ok(snapshot)
    }

    fn exactly(&mut self, length: usize) -> Result<Vec<u8>, String> {
        let mut bytes = vec![0; length];
        let mut filled = 0;
        while filled < length {
            let at = self.offset + filled as u64;
            match self.file.read_at(at, &mut bytes[filled..]) {
                Ok(0) => return Err(wrong(&self.name, "it ends too early")),
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(wrong(&self.name, &error.to_string())),
            }
        }
        self.offset += length as u64;
        Ok(bytes)
    }

    /// The next block's bytes; `None` at a sound end.
    fn block(&mut self) -> Result<Option<Vec<u8>>, String> {
        let head = self.exactly(8)?;
        let mut walk = Walk(&head);
        let (length, crc) = (
            walk.u32().unwrap_or_default(),
            walk.u32().unwrap_or_default(),
        );
        let is_end = length == END;
        let bytes = if is_end { END_BYTES } else { length as usize };
        let left = self.file.len().unwrap_or(0).saturating_sub(self.offset);
        if bytes > BLOCK_BYTES_MAX || bytes as u64 > left {
            return Err(wrong(&self.name, "a block reaches past the end"));
        }
        let body = self.exactly(bytes)?;
        if crc32c::crc32c(&body) != crc {
            return Err(wrong(&self.name, "a block's checksum does not hold"));
        }
        if is_end {
            if self.hasher.finalize().as_bytes() != &body[16..] {
                return Err(wrong(&self.name, "the hash of the whole does not hold"));
            }
            return Ok(None);
        }
        self.hasher.update(&head);
        self.hasher.update(&body);
        Ok(Some(body))
    }

    /// What the head says.
    pub(crate) fn head(&mut self) -> Result<Head, String> {
        let block = self.block()?;
        block
            .and_then(|bytes| Head::decode(&bytes))
            .ok_or_else(|| wrong(&self.name, "its head cannot be read"))
    }

    /// Gives every row, after the head was read. What was visited counts only when this ends well.
    pub(crate) fn rows(
        &mut self,
        visit: &mut dyn FnMut(SnapshotRow<'_>) -> Result<(), String>,
    ) -> Result<(), String> {
        while let Some(block) = self.block()? {
            let mut walk = Walk(&block);
            while !walk.0.is_empty() {
                let kind = walk.u8();
                let row = match (kind, walk.sized()) {
                    (Some(OBJECT), Some(bytes)) => SnapshotRow::Object(
                        object_of(bytes)
                            .ok_or_else(|| wrong(&self.name, "an object cannot be read"))?,
                    ),
                    (Some(TASK), Some(image)) => SnapshotRow::Task(image),
                    (Some(RUN), Some(image)) => SnapshotRow::Run(image),
                    (Some(PAYLOAD), Some(bytes)) => SnapshotRow::Payload(bytes),
                    _ => return Err(wrong(&self.name, "a row cannot be read")),
                };
                visit(row).map_err(|reason| wrong(&self.name, &reason))?;
            }
        }
        Ok(())
    }
}
