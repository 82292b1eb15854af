//! Segments prepared ahead, so that a roll need not wait for allocation.
//! Owns: spare files of this life.
//! Never: reuses a file that held frames.

use crate::disk::{Disk, DiskFile};
use crate::fault::Fault;
use crate::segment::spare_name;

/// Files of zeros with space behind them.
pub(crate) struct Spares<F> {
    ready: Vec<(String, F)>,
    next_number: u64,
    wanted: usize,
    /// Preparing ahead failed: not tried again before the next roll, which needs one and reports the fault.
    failed: bool,
}

impl<F: DiskFile> Spares<F> {
    pub(crate) fn new(wanted: u32) -> Spares<F> {
        Spares {
            ready: Vec::new(),
            next_number: 0,
            wanted: wanted as usize,
            failed: false,
        }
    }

    pub(crate) fn are_wanted(&self) -> bool {
        self.ready.len() < self.wanted && !self.failed
    }

    /// Prepares one ahead. A fault costs no data and stops nothing: it is only returned to be counted.
    pub(crate) fn prepare<D: Disk<File = F>>(&mut self, disk: &D, bytes: u64) -> Result<(), Fault> {
        match self.make(disk, bytes) {
            Ok(spare) => {
                self.ready.push(spare);
                Ok(())
            }
            Err(fault) => {
                self.failed = true;
                Err(fault)
            }
        }
    }

    /// A file of zeros of at least `bytes`, with its name.
    pub(crate) fn take<D: Disk<File = F>>(
        &mut self,
        disk: &D,
        bytes: u64,
    ) -> Result<(String, F), Fault> {
        self.failed = false;
        let Some((name, file)) = self.ready.pop() else {
            return self.make(disk, bytes);
        };
        if file.len().map_err(Fault::at("measure", &name))? < bytes {
            file.allocate(bytes).map_err(Fault::at("allocate", &name))?;
        }
        Ok((name, file))
    }

    fn make<D: Disk<File = F>>(&mut self, disk: &D, bytes: u64) -> Result<(String, F), Fault> {
        let name = spare_name(self.next_number);
        self.next_number += 1;
        let file = disk.create(&name).map_err(Fault::at("create", &name))?;
        let made = file
            .allocate(bytes)
            .map_err(Fault::at("allocate", &name))
            .and_then(|()| file.sync_all().map_err(Fault::at("sync", &name)));
        match made {
            Ok(()) => Ok((name, file)),
            Err(fault) => {
                // Best effort: the next open sweeps spares anyway.
                let _ = disk.remove(&name);
                Err(fault)
            }
        }
    }
}
