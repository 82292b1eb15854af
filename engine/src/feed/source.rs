//! The log's files behind the frames in memory.
//! Owns: the seam to whatever disk the log is on.
//! Never: writes.

use std::ops::ControlFlow;

use mainstay_log::{Disk, Frame, OpenError};

/// A log that can be read beside its writer.
pub(crate) trait Source: Send + Sync {
    /// Gives frames from the one that holds an event on.
    fn read(
        &self,
        from: u64,
        visit: &mut dyn FnMut(&Frame<'_>) -> ControlFlow<()>,
    ) -> Result<(), OpenError>;

    /// The first event that it holds, or will hold.
    fn oldest(&self) -> Result<u64, OpenError>;
}

/// The files on a disk.
pub(crate) struct Files<D>(pub(crate) D);

impl<D: Disk> Source for Files<D> {
    fn read(
        &self,
        from: u64,
        visit: &mut dyn FnMut(&Frame<'_>) -> ControlFlow<()>,
    ) -> Result<(), OpenError> {
        mainstay_log::read(&self.0, from, visit)
    }

    fn oldest(&self) -> Result<u64, OpenError> {
        Ok(mainstay_log::extent(&self.0)?.oldest_sequence)
    }
}
