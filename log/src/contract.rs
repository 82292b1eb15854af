//! The contract of a log: what every implementation must do, as cases that run on any of them.
//! Owns: the cases.
//! Never: knows which implementation it runs on.

mod trim;

pub use trim::Collect;

use crate::api::{Draft, Durable, Flush, Log, Opened};
use crate::fault::{OpenError, Stopped};
use crate::frame::Frame;
use crate::recovery::{FromStart, Recover};

/// A frame as the visitor saw it, with its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Frame number.
    pub number: u64,
    /// Chain hash.
    pub hash: [u8; 32],
    /// The draft it was made from.
    pub draft: Draft,
}

impl Seen {
    /// Copies a frame.
    #[must_use]
    pub fn of(frame: &Frame<'_>) -> Seen {
        let draft = Draft {
            first_sequence: frame.first_sequence,
            event_count: frame.event_count,
            command_count: frame.command_count,
            wall_ms: frame.wall_ms,
            steady_ms: frame.steady_ms,
            rules_version: frame.rules_version,
            id_seed: frame.id_seed,
            body: frame.body.to_vec(),
        };
        Seen {
            number: frame.number,
            hash: frame.hash,
            draft,
        }
    }
}

/// Makes the log under test. One factory is one data directory.
pub trait Factory {
    /// The writer's side.
    type Log: Log;
    /// The flusher's side.
    type Flush: Flush;
    /// Opens the directory; the sides of the life before, if any, have been dropped without a close.
    ///
    /// # Errors
    /// Those of the implementation.
    fn open(
        &mut self,
        recover: &mut dyn Recover,
    ) -> Result<Opened<Self::Log, Self::Flush>, OpenError>;
}

/// A draft with a body that tells which draft it is.
#[must_use]
pub fn draft(first_sequence: u64, event_count: u32, body_bytes: usize) -> Draft {
    let seed = first_sequence.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let body = (0..body_bytes as u64)
        .map(|at| (seed.wrapping_mul(at + 1) >> 32) as u8)
        .collect();
    Draft {
        first_sequence,
        event_count,
        command_count: event_count.div_ceil(2),
        wall_ms: 1_700_000_000_000_u64.wrapping_add(first_sequence),
        steady_ms: 1_000_u64.wrapping_add(first_sequence),
        rules_version: 7,
        id_seed: seed,
        body,
    }
}

/// Opens and collects what the visitor sees.
///
/// # Panics
/// If the log does not open.
pub fn reopen<F: Factory>(factory: &mut F) -> (Opened<F::Log, F::Flush>, Vec<Seen>) {
    let mut seen = Vec::new();
    let opened = factory.open(&mut FromStart(|frame| {
        seen.push(Seen::of(frame));
        Ok(())
    }));
    match opened {
        Ok(opened) => (opened, seen),
        Err(error) => panic!("the log must open: {error}"),
    }
}

/// Runs every case, each on a fresh factory.
///
/// # Panics
/// If the implementation breaks the contract.
pub fn all<F: Factory>(mut make: impl FnMut() -> F) {
    flushed_frames_come_back_the_same(&mut make());
    frames_of_all_sizes_come_back(&mut make());
    durable_is_never_ahead_of_a_flush(&mut make());
    numbers_have_no_gaps_across_lives_and_seals(&mut make());
    the_chain_goes_on_across_lives(&mut make());
    what_was_not_flushed_is_gone_or_whole(&mut make());
    a_clean_stop_is_remembered_once(&mut make());
    a_closed_log_refuses(&mut make());
    a_draft_out_of_sequence_is_refused_alone(&mut make());
    a_refusing_visitor_stops_the_open(&mut make());
    queued_counts_down_and_bodies_come_back(&mut make());
    every_life_has_its_own_incarnation(&mut make());
    trim::all(&mut make);
}

/// What was flushed comes back with the same numbers, fields and bodies.
///
/// # Panics
/// If not.
pub fn flushed_frames_come_back_the_same<F: Factory>(factory: &mut F) {
    let (mut opened, seen) = reopen(factory);
    assert!(seen.is_empty() && opened.recovery.fresh);
    let mut appended = Vec::new();
    let mut sequence = 1;
    for group in 0..20_u32 {
        for event_count in 1..=group % 4 + 1 {
            let draft = draft(sequence, event_count, (group * 13 + event_count) as usize);
            sequence += u64::from(event_count);
            appended.push((opened.log.append(draft.clone()).expect("append"), draft));
        }
        let flushed = opened.flusher.flush().expect("flush");
        assert_eq!(
            flushed.durable,
            Durable {
                frame: appended.last().expect("some").0,
                sequence: sequence - 1
            }
        );
        if group % 3 == 0 {
            opened.flusher.seal().expect("seal");
        }
    }
    drop(opened);
    let (opened, seen) = reopen(factory);
    let came_back: Vec<_> = seen
        .into_iter()
        .map(|seen| (seen.number, seen.draft))
        .collect();
    assert_eq!(came_back, appended);
    assert_eq!(opened.recovery.frames, appended.len() as u64);
    assert_eq!(opened.recovery.events, sequence - 1);
    assert_eq!(opened.recovery.last_sequence, sequence - 1);
    assert_eq!(opened.log.durable().sequence, sequence - 1);
    assert!(!opened.recovery.fresh && !opened.recovery.was_clean);
}

/// Bodies from nothing to a mebibyte survive, and so do drafts without events.
///
/// # Panics
/// If not.
pub fn frames_of_all_sizes_come_back<F: Factory>(factory: &mut F) {
    let sizes = [
        0,
        1,
        7,
        8,
        9,
        351,
        352,
        353,
        359,
        360,
        361,
        4095,
        4096,
        65_536,
        1 << 20,
        3,
        0,
    ];
    let (mut opened, _) = reopen(factory);
    let mut drafts = Vec::new();
    for (at, &size) in sizes.iter().enumerate() {
        drafts.push(draft(at as u64 + 1, 1, size));
        opened
            .log
            .append(draft(at as u64 + 1, 1, size))
            .expect("append");
        if at % 2 == 0 {
            opened.flusher.flush().expect("flush");
        }
    }
    let without_events = draft(sizes.len() as u64 + 1, 0, 5);
    drafts.push(without_events.clone());
    opened.log.append(without_events).expect("append");
    while opened.flusher.flush().expect("flush").synced {}
    drop(opened);
    let (_, seen) = reopen(factory);
    assert!(
        seen.iter().map(|seen| &seen.draft).eq(drafts.iter()),
        "all sizes come back"
    );
}

/// Nothing is durable before a flush says so, and a flush of nothing does nothing.
///
/// # Panics
/// If not.
pub fn durable_is_never_ahead_of_a_flush<F: Factory>(factory: &mut F) {
    let (mut opened, _) = reopen(factory);
    assert_eq!(opened.log.durable(), Durable::default());
    for sequence in 1..=50 {
        let before = opened.log.durable();
        let number = opened.log.append(draft(sequence, 1, 40)).expect("append");
        assert_eq!(
            opened.log.durable(),
            before,
            "an append alone makes nothing durable"
        );
        assert!(before.frame < number);
        let flushed = opened.flusher.flush().expect("flush");
        assert!(flushed.synced && flushed.frames == 1);
        assert_eq!(
            opened.log.durable(),
            Durable {
                frame: number,
                sequence
            }
        );
        let again = opened.flusher.flush().expect("flush");
        assert!(!again.synced && again.frames == 0 && again.durable == flushed.durable);
    }
}

/// Frame numbers, the ones of seals included, rise by one.
///
/// # Panics
/// If not.
pub fn numbers_have_no_gaps_across_lives_and_seals<F: Factory>(factory: &mut F) {
    let mut sequence = 0;
    for life in 0..4 {
        let (mut opened, _) = reopen(factory);
        let mut last = opened.recovery.last_frame;
        assert_eq!(opened.log.durable().frame, last);
        for round in 0..5 {
            sequence += 1;
            let number = opened.log.append(draft(sequence, 1, 10)).expect("append");
            assert_eq!(number, last + 1, "life {life} round {round}");
            last = number;
            assert!(
                !opened.flusher.seal().expect("seal").synced,
                "a seal waits for what is queued"
            );
            opened.flusher.flush().expect("flush");
            if round % 2 == 0 {
                let sealed = opened.flusher.seal().expect("seal");
                assert_eq!(
                    sealed.durable,
                    Durable {
                        frame: last + 1,
                        sequence
                    }
                );
                assert!(
                    !opened.flusher.seal().expect("seal").synced,
                    "a sealed group is not sealed again"
                );
                last += 1;
            }
        }
    }
}

/// The head hash that recovery reports is that of the frames it showed, and earlier frames keep theirs.
///
/// # Panics
/// If not.
pub fn the_chain_goes_on_across_lives<F: Factory>(factory: &mut F) {
    let mut before: Vec<Seen> = Vec::new();
    for life in 0..4_u64 {
        let (mut opened, seen) = reopen(factory);
        assert_eq!(seen[..before.len()], before, "a rewrite keeps the chain");
        let hashes: std::collections::BTreeSet<_> = seen.iter().map(|seen| seen.hash).collect();
        assert_eq!(
            hashes.len(),
            seen.len(),
            "every frame has a hash of its own"
        );
        before = seen;
        for sequence in life * 3 + 1..=life * 3 + 3 {
            opened.log.append(draft(sequence, 1, 33)).expect("append");
            opened.flusher.flush().expect("flush");
        }
    }
}

/// A draft that was appended and not flushed is gone after a crash; its sequence is used again.
///
/// # Panics
/// If not.
pub fn what_was_not_flushed_is_gone_or_whole<F: Factory>(factory: &mut F) {
    let (mut opened, _) = reopen(factory);
    opened.log.append(draft(1, 2, 100)).expect("append");
    opened.flusher.flush().expect("flush");
    opened.log.append(draft(3, 2, 100)).expect("append");
    drop(opened);
    let (mut opened, seen) = reopen(factory);
    assert_eq!(seen.len(), 1);
    assert_eq!(
        opened.log.append(draft(3, 1, 5)),
        Ok(opened.recovery.last_frame + 1)
    );
    opened.flusher.flush().expect("flush");
    drop(opened);
    assert_eq!(
        reopen(factory).1.last().map(|seen| seen.draft.clone()),
        Some(draft(3, 1, 5))
    );
}

/// `was_clean` is said after a close, and only until the next life.
///
/// # Panics
/// If not.
pub fn a_clean_stop_is_remembered_once<F: Factory>(factory: &mut F) {
    let (mut opened, _) = reopen(factory);
    opened.log.append(draft(1, 1, 100)).expect("append");
    opened
        .flusher
        .close()
        .expect("a close flushes what is queued");
    opened.flusher.close().expect("a second close does nothing");
    drop(opened);
    let (opened, seen) = reopen(factory);
    assert!(opened.recovery.was_clean && opened.recovery.cut.is_none());
    assert_eq!(seen.len(), 1);
    drop(opened);
    let (opened, seen) = reopen(factory);
    assert!(!opened.recovery.was_clean);
    assert_eq!(seen.len(), 1);
}

/// After a close, both sides say so.
///
/// # Panics
/// If not.
pub fn a_closed_log_refuses<F: Factory>(factory: &mut F) {
    let (mut opened, _) = reopen(factory);
    opened.flusher.close().expect("close");
    assert_eq!(opened.log.append(draft(1, 1, 1)), Err(Stopped::Closed));
    assert_eq!(opened.flusher.flush(), Err(Stopped::Closed));
    assert_eq!(opened.flusher.seal(), Err(Stopped::Closed));
    assert!(
        !opened.flusher.wait(std::time::Duration::from_secs(600)),
        "nobody waits on a closed log"
    );
}

/// A draft that does not continue the sequence is refused, and the log goes on.
///
/// # Panics
/// If not.
pub fn a_draft_out_of_sequence_is_refused_alone<F: Factory>(factory: &mut F) {
    let (mut opened, _) = reopen(factory);
    opened.log.append(draft(1, 2, 1)).expect("append");
    for wrong in [0, 1, 2, 4, u64::MAX] {
        let refused = opened.log.append(draft(wrong, 1, 1));
        assert!(
            matches!(refused, Err(Stopped::Refused { .. })),
            "{wrong}: {refused:?}"
        );
    }
    opened
        .log
        .append(draft(3, 1, 1))
        .expect("the right one is taken");
    assert_eq!(opened.flusher.flush().expect("flush").durable.sequence, 3);
}

/// A visitor that does not understand a frame stops the open, and nothing is lost by it.
///
/// # Panics
/// If not.
pub fn a_refusing_visitor_stops_the_open<F: Factory>(factory: &mut F) {
    let (mut opened, _) = reopen(factory);
    for sequence in 1..=3 {
        opened.log.append(draft(sequence, 1, 1)).expect("append");
        opened.flusher.flush().expect("flush");
    }
    drop(opened);
    let refused = factory.open(&mut FromStart(|frame| {
        if frame.first_sequence == 2 {
            Err(String::from("unknown event"))
        } else {
            Ok(())
        }
    }));
    match refused {
        Err(OpenError::Refused {
            first_sequence: 2,
            reason,
            ..
        }) => assert_eq!(reason, "unknown event"),
        other => panic!("{:?}", other.map(|_| ())),
    }
    assert_eq!(reopen(factory).1.len(), 3);
}

/// The measure for back-pressure goes back to zero, and body buffers are reused.
///
/// # Panics
/// If not.
pub fn queued_counts_down_and_bodies_come_back<F: Factory>(factory: &mut F) {
    let (mut opened, _) = reopen(factory);
    for sequence in 1..=3 {
        opened.log.append(draft(sequence, 1, 1000)).expect("append");
    }
    let queued = opened.log.queued();
    assert_eq!(queued.frames, 3);
    assert!(queued.bytes >= 3000);
    assert!(opened.flusher.wait(std::time::Duration::ZERO));
    opened.flusher.flush().expect("flush");
    assert_eq!(
        (opened.log.queued().frames, opened.log.queued().bytes),
        (0, 0)
    );
    assert!(!opened.flusher.wait(std::time::Duration::ZERO));
    let body = opened.log.spare_body();
    assert!(body.is_empty() && body.capacity() >= 1000);
    assert_eq!(opened.flusher.stats().frames, 3);
}

/// Incarnations rise; the log id and the secret stay.
///
/// # Panics
/// If not.
pub fn every_life_has_its_own_incarnation<F: Factory>(factory: &mut F) {
    let first = reopen(factory).0.identity;
    assert_eq!(first.incarnation, 1);
    let mut last = first.incarnation;
    for _ in 0..3 {
        let identity = reopen(factory).0.identity;
        assert!(identity.incarnation > last);
        assert_eq!(
            (identity.log_id, identity.secret),
            (first.log_id, first.secret)
        );
        last = identity.incarnation;
    }
}
