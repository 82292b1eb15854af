//! The contract of a log that is trimmed and read from a checkpoint on.
//! Owns: the cases.
//! Never: knows which implementation it runs on, or what a segment is to it.

use super::{Factory, Seen, draft, reopen};
use crate::api::{Flush, Log, SEGMENTS_TRIMMED_MAX, Trim, Trimmed};
use crate::fault::{OpenError, Stopped};
use crate::frame::Frame;
use crate::recovery::{Base, Known, Recover};

/// Events of a log that is long enough to be trimmed, and the bytes of their bodies.
const EVENTS: u64 = 240;
const BODY_BYTES: usize = 3000;
/// A rule under which everything that is closed to writing may go.
const ALL: Trim = Trim {
    through_sequence: u64::MAX,
    bytes_kept: 0,
    older_than_wall_ms: 0,
};

/// Begins at a base and keeps what is shown.
#[derive(Debug, Default)]
pub struct Collect {
    /// Where to begin; `None` is the oldest event.
    pub base: Option<Base>,
    /// The frames.
    pub seen: Vec<Seen>,
    /// Of the frames, those said to be proven.
    pub proven: Vec<u64>,
    /// The first event that the log said to hold.
    pub oldest_sequence: u64,
}

impl Collect {
    /// Begins after an event, which is proven.
    #[must_use]
    pub fn after(sequence: u64) -> Collect {
        let base = Base {
            from_sequence: sequence,
            proven_sequence: sequence,
        };
        Collect {
            base: Some(base),
            ..Collect::default()
        }
    }
}

impl Recover for Collect {
    fn begin(&mut self, known: &Known<'_>) -> Result<Base, String> {
        self.oldest_sequence = known.oldest_sequence;
        let from_sequence = known.oldest_sequence - 1;
        Ok(self.base.unwrap_or(Base {
            from_sequence,
            proven_sequence: 0,
        }))
    }

    fn frame(&mut self, frame: &Frame<'_>, proven: bool) -> Result<(), String> {
        self.seen.push(Seen::of(frame));
        self.proven.extend(proven.then_some(frame.number));
        Ok(())
    }
}

/// Declines whatever it is offered.
struct Decline;

impl Recover for Decline {
    fn begin(&mut self, _: &Known<'_>) -> Result<Base, String> {
        Err(String::from("another log"))
    }

    fn frame(&mut self, _: &Frame<'_>, _: bool) -> Result<(), String> {
        Err(String::from("nothing was asked for"))
    }
}

/// Runs every case, each on a fresh factory.
pub(super) fn all<F: Factory>(make: &mut impl FnMut() -> F) {
    trimming_gives_up_the_oldest_and_keeps_the_rest(&mut make());
    nothing_goes_that_is_in_no_snapshot(&mut make());
    bytes_or_age_keep_a_segment(&mut make());
    one_call_trims_a_bounded_piece(&mut make());
    a_stopped_log_is_not_trimmed(&mut make());
    a_base_before_the_oldest_event_is_refused(&mut make());
    every_base_shows_what_follows_it(&mut make());
    a_base_past_the_end_is_damage(&mut make());
    a_declined_log_is_as_it_was(&mut make());
}

/// Writes the log, one event or two to a frame, and gives its frames as a reader sees them.
fn fill<F: Factory>(factory: &mut F) -> Vec<Seen> {
    let (mut opened, _) = reopen(factory);
    let mut sequence = 1;
    while sequence <= EVENTS {
        let count = 1 + (sequence / 2 % 2) as u32;
        opened
            .log
            .append(draft(sequence, count, BODY_BYTES))
            .expect("append");
        opened.flusher.flush().expect("flush");
        sequence += u64::from(count);
        if sequence % 5 == 0 {
            opened.flusher.seal().expect("seal");
        }
    }
    drop(opened);
    reopen(factory).1
}

fn trim_all(flusher: &mut impl Flush, rule: &Trim) -> u64 {
    let mut segments = 0;
    loop {
        let Trimmed {
            segments: count,
            bytes,
            oldest_sequence,
        } = flusher.trim(rule).expect("trim");
        assert_eq!(oldest_sequence, flusher.stats().oldest_sequence);
        assert_eq!(count == 0, bytes == 0);
        if count == 0 {
            return segments;
        }
        segments += u64::from(count);
    }
}

fn collect<F: Factory>(factory: &mut F, mut from: Collect) -> Result<Collect, OpenError> {
    factory.open(&mut from).map(|_| from)
}

fn trimming_gives_up_the_oldest_and_keeps_the_rest<F: Factory>(factory: &mut F) {
    let before = fill(factory);
    let last = before.last().expect("some").clone();
    let (mut opened, _) = reopen(factory);
    let stats = opened.flusher.stats();
    assert_eq!(stats.oldest_sequence, 1);
    let through_sequence = EVENTS / 2;
    let segments = trim_all(
        &mut opened.flusher,
        &Trim {
            through_sequence,
            ..ALL
        },
    );
    let after = opened.flusher.stats();
    assert!(segments > 0 && after.segments + segments == stats.segments);
    assert!(after.bytes_kept < stats.bytes_kept && after.trim_failures == 0);
    assert!(after.oldest_sequence > 1 && after.oldest_sequence <= through_sequence + 1);
    let next = last.draft.first_sequence + u64::from(last.draft.event_count);
    opened.log.append(draft(next, 1, 9)).expect("append");
    opened.flusher.flush().expect("flush");
    drop(opened);
    let kept = collect(factory, Collect::default()).expect("opens");
    assert_eq!(kept.oldest_sequence, after.oldest_sequence);
    let (new, old) = kept.seen.split_last().expect("some");
    assert_eq!(new.draft, draft(next, 1, 9));
    let is_kept = |seen: &&Seen| seen.draft.first_sequence >= after.oldest_sequence;
    assert!(
        before.iter().filter(is_kept).eq(old),
        "and with their hashes"
    );
    let (mut opened, _) = collect_open(factory);
    trim_all(&mut opened.flusher, &ALL);
    opened.log.append(draft(next + 1, 1, 9)).expect("append");
    opened.flusher.close().expect("close");
    drop(opened);
    let kept = collect(factory, Collect::default()).expect("opens");
    assert_eq!(
        kept.seen.last().map(|seen| seen.draft.first_sequence),
        Some(next + 1)
    );
}

type OpenedOf<F> = crate::Opened<<F as Factory>::Log, <F as Factory>::Flush>;

fn collect_open<F: Factory>(factory: &mut F) -> (OpenedOf<F>, Collect) {
    let mut from = Collect::default();
    let opened = factory.open(&mut from);
    (opened.expect("opens"), from)
}

fn nothing_goes_that_is_in_no_snapshot<F: Factory>(factory: &mut F) {
    let before = fill(factory);
    let (mut opened, _) = reopen(factory);
    for through_sequence in [0, 40, 42, 151] {
        let rule = Trim {
            through_sequence,
            bytes_kept: 0,
            older_than_wall_ms: u64::MAX,
        };
        trim_all(&mut opened.flusher, &rule);
        let oldest = opened.flusher.stats().oldest_sequence;
        assert!(
            oldest <= through_sequence + 1,
            "{oldest} {through_sequence}"
        );
    }
    drop(opened);
    let kept = collect(factory, Collect::after(151)).expect("the snapshot and the log are whole");
    let is_after = |seen: &&Seen| seen.draft.first_sequence > 151;
    assert!(before.iter().filter(is_after).eq(&kept.seen));
}

fn bytes_or_age_keep_a_segment<F: Factory>(factory: &mut F) {
    let before = fill(factory);
    let (mut opened, _) = reopen(factory);
    let total = opened.flusher.stats().bytes_kept;
    let by_bytes = Trim {
        bytes_kept: total * 3 / 4,
        ..ALL
    };
    assert!(trim_all(&mut opened.flusher, &by_bytes) > 0);
    let stats = opened.flusher.stats();
    assert!(stats.bytes_kept >= total * 3 / 4 && stats.bytes_kept < total);
    let middle = before[before.len() / 2].draft.wall_ms;
    let by_age = Trim {
        bytes_kept: u64::MAX,
        older_than_wall_ms: middle,
        ..ALL
    };
    assert!(trim_all(&mut opened.flusher, &by_age) > 0);
    let oldest = opened.flusher.stats().oldest_sequence;
    let gone = before
        .iter()
        .filter(|seen| seen.draft.first_sequence < oldest);
    assert!(gone.into_iter().all(|seen| seen.draft.wall_ms < middle));
    let never = Trim {
        bytes_kept: u64::MAX,
        ..ALL
    };
    assert_eq!(trim_all(&mut opened.flusher, &never), 0);
}

fn one_call_trims_a_bounded_piece<F: Factory>(factory: &mut F) {
    fill(factory);
    let (mut opened, _) = reopen(factory);
    let segments = opened.flusher.stats().segments;
    assert!(segments > u64::from(SEGMENTS_TRIMMED_MAX));
    let trimmed = opened.flusher.trim(&ALL).expect("trim");
    assert_eq!(trimmed.segments, SEGMENTS_TRIMMED_MAX);
    assert!(opened.flusher.trim(&ALL).expect("trim").segments > 0);
    trim_all(&mut opened.flusher, &ALL);
    assert_eq!(opened.flusher.stats().segments, 1, "the open one stays");
}

fn a_stopped_log_is_not_trimmed<F: Factory>(factory: &mut F) {
    fill(factory);
    let (mut opened, _) = reopen(factory);
    opened.flusher.close().expect("close");
    assert_eq!(opened.flusher.trim(&ALL), Err(Stopped::Closed));
    assert_eq!(opened.flusher.stats().oldest_sequence, 1);
}

fn a_base_before_the_oldest_event_is_refused<F: Factory>(factory: &mut F) {
    fill(factory);
    let (mut opened, _) = reopen(factory);
    let rule = Trim {
        through_sequence: 100,
        ..ALL
    };
    trim_all(&mut opened.flusher, &rule);
    let held = opened.flusher.stats().oldest_sequence;
    drop(opened);
    for from in [0, 1, held - 2] {
        match collect(factory, Collect::after(from)) {
            Err(OpenError::Trimmed { needs, oldest }) => {
                assert_eq!((needs, oldest), (from + 1, held));
            }
            other => panic!("{other:?}"),
        }
    }
    let kept = collect(factory, Collect::after(held - 1)).expect("opens");
    assert_eq!(kept.seen[0].draft.first_sequence, held);
}

fn every_base_shows_what_follows_it<F: Factory>(factory: &mut F) {
    let before = fill(factory);
    let end = before.last().expect("some").clone();
    let last = end.draft.first_sequence + u64::from(end.draft.event_count) - 1;
    let boundaries: Vec<u64> = before
        .iter()
        .map(|seen| seen.draft.first_sequence - 1)
        .chain([last])
        .collect();
    for from in 0..=last {
        let mut collect = Collect::after(from);
        let opened = factory.open(&mut collect);
        if !boundaries.contains(&from) {
            let first_sequence = from;
            assert!(
                matches!(&opened, Err(OpenError::Refused { first_sequence: first, .. })
                    if *first == first_sequence),
                "a cut lies between frames"
            );
            continue;
        }
        let recovery = opened.expect("opens").recovery;
        let follows = before
            .iter()
            .filter(|seen| seen.draft.first_sequence > from);
        assert!(follows.eq(&collect.seen), "from {from}");
        assert_eq!(recovery.frames, collect.seen.len() as u64);
        assert_eq!(recovery.last_sequence, last);
        assert_eq!(
            (recovery.last_wall_ms, recovery.last_steady_ms),
            (end.draft.wall_ms, end.draft.steady_ms)
        );
    }
}

fn a_base_past_the_end_is_damage<F: Factory>(factory: &mut F) {
    let ahead = collect(factory, Collect::after(1));
    match ahead {
        Err(OpenError::Damage { .. }) => {}
        // A log that lives in memory is not asked before its first life.
        other => assert!(other.is_ok_and(|other| other.oldest_sequence == 0)),
    }
    fill(factory);
    let last = reopen(factory).0.recovery.last_sequence;
    for (from_sequence, proven_sequence) in [(last + 1, 0), (0, last + 1), (last, u64::MAX)] {
        let from = Collect {
            base: Some(Base {
                from_sequence,
                proven_sequence,
            }),
            ..Collect::default()
        };
        let error = collect(factory, from).expect_err("damage");
        assert!(matches!(&error, OpenError::Damage { .. }), "{error}");
    }
    assert_eq!(reopen(factory).0.recovery.last_sequence, last);
}

fn a_declined_log_is_as_it_was<F: Factory>(factory: &mut F) {
    let before = fill(factory);
    let incarnation = reopen(factory).0.identity.incarnation;
    match factory.open(&mut Decline) {
        Err(OpenError::Declined { reason }) => assert_eq!(reason, "another log"),
        other => panic!("{:?}", other.map(|_| ())),
    }
    let (opened, seen) = reopen(factory);
    assert_eq!(
        (opened.identity.incarnation, seen),
        (incarnation + 1, before)
    );
}
