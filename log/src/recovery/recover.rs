//! Who reads a log while it is opened, and where the reading begins.
//! Owns: the seam between recovery and whoever rebuilds a state from the frames; the rule which frames are shown.
//! Never: reads a disk.

use super::open::Recovery;
use crate::fault::OpenError;
use crate::frame::Frame;
use crate::identity::Identity;

/// What the log knows of itself before its frames are read.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// Who the log is. The incarnation is that of the life before; 0 if there was none.
    pub identity: &'a Identity,
    /// Whether there was no log in the directory; it is made only after [`Recover::begin`] has accepted that.
    pub fresh: bool,
    /// The first event that the log still holds, or will hold if it has none yet; 1 if it was never trimmed.
    pub oldest_sequence: u64,
    /// Events up to here are known durable by the manifest; 0 if none are.
    pub floor_sequence: u64,
}

/// Where reading begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Base {
    /// Frames that lie wholly at or before this event are not shown, and sealed segments that hold only such frames
    /// are not even read (but must be there). 0 shows everything.
    pub from_sequence: u64,
    /// A checkpoint proves that this event was durable: a log that ends before it is damage. One that is less than
    /// `from_sequence` counts as that.
    pub proven_sequence: u64,
}

/// Rebuilds a state from the frames of a log.
pub trait Recover {
    /// Called once, before any frame is read and before anything but the lock is changed.
    ///
    /// # Errors
    /// Words for people: the open ends with [`OpenError::Declined`], and nothing was changed.
    fn begin(&mut self, known: &Known<'_>) -> Result<Base, String>;
    /// Called for every intact frame after the base but seals, in order. `proven` says that the frame is known durable
    /// whatever comes after it: it lies in a sealed segment or is covered by the manifest or its segment's header.
    ///
    /// # Errors
    /// Words for people: the open ends with [`OpenError::Refused`].
    fn frame(&mut self, frame: &Frame<'_>, proven: bool) -> Result<(), String>;
}

/// Reads all frames from the first event on with a closure. A log whose first events were trimmed is refused.
#[derive(Debug)]
pub struct FromStart<F: FnMut(&Frame<'_>) -> Result<(), String>>(
    /// Gets every frame.
    pub F,
);

impl<F: FnMut(&Frame<'_>) -> Result<(), String>> Recover for FromStart<F> {
    fn begin(&mut self, _: &Known<'_>) -> Result<Base, String> {
        Ok(Base::default())
    }

    fn frame(&mut self, frame: &Frame<'_>, _: bool) -> Result<(), String> {
        (self.0)(frame)
    }
}

/// Reads all frames that the log still holds with a closure.
#[derive(Debug)]
pub struct FromOldest<F: FnMut(&Frame<'_>) -> Result<(), String>>(
    /// Gets every frame.
    pub F,
);

impl<F: FnMut(&Frame<'_>) -> Result<(), String>> Recover for FromOldest<F> {
    fn begin(&mut self, known: &Known<'_>) -> Result<Base, String> {
        let before = known.oldest_sequence.saturating_sub(1);
        Ok(Base {
            from_sequence: before,
            proven_sequence: before,
        })
    }

    fn frame(&mut self, frame: &Frame<'_>, _: bool) -> Result<(), String> {
        (self.0)(frame)
    }
}

/// One reading of a log: what is shown, and what was seen so far.
pub(crate) struct Reading<'a> {
    recover: &'a mut dyn Recover,
    base: Base,
    pub(crate) recovery: Recovery,
    /// The last frame that the base proves durable; 0 if none was read.
    proven_frame: u64,
}

/// What a checkpoint proves about a log.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Proven {
    pub(crate) sequence: u64,
    pub(crate) frame: u64,
}

impl Proven {
    pub(crate) fn text(&self) -> String {
        format!("a checkpoint says that event {} was durable", self.sequence)
    }
}

impl<'a> Reading<'a> {
    /// Asks where to begin.
    pub(crate) fn begin(
        recover: &'a mut dyn Recover,
        known: &Known<'_>,
    ) -> Result<Reading<'a>, OpenError> {
        let mut base = recover
            .begin(known)
            .map_err(|reason| OpenError::Declined { reason })?;
        let needs = base.from_sequence.saturating_add(1);
        if needs < known.oldest_sequence {
            return Err(OpenError::Trimmed {
                needs,
                oldest: known.oldest_sequence,
            });
        }
        base.proven_sequence = base.proven_sequence.max(base.from_sequence);
        Ok(Reading {
            recover,
            base,
            recovery: Recovery {
                fresh: known.fresh,
                ..Recovery::default()
            },
            proven_frame: 0,
        })
    }

    pub(crate) fn proven(&self) -> Proven {
        Proven {
            sequence: self.base.proven_sequence,
            frame: self.proven_frame,
        }
    }

    /// Whether frames up to this event need not be shown.
    pub(crate) fn passes(&self, last_sequence: u64) -> bool {
        self.base.from_sequence > 0 && last_sequence <= self.base.from_sequence
    }

    /// Shows an intact frame, unless it is a seal or lies before the base.
    pub(crate) fn frame(&mut self, frame: &Frame<'_>, proven: bool) -> Result<(), OpenError> {
        let last = frame.last_sequence();
        if frame.event_count > 0 && last <= self.base.proven_sequence {
            self.proven_frame = frame.number;
        }
        if frame.is_seal() || self.passes(last) {
            return Ok(());
        }
        let refused = |reason| OpenError::Refused {
            frame: frame.number,
            first_sequence: frame.first_sequence,
            reason,
        };
        if frame.first_sequence <= self.base.from_sequence {
            let reason = format!(
                "the state to begin with ends at {}, in the middle of it",
                self.base.from_sequence
            );
            return Err(refused(reason));
        }
        self.recovery.frames += 1;
        self.recovery.events += u64::from(frame.event_count);
        self.recovery.bytes += frame.body.len() as u64;
        self.recover.frame(frame, proven).map_err(refused)
    }
}
