//! The log's facts as the public sees them: stable names, and the last of them as lines.
//! Owns: which fact has which public name, and which has none.
//! Never: shows a fact that is not durable.

use std::collections::{HashMap, VecDeque};
use std::ops::ControlFlow;

use mainstay_core::codec;
use mainstay_core::{
    AttemptResult, Cause, Entry, Event, RunId, RunState, TaskColumns, TaskId, TenantId, Text,
    Timestamp,
};
use mainstay_log::{Frame, RealDisk};
use mainstay_store::{EventLine, Reader, SqliteReader, file_of};

use super::verify::CACHE_KIB;
use crate::handle::Handle;
use crate::shelf::STORE_DIRECTORY;

/// Lines that are given at most.
const LINES_MAX: usize = 10_000;
/// Events that are looked through at most for them.
const WINDOW_MAX: u64 = 4_000_000;

/// The public name of a fact, for ever; `None` for those that only the machine cares about.
#[must_use]
pub fn public_name(event: &Event) -> Option<&'static str> {
    Some(match event {
        Event::TaskCreated(_) => "task_created",
        Event::RunCreated(_) => "run_created",
        Event::RunReady(_) => "run_ready",
        Event::RunStarted(_) => "run_started",
        Event::RunCompleted(_) => "run_completed",
        Event::RunRetryScheduled(_) => "run_retry_scheduled",
        Event::RunReturned(returned) if returned.result == AttemptResult::LeaseExpired => {
            "lease_expired"
        }
        // Given back by its worker.
        Event::RunReturned(_) => "run_ready",
        Event::RunFailed(_) => "run_failed",
        Event::RunSuspended(_) => "run_suspended",
        Event::RunCanceled(_) => "run_canceled",
        Event::RunCancelRequested(_) => "run_cancel_requested",
        Event::RunResumed(_) => "run_resumed",
        Event::TaskCanceled(_) => "task_canceled",
        Event::EnginePaused(_) => "engine_paused",
        Event::EngineResumed(_) => "engine_resumed",
        Event::TenantCreated(_) => "tenant_created",
        Event::TenantWeighted(_) => "tenant_updated",
        Event::TaskUpdated(_) => "task_updated",
        Event::ScheduleChanged(_) => "schedule_changed",
        Event::SchedulePaused(_) => "schedule_paused",
        Event::ScheduleResumed(_) => "schedule_resumed",
        Event::OccurrencesSkipped(_) => "occurrences_skipped",
        Event::ScheduleEnded(_) => "schedule_ended",
        Event::RunRescheduled(_) => "run_rescheduled",
        Event::LeaseAcquired(_) => "run_leased",
        Event::RunBegan(_) => "run_started",
        Event::LeaseEnded(ended) if ended.cause == Cause::LeaseExpired => "lease_expired",
        Event::LeaseEnded(_) => "run_ready",
        Event::DependenciesDeclared(_) => "dependencies_declared",
        Event::DependencySatisfied(_) => "dependency_satisfied",
        Event::BudgetAllocated(_) => "budget_allocated",
        Event::BudgetConsumed(_) => "budget_consumed",
        Event::BudgetReplenished(_) => "budget_replenished",
        Event::BudgetExhausted(_) => "budget_exhausted",
        Event::BudgetThresholdPassed(_) => "budget_threshold",
        Event::SubscriptionCreated(_) => "subscription_created",
        Event::SubscriptionCanceled(_) => "subscription_canceled",
        Event::SubscriptionTriggered(_) => "subscription_triggered",
        Event::CustomEventPublished(_) => "custom_event",
        Event::QueueConfigured(_) => "queue_configured",
        Event::QueuePaused(_) => "queue_paused",
        Event::QueueResumed(_) => "queue_resumed",
        Event::RunTransitioned(moved) => match moved.to {
            RunState::Completed => "run_completed",
            RunState::Failed => "run_failed",
            RunState::RetryWait => "run_retry_scheduled",
            RunState::Suspended => "run_suspended",
            RunState::Canceled => "run_canceled",
            RunState::Scheduled | RunState::Ready | RunState::Leased | RunState::Running => {
                return None;
            }
        },
        Event::AttemptStarted(_)
        | Event::OccurrencePlanned(_)
        | Event::LeaseExtended(_)
        | Event::RunSuspendRequested(_)
        | Event::CheckpointSaved(_)
        | Event::ClaimRecorded(_)
        | Event::EngineStarted(_)
        | Event::ClockAdopted(_) => return None,
    })
}

/// Whom a fact is about, and who did it.
fn about(event: &Event) -> (Option<TaskId>, Option<RunId>, Option<&Text>) {
    match event {
        Event::TaskCreated(event) => (Some(event.task), None, Some(&event.by)),
        Event::TaskCanceled(event) => (Some(event.task), None, Some(&event.by)),
        Event::RunCreated(event) => (Some(event.task), Some(event.run), None),
        Event::RunReady(event) => (None, Some(event.run), None),
        Event::RunStarted(event) => (None, Some(event.run), Some(&event.worker)),
        Event::LeaseExtended(event) => (None, Some(event.run), None),
        Event::RunCompleted(event) => (None, Some(event.run), None),
        Event::RunRetryScheduled(event) => (None, Some(event.run), None),
        Event::RunReturned(event) => (None, Some(event.run), None),
        Event::RunFailed(event) => (None, Some(event.run), None),
        Event::RunSuspended(event) => (None, Some(event.run), None),
        Event::RunCanceled(event) => (None, Some(event.run), Some(&event.by)),
        Event::RunCancelRequested(event) => (None, Some(event.run), Some(&event.by)),
        Event::RunSuspendRequested(event) => (None, Some(event.run), Some(&event.by)),
        Event::RunResumed(event) => (None, Some(event.run), Some(&event.by)),
        Event::CheckpointSaved(event) => (None, Some(event.run), None),
        Event::EnginePaused(event) => (None, None, Some(&event.by)),
        Event::EngineResumed(event) => (None, None, Some(&event.by)),
        Event::TaskUpdated(event) => (Some(event.task), None, Some(&event.by)),
        Event::ScheduleChanged(event) => (Some(event.task), None, Some(&event.by)),
        Event::SchedulePaused(event) => (Some(event.task), None, Some(&event.by)),
        Event::ScheduleResumed(event) => (Some(event.task), None, Some(&event.by)),
        Event::OccurrencesSkipped(event) => (Some(event.task), None, None),
        Event::OccurrencePlanned(event) => (Some(event.task), None, None),
        Event::ScheduleEnded(event) => (Some(event.task), None, None),
        Event::RunRescheduled(event) => (None, Some(event.run), None),
        Event::LeaseAcquired(event) => (None, Some(event.run), Some(&event.owner)),
        Event::RunBegan(event) => (None, Some(event.run), Some(&event.by)),
        Event::LeaseEnded(event) => (None, Some(event.run), Some(&event.by)),
        Event::AttemptStarted(event) => (None, Some(event.run), None),
        Event::RunTransitioned(event) => (None, Some(event.run), Some(&event.by)),
        Event::DependenciesDeclared(event) => (Some(event.task), None, Some(&event.by)),
        Event::DependencySatisfied(event) => (Some(event.task), None, None),
        Event::BudgetAllocated(event) => (event.task, None, Some(&event.by)),
        Event::BudgetConsumed(event) => (event.task, event.run, None),
        Event::BudgetReplenished(event) => (event.task, None, Some(&event.by)),
        Event::BudgetExhausted(event) => (event.task, None, None),
        Event::BudgetThresholdPassed(event) => (Some(event.task), None, None),
        Event::SubscriptionCreated(event) => (Some(event.task), None, Some(&event.by)),
        Event::SubscriptionCanceled(event) => (None, None, Some(&event.by)),
        Event::SubscriptionTriggered(event) => (None, event.run, None),
        Event::CustomEventPublished(event) => (None, None, Some(&event.by)),
        Event::QueueConfigured(event) => (None, None, Some(&event.by)),
        Event::QueuePaused(event) => (None, None, Some(&event.by)),
        Event::QueueResumed(event) => (None, None, Some(&event.by)),
        Event::ClaimRecorded(_)
        | Event::EngineStarted(_)
        | Event::ClockAdopted(_)
        | Event::TenantCreated(_)
        | Event::TenantWeighted(_) => (None, None, None),
    }
}

fn line(sequence: u64, at: Timestamp, entry: &Entry) -> Option<EventLine> {
    let kind = public_name(&entry.event)?;
    let (task, run, by) = about(&entry.event);
    Some(EventLine {
        sequence,
        at,
        kind,
        tenant: entry.tenant,
        task,
        run,
        actor: by.filter(|by| !by.is_empty()).cloned(),
    })
}

/// The last lines within a stretch of the log.
struct Window {
    count: usize,
    from: u64,
    durable: u64,
    lines: VecDeque<EventLine>,
    /// The tasks of runs that were made within the stretch.
    tasks: HashMap<RunId, TaskId>,
    /// The first event that was seen at all.
    first: Option<u64>,
}

impl Window {
    fn frame(&mut self, frame: &Frame<'_>) -> ControlFlow<()> {
        if frame.first_sequence > self.durable {
            return ControlFlow::Break(());
        }
        self.first.get_or_insert(frame.first_sequence);
        let at = Timestamp(frame.wall_ms);
        let mut sequence = frame.first_sequence;
        // What a later release wrote is not shown.
        let _ = codec::decode(frame.body, &mut |_, events| {
            for entry in events {
                self.event(sequence, at, entry);
                sequence += 1;
            }
        });
        ControlFlow::Continue(())
    }

    fn event(&mut self, sequence: u64, at: Timestamp, entry: &Entry) {
        if let Event::RunCreated(created) = &entry.event {
            self.tasks.insert(created.run, created.task);
        }
        if sequence < self.from || sequence > self.durable {
            return;
        }
        if let Some(line) = line(sequence, at, entry) {
            self.lines.push_back(line);
            if self.lines.len() > self.count {
                self.lines.pop_front();
            }
        }
    }
}

impl Handle {
    /// The last durable facts that are public, at most `count` and at most 10,000, in order. Blocks: they are read from the end of the
    /// log. None in a simulation, and none when the log cannot be read.
    #[must_use]
    pub fn recent_events(&self, count: usize) -> Vec<EventLine> {
        let count = count.min(LINES_MAX);
        let Some(directory) = self.shared().directory().filter(|_| count > 0) else {
            return Vec::new();
        };
        let Ok(disk) = RealDisk::open_existing(&directory) else {
            return Vec::new();
        };
        let durable = self.sequence();
        let mut wanted = count as u64 * 2;
        let window = loop {
            let mut window = Window {
                count,
                from: (durable + 1).saturating_sub(wanted),
                durable,
                lines: VecDeque::new(),
                tasks: HashMap::new(),
                first: None,
            };
            let from = window.from;
            if mainstay_log::read(&disk, from, &mut |frame| window.frame(frame)).is_err() {
                return Vec::new();
            }
            let is_all = from <= 1 || window.first.is_none_or(|first| first > from);
            if window.lines.len() >= count || is_all || wanted >= WINDOW_MAX {
                break window;
            }
            wanted *= 4;
        };
        let store = file_of(&directory.join(STORE_DIRECTORY));
        let mut reader = SqliteReader::open(&store, CACHE_KIB).ok();
        let mut known = window.tasks;
        let mut lines = Vec::from(window.lines);
        for line in &mut lines {
            if let (None, Some(run)) = (line.task, line.run) {
                let stored = || find_task(reader.as_mut()?, line.tenant, run);
                line.task = known.get(&run).copied().or_else(stored);
                if let Some(task) = line.task {
                    known.insert(run, task);
                }
            }
        }
        lines
    }
}

/// The task of a run that was made long ago.
fn find_task(reader: &mut SqliteReader, tenant: TenantId, run: RunId) -> Option<TaskId> {
    let found = reader.run(tenant, run).ok().flatten()?;
    TaskColumns::read(&found.task).ok().map(|task| task.id)
}
