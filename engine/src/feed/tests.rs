//! What the feed keeps in memory, and for whom.

use mainstay_core::{Entry, Event, Principal, TenantId, codec};
use mainstay_log::{Draft, Frame, OpenError};

use super::frame::KeptFrame;
use super::model::Feed;
use super::ring::Stretch;
use super::source::Source;

/// A log that must not be read.
struct Unread;

impl Source for Unread {
    fn read(
        &self,
        _from: u64,
        _visit: &mut dyn FnMut(&Frame<'_>) -> std::ops::ControlFlow<()>,
    ) -> Result<(), OpenError> {
        panic!("the log is not read for what is in memory")
    }

    fn oldest(&self) -> Result<u64, OpenError> {
        Ok(1)
    }
}

fn draft(first: u64, events: u32) -> Draft {
    let entry = Entry {
        tenant: TenantId::DEFAULT,
        event: Event::from(mainstay_core::events::EnginePaused::default()),
    };
    let mut body = Vec::new();
    let entries = vec![entry; events as usize];
    codec::encode(&mut body, &Principal::default(), None, 1, None, &entries);
    Draft {
        first_sequence: first,
        event_count: events,
        body,
        ..Draft::default()
    }
}

fn kept(first: u64, bytes: usize) -> KeptFrame {
    KeptFrame::copy(first, 1, 0, &vec![0; bytes]).expect("it holds an event")
}

fn sequences(stretch: &Stretch, from: u64) -> Vec<u64> {
    stretch
        .from(from, 100)
        .iter()
        .map(|frame| frame.first)
        .collect()
}

#[test]
fn nothing_is_copied_while_nobody_listens() {
    let feed = Feed::new(Box::new(Unread));
    assert!(feed.copy(&draft(1, 3)).is_none());
    feed.listen();
    assert!(feed.copy(&draft(4, 0)).is_none(), "a frame without events");
    let copy = feed.copy(&draft(4, 3)).expect("somebody listens");
    feed.keep(copy);
    let frames = feed.frames(5, 6).expect("in memory");
    assert_eq!((frames.len(), frames[0].first, frames[0].last), (1, 4, 6));
    let told = frames[0].told(&|_| {}).expect("readable");
    let again = frames[0]
        .told(&|_| panic!("decoded once"))
        .expect("readable");
    assert_eq!(told.entries.len(), 3);
    assert!(std::sync::Arc::ptr_eq(&told, &again));
}

#[test]
fn the_ring_has_no_gap_and_a_bound() {
    let mut ring = Stretch::default();
    for first in 1..=20 {
        ring.append(kept(first, 1 << 20));
    }
    assert_eq!(sequences(&ring, 13), (13..=20).collect::<Vec<_>>());
    assert!(sequences(&ring, 12).is_empty(), "it has left");
    assert!(sequences(&ring, 21).is_empty(), "it has not come");
    ring.append(kept(22, 1));
    assert!(sequences(&ring, 20).is_empty(), "what is before a gap goes");
    assert_eq!(sequences(&ring, 22), [22]);
    ring.append(kept(23, 9 << 20));
    assert_eq!(ring.bytes(), 0, "one frame does not fill the memory");
}
