//! The field numbers of images: how a row stands in a checkpoint. A number is never used for anything else.
//! Owns: the one table of an image's field numbers; golden files pin it.
//! Never: decides or applies.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::codec::{Field, Malformed, Value, nested, put_record, record, take_record};
use crate::run::{Active, Attempt, CancelRequest, Change, Fence, SuspendRequest};
use crate::state::{ClaimRecord, Held};
use crate::task::{Extras, Policy};
use crate::time::{Steady, Timestamp};
use crate::{Bytes, RunId, TaskId, TenantId, Text, run};

record!(Fence { 1 incarnation, 2 counter });
record!(CancelRequest { 1 at, 2 force, 3 force_at, 4 by, 5 reason, 6 task });
record!(SuspendRequest { 1 at, 2 by, 3 reason });
record!(Active {
    1 fence, 2 worker, 3 lease_ms, 4 acquired_at, 5 expires, 6 expires_at, 7 deadline, 8 deadline_at, 9 cancel, 10 suspend,
});
record!(Change { 1 from, 2 to, 3 cause, 4 at, 5 sequence, 6 actor });
record!(Attempt {
    1 number, 2 result, 3 fence, 4 started_at, 5 finished_at, 6 worker, 7 error, 8 output, 9 reported, 10 after,
});
nested!(Fence, Change, Attempt, Memo);

/// A named memo of a run.
#[derive(Default)]
pub(crate) struct Memo {
    pub(crate) name: Text,
    pub(crate) value: Bytes,
}
record!(Memo { 1 name, 2 value });

record!(ClaimRecord { 1 runs, 2 counters });
record!(Held { 1 digest, 2 until, 3 task, 4 claim });

/// A task's row, as its image holds it.
#[derive(Default)]
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
}
record!(TaskForm {
    1 number, 2 place, 3 id, 4 priority, 5 created_at, 6 created_by, 7 canceled_at, 8 policy, 9 extras, 10 runs_total, 11 runs_live,
    12 runs_completed, 13 payload, 14 binary, 15 payload_bytes, 16 first_run,
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
}
record!(RunForm {
    1 number, 2 task, 3 place, 4 id, 5 state, 6 born, 7 holds_key, 8 failures, 9 lost_leases, 10 attempt_count, 11 created_at,
    13 scheduled_at, 14 ready_order, 15 retry_due, 16 retry_at, 17 active, 18 changes, 19 attempts, 20 checkpoints, 21 output,
    22 resume_payload, 23 reason, 24 output_of_last, 25 has_past,
});

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
