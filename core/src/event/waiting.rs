//! Facts about who waits to hear of what, about queues, and about runs moved by hand.
//! Owns: their fields.
//! Never: drops or renumbers a field; old logs hold it.

use alloc::boxed::Box;

use crate::subscription::Filter;
use crate::{Bytes, RunId, SubscriptionId, TaskId, Text, run};

facts! {
    /// A task waits to hear of something.
    SubscriptionCreated {
        /// The subscription.
        subscription: SubscriptionId,
        /// The task.
        task: TaskId,
        /// What it waits for.
        filter: Box<Filter>,
        /** By whom. */ by: Text,
        /// Whether its id was chosen rather than minted.
        chosen: bool,
    }
    /// A task waits no longer.
    SubscriptionCanceled {
        /// The subscription.
        subscription: SubscriptionId,
        /** By whom. */ by: Text,
    }
    /// What a subscription waited for has happened.
    SubscriptionTriggered {
        /// The subscription.
        subscription: SubscriptionId,
        /// The run that it released or resumed, if there was one.
        run: Option<RunId>,
        /// How many such happenings it has still to act on: too many came at once.
        pending: u32,
    }
    /// Somebody published an event of their own.
    CustomEventPublished {
        /// Its key.
        key: Text,
        /// What it says (JSON text).
        payload: Option<Bytes>,
        /** By whom. */ by: Text,
    }
    /// A queue's settings changed.
    QueueConfigured {
        /// The queue.
        queue: Text,
        /// How many of its runs may be held at once.
        concurrency_limit: Option<u32>,
        /// The span of its rate limit in milliseconds.
        rate_per_ms: Option<u64>,
        /// Starts within that span.
        rate_max: Option<u64>,
        /// Its share among the queues of one claim.
        weight: Option<u32>,
        /** By whom. */ by: Text,
    }
    /// Nothing is granted from a queue any more.
    QueuePaused {
        /// The queue.
        queue: Text,
        /** By whom. */ by: Text,
        /// Why.
        reason: Option<Text>,
    }
    /// A queue's runs are granted again.
    QueueResumed {
        /// The queue.
        queue: Text,
        /** By whom. */ by: Text,
        /// Why.
        reason: Option<Text>,
    }
    /// A running run ended, waits or was set aside on somebody's direct word, not by its worker's.
    RunTransitioned {
        /** The run. */ run: RunId,
        /// Where it goes.
        to: run::State,
        /** By whom. */ by: Text,
        /// Milliseconds until it is ready again, when it waits for a retry.
        delay_ms: u64,
    }
    /// A submit with an idempotency key found the task that has its unique key.
    SubmitRecorded {
        /// The key.
        key: Text,
        /// The task.
        task: TaskId,
        /// Digest of what was asked for.
        digest: u128,
    }
}
