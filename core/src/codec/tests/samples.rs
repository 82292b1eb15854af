//! One event of each kind, with something in every field: what the golden files pin.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use crate::budget::{Amount, BudgetSpec};
use crate::event::*;
use crate::image::{Revived, TaskForm};
use crate::run::{AttemptResult, Cause, Hold, Origin, RunError, State};
use crate::schedule::{Cron, Misfire, Overlap, Repeat, Schedule, SkipCause};
use crate::subscription::Filter;
use crate::task::{
    Bonds, Extras, HoldPolicy, Jitter, Payload, Policy, Retry, SafetyLevel, Strategy as Backoff,
    TaskSpec,
};
use crate::{ActorId, Bytes, Departure, RunId, SubscriptionId, TaskId, TenantId, Text, Timestamp};

pub(super) const RUN: RunId = RunId(0x0192_f7a1_5c3e_7b10_8a4d_0123_4567_89ab);
pub(super) const TASK: TaskId = TaskId(0x0192_f7a1_5c3e_7b10_8a4d_0123_4567_89aa);

pub(super) fn text(text: &str) -> Text {
    Text::from(text)
}

pub(super) fn some(words: &str) -> Option<Text> {
    Some(text(words))
}

pub(super) fn bytes(words: &str) -> Bytes {
    Bytes::from(words.as_bytes())
}

fn error() -> Option<Box<RunError>> {
    let (code, message, retryable) = (text("boom"), text("it went off \u{1f4a5}"), true);
    Some(Box::new(RunError {
        code,
        message,
        retryable,
    }))
}

fn full_spec() -> TaskSpec {
    let retry = Retry {
        strategy: Backoff::Fixed,
        initial_ms: 17,
        multiplier_milli: 1500,
        max_ms: u64::MAX,
        jitter: Jitter::None,
        non_retryable: vec![text("gone"), text("bad_input")],
    };
    let policy = Policy {
        max_attempts: 1000,
        max_lost_leases: 0,
        timeout_ms: Some(0),
        lease_ms: 86_400_000,
        cancel_grace_ms: 0,
        concurrency_key: some("customer-7"),
        concurrency_limit: u32::MAX,
        hold_policy: HoldPolicy::ReleaseOnRetry,
        safety_level: SafetyLevel::Transactional,
        retry,
        ..Policy::default()
    };
    let extras = Extras {
        content_type: some("application/cbor"),
        tags: vec![text("a"), text("b")],
        description: some("what it is for"),
        traceparent: some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        idempotency_key: some("order-7"),
        expires_at: Some(Timestamp::MAX),
        ..Extras::default()
    };
    TaskSpec {
        kind: text("mail.send"),
        queue: text("mail"),
        payload: Payload {
            bytes: Bytes::from([0u8, 255, 128]),
            binary: true,
        },
        run_at: Some(Timestamp(0)),
        priority: i32::MIN,
        policy: Some(Box::new(policy)),
        extras: Some(Box::new(extras)),
        schedule: None,
        bonds: None,
    }
}

/// One event of each kind.
pub(super) fn samples() -> Vec<Event> {
    let later = later_samples().into_iter();
    let newer = later.filter(|event| event.kind() as u64 > OLD_KINDS);
    let all = old_samples().into_iter().chain(newer);
    let all = all.chain(newest_samples());
    let actors = actor_samples().into_iter().skip(1);
    let all = all.chain(actors).chain(super::access::samples());
    let all = all.chain(super::attest::samples());
    let all = all.chain(super::operation::samples());
    all.chain(super::webhook::samples()).collect()
}

/// The kinds that came after those of the second golden file.
pub(super) fn newest_samples() -> Vec<Event> {
    vec![
        SubmitRecorded {
            key: text("submit-1"),
            task: TASK,
            digest: u128::MAX,
        }
        .into(),
    ]
}

/// The first lease of an actor, and one event of each of the kinds about actors.
pub(super) fn actor_samples() -> Vec<Event> {
    let actor = ActorId(0x0190_f000_0000_7000_8000_0000_0000_00ac);
    vec![
        RunStarted {
            run: RUN,
            number: 1,
            worker: text("w-1"),
            lease_ms: 30_000,
            actor: Some(actor),
            ..RunStarted::default()
        }
        .into(),
        ActorRegistered {
            actor,
            identity: text("gpu-7"),
            capabilities: vec![text("cuda"), text("video")],
            department: some("render"),
            heartbeat_interval_ms: 10_000,
            by: text("ann"),
            chosen: true,
        }
        .into(),
        ActorDraining {
            actor,
            by: text("ann"),
            reason: some("update"),
        }
        .into(),
        ActorDeregistered {
            actor,
            cause: Departure::Silent,
            by: text("bob"),
            reason: some("done"),
        }
        .into(),
    ]
}

/// The kinds that the first golden file holds.
const OLD_KINDS: u64 = 21;

/// One event of each of the first kinds, with every field that it had at first set to something that is not its default.
pub(super) fn old_samples() -> Vec<Event> {
    let run = RUN;
    vec![
        TaskCreated {
            task: TASK,
            spec: Box::new(full_spec()),
            by: text("ann"),
        }
        .into(),
        RunCreated {
            run,
            task: TASK,
            scheduled_at: Timestamp(1_800_000_000_000),
            ready: true,
            ..RunCreated::default()
        }
        .into(),
        RunReady { run }.into(),
        RunStarted {
            run,
            number: 3,
            incarnation: 2,
            counter: u64::MAX,
            worker: text("w-1"),
            lease_ms: 30_000,
            actor: None,
        }
        .into(),
        LeaseExtended {
            run,
            lease_ms: 600_000,
        }
        .into(),
        RunCompleted {
            run,
            output: Some(bytes(r#"{"sum":42}"#)),
        }
        .into(),
        RunRetryScheduled {
            run,
            result: AttemptResult::Timeout,
            error: error(),
            output: Some(bytes("1")),
            delay_ms: 1500,
        }
        .into(),
        RunReturned {
            run,
            result: AttemptResult::Released,
            reason: some("shutdown"),
            output: Some(bytes("2")),
            error: error(),
        }
        .into(),
        RunFailed {
            run,
            result: AttemptResult::Failure,
            error: error(),
            output: Some(bytes("3")),
            cause: Cause::OutcomeUnknown,
        }
        .into(),
        RunSuspended {
            run,
            result: AttemptResult::Suspended,
            reason: some("approval"),
            error: error(),
            output: Some(bytes("4")),
            ..RunSuspended::default()
        }
        .into(),
        RunCanceled {
            run,
            result: Some(AttemptResult::Canceled),
            cause: Cause::TaskCancel,
            by: text("ann"),
            reason: some("mistake"),
            error: error(),
            output: Some(bytes("5")),
        }
        .into(),
        RunCancelRequested {
            run,
            grace_ms: 5000,
            by: text("ann"),
            reason: some("mistake"),
            cause: None,
        }
        .into(),
        RunSuspendRequested {
            run,
            by: text("ann"),
            reason: some("costly"),
            budget: false,
        }
        .into(),
        RunResumed {
            run,
            payload: Some(bytes("[]")),
            by: text("ann"),
            ..RunResumed::default()
        }
        .into(),
        CheckpointSaved {
            run,
            name: text("page"),
            value: bytes("7"),
        }
        .into(),
        TaskCanceled {
            task: TASK,
            by: text("ann"),
            reason: some("mistake"),
            ..TaskCanceled::default()
        }
        .into(),
        ClaimRecorded {
            key: text("claim-1"),
            runs: vec![run, RunId(1)],
            counters: vec![0, 9],
            digest: u128::MAX,
            ..ClaimRecorded::default()
        }
        .into(),
        EnginePaused {
            by: text("ann"),
            reason: some("night"),
        }
        .into(),
        EngineResumed {
            by: text("bob"),
            reason: some("day"),
        }
        .into(),
        EngineStarted {
            incarnation: 4,
            downtime_ms: 60_000,
        }
        .into(),
        ClockAdopted {
            ahead_ms: 3_600_000,
        }
        .into(),
    ]
}

fn amount(dimension: &str, amount: u64) -> Amount {
    Amount {
        dimension: text(dimension),
        amount,
    }
}

fn full_cron() -> Schedule {
    Schedule::Cron(Box::new(Cron {
        expression: text("30 2 * * MON-FRI"),
        timezone: text("Australia/Lord_Howe"),
        max_occurrences: Some(12),
        misfire: Misfire::RunAll,
        misfire_grace_ms: 1,
        catch_up_max: 7,
        overlap: Overlap::CancelPrevious,
        start_at: Some(Timestamp(5)),
        end_at: Some(Timestamp(u64::MAX)),
        jitter_ms: 250,
    }))
}

fn repeat() -> Schedule {
    Schedule::Repeat(Repeat {
        count: 10_000,
        interval_ms: 60_000,
        start_at: Some(Timestamp(9)),
    })
}

/// A spec with every field that came later than the first kinds of events.
fn later_spec() -> TaskSpec {
    let policy = Policy {
        required_capabilities: vec![text("gpu"), text("eu")],
        fairness_key: some("customer-8"),
        ..Policy::default()
    };
    let extras = Extras {
        unique_key: some("nightly"),
        ..Extras::default()
    };
    let budgets = vec![BudgetSpec {
        dimension: text("token"),
        limit: 1000,
        reserve: Some(10),
    }];
    TaskSpec {
        policy: Some(Box::new(policy)),
        extras: Some(Box::new(extras)),
        schedule: Some(Box::new(full_cron())),
        bonds: Some(Box::new(Bonds {
            parent: Some(TASK),
            depends_on: vec![TaskId(1), TaskId(2)],
            budgets,
            ..Bonds::default()
        })),
        ..TaskSpec::new("mail.send")
    }
}

/// Earlier kinds with the fields that they got later, then one event of each later kind, every field set to something that is not its
/// default.
pub(super) fn later_samples() -> Vec<Event> {
    let run = RUN;
    let why = |cause| {
        Some(Box::new(Why {
            cause,
            task: Some(TASK),
        }))
    };
    let mut samples = vec![
        TaskCreated {
            task: TASK,
            spec: Box::new(later_spec()),
            by: text("ann"),
        }
        .into(),
        RunCreated {
            run,
            task: TASK,
            scheduled_at: Timestamp(1_800_000_000_000),
            ready: false,
            occurrence: Some(Timestamp(1_799_999_999_000)),
            origin: Origin::AdHoc,
            chosen: true,
            retry_of: None,
        }
        .into(),
        RunSuspended {
            run,
            hold: Hold::Children,
            ..RunSuspended::default()
        }
        .into(),
        RunResumed {
            run,
            cause: why(Cause::ChildrenDone),
            ..RunResumed::default()
        }
        .into(),
        TaskCanceled {
            task: TASK,
            source: why(Cause::Dependency),
            ..TaskCanceled::default()
        }
        .into(),
        TenantCreated {
            chosen: true,
            id: TenantId(0xabc),
            name: text("acme"),
            weight: 7,
        }
        .into(),
        TenantWeighted { weight: 1000 }.into(),
    ];
    samples.extend(task_samples());
    samples.extend(lane_samples());
    samples.extend(bond_samples());
    samples.extend(queue_samples());
    samples
}

fn task_samples() -> Vec<Event> {
    vec![
        TaskUpdated {
            task: TASK,
            priority: Some(i32::MIN),
            tags: Some(Box::new(Tags {
                tags: vec![text("a"), text("b")],
            })),
            description: some("new words"),
            by: text("ann"),
        }
        .into(),
        ScheduleChanged {
            task: TASK,
            schedule: Some(Box::new(repeat())),
            by: text("ann"),
        }
        .into(),
        SchedulePaused {
            task: TASK,
            by: text("ann"),
        }
        .into(),
        ScheduleResumed {
            task: TASK,
            by: text("bob"),
        }
        .into(),
        OccurrencesSkipped {
            task: TASK,
            count: 365,
            from: Timestamp(1_800_000_000_000),
            through: Timestamp(1_800_086_400_000),
            cause: SkipCause::CatchUp,
            more: true,
        }
        .into(),
        RunRescheduled {
            run: RUN,
            scheduled_at: Timestamp(1_800_000_000_000),
            occurrence: Some(Timestamp(1_799_999_999_000)),
            cause: Cause::Misfire,
        }
        .into(),
        ScheduleEnded { task: TASK }.into(),
    ]
}

fn lane_samples() -> Vec<Event> {
    let run = RUN;
    vec![
        LeaseAcquired {
            run,
            incarnation: 4,
            counter: u64::MAX,
            owner: text("w-1"),
            lease_ms: 30_000,
        }
        .into(),
        RunBegan {
            run,
            by: text("w-1"),
        }
        .into(),
        LeaseEnded {
            run,
            cause: Cause::Lease,
            by: text("ann"),
        }
        .into(),
        AttemptStarted { run, number: 300 }.into(),
    ]
}

fn bond_samples() -> Vec<Event> {
    let (task, dimension, by) = (Some(TASK), text("token"), text("ann"));
    let subscription = SubscriptionId(77);
    let mut samples = vec![
        DependenciesDeclared {
            task: TASK,
            unmet: vec![TaskId(1)],
            met: vec![TaskId(2), TaskId(3)],
            by: by.clone(),
        }
        .into(),
        DependencySatisfied {
            task: TASK,
            prerequisite: TaskId(1),
        }
        .into(),
        RunCancelRequested {
            run: RUN,
            grace_ms: 1,
            by: text(""),
            reason: None,
            cause: Some(Box::new(Why {
                cause: Cause::ParentCancel,
                task,
            })),
        }
        .into(),
        BudgetAllocated {
            task,
            dimension: dimension.clone(),
            limit: u64::MAX,
            reserve: Some(0),
            by: by.clone(),
        }
        .into(),
        BudgetConsumed {
            run: Some(RUN),
            task,
            items: vec![amount("token", 7), amount("cost_cents", 0)],
        }
        .into(),
        BudgetReplenished {
            task,
            dimension: dimension.clone(),
            limit: 9,
            by: by.clone(),
        }
        .into(),
        BudgetExhausted {
            task,
            dimension: dimension.clone(),
        }
        .into(),
        RunSuspendRequested {
            run: RUN,
            budget: true,
            ..RunSuspendRequested::default()
        }
        .into(),
        BudgetThresholdPassed {
            task: TASK,
            dimension,
            percent: 80,
        }
        .into(),
    ];
    let created = |filter| SubscriptionCreated {
        chosen: true,
        subscription,
        task: TASK,
        filter: Box::new(filter),
        by: by.clone(),
    };
    samples.push(created(Filter::BudgetThreshold(TASK, text("token"), 80)).into());
    samples.push(
        SubscriptionCanceled {
            subscription,
            by: by.clone(),
        }
        .into(),
    );
    samples.push(
        SubscriptionTriggered {
            pending: 2,
            subscription,
            run: Some(RUN),
        }
        .into(),
    );
    samples
}

/// Every form of a filter beside the one that the samples hold.
pub(super) fn filters() -> Vec<Event> {
    let filters = [
        Filter::TaskCompleted(TASK),
        Filter::RunStateChanged(TASK, State::Suspended),
        Filter::Custom(text("shipped")),
        Filter::default(),
    ];
    let created = |filter| SubscriptionCreated {
        filter: Box::new(filter),
        ..SubscriptionCreated::default()
    };
    filters.map(|filter| created(filter).into()).to_vec()
}

fn queue_samples() -> Vec<Event> {
    let queue = text("mail");
    vec![
        CustomEventPublished {
            key: text("shipped"),
            payload: Some(bytes("{}")),
            by: text("ann"),
        }
        .into(),
        QueueConfigured {
            queue: queue.clone(),
            concurrency_limit: Some(3),
            rate_per_ms: Some(1000),
            rate_max: Some(10),
            weight: Some(1000),
            by: text("ann"),
        }
        .into(),
        QueuePaused {
            queue: queue.clone(),
            by: text("ann"),
            reason: some("night"),
        }
        .into(),
        QueueResumed {
            queue,
            by: text("bob"),
            reason: some("day"),
        }
        .into(),
        RunTransitioned {
            run: RUN,
            to: State::RetryWait,
            by: text("ann"),
            delay_ms: 1500,
        }
        .into(),
    ]
}

/// What dead letters brought.
pub(super) fn dead_letter_samples() -> [Event; 4] {
    let spec = full_spec();
    let form = TaskForm {
        number: 41,
        id: TASK,
        priority: -3,
        created_at: Timestamp(1_700_000_000_000),
        created_by: text("ann"),
        policy: spec.policy,
        extras: spec.extras,
        runs_total: 2,
        runs_completed: 1,
        runs_failed: 1,
        payload: Some(bytes("[1,2]")),
        payload_bytes: 5,
        first_run: 42,
        ..TaskForm::default()
    };
    [
        TaskReopened {
            task: TASK,
            kind: text("mail.send"),
            queue: text("mail"),
            row: Box::new(Revived(form)),
            by: text("ann"),
        }
        .into(),
        RunCreated {
            run: RUN,
            task: TASK,
            scheduled_at: Timestamp(1_700_000_000_000),
            ready: true,
            occurrence: None,
            origin: Origin::Redrive,
            chosen: false,
            retry_of: Some(RunId(7)),
        }
        .into(),
        RunRedriven {
            run: RunId(7),
            task: TASK,
            row_number: 42,
            new_run: RUN,
            by: text("ann"),
            reason: some("fixed"),
        }
        .into(),
        DeadLetterCleared {
            run: RUN,
            task: TASK,
            row_number: 42,
            kind: text("mail.send"),
            queue: text("mail"),
            by: text("ann"),
            reason: some("known"),
        }
        .into(),
    ]
}
