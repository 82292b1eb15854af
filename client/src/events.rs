//! The event feed: pages after a cursor, and following it without an end.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use hyper::header::HeaderValue;

use crate::lists::Target;
use crate::wire::{Event, EventPage};
use crate::{Client, Error};

/// How long the server holds a poll of a follower back.
const POLL: Duration = Duration::from_secs(30);
/// The pause after an answer that came empty before its time: the server is about to end.
const PAUSE: Duration = Duration::from_millis(200);
/// Events of one page of a follower.
const PAGE: u32 = 1000;

/// Which events are wanted. Filters are ANDed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Of these types; empty for all.
    pub types: Vec<String>,
    /// About this task or one of its runs.
    pub task_id: Option<String>,
    /// About this run.
    pub run_id: Option<String>,
}

/// Events as they become durable, in order and without a gap, whatever happens to the connection or the server meanwhile.
#[derive(Debug)]
pub struct EventFollower {
    client: Client,
    filter: EventFilter,
    after: Option<u64>,
    /// The log that the cursor is of: after a restore it is another, and the cursor means nothing there.
    log: Option<HeaderValue>,
    ready: VecDeque<Event>,
}

impl Client {
    /// One page of durable events after a cursor; without one it begins with the oldest that is kept. When there is none, the server
    /// waits up to `wait`, at most a minute.
    ///
    /// # Errors
    /// See [`Error`]; `cursor_expired` when events after the cursor are no longer kept, with the oldest cursor that works in
    /// `details.oldest`.
    pub async fn events(
        &self,
        filter: &EventFilter,
        after: Option<u64>,
        limit: Option<u32>,
        wait: Duration,
    ) -> Result<EventPage, Error> {
        let path = path_of(filter, after, limit, wait);
        Ok(self.get_of_log(path, wait, None).await?.0)
    }

    /// Follows the events after a cursor; without one from the oldest that is kept.
    #[must_use]
    pub fn follow(&self, filter: EventFilter, after: Option<u64>) -> EventFollower {
        EventFollower {
            client: self.clone(),
            filter,
            after,
            log: None,
            ready: VecDeque::new(),
        }
    }
}

impl EventFollower {
    /// The next event; waits for it as long as it takes.
    ///
    /// # Errors
    /// See [`Error`]; after one that passes, the next call goes on where this one was. `cursor_expired` does not pass: go on from
    /// `details.oldest`, knowing that something was missed.
    pub async fn next(&mut self) -> Result<Event, Error> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(event);
            }
            self.fill(POLL).await?;
        }
    }

    /// The next event if there is one already; `None` when the end is reached.
    ///
    /// # Errors
    /// As [`EventFollower::next`].
    pub async fn next_now(&mut self) -> Result<Option<Event>, Error> {
        if self.ready.is_empty() {
            self.fill(Duration::ZERO).await?;
        }
        Ok(self.ready.pop_front())
    }

    /// The cursor that goes on after the last event that was given out.
    #[must_use]
    pub fn cursor(&self) -> Option<u64> {
        match self.ready.front() {
            Some(next) => Some(next.sequence.saturating_sub(1)),
            None => self.after,
        }
    }

    async fn fill(&mut self, wait: Duration) -> Result<(), Error> {
        let asked = Instant::now();
        let path = path_of(&self.filter, self.after, Some(PAGE), wait);
        let log = self.log.clone();
        let (page, log): (EventPage, _) = self.client.get_of_log(path, wait, log).await?;
        self.log = log.or(self.log.take());
        self.after = Some(page.next);
        let is_early = page.events.is_empty() && asked.elapsed() < wait / 2;
        self.ready.extend(page.events);
        if is_early {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }
}

fn path_of(filter: &EventFilter, after: Option<u64>, limit: Option<u32>, wait: Duration) -> String {
    let mut path = Target::new("/api/v1/events");
    let number = |value: Option<u64>| value.map(|value| value.to_string());
    path.add("after", number(after).as_deref());
    path.add("limit", number(limit.map(u64::from)).as_deref());
    for kind in &filter.types {
        path.add("type", Some(kind));
    }
    path.add("task_id", filter.task_id.as_deref());
    path.add("run_id", filter.run_id.as_deref());
    let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    path.add(
        "wait_ms",
        number((wait_ms > 0).then_some(wait_ms)).as_deref(),
    );
    path.done()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_said_in_the_path() {
        let filter = EventFilter {
            types: vec!["run_failed".into(), "run_canceled".into()],
            run_id: Some("r".into()),
            ..EventFilter::default()
        };
        assert_eq!(
            path_of(&filter, Some(7), Some(5), Duration::from_secs(1)),
            "/api/v1/events?after=7&limit=5&type=run_failed&type=run_canceled&run_id=r&wait_ms=1000"
        );
        let all = path_of(&EventFilter::default(), None, None, Duration::ZERO);
        assert_eq!(all, "/api/v1/events");
    }
}
