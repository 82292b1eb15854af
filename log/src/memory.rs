//! A log in memory: the same two sides, nothing behind them.
//! Owns: frames that live as long as the process.
//! Never: touches a disk.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::api::{
    Draft, Durable, Flush, Flushed, Log, LogStats, Opened, Queued, SEGMENTS_TRIMMED_MAX, Trim,
    Trimmed,
};
use crate::fault::{OpenError, Sequences, Stopped};
use crate::frame::{Flags, Hash, Header, NO_HASH, chain_hash};
use crate::identity::{Entropy, Identity, Salt, fresh};
use crate::options::Options;
use crate::queue::{Pending, Shared};
use crate::recovery::{Known, Reading, Recover, Recovery};
use crate::segment::frame_span;

struct Stored {
    header: Header,
    hash: Hash,
    body: Vec<u8>,
}

struct Kept {
    identity: Identity,
    frames: VecDeque<Stored>,
    /// Bytes of all frames.
    bytes: u64,
    clean: bool,
}

impl Stored {
    fn bytes(&self) -> u64 {
        frame_span(self.body.len())
    }
}

impl Kept {
    fn oldest_sequence(&self) -> u64 {
        self.frames
            .front()
            .map_or(1, |first| first.header.first_sequence)
    }

    /// Gives up the oldest frame if the rule allows it: each frame stands for a segment, the last for the open one.
    fn trim_one(&mut self, rule: &Trim) -> Option<u64> {
        let (first, second) = (self.frames.front()?, self.frames.get(1)?);
        let bytes = first.bytes();
        let is_stored = first.header.last_sequence()? <= rule.through_sequence;
        let is_enough = self.bytes - bytes >= rule.bytes_kept;
        if !is_stored || !(is_enough || second.header.wall_ms < rule.older_than_wall_ms) {
            return None;
        }
        self.frames.pop_front();
        self.bytes -= bytes;
        Some(bytes)
    }

    fn head(&self) -> (u64, u64, Hash) {
        self.frames.back().map_or((0, 0, NO_HASH), |last| {
            (
                last.header.number,
                last.header.last_sequence().unwrap_or(0),
                last.hash,
            )
        })
    }

    fn push(&mut self, number: u64, draft: &Draft, flags: Flags, durable_upto: u64) {
        let header = Header {
            flags,
            key_id: 0,
            rules_version: draft.rules_version,
            log_id: self.identity.log_id,
            salt: Salt(0),
            incarnation: self.identity.incarnation,
            number,
            durable_upto,
            first_sequence: draft.first_sequence,
            wall_ms: draft.wall_ms,
            steady_ms: draft.steady_ms,
            id_seed: draft.id_seed,
            event_count: draft.event_count,
            command_count: draft.command_count,
            previous_hash: self.head().2,
            body_bytes: draft.body.len() as u32,
            body_crc: 0,
        };
        let hash = chain_hash(&header, &draft.body);
        self.bytes += frame_span(draft.body.len());
        self.frames.push_back(Stored {
            header,
            hash,
            body: draft.body.clone(),
        });
    }
}

fn hold(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The writer's side of a log in memory; made by [`memory`].
pub struct MemoryLog {
    shared: Arc<Shared>,
    kept: Arc<Mutex<Kept>>,
}

/// The flusher's side of a log in memory.
pub struct MemoryFlusher {
    shared: Arc<Shared>,
    kept: Arc<Mutex<Kept>>,
    stats: LogStats,
}

impl std::fmt::Debug for MemoryLog {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("MemoryLog")
            .field("durable", &self.shared.durable())
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for MemoryFlusher {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("MemoryFlusher")
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}

/// A fresh log in memory.
#[must_use]
pub fn memory(entropy: Entropy) -> Opened<MemoryLog, MemoryFlusher> {
    let (log_id, secret) = fresh(&entropy);
    let identity = Identity {
        log_id,
        incarnation: 1,
        secret,
    };
    let kept = Kept {
        identity,
        frames: VecDeque::new(),
        bytes: 0,
        clean: false,
    };
    let recovery = Recovery {
        fresh: true,
        ..Recovery::default()
    };
    start(Arc::new(Mutex::new(kept)), recovery)
}

fn start(kept: Arc<Mutex<Kept>>, mut recovery: Recovery) -> Opened<MemoryLog, MemoryFlusher> {
    let (identity, head, last) = {
        let kept = hold(&kept);
        let times = kept
            .frames
            .back()
            .map_or((0, 0), |last| (last.header.wall_ms, last.header.steady_ms));
        (kept.identity.clone(), kept.head(), times)
    };
    recovery.last_frame = head.0;
    recovery.last_sequence = head.1;
    recovery.head_hash = head.2;
    (recovery.last_wall_ms, recovery.last_steady_ms) = last;
    let durable = Durable {
        frame: head.0,
        sequence: head.1,
    };
    let shared = Arc::new(Shared::new(durable, Options::default().frame_bytes_max));
    let log = MemoryLog {
        shared: Arc::clone(&shared),
        kept: Arc::clone(&kept),
    };
    let flusher = MemoryFlusher {
        shared,
        kept,
        stats: LogStats::default(),
    };
    Opened {
        log,
        flusher,
        identity,
        recovery,
    }
}

impl MemoryLog {
    /// Another handle on the same frames, so that a test can drop both sides and open them again.
    #[doc(hidden)]
    #[must_use]
    pub fn another(&self) -> MemoryLog {
        MemoryLog {
            shared: Arc::clone(&self.shared),
            kept: Arc::clone(&self.kept),
        }
    }

    /// Opens the same frames again, as after a crash: what was not flushed is gone. The sides of the life before
    /// must no longer be used.
    ///
    /// # Errors
    /// `Declined` and `Refused` if `recover` does, `Trimmed` if it needs what is gone, `Damage` if a checkpoint is ahead.
    pub fn reopen(
        &self,
        recover: &mut dyn Recover,
    ) -> Result<Opened<MemoryLog, MemoryFlusher>, OpenError> {
        self.shared.stop(Stopped::Closed);
        let mut kept = hold(&self.kept);
        let identity = kept.identity.clone();
        let known = Known {
            identity: &identity,
            fresh: false,
            oldest_sequence: kept.oldest_sequence(),
            floor_sequence: kept.head().1,
        };
        let mut reading = Reading::begin(recover, &known)?;
        for stored in &kept.frames {
            reading.frame(&stored.header.frame(stored.hash, &stored.body), true)?;
        }
        let proven = reading.proven();
        if proven.sequence > kept.head().1 {
            return Err(OpenError::Damage {
                file: String::new(),
                offset: 0,
                frame: kept.head().0 + 1,
                sequences: Sequences {
                    first: kept.head().1 + 1,
                    last: Some(proven.sequence),
                },
                reason: format!("there is nothing, yet {}", proven.text()),
                advice: String::from("nothing was changed"),
            });
        }
        let mut recovery = reading.recovery;
        recovery.was_clean = kept.clean;
        kept.clean = false;
        kept.identity.incarnation += 1;
        drop(kept);
        Ok(start(Arc::clone(&self.kept), recovery))
    }
}

impl Drop for MemoryLog {
    fn drop(&mut self) {
        self.shared.abandon();
    }
}

impl Log for MemoryLog {
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

impl MemoryFlusher {
    fn commit(&mut self, batch: &[Pending], flags: Flags) -> Flushed {
        let mut kept = hold(&self.kept);
        let durable_upto = self.shared.durable().frame;
        let mut bytes = 0;
        for Pending { number, draft } in batch {
            kept.push(*number, draft, flags, durable_upto);
            bytes += frame_span(draft.body.len());
        }
        let (frame, sequence, _) = kept.head();
        let durable = Durable { frame, sequence };
        self.shared.set_durable(durable);
        self.stats.syncs += 1;
        self.stats.frames += batch.len() as u64;
        self.stats.bytes_written += bytes;
        match flags.has(Flags::SEAL) {
            true => self.stats.seals += 1,
            false => self.stats.groups += 1,
        }
        Flushed {
            durable,
            frames: batch.len() as u32,
            bytes,
            synced: true,
        }
    }

    fn write_seal(&mut self, number: u64, flags: Flags) -> Flushed {
        let draft = {
            let kept = hold(&self.kept);
            let last = kept.frames.back().map(|last| &last.header);
            Draft {
                first_sequence: kept.head().1 + 1,
                wall_ms: last.map_or(0, |last| last.wall_ms),
                steady_ms: last.map_or(0, |last| last.steady_ms),
                rules_version: last.map_or(0, |last| last.rules_version),
                ..Draft::default()
            }
        };
        self.commit(&[Pending { number, draft }], flags)
    }

    fn idle(&self) -> Flushed {
        Flushed {
            durable: self.shared.durable(),
            ..Flushed::default()
        }
    }
}

impl Flush for MemoryFlusher {
    fn flush(&mut self) -> Result<Flushed, Stopped> {
        let batch = self.shared.take(Options::default().group_bytes_max)?;
        if batch.is_empty() {
            return Ok(self.idle());
        }
        let flushed = self.commit(&batch, Flags::default());
        self.shared.settle(batch);
        Ok(flushed)
    }

    fn seal(&mut self) -> Result<Flushed, Stopped> {
        let sealed = hold(&self.kept)
            .frames
            .back()
            .is_none_or(|last| last.header.flags.has(Flags::SEAL));
        if sealed {
            return self.shared.stopped().map_or_else(|| Ok(self.idle()), Err);
        }
        match self.shared.number_of_seal()? {
            Some(number) => Ok(self.write_seal(number, Flags::SEAL)),
            None => Ok(self.idle()),
        }
    }

    fn trim(&mut self, rule: &Trim) -> Result<Trimmed, Stopped> {
        if let Some(stopped) = self.shared.stopped() {
            return Err(stopped);
        }
        let mut kept = hold(&self.kept);
        let mut trimmed = Trimmed::default();
        while trimmed.segments < SEGMENTS_TRIMMED_MAX
            && let Some(bytes) = kept.trim_one(rule)
        {
            trimmed.segments += 1;
            trimmed.bytes += bytes;
        }
        trimmed.oldest_sequence = kept.oldest_sequence();
        Ok(trimmed)
    }

    fn close(&mut self) -> Result<(), Stopped> {
        loop {
            match self.shared.close_if_idle() {
                Ok(Some(number)) => {
                    self.write_seal(number, Flags::SEAL.with(Flags::CLEAN));
                    hold(&self.kept).clean = true;
                    return Ok(());
                }
                Ok(None) => {
                    self.flush()?;
                }
                Err(Stopped::Closed) => return Ok(()),
                Err(stopped) => return Err(stopped),
            }
        }
    }

    fn wait(&self, timeout: Duration) -> bool {
        self.shared.wait(timeout)
    }

    fn stats(&self) -> LogStats {
        let kept = hold(&self.kept);
        LogStats {
            segments: kept.frames.len() as u64,
            bytes_kept: kept.bytes,
            oldest_sequence: kept.oldest_sequence(),
            ..self.stats.clone()
        }
    }
}
