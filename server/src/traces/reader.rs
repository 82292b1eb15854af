//! Reads the log's events on a thread of its own and tells the story in spans. Nobody waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mainstay::{EventsAfter, FeedError, Handle};
use mainstay_core::{Answer, Query, RunId, RunView, TaskId, TenantId};

use super::context::Context;
use super::cursor::Cursor;
use super::queue::Queue;
use super::story::{Heard, Look, Story, TaskFacts};

/// Events of one look.
const PAGE_EVENTS: usize = 1000;
/// How long a look waits for events. A stop ends every wait.
const LOOK_WAIT: Duration = Duration::from_secs(5);
/// How long an ended engine, or a log that cannot be read, is left alone.
const PAUSE: Duration = Duration::from_millis(50);
/// How often the cursor is written.
const SAVE_EVERY: Duration = Duration::from_secs(5);
/// What spans are made of.
const TYPES: [&str; 13] = [
    "task_created",
    "run_created",
    "run_ready",
    "run_leased",
    "run_started",
    "run_completed",
    "run_failed",
    "run_retry_scheduled",
    "run_suspended",
    "run_resumed",
    "run_canceled",
    "lease_expired",
    "run_redriven",
];

impl Look for Handle {
    fn task(&self, tenant: TenantId, task: TaskId) -> Option<TaskFacts> {
        match self.ask(tenant, Query::Task(task)).wait().ok()?.value {
            Answer::Task(view) => Some(TaskFacts {
                context: view.extras.traceparent.as_deref().and_then(Context::parse),
                kind: view.kind,
                queue: view.queue,
            }),
            _ => None,
        }
    }

    fn run(&self, tenant: TenantId, run: RunId) -> Option<Box<RunView>> {
        match self.ask(tenant, Query::Run(run)).wait().ok()?.value {
            Answer::Run(view) => Some(view),
            _ => None,
        }
    }
}

/// Reads until it is told to stop and has told everything that is durable then; closes the queue behind it.
pub(super) fn read(
    handle: &Handle,
    mut story: Story,
    queue: &Arc<Queue>,
    (cursor, begin): (&mut Cursor, u64),
    stop: &AtomicBool,
) {
    let watch = handle.watch_events();
    let mut ask = EventsAfter::all(Some(begin), PAGE_EVENTS);
    ask.types = TYPES.to_vec();
    let mut saved = Instant::now();
    loop {
        // Asked before the look: what was durable then is told by it.
        let stopping = stop.load(Ordering::Acquire);
        ask.wait = if stopping { Duration::ZERO } else { LOOK_WAIT };
        match handle.events(&ask) {
            Ok(page) => {
                let mut spans = Vec::new();
                for event in &page.events {
                    let heard = Heard {
                        at: event.at,
                        tenant: event.tenant,
                        event: event.event(),
                    };
                    story.hear(heard, handle, &mut spans);
                }
                ask.after = Some(page.next);
                let lag = handle.sequence().saturating_sub(page.next);
                queue.counts.lag.store(lag, Ordering::Relaxed);
                queue.tell(spans, page.next);
                if page.events.is_empty() && stopping {
                    break;
                }
                if page.events.is_empty() && watch.has_ended() {
                    std::thread::sleep(PAUSE);
                }
            }
            Err(FeedError::Expired { oldest }) => {
                tracing::warn!(
                    oldest,
                    "events that spans were to be made of are no longer kept"
                );
                ask.after = Some(oldest);
            }
            Err(FeedError::Unreadable(error)) => {
                if stopping {
                    break;
                }
                tracing::warn!(error, "the log cannot be read for traces");
                std::thread::sleep(LOOK_WAIT / 5);
            }
        }
        if saved.elapsed() >= SAVE_EVERY {
            saved = Instant::now();
            cursor.save(queue.settled());
        }
    }
    queue.close();
}
