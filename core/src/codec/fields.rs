//! The field numbers of every event and of what events carry. A number is never used for anything else, even when its field is gone.
//! Owns: the one table of field numbers; golden files pin it.
//! Never: decides or applies.

use alloc::vec::Vec;

use super::record::{Field, nested, put_record, record, take_record};
use super::wire::{Malformed, Value};
use crate::budget::{Amount, BudgetSpec};
use crate::event::*;
use crate::run::RunError;
use crate::schedule::{Cron, Repeat};
use crate::task::{Bonds, Extras, Payload, Policy, Retry, TaskSpec};

nested!(Payload, Retry, Amount, BudgetSpec);

record!(Repeat { 1 count, 2 interval_ms, 3 start_at });
record!(Cron {
    1 expression, 2 timezone, 3 max_occurrences, 4 misfire, 5 misfire_grace_ms, 6 catch_up_max, 7 overlap, 8 start_at, 9 end_at,
    10 jitter_ms,
});
record!(BudgetSpec { 1 dimension, 2 limit, 3 reserve });
record!(Amount { 1 dimension, 2 amount });
record!(Bonds { 1 parent, 2 depends_on, 3 budgets });
record!(Tags { 1 tags });
record!(Why { 1 cause, 2 task });

record!(Payload { 1 bytes, 2 binary });
record!(Retry { 1 strategy, 2 initial_ms, 3 multiplier_milli, 4 max_ms, 5 jitter, 6 non_retryable });
record!(Policy {
    1 max_attempts, 2 max_lost_leases, 3 timeout_ms, 4 lease_ms, 5 cancel_grace_ms, 6 concurrency_key,
    7 concurrency_limit, 8 hold_policy, 9 safety_level, 10 retry, 11 required_capabilities, 12 fairness_key,
});
record!(Extras { 1 content_type, 2 tags, 3 description, 4 traceparent, 5 idempotency_key, 6 expires_at, 7 unique_key });
record!(TaskSpec { 1 kind, 2 queue, 3 payload, 4 run_at, 5 priority, 6 policy, 7 extras, 8 schedule, 9 bonds });
record!(RunError { 1 code, 2 message, 3 retryable });

record!(TaskCreated { 1 task, 2 spec, 3 by });
record!(RunCreated { 1 run, 2 task, 3 scheduled_at, 4 ready, 5 occurrence, 6 origin, 7 chosen, 8 retry_of });
record!(RunReady { 1 run });
record!(RunStarted { 1 run, 2 number, 3 incarnation, 4 counter, 5 worker, 6 lease_ms, 7 actor });
record!(LeaseExtended { 1 run, 2 lease_ms });
record!(RunCompleted { 1 run, 2 output });
record!(RunRetryScheduled { 1 run, 2 result, 3 error, 4 output, 5 delay_ms });
record!(RunReturned { 1 run, 2 result, 3 reason, 4 output, 5 error });
record!(RunFailed { 1 run, 2 result, 3 error, 4 output, 5 cause });
record!(RunSuspended { 1 run, 2 result, 3 reason, 4 error, 5 output, 6 hold });
record!(RunCanceled { 1 run, 2 result, 3 cause, 4 by, 5 reason, 6 error, 7 output });
record!(RunCancelRequested { 1 run, 2 grace_ms, 3 by, 4 reason, 5 cause });
record!(RunSuspendRequested { 1 run, 2 by, 3 reason, 4 budget });
record!(RunResumed { 1 run, 2 payload, 3 by, 4 cause });
record!(CheckpointSaved { 1 run, 2 name, 3 value });
record!(TaskCanceled { 1 task, 2 by, 3 reason, 4 source });
record!(SubmitRecorded { 1 key, 2 task, 3 digest });
record!(ClaimRecorded { 1 key, 2 runs, 3 counters, 4 digest, 5 tenants });
record!(EnginePaused { 1 by, 2 reason });
record!(EngineResumed { 1 by, 2 reason });
record!(EngineStarted { 1 incarnation, 2 downtime_ms });
record!(ClockAdopted { 1 ahead_ms });
record!(TenantCreated { 1 id, 2 name, 3 weight, 4 chosen });
record!(TenantWeighted { 1 weight });
record!(TaskUpdated { 1 task, 2 priority, 3 tags, 4 description, 5 by });
record!(ScheduleChanged { 1 task, 2 schedule, 3 by });
record!(SchedulePaused { 1 task, 2 by });
record!(ScheduleResumed { 1 task, 2 by });
record!(OccurrencesSkipped { 1 task, 2 count, 3 from, 4 through, 5 cause, 6 more });
record!(RunRescheduled { 1 run, 2 scheduled_at, 3 occurrence, 4 cause });
record!(ScheduleEnded { 1 task });
record!(LeaseAcquired { 1 run, 2 incarnation, 3 counter, 4 owner, 5 lease_ms });
record!(RunBegan { 1 run, 2 by });
record!(LeaseEnded { 1 run, 2 cause, 3 by });
record!(AttemptStarted { 1 run, 2 number });
record!(DependenciesDeclared { 1 task, 2 unmet, 3 met, 4 by });
record!(DependencySatisfied { 1 task, 2 prerequisite });
record!(BudgetAllocated { 1 task, 2 dimension, 3 limit, 4 reserve, 5 by });
record!(BudgetConsumed { 1 run, 2 task, 3 items });
record!(BudgetReplenished { 1 task, 2 dimension, 3 limit, 4 by });
record!(BudgetExhausted { 1 task, 2 dimension });
record!(BudgetThresholdPassed { 1 task, 2 dimension, 3 percent });
record!(SubscriptionCreated { 1 subscription, 2 task, 3 filter, 4 by, 5 chosen });
record!(SubscriptionCanceled { 1 subscription, 2 by });
record!(SubscriptionTriggered { 1 subscription, 2 run, 3 pending });
record!(CustomEventPublished { 1 key, 2 payload, 3 by });
record!(QueueConfigured { 1 queue, 2 concurrency_limit, 3 rate_per_ms, 4 rate_max, 5 weight, 6 by });
record!(QueuePaused { 1 queue, 2 by, 3 reason });
record!(QueueResumed { 1 queue, 2 by, 3 reason });
record!(RunTransitioned { 1 run, 2 to, 3 by, 4 delay_ms });
record!(TaskReopened { 1 task, 2 kind, 3 queue, 4 row, 5 by });
record!(RunRedriven { 1 run, 2 task, 3 row_number, 4 new_run, 5 by, 6 reason });
record!(DeadLetterCleared { 1 run, 2 task, 3 row_number, 4 kind, 5 queue, 6 by, 7 reason });
record!(OperationStarted { 1 operation, 2 action, 3 filter, 4 with_dependents, 5 matched, 6 through, 7 until, 8 by, 9 reason, 10 chosen });
record!(OperationAdvanced { 1 operation, 2 cursor, 3 done, 4 refused_total, 5 refused });
record!(OperationEnded { 1 operation, 2 state, 3 by, 4 reason });
// Actors.
record!(ActorRegistered { 1 actor, 2 identity, 3 capabilities, 4 department, 5 heartbeat_interval_ms, 6 by, 7 chosen });
record!(ActorDraining { 1 actor, 2 by, 3 reason });
record!(ActorDeregistered { 1 actor, 2 cause, 3 by, 4 reason });
// Access.
record!(KeyCreated { 1 key_id, 2 system, 3 name, 4 role, 5 actor, 6 expires_at, 7 digest, 8 by });
record!(KeyRevoked { 1 key_id, 2 system, 3 by, 4 reason });
record!(RoleDefined { 1 role, 2 capabilities, 3 by });
record!(RoleRemoved { 1 role, 2 by });
record!(RoleAssigned { 1 actor, 2 role, 3 by });
record!(RoleRevoked { 1 actor, 2 role, 3 by });
record!(CapabilityGranted { 1 actor, 2 capability, 3 by });
record!(CapabilityRevoked { 1 actor, 2 capability, 3 by });
// Ledgers.
record!(LedgerAppended { 1 ledger_key, 2 payload, 3 actor, 4 by, 5 idempotency_key, 6 digest });
record!(ApprovalRequested { 1 approval, 2 subject, 3 plan, 4 ledger_key, 5 by, 6 chosen });
record!(ApprovalDecided { 1 approval, 2 decision, 3 by, 4 reason });
// Webhooks.
record!(WebhookCreated { 1 webhook, 2 spec, 3 by, 4 chosen });
record!(WebhookUpdated { 1 webhook, 2 spec, 3 by });
record!(WebhookDeleted { 1 webhook, 2 by });
record!(WebhookRotated { 1 webhook, 2 generation, 3 by });
record!(WebhookSwitched { 1 webhook, 2 enabled, 3 why, 4 by });
record!(WebhookReported { 1 webhook, 2 cursor, 3 settled });
record!(DeliveryRequested { 1 webhook, 2 event, 3 kind, 4 by });
record!(WebhookEventsMissed { 1 webhook, 2 first, 3 last });
