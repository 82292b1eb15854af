//! What a reader of the event feed was told, over all lives, against what the log turns out to hold.

use mainstay::{RunId, TenantId};

use super::image::Written;
use super::model::{Verdict, demand};

/// An event as it was told: number, public type, tenant, run.
pub(crate) type Told = (u64, &'static str, TenantId, Option<RunId>);

/// One answer of the feed.
#[derive(Debug)]
pub(crate) struct Page {
    /// The cursor that was asked with.
    pub(crate) after: u64,
    /// The tenant whose events alone were asked for.
    pub(crate) tenant: Option<TenantId>,
    /// The cursor that the answer goes on from.
    pub(crate) next: u64,
    pub(crate) events: Vec<Told>,
}

/// The pages that were not judged yet, and every public event that is known to be durable.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    pages: Vec<Page>,
    known: Vec<Told>,
    last: u64,
}

impl Heard {
    /// Somebody was told this.
    pub(crate) fn hear(&mut self, page: Page) {
        self.pages.push(page);
    }

    /// Whether everybody was told what the log holds: no more, no less, in its order. `fresh` is what the log holds since the last time.
    pub(super) fn judge(&mut self, fresh: &[Written]) -> Verdict {
        for written in fresh {
            for (sequence, entry) in (written.first_sequence..).zip(&written.events) {
                self.last = sequence;
                if let Some(kind) = entry.event.public_name() {
                    let run = entry.event.about().run;
                    self.known.push((sequence, kind, entry.tenant, run));
                }
            }
        }
        for page in std::mem::take(&mut self.pages) {
            demand!(
                page.next <= self.last.max(page.after),
                "the feed went up to {}, the log ends at {}",
                page.next,
                self.last
            );
            let from = self.known.partition_point(|told| told.0 <= page.after);
            let to = self.known.partition_point(|told| told.0 <= page.next);
            let wanted = |told: &&Told| page.tenant.is_none_or(|tenant| tenant == told.2);
            let held = self.known[from..to.max(from)].iter().filter(wanted);
            let held: Vec<Told> = held.copied().collect();
            demand!(
                held == page.events,
                "after {} the feed told {:?}, the log holds {held:?}",
                page.after,
                page.events
            );
        }
        Ok(())
    }
}
