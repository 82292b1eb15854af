//! Ordered walks: streams of order keys, each an index walk or a sorted set, merged into one.
//! Owns: batches, the merge, the turn of a page with its bound on visits.
//! Never: reads more of a stream than about what the page needs.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::fmt::Debug;

use mainstay_core::limits::{LIST_LIMIT_MAX, LIST_OFFSET_MAX, LIST_VISITS_MAX};
use rusqlite::Connection;

use super::ask::{From, ListError, Page};
use super::cursor;

/// Streams of places that are merged at most; a filter that selects more of them is tested row by row instead.
pub(super) const STREAMS_MAX: usize = 64;
const BATCH_MIN: usize = 8;
const BATCH_MAX: usize = 4096;
const TURN_MIN: usize = 256;

/// What a list is ordered by, unique for each row.
pub(super) trait Key: Copy + Ord + Debug {
    /// An index and where in it.
    type Source;

    /// Appends at most `count` keys of a source that lie after `after`, in order; fewer mean that it ends.
    fn fetch(
        conn: &Connection,
        source: &Self::Source,
        after: Option<&Self>,
        count: usize,
        into: &mut VecDeque<Self>,
    ) -> rusqlite::Result<()>;

    /// The row's number; `None` for a mere mark on the way.
    fn number(&self) -> Option<i64>;

    fn write(&self, out: &mut Vec<u8>);

    fn read(bytes: &[u8]) -> Option<Self>;
}

/// One stream of a merge.
pub(super) enum Stream<K: Key> {
    /// Walks an index.
    Index(K::Source),
    /// Was collected and sorted.
    Sorted(Vec<K>),
}

struct Lane<K: Key> {
    stream: Stream<K>,
    buffer: VecDeque<K>,
    after: Option<K>,
    batch: usize,
    ended: bool,
}

impl<K: Key> Lane<K> {
    fn next(&mut self, conn: &Connection) -> rusqlite::Result<Option<K>> {
        if self.buffer.is_empty() && !self.ended {
            match &self.stream {
                Stream::Index(source) => {
                    let after = self.after.as_ref();
                    K::fetch(conn, source, after, self.batch, &mut self.buffer)?;
                    self.ended = self.buffer.len() < self.batch;
                    self.batch = (self.batch * 2).min(BATCH_MAX);
                }
                Stream::Sorted(keys) => {
                    let from = self
                        .after
                        .map_or(0, |after| keys.partition_point(|key| *key <= after));
                    self.buffer.extend(&keys[from..]);
                    self.ended = true;
                }
            }
            self.after = self.buffer.back().copied().or(self.after);
        }
        Ok(self.buffer.pop_front())
    }
}

/// Several streams as one, in order.
pub(super) struct Walk<K: Key> {
    lanes: Vec<Lane<K>>,
    heads: BinaryHeap<Reverse<(K, usize)>>,
    begun: bool,
}

impl<K: Key> Walk<K> {
    /// All streams from `after` on; about `expected` rows will be asked for.
    pub(super) fn new(streams: Vec<Stream<K>>, after: Option<K>, expected: usize) -> Walk<K> {
        let batch = (expected / streams.len().max(1) + 1).clamp(BATCH_MIN, BATCH_MAX);
        let lane = |stream| Lane {
            stream,
            buffer: VecDeque::new(),
            after,
            batch,
            ended: false,
        };
        Walk {
            lanes: streams.into_iter().map(lane).collect(),
            heads: BinaryHeap::new(),
            begun: false,
        }
    }

    /// Gives the next keys, at most `count`; fewer mean that the walk ends.
    fn take(&mut self, conn: &Connection, count: usize) -> rusqlite::Result<Vec<K>> {
        if !self.begun {
            self.begun = true;
            for (at, lane) in self.lanes.iter_mut().enumerate() {
                if let Some(key) = lane.next(conn)? {
                    self.heads.push(Reverse((key, at)));
                }
            }
        }
        let mut keys = Vec::with_capacity(count);
        while keys.len() < count {
            let Some(Reverse((key, at))) = self.heads.pop() else {
                break;
            };
            keys.push(key);
            if let Some(next) = self.lanes[at].next(conn)? {
                self.heads.push(Reverse((next, at)));
            }
        }
        Ok(keys)
    }
}

/// The keys of a page, and where the next begins: after which row, with how many matching rows still to skip.
pub(super) type Keys<K> = (Vec<K>, Option<(K, u32)>);

/// Where a page begins and how long it is, checked.
pub(super) struct Turn<K> {
    pub(super) after: Option<K>,
    pub(super) skip: u32,
    pub(super) limit: usize,
}

impl<K: Key> Turn<K> {
    pub(super) fn read(page: &Page, log_id: &str, filters: [u8; 8]) -> Result<Self, ListError> {
        if !(1..=LIST_LIMIT_MAX).contains(&page.limit) {
            return Err(ListError::Limit);
        }
        let (after, skip) = match &page.from {
            From::Offset(offset) if *offset > LIST_OFFSET_MAX => return Err(ListError::Offset),
            From::Offset(offset) => (None, *offset),
            From::Cursor(text) => {
                let (key, skip) = cursor::read(text, log_id, filters)?;
                (Some(key), skip)
            }
        };
        Ok(Turn {
            after,
            skip,
            limit: page.limit as usize,
        })
    }

    /// About how many rows the walk will be asked for.
    pub(super) fn expected(&self) -> usize {
        self.skip as usize + self.limit + 1
    }

    /// Walks until the page is full and one more row is known, the walk ends, or too many rows did not match. Gives the page's keys,
    /// and where the next page begins: after which row, with how many still to skip.
    pub(super) fn walk(
        &self,
        conn: &Connection,
        mut walk: Walk<K>,
        test: &mut dyn FnMut(&[K]) -> rusqlite::Result<Vec<bool>>,
    ) -> rusqlite::Result<Keys<K>> {
        let mut keys = Vec::with_capacity(self.limit);
        let (mut skip, mut misses, mut last) = (self.skip, 0, self.after);
        let mut batch = self.expected().clamp(TURN_MIN, BATCH_MAX);
        loop {
            let seen = walk.take(conn, batch)?;
            let fits = test(&seen)?;
            for (key, fits) in seen.iter().zip(fits) {
                if !fits {
                    misses += 1;
                } else if skip > 0 {
                    skip -= 1;
                } else if keys.len() < self.limit {
                    keys.push(*key);
                } else {
                    return Ok((keys, last.map(|last| (last, 0))));
                }
                last = Some(*key);
                if misses >= LIST_VISITS_MAX {
                    return Ok((keys, Some((*key, skip))));
                }
            }
            if seen.len() < batch {
                return Ok((keys, None));
            }
            batch = (batch * 2).min(BATCH_MAX);
        }
    }
}
