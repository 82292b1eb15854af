//! Reading the feed: piece by piece, so that a long look at an old log holds up nobody.
//! Owns: what a reader sees of each frame.
//! Never: passes over an event that is wanted; shows one that is not durable.

use std::sync::atomic::Ordering;
use std::time::Instant;

use mainstay_core::{Answer, Query, RunId, TaskId, TenantId};

use super::ask::{EventPage, EventsAfter, FeedError, FeedEvent};
use super::frame::{KeptFrame, Told};
use super::watch::EventWatch;
use crate::call;
use crate::handle::Handle;

/// Events that one piece looks at.
const PIECE_EVENTS: u64 = 20_000;

/// How far a piece came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// There is more to look at.
    More,
    /// The page has something in it, and what else there is comes with the next.
    Filled,
    /// The page reaches the durable end.
    End,
}

impl Handle {
    /// Durable public events after a cursor, in order and without a gap, whatever has happened to the process meanwhile. Blocks: it
    /// may read the log's files, and waits as long as it was asked to.
    ///
    /// # Errors
    /// [`FeedError`].
    pub fn events(&self, ask: &EventsAfter) -> Result<EventPage, FeedError> {
        let until = Instant::now() + ask.wait;
        let mut watch = self.watch_events();
        let mut page = self.begin_events(ask)?;
        loop {
            match self.events_piece(ask, &mut page)? {
                Piece::More => {}
                Piece::Filled => return Ok(page),
                Piece::End if !page.events.is_empty() => return Ok(page),
                Piece::End => {
                    let next = page.next;
                    let moved = call::block_until(watch.past(next), until);
                    if moved != Some(true) {
                        return Ok(page);
                    }
                }
            }
        }
    }

    /// An empty page that begins where the reader wants to.
    ///
    /// # Errors
    /// [`FeedError::Unreadable`].
    pub fn begin_events(&self, ask: &EventsAfter) -> Result<EventPage, FeedError> {
        self.shared().feed.listen();
        let next = match ask.after {
            Some(after) => after,
            None => self.oldest_cursor()?,
        };
        Ok(EventPage {
            events: Vec::new(),
            next,
        })
    }

    /// Looks at a bounded number of events after `page.next` and adds those that are wanted. Blocks: it may read the log's files.
    ///
    /// # Errors
    /// [`FeedError`]; what the page holds already stays good.
    pub fn events_piece(
        &self,
        ask: &EventsAfter,
        page: &mut EventPage,
    ) -> Result<Piece, FeedError> {
        self.shared().feed.listen();
        let durable = self.told_through();
        let ends = page.next.saturating_add(PIECE_EVENTS);
        while page.next < durable {
            let begun = page.next;
            let frames = match self.shared().feed.frames(page.next + 1, durable) {
                Ok(frames) => frames,
                // What was found first is told first.
                Err(_) if !page.events.is_empty() => return Ok(Piece::Filled),
                Err(error) => return Err(error),
            };
            for frame in frames.iter().take_while(|frame| frame.last <= durable) {
                if !self.look(ask, frame, page)? {
                    return Ok(Piece::Filled);
                }
                if page.next >= ends {
                    return Ok(if page.events.is_empty() {
                        Piece::More
                    } else {
                        Piece::Filled
                    });
                }
            }
            if page.next == begun {
                // A frame that is durable in part is none.
                break;
            }
        }
        Ok(Piece::End)
    }

    /// Waits for events without blocking a thread.
    #[must_use]
    pub fn watch_events(&self) -> EventWatch {
        self.shared().feed.watch()
    }

    /// The oldest cursor that works. Blocks: it reads the log's manifest.
    ///
    /// # Errors
    /// [`FeedError::Unreadable`].
    pub fn oldest_cursor(&self) -> Result<u64, FeedError> {
        self.shared().feed.oldest_cursor()
    }

    fn told_through(&self) -> u64 {
        let (shared, durable) = (self.shared(), self.sequence());
        if shared.feed.tells_early() {
            return shared.counters.applied.load(Ordering::Acquire).max(durable);
        }
        durable
    }

    /// Whether what comes after a cursor is in memory because somebody has read near it: then a piece needs no file.
    #[must_use]
    pub fn holds_events_after(&self, cursor: u64) -> bool {
        self.shared().feed.is_near(cursor)
    }

    /// Goes over one frame; false when the page was full before its end.
    fn look(
        &self,
        ask: &EventsAfter,
        frame: &KeptFrame,
        page: &mut EventPage,
    ) -> Result<bool, FeedError> {
        let feed = &self.shared().feed;
        let told = frame.told(&|told| feed.learn(told))?;
        let begun =
            usize::try_from((page.next + 1).saturating_sub(told.first)).unwrap_or(usize::MAX);
        for (index, entry) in told.entries.iter().enumerate().skip(begun) {
            if page.events.len() >= ask.limit.clamp(1, EventsAfter::LIMIT_MAX) {
                return Ok(false);
            }
            if let Some(kind) = entry.event.public_name()
                && let Some(event) = self.tell(ask, &told, index, kind)
            {
                page.events.push(event);
            }
            page.next = told.first + index as u64;
        }
        Ok(true)
    }

    /// One event, if it is wanted.
    fn tell(
        &self,
        ask: &EventsAfter,
        told: &std::sync::Arc<Told>,
        index: usize,
        kind: &'static str,
    ) -> Option<FeedEvent> {
        let entry = &told.entries[index];
        let about = entry.event.about();
        if !ask.wants(kind, entry.tenant, &about) {
            return None;
        }
        let of_run = || about.run.and_then(|run| self.task_of(entry.tenant, run));
        let task = about.task.or_else(of_run);
        if ask.task.is_some() && ask.task != task {
            return None;
        }
        Some(FeedEvent {
            sequence: told.first + index as u64,
            at: told.at,
            kind,
            tenant: entry.tenant,
            task,
            run: about.run,
            told: std::sync::Arc::clone(told),
            index,
        })
    }

    fn task_of(&self, tenant: TenantId, run: RunId) -> Option<TaskId> {
        // A run that is neither in a frame that was read nor in the store yet is in memory. An engine that is driven by hand cannot
        // be waited for.
        let ask = || {
            self.shared().directory()?;
            match self.ask(tenant, Query::Run(run)).wait().ok()?.value {
                Answer::Run(view) => Some(view.task),
                _ => None,
            }
        };
        self.shared().feed.task_of(tenant, run, &ask)
    }
}
