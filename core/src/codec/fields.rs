//! The field numbers of every event and of what events carry. A number is never used for anything else, even when its field is gone.
//! Owns: the one table of field numbers; golden files pin it.
//! Never: decides or applies.

use alloc::vec::Vec;

use super::record::{Field, nested, put_record, record, take_record};
use super::wire::{Malformed, Value};
use crate::event::*;
use crate::run::RunError;
use crate::task::{Extras, Payload, Policy, Retry, TaskSpec};

nested!(Payload, Retry);

record!(Payload { 1 bytes, 2 binary });
record!(Retry { 1 strategy, 2 initial_ms, 3 multiplier_milli, 4 max_ms, 5 jitter, 6 non_retryable });
record!(Policy {
    1 max_attempts, 2 max_lost_leases, 3 timeout_ms, 4 lease_ms, 5 cancel_grace_ms, 6 concurrency_key,
    7 concurrency_limit, 8 hold_policy, 9 safety_level, 10 retry,
});
record!(Extras { 1 content_type, 2 tags, 3 description, 4 traceparent, 5 idempotency_key, 6 expires_at });
record!(TaskSpec { 1 kind, 2 queue, 3 payload, 4 run_at, 5 priority, 6 policy, 7 extras });
record!(RunError { 1 code, 2 message, 3 retryable });

record!(TaskCreated { 1 task, 2 spec, 3 by });
record!(RunCreated { 1 run, 2 task, 3 scheduled_at, 4 ready });
record!(RunReady { 1 run });
record!(RunStarted { 1 run, 2 number, 3 incarnation, 4 counter, 5 worker, 6 lease_ms });
record!(LeaseExtended { 1 run, 2 lease_ms });
record!(RunCompleted { 1 run, 2 output });
record!(RunRetryScheduled { 1 run, 2 result, 3 error, 4 output, 5 delay_ms });
record!(RunReturned { 1 run, 2 result, 3 reason, 4 output, 5 error });
record!(RunFailed { 1 run, 2 result, 3 error, 4 output, 5 cause });
record!(RunSuspended { 1 run, 2 result, 3 reason, 4 error, 5 output });
record!(RunCanceled { 1 run, 2 result, 3 cause, 4 by, 5 reason, 6 error, 7 output });
record!(RunCancelRequested { 1 run, 2 grace_ms, 3 by, 4 reason });
record!(RunSuspendRequested { 1 run, 2 by, 3 reason });
record!(RunResumed { 1 run, 2 payload, 3 by });
record!(CheckpointSaved { 1 run, 2 name, 3 value });
record!(TaskCanceled { 1 task, 2 by, 3 reason });
record!(ClaimRecorded { 1 key, 2 runs, 3 counters, 4 digest });
record!(EnginePaused { 1 by, 2 reason });
record!(EngineResumed { 1 by, 2 reason });
record!(EngineStarted { 1 incarnation, 2 downtime_ms });
record!(ClockAdopted { 1 ahead_ms });
