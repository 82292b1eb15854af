//! Opening: the log's frames are replayed into a machine, and the two halves of an engine come out.
//! Owns: recovery as the engine sees it.
//! Never: serves before the log's own recovery is complete and the start is recorded.

use std::sync::Arc;

use mainstay_core::{Machine, Now, Steady, Timestamp, codec};
use mainstay_log::{
    Disk, Entropy, FileFlusher, FileLog, Flushed, Frame, Identity, Log, Options, Recovery, Stopped,
};

use crate::clock::{Clock, Raw};
use crate::inbox::Request;
use crate::shared::Shared;
use crate::token::TokenKey;
use crate::writer::Writer;
use crate::{Handle, metrics};

/// An engine that is open but has no threads yet: a program gives it some, the simulator drives it by hand.
pub struct Opening<D: Disk> {
    /// Decides.
    pub writer: Writer<FileLog<D>>,
    /// Makes durable.
    pub flusher: FileFlusher<D>,
    /// Asks.
    pub handle: Handle,
    /// Whose log this is.
    pub identity: Identity,
    /// What recovery found.
    pub recovery: Recovery,
}

impl Handle {
    /// Lets out, or fails, what a call of the flusher has settled. For whoever drives the halves of an engine by hand.
    #[doc(hidden)]
    pub fn settle(&self, flushed: &Result<Flushed, Stopped>) {
        settle(self.shared(), flushed);
    }

    /// The same after the flusher's close: the writer has ended before.
    #[doc(hidden)]
    pub fn settle_close(&self, closed: &Result<(), Stopped>) {
        settle_close(self.shared(), closed);
        self.shared().set_stopped(crate::engine::SHUT_DOWN);
        drop(self.shared().inbox.close());
    }

    /// Tells the writer to decide what waits and nothing more.
    #[doc(hidden)]
    pub fn stop(&self) {
        self.shared().inbox.push_always(Request::Stop);
    }
}

/// What follows each call of the flusher: answers whose frames are durable leave, or all that wait end with an error.
pub(crate) fn settle(shared: &Shared, flushed: &Result<Flushed, Stopped>) {
    match flushed {
        Ok(flushed) => {
            shared.set_durable(flushed.durable);
            shared.release(flushed.durable.frame);
            shared.notify_room();
        }
        Err(stopped) => {
            shared.set_stopped(&stopped.to_string());
            shared.release.fail(&stopped.to_string());
            // The writer may sleep; it answers everybody who still waits.
            shared.inbox.push_always(Request::Drain);
        }
    }
}

/// What follows the flusher's close: it has made everything durable that was ever appended, or has stopped.
pub(crate) fn settle_close(shared: &Shared, closed: &Result<(), Stopped>) {
    match closed {
        Ok(()) => shared.release(u64::MAX),
        Err(stopped) => settle(shared, &Err(stopped.clone())),
    }
}

/// Reads one frame into a machine.
pub(crate) fn replay(machine: &mut Machine, frame: &Frame<'_>) -> Result<(), String> {
    let now = Now {
        wall: Timestamp(frame.wall_ms),
        steady: Steady(frame.steady_ms),
        id_seed: frame.id_seed,
    };
    let expected = frame.first_sequence + u64::from(frame.event_count);
    if frame.event_count > 0 && machine.sequence() + 1 != frame.first_sequence {
        return Err(format!(
            "it starts at {}, the state stands at {}",
            frame.first_sequence,
            machine.sequence()
        ));
    }
    codec::decode(frame.body, &mut |_, events| {
        for entry in events {
            machine.replay(&now, entry);
        }
    })
    .map_err(|error| error.to_string())?;
    if frame.event_count > 0 && machine.sequence() + 1 != expected {
        return Err(format!(
            "it promises {} events and holds others",
            frame.event_count
        ));
    }
    Ok(())
}

/// Opens a data directory on any disk, without threads.
///
/// # Errors
/// What the log says: held by another process, damaged, not understood, or an error of the disk.
pub fn open<D: Disk>(
    disk: D,
    options: Options,
    raw: Raw,
    entropy: [u8; 64],
) -> Result<Opening<D>, mainstay_log::OpenError> {
    let mut seed = [0; 8];
    seed.copy_from_slice(&blake3::hash(&entropy).as_bytes()[..8]);
    let seed = u64::from_le_bytes(seed);
    let mut machine = Machine::new(seed);
    let mut from_start = mainstay_log::FromStart(|frame| replay(&mut machine, frame));
    let opened = mainstay_log::open(disk, options, Entropy(entropy), &mut from_start)?;
    let (identity, recovery) = (opened.identity, opened.recovery);
    let (last_wall, last_steady) = (
        Timestamp(recovery.last_wall_ms),
        Steady(recovery.last_steady_ms),
    );
    let (clock, downtime_ms) = Clock::start(raw, last_wall, last_steady);
    let tokens = TokenKey::new(identity.secret, identity.log_id.0);
    let shared = Arc::new(Shared::new(tokens, identity.log_id.to_string()));
    record_recovery(&shared.counters, recovery.events);
    let durable = opened.log.durable();
    shared.set_durable(durable);
    let mut writer = Writer::new(
        machine,
        opened.log,
        clock,
        Arc::clone(&shared),
        durable.frame,
    );
    writer.start(raw, seed, identity.incarnation, downtime_ms);
    Ok(Opening {
        writer,
        flusher: opened.flusher,
        handle: Handle::new(shared),
        identity,
        recovery,
    })
}

fn record_recovery(counters: &metrics::Counters, events: u64) {
    counters
        .recovered_events
        .store(events, std::sync::atomic::Ordering::Relaxed);
}
