//! What is asked of the feed, and what it answers.
//! Owns: filters, pages, the errors of a read.
//! Never: reads.

use std::sync::Arc;
use std::time::Duration;

use mainstay_core::events::About;
use mainstay_core::{Event, RunId, TaskId, TenantId, Timestamp};

use super::frame::Told;

/// Events wanted, after a cursor.
#[derive(Clone, Debug)]
pub struct EventsAfter {
    /// Only events with a greater sequence; `None` begins with the oldest that the log holds.
    pub after: Option<u64>,
    /// Events at most, 1..=1000; more is cut to that.
    pub limit: usize,
    /// Only these public types; empty for all.
    pub types: Vec<&'static str>,
    /// Only events about this task or one of its runs.
    pub task: Option<TaskId>,
    /// Only events about this run.
    pub run: Option<RunId>,
    /// Only this tenant's.
    pub tenant: Option<TenantId>,
    /// How long to wait when there is none.
    pub wait: Duration,
}

impl EventsAfter {
    /// Most events of one page.
    pub const LIMIT_MAX: usize = 1000;

    /// Everything after a cursor, at most `limit` at once, without waiting.
    #[must_use]
    pub fn all(after: Option<u64>, limit: usize) -> EventsAfter {
        EventsAfter {
            after,
            limit: limit.clamp(1, EventsAfter::LIMIT_MAX),
            types: Vec::new(),
            task: None,
            run: None,
            tenant: None,
            wait: Duration::ZERO,
        }
    }

    /// Whether an event is wanted, apart from its task.
    pub(crate) fn wants(&self, kind: &'static str, tenant: TenantId, about: &About<'_>) -> bool {
        (self.types.is_empty() || self.types.contains(&kind))
            && self.tenant.is_none_or(|wanted| wanted == tenant)
            && (self.run.is_none() || self.run == about.run)
    }
}

/// One durable public event.
#[derive(Clone, Debug)]
pub struct FeedEvent {
    /// Its number in the log: the cursor that goes on after it.
    pub sequence: u64,
    /// When it happened.
    pub at: Timestamp,
    /// Its public type.
    pub kind: &'static str,
    /// Its tenant.
    pub tenant: TenantId,
    /// The task it is about; unknown for a run that nothing remembers any more.
    pub task: Option<TaskId>,
    /// The run it is about.
    pub run: Option<RunId>,
    pub(crate) told: Arc<Told>,
    pub(crate) index: usize,
}

impl FeedEvent {
    /// The fact itself: what it shows is [`Event::shown`].
    #[must_use]
    pub fn event(&self) -> &Event {
        &self.told.entries[self.index].event
    }

    /// By whom; `None` for the machine itself.
    #[must_use]
    pub fn actor(&self) -> Option<&str> {
        self.event().about().actor
    }
}

/// Events in order.
#[derive(Clone, Debug, Default)]
pub struct EventPage {
    /// The events. Empty only when nothing that is wanted lies after the cursor.
    pub events: Vec<FeedEvent>,
    /// The cursor that goes on from here: everything up to it was looked at.
    pub next: u64,
}

/// Why there is no page.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    /// Events after the cursor are no longer kept.
    #[error("the cursor has expired; the oldest that works is {oldest}")]
    Expired {
        /// The oldest cursor that still works.
        oldest: u64,
    },
    /// The log cannot be read.
    #[error("the log cannot be read: {0}")]
    Unreadable(String),
}
