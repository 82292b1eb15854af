//! The writer's side of the file log.
//! Owns: nothing but a share of the queue.
//! Never: touches a disk.

use std::marker::PhantomData;
use std::sync::Arc;

use crate::api::{Draft, Durable, Log, Queued};
use crate::fault::Stopped;
use crate::queue::Shared;

/// The writer's side of a log in files on a disk `D`; made by [`crate::open`].
pub struct FileLog<D> {
    pub(crate) shared: Arc<Shared>,
    disk: PhantomData<fn() -> D>,
}

impl<D> FileLog<D> {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        FileLog {
            shared,
            disk: PhantomData,
        }
    }
}

impl<D> std::fmt::Debug for FileLog<D> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("FileLog")
            .field("durable", &self.shared.durable())
            .finish_non_exhaustive()
    }
}

impl<D> Drop for FileLog<D> {
    fn drop(&mut self) {
        self.shared.abandon();
    }
}

impl<D> Log for FileLog<D> {
    fn append(&mut self, draft: Draft) -> Result<u64, Stopped> {
        self.shared.append(draft)
    }

    fn durable(&self) -> Durable {
        self.shared.durable()
    }

    fn queued(&self) -> Queued {
        self.shared.queued()
    }

    fn spare_body(&mut self) -> Vec<u8> {
        self.shared.spare_body()
    }
}
