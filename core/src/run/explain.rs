//! Why a run is (not) running, from the state itself.
//! Owns: the reasons' codes, words and numbers.
//! Never: guesses: `runnable` is what a claim on the run's queue would do.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};

use super::model::{Active, Hold, Row, State};
use crate::machine::Now;
use crate::query::{Block, Explain};
use crate::queue::{Blocker, Closed, Foreseen, Refused};
use crate::state::{State as Tables, Switch, Volatile};
use crate::time::Timestamp;
use crate::{actor, budget, dependency, limits, queue};

fn block(
    code: &'static str,
    message: impl Into<String>,
    details: Vec<(&'static str, String, bool)>,
) -> Block {
    Block {
        code,
        message: message.into(),
        details,
    }
}

fn instant(name: &'static str, at: Timestamp) -> (&'static str, String, bool) {
    (name, at.0.to_string(), true)
}

/// Explains one run at this moment. `runnable` is whether a claim for its queue and kind, by a worker that is able to do what it requires,
/// would get it now; that nobody seems to be there who asks for such work is told beside it and does not count.
pub(crate) fn explain(state: &Tables, volatile: &Volatile, now: &Now, run: u32) -> Explain {
    let row = &state.runs[run];
    let mut reasons = own_reasons(state, run);
    let blocked = row.state == State::Scheduled && dependency::is_blocked(state.task_of(run));
    if blocked && row.scheduled_at > now.wall {
        reasons.push(not_due(state, run));
    }
    reasons.extend(paused(state, now, run));
    if row.state == State::Ready && row.is_expired(state.task_of(run), now.wall) {
        reasons.push(block(
            "expired",
            "the task was not started before its expires_at; it will be canceled",
            vec![],
        ));
    }
    if row.state == State::Ready
        && reasons.is_empty()
        && let Err(foreseen) = queue::foresee(state, now, run)
    {
        reasons.push(foretold(state, now, run, &foreseen));
    }
    let runnable = row.state == State::Ready && reasons.is_empty();
    let outlook = outlook(row, &reasons);
    if runnable {
        reasons.extend(lonely(state, volatile, now, run));
    }
    let position = (row.state == State::Ready).then(|| {
        let ahead = state.queues.ahead_of(
            queue::lane_of(state, run),
            row.ready_order,
            limits::POSITION_MAX,
        );
        ahead + 1
    });
    Explain {
        state: row.state,
        runnable,
        would_run_when: outlook,
        reasons,
        position,
    }
}

/// The first reason's code, for the run's own view.
pub(crate) fn block_reason(state: &Tables, now: &Now, run: u32) -> Option<&'static str> {
    let row = &state.runs[run];
    if row.state.is_terminal() || row.state.is_held() {
        return None;
    }
    let own = own_reasons(state, run).first().map(|reason| reason.code);
    own.or_else(|| paused(state, now, run).first().map(|reason| reason.code))
}

/// What holds back the run's whole queue, or everything.
fn paused(state: &Tables, now: &Now, run: u32) -> Vec<Block> {
    let row = &state.runs[run];
    let mut reasons = Vec::new();
    if row.state.is_terminal() || row.state.is_held() {
        return reasons;
    }
    let place = &state.places[state.task_of(run).place];
    match queue::closed(state, now.steady, place.tenant, place.queue) {
        // Whether there is room or time for one more start matters when it could start.
        Some(closed) if row.state == State::Ready || closed == Closed::Paused => {
            reasons.push(closed_queue(state, now, run, closed));
        }
        _ => {}
    }
    if state.switch.paused {
        let message = "the engine is paused: no work is granted";
        reasons.push(block("engine_paused", message, switched(&state.switch)));
    }
    reasons
}

fn switched(switch: &Switch) -> Vec<(&'static str, String, bool)> {
    let mut details = vec![
        ("paused_by", switch.by.to_string(), false),
        instant("paused_at_ms", switch.since),
    ];
    let reason = switch.reason.as_ref();
    details.extend(reason.map(|reason| ("reason", reason.to_string(), false)));
    details
}

fn closed_queue(state: &Tables, now: &Now, run: u32, closed: Closed) -> Block {
    let place = &state.places[state.task_of(run).place];
    let name = state.names.text(place.queue);
    let mut details = vec![("queue", name.to_string(), false)];
    let (code, message) = match closed {
        Closed::Paused => {
            let row = state.queues.row(place.tenant, place.queue);
            details.extend(row.into_iter().flat_map(|row| switched(&row.switch)));
            (
                "queue_paused",
                "its queue is paused: nothing is granted from it",
            )
        }
        Closed::Busy { held, limit } => {
            details.push(("held", held.to_string(), true));
            details.push(("limit", limit.to_string(), true));
            ("queue_busy", "as many runs of its queue are held as may be")
        }
        Closed::Limited { opens, limit } => {
            details.push(("max", limit.max.to_string(), true));
            details.push(("per_ms", limit.per_ms.to_string(), true));
            let wait_ms = opens.since_ms(now.steady);
            details.push(instant("next_start_at_ms", now.wall.plus_ms(wait_ms)));
            ("rate_limited", "its queue's next start is not due yet")
        }
    };
    block(code, message, details)
}

/// What the runs before it in line will have taken when its turn comes.
fn foretold(state: &Tables, now: &Now, run: u32, foreseen: &Foreseen) -> Block {
    let mut block = match &foreseen.refused {
        Refused::Queue(closed) => closed_queue(state, now, run, as_it_is(state, run, *closed)),
        Refused::Blocked(Blocker::Key(..)) => key_slots(state, run),
        Refused::Blocked(Blocker::Prerequisites(_)) => unmet(state, run).swap_remove(0),
        Refused::Blocked(Blocker::TaskBudget(_) | Blocker::TenantBudget(..)) => {
            let mut covers = budget::covers(state, run);
            let tight = covers.find(|cover| cover.reserve > 0);
            tight.map_or_else(Block::default, |cover| budget_exhausted(&cover))
        }
        Refused::EnginePaused => Block::default(),
    };
    block.message = "runs before it in line take what is left".into();
    block
        .details
        .push(("ahead", foreseen.ahead.to_string(), true));
    block
}

/// A foreseen closing, with who is held now.
fn as_it_is(state: &Tables, run: u32, closed: Closed) -> Closed {
    let place = &state.places[state.task_of(run).place];
    match (closed, state.queues.row(place.tenant, place.queue)) {
        (Closed::Busy { limit, .. }, Some(row)) => {
            let held = row.held;
            Closed::Busy { held, limit }
        }
        _ => closed,
    }
}

/// Advice: nobody who could take it has asked for work lately. Of what requires nothing special it is said only when the process has run
/// for a while.
fn lonely(state: &Tables, volatile: &Volatile, now: &Now, run: u32) -> Option<Block> {
    let task = state.task_of(run);
    let place = &state.places[task.place];
    let (queue, kind) = (state.names.text(place.queue), state.names.text(place.kind));
    let policy = task.own_policy();
    let required = policy.map_or(&[][..], |policy| &policy.required_capabilities);
    let workers = &volatile.workers;
    let patient = required.is_empty() && !workers.had_time(now.steady);
    if patient || workers.could_take(now.steady, place.tenant, (queue, kind), required) {
        return None;
    }
    if !required.is_empty() && actor::has_able(state, place.tenant, required) {
        return None;
    }
    let details = vec![
        ("queue", queue.to_string(), false),
        ("kind", kind.to_string(), false),
        ("required_capabilities", required.join(","), false),
        ("since_ms", limits::WORKERS_KNOWN_MS.to_string(), true),
    ];
    let message = if required.is_empty() {
        "no worker that could take it has asked for work lately"
    } else {
        "no actor has what it requires, and no worker that has it has asked for such work lately"
    };
    Some(block("no_capable_worker", message, details))
}

fn own_reasons(state: &Tables, run: u32) -> Vec<Block> {
    let row = &state.runs[run];
    if !row.state.is_terminal() && dependency::fence(state, row.task).is_some() {
        return vec![block(
            "parent_canceled",
            "a task above it was canceled; it will be canceled",
            vec![],
        )];
    }
    match row.state {
        State::Scheduled | State::Ready if dependency::is_blocked(state.task_of(run)) => {
            unmet(state, run)
        }
        State::Scheduled => vec![not_due(state, run)],
        State::Ready => {
            let spent = budget::blocks(state, run).map(|spent| budget_exhausted(&spent));
            key_busy(state, run).into_iter().chain(spent).collect()
        }
        State::Leased | State::Running => row.active.as_deref().map(leased).into_iter().collect(),
        State::RetryWait => {
            let details = vec![
                instant("retry_at_ms", row.retry().1),
                ("failures", row.failures.to_string(), true),
            ];
            vec![block(
                "retry_backoff",
                "an attempt failed; the next one is not due yet",
                details,
            )]
        }
        State::Suspended => {
            let past = row.past.as_ref();
            if past.is_some_and(|past| past.hold == Hold::Children) {
                return waiting_for_children(state, run);
            }
            let reason = past.and_then(|past| past.reason.clone());
            let details = reason
                .map(|reason| ("reason", reason.to_string(), false))
                .into_iter()
                .collect();
            let past = row.past.as_deref();
            let words = match past.map_or(Hold::Hand, |past| past.hold) {
                Hold::Hand => "the run is suspended until somebody resumes it",
                Hold::Budget => "the run is suspended until its budgets have room",
                Hold::Children => "the run is suspended until its task's children have ended",
            };
            let waits = past.is_some_and(|past| past.hold == Hold::Budget);
            let spent = budget::exhausted(state, run).filter(|_| waits);
            let spent = spent.map(|spent| budget_exhausted(&spent));
            let suspended = block("suspended", words, details);
            spent.into_iter().chain([suspended]).collect()
        }
        State::Completed | State::Failed | State::Canceled => {
            let details = vec![("state", row.state.name().to_string(), false)];
            vec![block(
                "terminal",
                format!("the run is {} for ever", row.state.name()),
                details,
            )]
        }
    }
}

/// Why a run that waits for nothing but its time, or its schedule, is not ready.
fn not_due(state: &Tables, run: u32) -> Block {
    let row = &state.runs[run];
    let due = instant("scheduled_at_ms", row.scheduled_at);
    let clock = state.task_of(run).clockwork();
    match clock {
        Some(clock) if clock.queued == row.number => block(
            "waiting_for_earlier_run",
            "a run of an earlier instant of its schedule has not ended",
            vec![due],
        ),
        Some(clock) if clock.paused && clock.future == row.number => {
            block("schedule_paused", "its schedule is paused", vec![due])
        }
        _ => block("waiting_for_time", "the run is not due yet", vec![due]),
    }
}

fn waiting_for_children(state: &Tables, run: u32) -> Vec<Block> {
    let bond = state.task_of(run).bond();
    let live = bond.map_or(0, |bond| bond.children.len());
    vec![block(
        "waiting_for_children",
        "the run is suspended until its task's children have ended",
        vec![("children_live", live.to_string(), true)],
    )]
}

/// Prerequisites that an explanation names.
const UNMET_NAMED: usize = 10;

fn unmet(state: &Tables, run: u32) -> Vec<Block> {
    let bond = state.task_of(run).bond();
    let unmet = bond.map_or(&[][..], |bond| &bond.unmet);
    let names: Vec<String> = unmet
        .iter()
        .take(UNMET_NAMED)
        .map(|id| id.to_string())
        .collect();
    let details = vec![
        ("unmet", unmet.len().to_string(), true),
        ("depends_on", names.join(","), false),
    ];
    vec![block(
        "waiting_for_dependencies",
        "a task that it depends on is not completed",
        details,
    )]
}

fn key_busy(state: &Tables, run: u32) -> Option<Block> {
    queue::can_grant(state, run).err()?;
    Some(key_slots(state, run))
}

fn key_slots(state: &Tables, run: u32) -> Block {
    let (key, holders, limit) = queue::slots_for(state, run).unwrap_or_default();
    let details = vec![
        ("concurrency_key", key.to_string(), false),
        ("holders", holders.to_string(), true),
        ("limit", limit.to_string(), true),
    ];
    let message = "every slot of the run's concurrency key is taken";
    block("concurrency_key_busy", message, details)
}

fn budget_exhausted(spent: &budget::Blocked<'_>) -> Block {
    let budget = spent.budget;
    let scope = if spent.of_tenant { "tenant" } else { "task" };
    let details = vec![
        ("scope", scope.to_string(), false),
        ("dimension", budget.dimension.to_string(), false),
        ("limit", budget.limit.to_string(), true),
        ("consumed", budget.consumed.to_string(), true),
        ("reserved", budget.reserved.to_string(), true),
        ("reserve", spent.reserve.to_string(), true),
    ];
    let words = if budget.is_exhausted() {
        "a budget that covers the run is used up"
    } else {
        "what is left of a budget is held by running attempts"
    };
    block("budget_exhausted", words, details)
}

fn leased(active: &Active) -> Block {
    let details = vec![
        ("owner", active.worker.to_string(), false),
        instant("acquired_at_ms", active.acquired_at),
    ];
    let message = if active.idle {
        "somebody holds it; no attempt has begun"
    } else {
        "a worker is on it"
    };
    block("leased", message, details)
}

fn outlook(row: &Row, reasons: &[Block]) -> String {
    let Some(first) = reasons.first() else {
        return "a worker claims its queue".into();
    };
    match first.code {
        "waiting_for_time" => "its scheduled_at has come".into(),
        "waiting_for_earlier_run" => "the earlier run of its schedule has ended".into(),
        "schedule_paused" => "its schedule is resumed".into(),
        "retry_backoff" => "its retry delay has passed".into(),
        "concurrency_key_busy" => "a holder of its concurrency key finishes".into(),
        "engine_paused" => "the engine is resumed".into(),
        "queue_paused" => "its queue is resumed".into(),
        "queue_busy" => "a run of its queue that is held ends".into(),
        "rate_limited" => "its queue's next start is due".into(),
        "budget_exhausted" if row.state == State::Suspended => "its budget is replenished".into(),
        "budget_exhausted" => {
            "its budget is replenished, or an attempt gives back what it holds".into()
        }
        "suspended" => "it is resumed".into(),
        "leased" if row.state == State::Leased => "its holder starts it".into(),
        "waiting_for_dependencies" => "every task it depends on is completed".into(),
        "waiting_for_children" => "the last of its task's children has ended".into(),
        "leased" => "it is running now".into(),
        "expired" => "never: it was not started in time".into(),
        _ => format!("never: it is {}", row.state.name()),
    }
}
