//! A frame as the feed keeps it: its bytes at first, its events once somebody has read them.
//! Owns: decoding a frame once for all readers.
//! Never: leaves out an event that it cannot read.

use std::sync::{Arc, OnceLock};

use mainstay_core::{Entry, Timestamp, codec};

use super::ask::FeedError;

/// The events of one frame.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) first: u64,
    pub(crate) at: Timestamp,
    pub(crate) entries: Vec<Entry>,
}

/// One frame.
#[derive(Debug)]
pub(crate) struct KeptFrame {
    /// The sequence of its first event.
    pub(crate) first: u64,
    /// The sequence of its last event.
    pub(crate) last: u64,
    at: Timestamp,
    body: Box<[u8]>,
    told: OnceLock<Result<Arc<Told>, FeedError>>,
}

impl KeptFrame {
    /// A copy of a frame that holds events; `None` for one without.
    pub(crate) fn copy(first: u64, events: u32, wall_ms: u64, body: &[u8]) -> Option<KeptFrame> {
        (events > 0).then(|| KeptFrame {
            first,
            last: first + u64::from(events) - 1,
            at: Timestamp(wall_ms),
            body: Box::from(body),
            told: OnceLock::new(),
        })
    }

    /// Bytes that it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.body.len()
    }

    /// Its events. The first reader decodes them and lets `learn` see them.
    pub(crate) fn told(&self, learn: &dyn Fn(&Told)) -> Result<Arc<Told>, FeedError> {
        let decode = || {
            let mut entries = Vec::with_capacity((self.last - self.first + 1) as usize);
            let read = codec::decode(&self.body, &mut |_, events| {
                entries.extend_from_slice(events)
            });
            read.map_err(|error| FeedError::Unreadable(error.to_string()))?;
            if entries.len() as u64 != self.last - self.first + 1 {
                let what = format!(
                    "the frame of event {} holds another number of events",
                    self.first
                );
                return Err(FeedError::Unreadable(what));
            }
            let told = Told {
                first: self.first,
                at: self.at,
                entries,
            };
            learn(&told);
            Ok(Arc::new(told))
        };
        self.told.get_or_init(decode).clone()
    }
}
