//! Somebody who reads the event feed, now fast, now slowly, through all lives of the directory.

use mainstay::{EventsAfter, FeedError};

use super::life::Life;
use super::run::World;
use crate::oracle::Page;
use crate::rng::Rng;

/// Where the reader is.
pub(super) struct Reader {
    cursor: u64,
    /// Of its own, so that reading changes nothing that others do.
    rng: Rng,
}

impl Reader {
    pub(super) fn new(seed: u64) -> Reader {
        Reader {
            cursor: 0,
            rng: Rng::new(seed, 3),
        }
    }
}

impl World {
    /// A page of the feed, or none. What was told is judged at the next recovery; that it was durable, at once.
    pub(super) fn read_events(&mut self, life: &Life) -> Result<(), String> {
        let rng = &mut self.reader.rng;
        if self.disk.is_dead() || !rng.chance(15) {
            return Ok(());
        }
        let limit = *rng.pick(&[1, 3, 20, 1000]);
        if rng.chance(3) {
            // It has lost its place: it begins again somewhere.
            self.reader.cursor = rng.below(self.reader.cursor + 1);
        }
        let after = self.reader.cursor;
        // Somebody of one tenant looks too, and is told nothing of another.
        let tenant = self.reader.rng.chance(20).then(|| self.people.tenant());
        let wanted = EventsAfter {
            tenant,
            ..EventsAfter::all(Some(after), limit)
        };
        let page = match life.handle.events(&wanted) {
            Ok(page) => page,
            Err(FeedError::Expired { oldest }) if oldest > after => {
                self.report.marks.hit("event cursor expired");
                self.reader.cursor = oldest;
                return Ok(());
            }
            Err(FeedError::Expired { oldest }) => {
                return Err(format!("cursor {after} expired, though {oldest} works"));
            }
            // The disk did not let it read.
            Err(FeedError::Unreadable(_)) => return Ok(()),
        };
        if !self.setup.blind && page.next > life.durable().max(after) {
            return Err(format!(
                "the feed went up to {}, {} is durable",
                page.next,
                life.durable()
            ));
        }
        self.report.marks_if(!page.events.is_empty(), "events read");
        if tenant.is_none() {
            self.reader.cursor = page.next;
        }
        let told = page.events.iter();
        self.oracle.heard.hear(Page {
            after,
            tenant,
            next: page.next,
            events: told
                .map(|event| (event.sequence, event.kind, event.tenant, event.run))
                .collect(),
        });
        Ok(())
    }
}
