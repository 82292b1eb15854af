//! The field numbers of images: how a row stands in a checkpoint. A number is never used for anything else.
//! Owns: the one table of an image's field numbers; golden files pin it.
//! Never: decides or applies.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::budget::Budget;
use crate::codec::{Field, Malformed, Value, nested, put_record, record, take_record};
use crate::dependency::{Bond, Child};
use crate::platform::{Grant, KeyDigest};
use crate::run::{Active, Attempt, CancelRequest, Change, Fence, Hold, Origin, SuspendRequest};
use crate::schedule::Clockwork;
use crate::state::{ClaimRecord, Held};
use crate::subscription::Subscription;
use crate::task::{Extras, Policy};
use crate::time::{Steady, Timestamp};
use crate::{ActorId, Bytes, RunId, TaskId, TenantId, Text, actor, run};

record!(Fence { 1 incarnation, 2 counter });
record!(CancelRequest { 1 at, 2 force, 3 force_at, 4 by, 5 reason, 6 task, 7 why });
record!(SuspendRequest { 1 at, 2 by, 3 reason, 4 budget });
record!(Active {
    1 fence, 2 worker, 3 lease_ms, 4 acquired_at, 5 expires, 6 expires_at, 7 deadline, 8 deadline_at, 9 cancel, 10 suspend, 11 idle,
    12 consumption, 13 reserved, 14 started_at, 15 reserved_of_tenant, 16 actor,
});
record!(Change { 1 from, 2 to, 3 cause, 4 at, 5 sequence, 6 actor });
record!(Attempt {
    1 number, 2 result, 3 fence, 4 started_at, 5 finished_at, 6 worker, 7 error, 8 output, 9 reported, 10 after, 11 consumption,
});
nested!(
    Fence,
    Change,
    Attempt,
    Memo,
    Budget,
    Subscription,
    Child,
    TimesForm,
    SliceForm
);
record!(Clockwork { 1 schedule, 2 ended, 3 paused, 4 occurrences, 5 next, 6 future, 9 queued, 10 through });
record!(Bond { 1 parent, 2 depth, 3 children_total, 4 descendants_live, 5 depends_on, 6 unmet, 7 first_children, 8 apart });
record!(Child { 1 task, 2 ended });
record!(Budget { 1 dimension, 2 limit, 3 reserve, 4 consumed, 5 reserved, 6 before, 7 fired, 8 told });
record!(Subscription { 1 id, 2 filter, 3 canceled, 4 triggered, 5 pending });

/// A named memo of a run.
#[derive(Default)]
pub(crate) struct Memo {
    pub(crate) name: Text,
    pub(crate) value: Bytes,
}
record!(Memo { 1 name, 2 value });

record!(ClaimRecord { 1 runs, 2 counters, 3 tenants });
record!(Held { 1 digest, 2 until, 3 task, 4 claim, 5 entry });

/// A task's row, as its image holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TaskForm {
    pub(crate) number: u64,
    pub(crate) place: u32,
    pub(crate) id: TaskId,
    pub(crate) priority: i32,
    pub(crate) created_at: Timestamp,
    pub(crate) created_by: Text,
    pub(crate) canceled_at: Option<Timestamp>,
    pub(crate) policy: Option<Box<Policy>>,
    pub(crate) extras: Option<Box<Extras>>,
    pub(crate) runs_total: u32,
    pub(crate) runs_live: u32,
    pub(crate) runs_completed: u32,
    pub(crate) payload: Option<Bytes>,
    pub(crate) binary: bool,
    pub(crate) payload_bytes: u32,
    pub(crate) first_run: u64,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) clockwork: Option<Box<Clockwork>>,
    pub(crate) bond: Option<Box<Bond>>,
    pub(crate) budgets: Vec<Budget>,
    pub(crate) subscriptions: Vec<Subscription>,
    /// What its state follows from besides the counts: 1 its schedule goes on, 2 a descendant is live, 4 it holds others in memory.
    pub(crate) phase: u32,
    pub(crate) updated_at: Option<Timestamp>,
    pub(crate) runs_failed: u32,
}
record!(TaskForm {
    1 number, 2 place, 3 id, 4 priority, 5 created_at, 6 created_by, 7 canceled_at, 8 policy, 9 extras, 10 runs_total, 11 runs_live,
    12 runs_completed, 13 payload, 14 binary, 15 payload_bytes, 16 first_run, 17 ended_at,
    18 clockwork, 19 bond, 20 budgets, 21 subscriptions, 22 phase, 23 runs_failed, 24 updated_at,
});

/// A run's row, as its image holds it.
#[derive(Default)]
pub(crate) struct RunForm {
    pub(crate) number: u64,
    pub(crate) task: u64,
    pub(crate) place: u32,
    pub(crate) id: RunId,
    pub(crate) state: run::State,
    pub(crate) born: run::State,
    pub(crate) holds_key: bool,
    pub(crate) failures: u32,
    pub(crate) lost_leases: u32,
    pub(crate) attempt_count: u32,
    pub(crate) created_at: Timestamp,
    pub(crate) scheduled_at: Timestamp,
    pub(crate) ready_order: u64,
    pub(crate) retry_due: Steady,
    pub(crate) retry_at: Timestamp,
    pub(crate) active: Option<Box<Active>>,
    pub(crate) changes: Vec<Change>,
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) checkpoints: Vec<Memo>,
    pub(crate) output: Option<Bytes>,
    pub(crate) resume_payload: Option<Bytes>,
    pub(crate) reason: Option<Text>,
    /// The output is that of the last attempt.
    pub(crate) output_of_last: bool,
    /// There is a past, be it empty.
    pub(crate) has_past: bool,
    pub(crate) hold: Hold,
    pub(crate) origin: Origin,
    pub(crate) occurrence: Option<Timestamp>,
    pub(crate) retry_of: Option<RunId>,
    pub(crate) redriven_by: Option<RunId>,
    pub(crate) cleared_at: Option<Timestamp>,
}
record!(RunForm {
    1 number, 2 task, 3 place, 4 id, 5 state, 6 born, 7 holds_key, 8 failures, 9 lost_leases, 10 attempt_count, 11 created_at,
    13 scheduled_at, 14 ready_order, 15 retry_due, 16 retry_at, 17 active, 18 changes, 19 attempts, 20 checkpoints, 21 output,
    22 resume_payload, 23 reason, 24 output_of_last, 25 has_past, 26 hold, 27 origin, 28 occurrence,
    29 retry_of, 30 redriven_by, 31 cleared_at,
});

/// A queue's row, as its image holds it. How many of its runs are held is counted anew.
#[derive(Default)]
pub(crate) struct QueueForm {
    pub(crate) concurrency_limit: Option<u32>,
    pub(crate) rate_per_ms: Option<u64>,
    pub(crate) rate_max: Option<u64>,
    pub(crate) weight: Option<u32>,
    pub(crate) paused: bool,
    pub(crate) paused_since: Timestamp,
    pub(crate) paused_by: Text,
    pub(crate) paused_reason: Option<Text>,
    pub(crate) arrival_us: u64,
}
record!(QueueForm {
    1 concurrency_limit, 2 rate_per_ms, 3 rate_max, 4 weight, 5 paused, 6 paused_since, 7 paused_by, 8 paused_reason, 9 arrival_us,
});

/// A tenant's row, as its image holds it.
#[derive(Default)]
pub(crate) struct TenantForm {
    pub(crate) name: Text,
    pub(crate) weight: u32,
    pub(crate) budgets: Vec<Budget>,
}
record!(TenantForm { 1 name, 2 weight, 3 budgets });

/// An actor's row, as its image holds it. What it holds follows from the leases.
#[derive(Default)]
pub(crate) struct ActorForm {
    pub(crate) number: u64,
    pub(crate) identity: Text,
    pub(crate) capabilities: Vec<Text>,
    pub(crate) department: Option<Text>,
    pub(crate) heartbeat_interval_ms: u64,
    pub(crate) registered: Steady,
    pub(crate) registered_at: Timestamp,
    pub(crate) registered_by: Text,
    pub(crate) draining_since: Option<Timestamp>,
}
record!(ActorForm {
    1 number, 2 identity, 3 capabilities, 4 department, 5 heartbeat_interval_ms, 6 registered, 7 registered_at, 8 registered_by,
    9 draining_since,
});

impl ActorForm {
    /// The row that it is the image of. When it is looked at follows from it.
    pub(super) fn row(self, tenant: u32, id: ActorId) -> actor::Row {
        let mut row = actor::Row {
            tenant,
            id,
            number: self.number,
            identity: self.identity,
            capabilities: self.capabilities,
            department: self.department,
            heartbeat_interval_ms: self.heartbeat_interval_ms,
            registered: self.registered,
            registered_at: self.registered_at,
            registered_by: self.registered_by,
            draining_since: self.draining_since,
            armed: self.registered,
        };
        row.armed = row.gone_at(self.registered);
        row
    }
}

// Access.
/// A key's row, as its image holds it.
#[derive(Default)]
pub(crate) struct KeyForm {
    pub(crate) system: bool,
    pub(crate) name: Text,
    pub(crate) role: Text,
    pub(crate) actor: Option<ActorId>,
    pub(crate) created_at: Timestamp,
    pub(crate) created_by: Text,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) revoked_at: Option<Timestamp>,
    pub(crate) revoked: u64,
    pub(crate) revoked_by: Text,
    pub(crate) digest: KeyDigest,
}
record!(KeyForm {
    1 system, 2 name, 3 role, 4 actor, 5 created_at, 6 created_by, 7 expires_at, 8 revoked_at, 9 revoked, 10 revoked_by, 11 digest,
});

/// A role of a tenant's own, as its image holds it.
#[derive(Default)]
pub(crate) struct RoleForm {
    pub(crate) capabilities: Vec<Text>,
}
record!(RoleForm { 1 capabilities });
record!(Grant { 1 roles, 2 capabilities });

// Statistics.
/// Attempts that ended, as an image holds them. Of each bucket: what it counts, above its 13 bits of number.
#[derive(Default)]
pub(crate) struct TimesForm {
    pub(crate) results: Vec<u64>,
    pub(crate) sum_ms: u64,
    pub(crate) max_ms: u64,
    pub(crate) buckets: Vec<u64>,
}
record!(TimesForm { 1 results, 2 sum_ms, 3 max_ms, 4 buckets });

/// Five minutes of them.
#[derive(Default)]
pub(crate) struct SliceForm {
    pub(crate) number: u64,
    pub(crate) times: TimesForm,
}
record!(SliceForm { 1 number, 2 times });

/// What is counted of a kind, as its image holds it.
#[derive(Default)]
pub(crate) struct SeriesForm {
    pub(crate) tasks_total: u64,
    pub(crate) attempts_total: u64,
    pub(crate) before: TimesForm,
    pub(crate) slices: Vec<SliceForm>,
}
record!(SeriesForm { 1 tasks_total, 2 attempts_total, 3 before, 4 slices });

/// The machine's scalars and counters.
#[derive(Default)]
pub(crate) struct MetaForm {
    pub(crate) sequence: u64,
    pub(crate) wall: Timestamp,
    pub(crate) steady: Steady,
    pub(crate) minted: u128,
    pub(crate) incarnation: u64,
    pub(crate) fence_counter: u64,
    pub(crate) ready_counter: u64,
    pub(crate) tenants: Vec<TenantId>,
    pub(crate) tasks_total: u64,
    pub(crate) runs_total: u64,
    pub(crate) attempts_total: u64,
    pub(crate) attempts_by_result: Vec<u64>,
    pub(crate) runs_by_state: Vec<u64>,
    pub(crate) paused: bool,
    pub(crate) paused_since: Timestamp,
    pub(crate) paused_by: Text,
    pub(crate) paused_reason: Option<Text>,
}
record!(MetaForm {
    1 sequence, 2 wall, 3 steady, 4 minted, 5 incarnation, 6 fence_counter, 7 ready_counter, 8 tenants, 9 tasks_total, 10 runs_total,
    11 attempts_total, 12 attempts_by_result, 13 runs_by_state, 14 paused, 15 paused_since, 16 paused_by, 17 paused_reason,
});
