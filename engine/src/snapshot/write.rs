//! Writing a snapshot file from one commit of the store: written, synced, read again, named, and only then trusted.
//! Owns: when a snapshot is due, and which ones are kept.
//! Never: removes a snapshot before two newer ones are verified; keeps work waiting.

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use mainstay_core::TaskColumns;
use mainstay_log::{Disk, DiskFile};
use mainstay_store::{Base, LiveRow, Reader, StoreError};

use super::format::{
    BLOCK_SOFT_BYTES, DIRECTORY, END, FORMAT, Head, MAGIC, OBJECT, PAYLOAD, RUN, TASK, TEMPORARY,
    name_of, object_bytes, put,
};
use super::read::{Snapshot, newest_first};
use crate::recovery::Settings;
use crate::shared::Shared;
use crate::writer::Plant;

/// Snapshots that are kept.
const KEPT: usize = 2;
/// Times that rows and payloads try to be read from the same commit.
const MEETINGS_MAX: usize = 16;
/// What a walk ends with when its payloads would be of a later commit.
const MOVED_ON: &str = "the store moved on while it was opened";

/// What a snapshot came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapped {
    /// The last event it reflects.
    pub sequence: u64,
    /// Live rows in it.
    pub rows: u64,
    /// Its size.
    pub bytes: u64,
}

/// Writes snapshots. The log grows by at least as many bytes between two of them as the last one had, so that snapshots never cost more
/// than the log itself.
pub struct Snapper<D: Disk> {
    disk: D,
    rows: Box<dyn Reader>,
    payloads: Box<dyn Reader>,
    shared: Arc<Shared>,
    /// Log bytes between two snapshots at least.
    every_bytes: u64,
    /// Log bytes that stay whatever is trimmed.
    retain_bytes: u64,
    last_bytes: u64,
    log_bytes_at_last: u64,
    /// Whether the last try came to nothing.
    failed: bool,
    /// The verified snapshots, the newest first.
    trusted: Vec<u64>,
    plant: Plant,
}

struct File<F> {
    file: F,
    offset: u64,
    hasher: blake3::Hasher,
}

impl<F: DiskFile> File<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.file.write_at(self.offset, &[IoSlice::new(rest)]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    self.offset += written as u64;
                    rest = &rest[written..];
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn block(&mut self, length: u32, body: &[u8]) -> io::Result<()> {
        let mut head = [0; 8];
        head[..4].copy_from_slice(&length.to_le_bytes());
        head[4..].copy_from_slice(&crc32c::crc32c(body).to_le_bytes());
        self.hasher.update(&head);
        self.hasher.update(body);
        self.write(&head)?;
        self.write(body)
    }

    fn end(&mut self, base: &Base) -> io::Result<()> {
        let mut body = Vec::with_capacity(48);
        body.extend_from_slice(&base.live_rows.to_le_bytes());
        body.extend_from_slice(&base.live_sum.to_le_bytes());
        body.extend_from_slice(self.hasher.finalize().as_bytes());
        self.block(END, &body)
    }
}

impl<D: Disk> Snapper<D> {
    pub(crate) fn new(
        disk: D,
        (rows, payloads): (Box<dyn Reader>, Box<dyn Reader>),
        shared: Arc<Shared>,
        settings: &Settings,
    ) -> Snapper<D> {
        Snapper {
            disk,
            rows,
            payloads,
            shared,
            every_bytes: settings.snapshot_every_bytes,
            retain_bytes: settings.log_retain_bytes,
            last_bytes: 0,
            log_bytes_at_last: 0,
            failed: false,
            trusted: Vec::new(),
            plant: settings.plant,
        }
    }

    /// Whether the log has grown enough since the last snapshot, or waits to be trimmed for want of one in this life.
    #[must_use]
    pub fn is_due(&self) -> bool {
        let (log, _) = self.shared.log_stats();
        let grown = log.bytes_written.saturating_sub(self.log_bytes_at_last);
        let waits = self.trusted.is_empty()
            && !self.failed
            && grown > 0
            && log.bytes_kept > self.retain_bytes.saturating_add(self.every_bytes);
        let due = grown >= self.every_bytes.max(self.last_bytes);
        (due || waits) && !self.shared.space.is_short()
    }

    /// Writes a snapshot of what the store holds now, and removes those that are no longer needed. `None` when there is nothing new.
    ///
    /// # Errors
    /// In words; nothing is lost by it, the older snapshots stay. The next one is tried after as much log again.
    pub fn write(&mut self) -> Result<Option<Snapped>, String> {
        self.log_bytes_at_last = self.shared.log_stats().0.bytes_written;
        let base = self.rows.base().map_err(|error| error.to_string())?;
        if base.sequence == 0 || self.trusted.first() == Some(&base.sequence) {
            return Ok(None);
        }
        self.failed = true;
        let (base, bytes) = self.write_met()?;
        self.recall(&base)?;
        self.install(&base)?;
        self.failed = false;
        self.last_bytes = bytes;
        self.shared
            .counters
            .snapshots
            .fetch_add(1, Ordering::Relaxed);
        Ok(Some(Snapped {
            sequence: base.sequence,
            rows: base.live_rows,
            bytes,
        }))
    }

    /// Writes the file from one commit: what retention removes meanwhile is still read.
    fn write_met(&mut self) -> Result<(Base, u64), String> {
        let mut written = Err(MOVED_ON.to_owned());
        for _ in 0..MEETINGS_MAX {
            written = self.write_file();
            self.payloads.let_go();
            if !matches!(&written, Err(reason) if reason.contains(MOVED_ON)) {
                break;
            }
        }
        written
    }

    fn write_file(&mut self) -> Result<(Base, u64), String> {
        let told = |error: io::Error| format!("{TEMPORARY}: {error}");
        self.disk.create_dir(DIRECTORY).map_err(told)?;
        match self.disk.remove(TEMPORARY) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(told(error)),
            _ => {}
        }
        let mut file = File {
            file: self.disk.create(TEMPORARY).map_err(told)?,
            offset: 0,
            hasher: blake3::Hasher::new(),
        };
        let mut head = Vec::with_capacity(16);
        head.extend_from_slice(&MAGIC);
        head.extend_from_slice(&FORMAT.to_le_bytes());
        head.extend_from_slice(&[0; 6]);
        file.hasher.update(&head);
        file.write(&head).map_err(told)?;
        let mut pending: Vec<u8> = Vec::with_capacity(BLOCK_SOFT_BYTES + 4096);
        let payloads = &mut self.payloads;
        let walked = self.rows.live(&mut |row| {
            if let LiveRow::Base(base) = row {
                match payloads.hold(base.sequence) {
                    Ok(true) => {}
                    Ok(false) => return Err(MOVED_ON.to_owned()),
                    Err(error) => return Err(error.to_string()),
                }
                let bytes = head_of(base).encode();
                return file
                    .block(bytes.len() as u32, &bytes)
                    .map_err(|error| error.to_string());
            }
            put_row(payloads.as_mut(), row, &mut pending)?;
            if pending.len() >= BLOCK_SOFT_BYTES {
                file.block(pending.len() as u32, &pending)
                    .map_err(|error| error.to_string())?;
                pending.clear();
            }
            Ok(())
        });
        let walked = walked.map_err(|error| error.to_string())?;
        if !pending.is_empty() {
            file.block(pending.len() as u32, &pending).map_err(told)?;
        }
        file.end(&walked).map_err(told)?;
        if !self.plant.snapshot_unsynced {
            file.file.sync_all().map_err(told)?;
        }
        Ok((walked, file.offset))
    }

    /// Trusts the newest snapshot that an earlier life left, once it is read again.
    fn recall(&mut self, base: &Base) -> Result<(), String> {
        if !self.trusted.is_empty() {
            return Ok(());
        }
        let told = |error: io::Error| format!("{DIRECTORY}: {error}");
        let earlier = newest_first(&self.disk).map_err(told)?;
        let is_sound = |sequence: &u64| {
            let opened = Snapshot::open(&self.disk, *sequence);
            let read = opened.and_then(|mut snapshot| {
                let head = snapshot.head()?;
                snapshot.rows(&mut |_| Ok(()))?;
                Ok(head.log_id == base.log_id && head.sequence == *sequence)
            });
            read.unwrap_or(false)
        };
        let found = earlier
            .into_iter()
            .filter(|sequence| *sequence < base.sequence)
            .find(is_sound);
        if let Some(sequence) = found {
            // The name may be in the page cache alone.
            self.disk.sync_dir(DIRECTORY).map_err(told)?;
            self.trusted.push(sequence);
        }
        Ok(())
    }

    /// Reads the file again, gives it its name, and forgets what is older than the last two.
    fn install(&mut self, base: &Base) -> Result<(), String> {
        if !self.plant.snapshot_unread {
            let mut again = Snapshot::open_named(&self.disk, TEMPORARY.to_owned())?;
            again.head()?;
            again.rows(&mut |_| Ok(()))?;
        }
        let name = name_of(base.sequence);
        let told = |error: io::Error| format!("{name}: {error}");
        self.disk.rename(TEMPORARY, &name).map_err(told)?;
        self.disk.sync_dir(DIRECTORY).map_err(told)?;
        self.trusted.insert(0, base.sequence);
        self.trusted.truncate(KEPT);
        if self.plant.trim_to_newest_snapshot {
            self.shared.verified.store(base.sequence, Ordering::Release);
            return Ok(());
        }
        if let [_, older] = self.trusted[..] {
            self.shared.verified.store(older, Ordering::Release);
            for sequence in newest_first(&self.disk).map_err(told)? {
                if sequence < older {
                    self.disk.remove(&name_of(sequence)).map_err(told)?;
                }
            }
        }
        Ok(())
    }
}

fn head_of(base: &Base) -> Head {
    Head {
        log_id: base.log_id.clone(),
        sequence: base.sequence,
        wall_ms: base.wall.0,
        meta: base.meta.clone(),
        places: base.places.clone(),
    }
}

fn put_row(
    payloads: &mut dyn Reader,
    row: LiveRow<'_>,
    pending: &mut Vec<u8>,
) -> Result<(), String> {
    let (kind, image) = match row {
        LiveRow::Task(image) => (TASK, image),
        LiveRow::Run(image) => (RUN, image),
        LiveRow::Object(row) => {
            pending.push(OBJECT);
            put(pending, &object_bytes(row));
            return Ok(());
        }
        LiveRow::Base(_) => return Ok(()),
    };
    pending.push(kind);
    put(pending, image);
    if let LiveRow::Task(image) = row {
        let task = TaskColumns::read(image).map_err(|error| error.to_string())?;
        if task.payload_stored {
            let found = payloads.payload(task.number);
            let bytes = found.map_err(|error: StoreError| error.to_string())?;
            let bytes = bytes.ok_or_else(|| format!("the payload of task {} is gone", task.id))?;
            pending.push(PAYLOAD);
            put(pending, &bytes);
        }
    }
    Ok(())
}
