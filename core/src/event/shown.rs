//! Every field of every event by its public name: what a dump, the feed and the reference all show.
//! Owns: how each kind of value is shown, and the names of fields that are not those of the program.
//! Never: decides who may see a field; reads or changes a row.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::{Tags, Why};
use crate::actor::Departure;
use crate::budget::{Amount, BudgetSpec};
use crate::image::Revived;
use crate::ledger::Decision;
use crate::operation::{Action, OperationState, Refused, Selection};
use crate::platform::KeyDigest;
use crate::run::{self, AttemptResult, Cause, Hold, Origin, RunError};
use crate::schedule::{Cron, Misfire, Overlap, Repeat, Schedule, SkipCause};
use crate::subscription::Filter;
use crate::task::{
    Bonds, Extras, HoldPolicy, Jitter, Payload, Policy, Retry, SafetyLevel, Strategy, TaskSpec,
};
use crate::time::Timestamp;
use crate::webhook::{DeliveryState, Settled, WebhookSpec};
use crate::{
    ActorId, ApprovalId, Bytes, KeyId, OperationId, RunId, SubscriptionId, TaskId, TenantId, Text,
    WebhookId,
};

/// One field's value.
#[derive(Clone, Copy)]
pub enum FactValue<'a> {
    /// An id, shown as UUID text.
    Id(u128),
    /// A number that is not negative.
    Number(u64),
    /// A number.
    Signed(i64),
    /// Yes or no.
    Flag(bool),
    /// An instant.
    At(Timestamp),
    /// One word of a fixed set.
    Word(&'static str),
    /// Text of people or programs.
    Text(&'a str),
    /// One JSON value as text, byte for byte as it was given.
    Json(&'a [u8]),
    /// Opaque bytes.
    Bytes(&'a [u8]),
    /// A digest.
    Digest(u128),
    /// Several values.
    List(&'a dyn Items),
    /// Several fields.
    Record(&'a dyn Fields),
}

/// Is given names and values one after the other.
pub type Visit<'v, 'a> = dyn FnMut(&'static str, FactValue<'a>) + 'v;

/// Something made of fields.
pub trait Fields {
    /// Names every field that is there, by its public name, and its value.
    fn fields<'a>(&'a self, visit: &mut Visit<'_, 'a>);
}

/// Something made of values.
pub trait Items {
    /// Gives every value, in order.
    fn items<'a>(&'a self, visit: &mut dyn FnMut(FactValue<'a>));
}

/// A field of an event, for the reference.
#[derive(Clone, Copy, Debug)]
pub struct FieldNote {
    /// Its name in the program.
    pub name: &'static str,
    /// Its type in the program.
    pub kind: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

impl FieldNote {
    /// Its public name.
    #[must_use]
    pub fn wire_name(&self) -> &'static str {
        wire_name(self.name)
    }
}

/// The public name of a field; most are those of the program.
pub(crate) fn wire_name(name: &'static str) -> &'static str {
    match name {
        "task" => "task_id",
        "run" => "run_id",
        "subscription" => "subscription_id",
        "approval" => "approval_id",
        "operation" => "operation_id",
        "webhook" => "webhook_id",
        "prerequisite" => "prerequisite_id",
        "parent" => "parent_task_id",
        "actor" => "actor_id",
        // The only event with such a field is about a tenant.
        "id" => "tenant_id",
        "number" => "attempt",
        "new_run" => "new_run_id",
        other => other,
    }
}

/// What the reference says of a kind's fields.
pub(crate) trait Noted {
    const NOTES: &'static [FieldNote];
}

/// How a field shows itself: as one value, as none, or as several.
pub(crate) trait Shown {
    fn show<'a>(&'a self, name: &'static str, visit: &mut Visit<'_, 'a>);
}

/// What is one value wherever it stands.
trait Plain {
    fn value(&self) -> FactValue<'_>;
}

macro_rules! plain {
    ($($type:ty: |$value:ident| $shown:expr),+ $(,)?) => {$(
        impl Plain for $type {
            fn value(&self) -> FactValue<'_> {
                let $value = self;
                $shown
            }
        }

        impl Shown for $type {
            fn show<'a>(&'a self, name: &'static str, visit: &mut Visit<'_, 'a>) {
                visit(name, self.value());
            }
        }
    )+};
}

plain! {
    u32: |value| FactValue::Number(u64::from(*value)),
    u64: |value| FactValue::Number(*value),
    i32: |value| FactValue::Signed(i64::from(*value)),
    bool: |value| FactValue::Flag(*value),
    u128: |value| FactValue::Digest(*value),
    Timestamp: |value| FactValue::At(*value),
    TaskId: |value| FactValue::Id(value.0),
    RunId: |value| FactValue::Id(value.0),
    TenantId: |value| FactValue::Id(value.0),
    SubscriptionId: |value| FactValue::Id(value.0),
    ActorId: |value| FactValue::Id(value.0),
    KeyId: |value| FactValue::Id(value.0),
    ApprovalId: |value| FactValue::Id(value.0),
    OperationId: |value| FactValue::Id(value.0),
    Action: |value| FactValue::Word(value.name()),
    OperationState: |value| FactValue::Word(value.name()),
    Refused: |value| FactValue::Record(value),
    Selection: |value| FactValue::Record(value),
    WebhookId: |value| FactValue::Id(value.0),
    Settled: |value| FactValue::Record(value),
    DeliveryState: |value| FactValue::Word(value.name()),
    Decision: |value| FactValue::Word(value.name()),
    KeyDigest: |value| FactValue::Bytes(&value.0),
    Text: |value| FactValue::Text(value),
    Bytes: |value| FactValue::Json(value),
    AttemptResult: |value| FactValue::Word(value.name()),
    Cause: |value| FactValue::Word(value.name()),
    Hold: |value| FactValue::Word(value.name()),
    Origin: |value| FactValue::Word(value.name()),
    run::State: |value| FactValue::Word(value.name()),
    RunError: |value| FactValue::Record(value),
    Amount: |value| FactValue::Record(value),
    BudgetSpec: |value| FactValue::Record(value),
    Filter: |value| FactValue::Record(value),
    Schedule: |value| FactValue::Record(value),
    Policy: |value| FactValue::Record(value),
    Retry: |value| FactValue::Record(value),
}

macro_rules! words {
    ($($type:ident { $($variant:ident = $word:literal),+ $(,)? })+) => {plain! {$(
        $type: |value| FactValue::Word(match value { $($type::$variant => $word),+ }),
    )+}};
}

words! {
    Strategy { Fixed = "fixed", Exponential = "exponential" }
    Jitter { None = "none", Full = "full" }
    HoldPolicy { HoldDuringRetry = "hold_during_retry", ReleaseOnRetry = "release_on_retry" }
    SafetyLevel { Pure = "pure", Idempotent = "idempotent", Transactional = "transactional" }
    Misfire { Skip = "skip", RunOnce = "run_once", RunAll = "run_all" }
    Overlap { Allow = "allow", Skip = "skip", QueueOne = "queue_one", CancelPrevious = "cancel_previous" }
    Departure { Requested = "requested", Silent = "silent" }
    SkipCause { Misfire = "misfire", Overlap = "overlap", CatchUp = "catch_up" }
}

impl<T: Shown> Shown for Option<T> {
    fn show<'a>(&'a self, name: &'static str, visit: &mut Visit<'_, 'a>) {
        if let Some(value) = self {
            value.show(name, visit);
        }
    }
}

impl<T: Shown> Shown for Box<T> {
    fn show<'a>(&'a self, name: &'static str, visit: &mut Visit<'_, 'a>) {
        (**self).show(name, visit);
    }
}

impl<T: Plain> Items for Vec<T> {
    fn items<'a>(&'a self, visit: &mut dyn FnMut(FactValue<'a>)) {
        self.iter().for_each(|item| visit(item.value()));
    }
}

impl<T: Plain> Shown for Vec<T> {
    fn show<'a>(&'a self, name: &'static str, visit: &mut Visit<'_, 'a>) {
        visit(name, FactValue::List(self));
    }
}

/// A list in which nothing stands says nothing.
fn show_some<'a, T: Plain>(items: &'a Vec<T>, name: &'static str, visit: &mut Visit<'_, 'a>) {
    if !items.is_empty() {
        items.show(name, visit);
    }
}

impl Shown for Payload {
    fn show<'a>(&'a self, name: &'static str, visit: &mut Visit<'_, 'a>) {
        let Payload { bytes, binary } = self;
        let shown = if *binary {
            FactValue::Bytes(bytes)
        } else {
            FactValue::Json(bytes)
        };
        visit(name, shown);
    }
}

impl Shown for Tags {
    fn show<'a>(&'a self, name: &'static str, visit: &mut Visit<'_, 'a>) {
        let Tags { tags } = self;
        tags.show(name, visit);
    }
}

impl Shown for Why {
    fn show<'a>(&'a self, _name: &'static str, visit: &mut Visit<'_, 'a>) {
        let Why { cause, task } = self;
        cause.show("cause", visit);
        task.show("cause_task_id", visit);
    }
}

/// A task's fields stand beside those of the event.
impl Shown for TaskSpec {
    fn show<'a>(&'a self, _name: &'static str, visit: &mut Visit<'_, 'a>) {
        let TaskSpec {
            kind,
            queue,
            payload,
            run_at,
            priority,
            policy,
            extras,
            schedule,
            bonds,
        } = self;
        kind.show("kind", visit);
        queue.show("queue", visit);
        priority.show("priority", visit);
        payload.show("payload", visit);
        run_at.show("run_at", visit);
        schedule.show("run_policy", visit);
        policy.show("constraints", visit);
        extras.show("", visit);
        bonds.show("", visit);
    }
}

/// A row as it was says nothing that its task's own events did not say.
impl Shown for Revived {
    fn show<'a>(&'a self, _name: &'static str, _visit: &mut Visit<'_, 'a>) {}
}

impl Shown for Extras {
    fn show<'a>(&'a self, _name: &'static str, visit: &mut Visit<'_, 'a>) {
        let Extras {
            content_type,
            tags,
            description,
            traceparent,
            idempotency_key,
            expires_at,
            unique_key,
        } = self;
        content_type.show("content_type", visit);
        show_some(tags, "tags", visit);
        description.show("description", visit);
        traceparent.show("traceparent", visit);
        idempotency_key.show("idempotency_key", visit);
        expires_at.show("expires_at", visit);
        unique_key.show("unique_key", visit);
    }
}

/// What is set of a webhook stands beside the fields of the event.
impl Shown for WebhookSpec {
    fn show<'a>(&'a self, _name: &'static str, visit: &mut Visit<'_, 'a>) {
        let WebhookSpec {
            name,
            description,
            url,
            events,
            queues,
            kinds,
        } = self;
        name.show("name", visit);
        description.show("description", visit);
        url.show("url", visit);
        events.show("events", visit);
        show_some(queues, "queues", visit);
        show_some(kinds, "kinds", visit);
    }
}

impl Fields for Settled {
    fn fields<'a>(&'a self, visit: &mut Visit<'_, 'a>) {
        let Settled {
            event,
            kind,
            task,
            run,
            state,
            status,
            error,
            duration_ms,
            delay_ms,
        } = self;
        event.show("event", visit);
        kind.show("event_type", visit);
        task.show("task_id", visit);
        run.show("run_id", visit);
        state.show("state", visit);
        status.show("status", visit);
        error.show("error", visit);
        duration_ms.show("duration_ms", visit);
        delay_ms.show("delay_ms", visit);
    }
}

impl Shown for Bonds {
    fn show<'a>(&'a self, _name: &'static str, visit: &mut Visit<'_, 'a>) {
        let Bonds {
            parent,
            depends_on,
            budgets,
            // Never logged.
            parent_run: _,
        } = self;
        parent.show("parent_task_id", visit);
        show_some(depends_on, "depends_on", visit);
        show_some(budgets, "budgets", visit);
    }
}

macro_rules! fields {
    ($($type:ident { $($field:ident),+ $(,)? })+) => {$(
        impl Fields for $type {
            fn fields<'a>(&'a self, visit: &mut Visit<'_, 'a>) {
                // Without a rest: a field that is added must be named here.
                let $type { $($field),+ } = self;
                $($field.show(stringify!($field), visit);)+
            }
        }
    )+};
}

fields! {
    RunError { code, message, retryable }
    Amount { dimension, amount }
    BudgetSpec { dimension, limit, reserve }
    Policy {
        max_attempts, max_lost_leases, timeout_ms, lease_ms, cancel_grace_ms, concurrency_key, concurrency_limit, hold_policy,
        safety_level, required_capabilities, fairness_key, retry,
    }
    Retry { strategy, initial_ms, multiplier_milli, max_ms, jitter, non_retryable }
    Repeat { count, interval_ms, start_at }
    Cron {
        expression, timezone, max_occurrences, misfire, misfire_grace_ms, catch_up_max, overlap, start_at, end_at, jitter_ms,
    }
}

impl Fields for Schedule {
    fn fields<'a>(&'a self, visit: &mut Visit<'_, 'a>) {
        match self {
            Schedule::Repeat(repeat) => {
                visit("type", FactValue::Word("repeat"));
                repeat.fields(visit);
            }
            Schedule::Cron(cron) => {
                visit("type", FactValue::Word("cron"));
                cron.fields(visit);
            }
        }
    }
}

impl Fields for Refused {
    fn fields<'a>(&'a self, visit: &mut Visit<'_, 'a>) {
        self.run.show("run_id", visit);
        self.code.show("code", visit);
    }
}

impl Fields for Selection {
    fn fields<'a>(&'a self, visit: &mut Visit<'_, 'a>) {
        let Selection {
            state,
            task,
            queue,
            kind,
            tag,
            worker,
            error_code,
            fingerprint,
            created_after,
            created_before,
            q,
        } = self;
        state.show("state", visit);
        task.show("task_id", visit);
        for (name, text) in [
            ("queue", queue),
            ("kind", kind),
            ("tag", tag),
            ("worker", worker),
            ("error_code", error_code),
            ("fingerprint", fingerprint),
            ("q", q),
        ] {
            text.show(name, visit);
        }
        created_after.show("created_after", visit);
        created_before.show("created_before", visit);
    }
}

impl Fields for Filter {
    fn fields<'a>(&'a self, visit: &mut Visit<'_, 'a>) {
        visit("type", FactValue::Word(self.name()));
        match self {
            Filter::TaskCompleted(task) => task.show("task_id", visit),
            Filter::RunStateChanged(task, state) => {
                task.show("task_id", visit);
                state.show("state", visit);
            }
            Filter::BudgetThreshold(task, dimension, percent) => {
                task.show("task_id", visit);
                dimension.show("dimension", visit);
                percent.show("percent", visit);
            }
            Filter::Custom(key) => key.show("key", visit),
        }
    }
}
