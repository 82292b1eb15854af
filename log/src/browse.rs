//! Reading frames without the lock, while another process, or this one, may be writing them.
//! Owns: how a reader keeps up with rolls, trims and rewrites.
//! Never: changes a file, or takes the torn end of a log for an error.

use std::ops::ControlFlow;

use crate::disk::Disk;
use crate::fault::OpenError;
use crate::frame::Frame;
use crate::identity::LogId;
use crate::manifest::{self, Manifest};
use crate::options::Plant;
use crate::recovery::check_segment;

/// How often a segment that does not fit the manifest is looked at again, with the manifest read anew: a writer that
/// rolls, trims or starts replaces both, one after the other.
const TRIES_MAX: u32 = 8;

/// Reads frames, seals included, from the one that holds event `from_sequence` to the last intact one. Begins with the
/// oldest frame if that event was trimmed, and leaves out what is trimmed meanwhile. What was not yet synced when it
/// was read may be gone after a power cut.
///
/// # Errors
/// `OpenError::Missing` if there is no log; damage before the open end of the log, formats not understood, and errors of
/// the disk as [`crate::open`] has them.
pub fn read<D: Disk>(
    disk: &D,
    from_sequence: u64,
    visit: &mut dyn FnMut(&Frame<'_>) -> ControlFlow<()>,
) -> Result<(), OpenError> {
    let mut browse = Browse {
        disk,
        from_sequence,
        seen_frame: None,
    };
    let mut failures = 0;
    let mut open_segment = None;
    loop {
        let manifest = load(disk)?;
        let Some(index) = browse.next_segment(&manifest) else {
            return Ok(());
        };
        let entry = &manifest.segments[index];
        let is_read = match entry.sealed {
            Some(mark) => browse.seen_frame >= Some(mark.frame),
            None => open_segment == Some(entry.first_sequence),
        };
        if is_read {
            return Ok(());
        }
        match browse.segment(&manifest, index, visit) {
            Ok(ControlFlow::Break(())) => return Ok(()),
            Ok(ControlFlow::Continue(())) => {
                failures = 0;
                open_segment = entry.sealed.is_none().then_some(entry.first_sequence);
            }
            Err(error) => {
                failures += 1;
                if failures == TRIES_MAX {
                    return Err(error);
                }
            }
        }
    }
}

/// The event to begin with, so that [`read()`] visits at least the last `events_wanted` events, if the log holds so many,
/// and few more: what was written since the last roll or start is not counted.
///
/// # Errors
/// As [`read()`].
pub fn tail_from<D: Disk>(disk: &D, events_wanted: u64) -> Result<u64, OpenError> {
    let manifest = load(disk)?;
    let begun = manifest
        .segments
        .last()
        .map_or(0, |last| last.first_sequence.saturating_sub(1));
    let next = manifest.floor.sequence.max(begun).saturating_add(1);
    Ok(next
        .saturating_sub(events_wanted)
        .max(manifest.oldest_sequence()))
}

/// What the manifest says of a log, without a frame being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Whose log it is.
    pub log_id: LogId,
    /// The first event that the log holds, or will hold; more than 1 if it was trimmed or began at a backup.
    pub oldest_sequence: u64,
    /// Events up to here are known durable; there are more in a log that is being written.
    pub floor_sequence: u64,
}

/// Whose log it is and where it begins.
///
/// # Errors
/// As [`read()`].
pub fn extent<D: Disk>(disk: &D) -> Result<Extent, OpenError> {
    let manifest = load(disk)?;
    Ok(Extent {
        log_id: manifest.log_id,
        oldest_sequence: manifest.oldest_sequence(),
        floor_sequence: manifest.floor.sequence,
    })
}

fn load<D: Disk>(disk: &D) -> Result<Manifest, OpenError> {
    manifest::load(disk)?.ok_or_else(|| manifest::no_log(disk))
}

struct Browse<'a, D> {
    disk: &'a D,
    from_sequence: u64,
    /// The last frame that was read, shown or not.
    seen_frame: Option<u64>,
}

impl<D: Disk> Browse<'_, D> {
    /// The segment that holds the next frame; the last one if there is none yet.
    fn next_segment(&self, manifest: &Manifest) -> Option<usize> {
        let segments = &manifest.segments;
        let begun = match self.seen_frame {
            None => segments.partition_point(|entry| entry.first_sequence <= self.from_sequence),
            Some(seen) => segments.partition_point(|entry| entry.first_frame <= seen + 1),
        };
        (!segments.is_empty()).then(|| begun.saturating_sub(1))
    }

    fn segment(
        &mut self,
        manifest: &Manifest,
        index: usize,
        visit: &mut dyn FnMut(&Frame<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, OpenError> {
        let mut flow = ControlFlow::Continue(());
        let mut show = |frame: &Frame<'_>, _| {
            if self.seen_frame.is_some_and(|seen| frame.number <= seen) {
                return Ok(());
            }
            self.seen_frame = Some(frame.number);
            if frame.first_sequence.max(frame.last_sequence()) >= self.from_sequence {
                flow = visit(frame);
            }
            match flow {
                ControlFlow::Continue(()) => Ok(()),
                // Any error ends the walk; it is not looked at.
                ControlFlow::Break(()) => Err(OpenError::Declined {
                    reason: String::new(),
                }),
            }
        };
        let mut at = manifest.segments[index].start();
        let checked = check_segment(
            self.disk,
            Plant::default(),
            manifest,
            index,
            &mut at,
            &mut show,
        );
        if flow.is_continue() {
            checked?;
            self.seen_frame = self.seen_frame.max(Some(at.frame));
        }
        Ok(flow)
    }
}
