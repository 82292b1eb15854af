//! Frames in memory: the newest while somebody listens, and a few stretches that were read from the log.
//! Owns: which frames stay, within bytes.
//! Never: has a gap within a stretch; keeps anything while nobody listens.

use std::collections::VecDeque;
use std::sync::Arc;

use super::frame::KeptFrame;

/// Bytes of the newest frames.
const RING_BYTES_MAX: usize = 8 << 20;
/// Bytes of one stretch.
pub(super) const STRETCH_BYTES: usize = 2 << 20;
/// Stretches that stay.
const STRETCHES_MAX: usize = 4;

/// Frames that follow one another.
#[derive(Debug, Default)]
pub(super) struct Stretch {
    frames: VecDeque<Arc<KeptFrame>>,
    bytes: usize,
}

impl Stretch {
    fn last(&self) -> Option<u64> {
        self.frames.back().map(|frame| frame.last)
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Whether the next frame would leave a gap.
    pub(super) fn misses(&self, frame: &KeptFrame) -> bool {
        self.last().is_some_and(|last| last + 1 != frame.first)
    }

    pub(super) fn push(&mut self, frame: Arc<KeptFrame>) {
        self.bytes += frame.bytes();
        self.frames.push_back(frame);
    }

    fn pop(&mut self) {
        if let Some(frame) = self.frames.pop_front() {
            self.bytes -= frame.bytes();
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Stretch::default();
    }

    /// Whether an event is here.
    pub(super) fn holds(&self, sequence: u64) -> bool {
        let first = self.frames.front().map(|frame| frame.first);
        first.is_some_and(|first| first <= sequence) && self.last() >= Some(sequence)
    }

    /// Up to `count` frames from the one that holds event `sequence` on; none when that one is not here.
    pub(super) fn from(&self, sequence: u64, count: usize) -> Vec<Arc<KeptFrame>> {
        if !self.holds(sequence) {
            return Vec::new();
        }
        let at = self.frames.partition_point(|frame| frame.last < sequence);
        self.frames.range(at..).take(count).cloned().collect()
    }

    /// The newest frame of a ring.
    pub(super) fn append(&mut self, frame: KeptFrame) {
        if self.misses(&frame) || frame.bytes() > RING_BYTES_MAX {
            self.clear();
        }
        if frame.bytes() <= RING_BYTES_MAX {
            self.push(Arc::new(frame));
        }
        while self.bytes > RING_BYTES_MAX {
            self.pop();
        }
    }
}

/// What was read from the log last.
#[derive(Debug, Default)]
pub(super) struct Stretches(VecDeque<Stretch>);

impl Stretches {
    /// Frames from an event on; none when it is in no stretch.
    pub(super) fn from(&mut self, sequence: u64, count: usize) -> Vec<Arc<KeptFrame>> {
        for index in 0..self.0.len() {
            let found = self.0[index].from(sequence, count);
            if !found.is_empty() {
                // The one that was used last stays longest.
                let used = self.0.remove(index);
                self.0.extend(used);
                return found;
            }
        }
        Vec::new()
    }

    pub(super) fn add(&mut self, stretch: Stretch) {
        if self.0.len() == STRETCHES_MAX {
            self.0.pop_front();
        }
        self.0.push_back(stretch);
    }
}
