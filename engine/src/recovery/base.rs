//! Where a machine can begin: the store's live rows, a snapshot's, or nothing at all.
//! Owns: the loading of each, and the judgement that it is whole.
//! Never: changes anything.

use mainstay_core::{Loader, Machine};
use mainstay_log::Disk;
use mainstay_store::{Base, LiveRow, MemoryShelf, Reader, Store, StoreError};

use crate::snapshot::{Snapshot, SnapshotRow};

/// Where stores come from: a directory's SQLite file, or what stands for it in a simulation.
pub trait Shelf {
    /// Opens the store of this log, making it when there is none.
    ///
    /// # Errors
    /// [`StoreError`]; `Damaged` when what is there cannot be used.
    fn open(&mut self, log_id: &str) -> Result<Box<dyn Store>, StoreError>;

    /// Puts an unusable store aside, so that the next [`Shelf::open`] makes a new one. Gives the name it has now.
    ///
    /// # Errors
    /// [`StoreError`].
    fn set_aside(&mut self) -> Result<String, StoreError>;
}

impl Shelf for MemoryShelf {
    fn open(&mut self, log_id: &str) -> Result<Box<dyn Store>, StoreError> {
        Ok(Box::new(MemoryShelf::open(self, log_id)?))
    }

    fn set_aside(&mut self) -> Result<String, StoreError> {
        self.lose();
        Ok("nothing: it was in memory".to_owned())
    }
}

/// Which way a machine came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// From the store's live rows.
    Store,
    /// From a snapshot.
    Snapshot(u64),
    /// From the first event of the log.
    Log,
}

/// Loads a machine from the store's live rows. `None` when nothing was ever stored.
///
/// # Errors
/// [`StoreError`]; what is damaged is named.
pub(crate) fn from_store(
    seed: u64,
    reader: &mut dyn Reader,
) -> Result<Option<(Machine, Base)>, StoreError> {
    if reader.base()?.sequence == 0 {
        return Ok(None);
    }
    let mut loader: Option<Loader> = None;
    let base = reader.live(&mut |row| {
        let loaded = match row {
            LiveRow::Base(base) => {
                let begun = Loader::new(seed, &base.meta, &base.places, false);
                begun.map(|begun| loader = Some(begun))
            }
            LiveRow::Object(row) => loader.as_mut().map_or(Ok(()), |loader| loader.object(row)),
            LiveRow::Task(image) => loader.as_mut().map_or(Ok(()), |loader| loader.task(image)),
            LiveRow::Run(image) => loader.as_mut().map_or(Ok(()), |loader| loader.run(image)),
        };
        loaded.map_err(|error| error.to_string())
    })?;
    let damaged = |what: &str| StoreError::Damaged(what.to_owned());
    let machine = loader.ok_or_else(|| damaged("it gave no base"))?.finish();
    if machine.sequence() != base.sequence {
        return Err(damaged("its counters are not those of its rows"));
    }
    Ok(Some((machine, base)))
}

/// Loads a machine from a snapshot. No store holds its rows: the next cut holds all of them.
///
/// # Errors
/// In words, when the snapshot cannot be trusted or is of another log.
pub(crate) fn from_snapshot<D: Disk>(
    disk: &D,
    seed: u64,
    log_id: &str,
    sequence: u64,
) -> Result<Machine, String> {
    let mut snapshot = Snapshot::open(disk, sequence)?;
    let head = snapshot.head()?;
    if head.log_id != log_id {
        return Err(format!("the snapshot is of log {}", head.log_id));
    }
    if head.sequence != sequence {
        return Err(format!(
            "the snapshot is of event {}, not of {sequence}",
            head.sequence
        ));
    }
    let told = |error: mainstay_core::codec::Malformed| error.to_string();
    let mut loader = Loader::new(seed, &head.meta, &head.places, true).map_err(told)?;
    snapshot.rows(&mut |row| match row {
        SnapshotRow::Object(row) => loader.object(&row).map_err(told),
        SnapshotRow::Task(image) => loader.task(image).map_err(told),
        SnapshotRow::Run(image) => loader.run(image).map_err(told),
        SnapshotRow::Payload(bytes) => {
            loader.payload(bytes.into());
            Ok(())
        }
    })?;
    let machine = loader.finish();
    if machine.sequence() != sequence {
        return Err("its counters are not those of its rows".to_owned());
    }
    Ok(machine)
}

/// Whether a log that begins at `oldest_sequence` goes on from a state at `sequence`; the empty state stands at 0.
pub(crate) fn reaches(sequence: u64, oldest_sequence: u64) -> bool {
    sequence.saturating_add(1) >= oldest_sequence
}
