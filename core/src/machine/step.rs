//! One command: check, decide, emit.
//! Owns: the dispatch to the rooms' verbs and the checks that every command shares.
//! Never: holds a rule of a room.

use super::facts::Facts;
use super::hear;
use super::model::{Events, Machine, Now, Step};
use super::operate;
use super::react;
use super::tx::Tx;
use crate::command::{Call, Command, Finish};
use crate::event::{ClockAdopted, EngineStarted};
use crate::outcome::Outcome;
use crate::rejection::Rejection;
use crate::run::{Fence, State};
use crate::state::{Renewal, State as Tables};
use crate::{
    RunId, actor, budget, deadletter, dependency, ledger, limits, platform, queue, run,
    subscription, task, webhook,
};

impl Machine {
    /// Decides one command and applies what it comes to.
    pub fn step(&mut self, now: &Now, facts: &Facts, call: Call) -> Step {
        let mut events = Events::new();
        let mut call = call;
        let outcome = self.step_into(now, facts, &mut call, &mut events);
        Step { outcome, events }
    }

    /// Like [`Machine::step`], appending the facts to a list that the caller uses again and again. What an accepted submit brings is taken
    /// out of the call, which is a submit of nothing then; everything else stays: a refused call may be tried again.
    ///
    /// # Errors
    /// The refusal; nothing was appended then.
    pub fn step_into(
        &mut self,
        now: &Now,
        facts: &Facts,
        call: &mut Call,
        events: &mut Events,
    ) -> Result<Outcome, Rejection> {
        let tenant = check_expectations(&self.state, facts, call)?;
        let before = events.len();
        let mut tx = Tx::new(
            &mut self.state,
            &mut self.volatile,
            facts,
            events,
            now,
            &call.principal,
            tenant,
        );
        let outcome = dispatch(&mut tx, &mut call.command);
        if outcome.is_ok() {
            react::follow(&mut tx);
        }
        debug_assert!(
            outcome.is_ok() || events.len() == before,
            "a refused command emits nothing"
        );
        outcome
    }
}

fn dispatch(tx: &mut Tx<'_>, command: &mut Command) -> Result<Outcome, Rejection> {
    match command {
        Command::Submit(_) | Command::SubmitAs(..) | Command::SubmitAll(_) => {
            task::submit(tx, command)
        }
        Command::Claim(claim) => run::claim(tx, claim),
        Command::Heartbeat(beat) => run::heartbeat(tx, beat),
        Command::Finish(finish) => run::finish(tx, finish),
        Command::Checkpoint(put) => run::checkpoint(tx, put),
        Command::CancelRun { run, force, reason } => run::cancel(tx, *run, *force, reason.as_ref()),
        Command::CancelTask { task, reason } => react::cancel_task(tx, *task, reason.as_ref()),
        Command::SuspendRun { run, reason } => run::suspend(tx, *run, reason.as_ref()),
        Command::ResumeRun { run, payload } => run::resume(tx, *run, payload.as_ref()),
        Command::ConfigureQueue { queue, config } => queue::configure(tx, queue, config),
        Command::PauseQueue { queue, reason } => queue::pause_queue(tx, queue, reason.as_ref()),
        Command::ResumeQueue { queue, reason } => queue::resume_queue(tx, queue, reason.as_ref()),
        Command::PauseEngine { reason } => queue::pause(tx, reason.as_ref()),
        Command::ResumeEngine { reason } => queue::resume(tx, reason.as_ref()),
        Command::RetryRun { .. } | Command::ClearDeadLetter { .. } => bury(tx, command),
        Command::Start {
            incarnation,
            downtime_ms,
        } => Ok(start(tx, *incarnation, *downtime_ms)),
        Command::AdoptClock { ahead_ms } => {
            tx.emit(ClockAdopted {
                ahead_ms: *ahead_ms,
            });
            Ok(Outcome::ClockAdopted)
        }
        Command::Tick => {
            tx.open_queues();
            Ok(react::tick(tx))
        }
        Command::DeclareDependencies { task, depends_on } => {
            dependency::declare(tx, *task, depends_on)
        }
        Command::RegisterActor(_)
        | Command::DrainActor { .. }
        | Command::DeregisterActor { .. }
        | Command::BeatActor { .. } => employ(tx, command),
        Command::CreateTenant { tenant, name } => platform::create(tx, *tenant, name),
        Command::WeighTenant { weight } => platform::weigh(tx, *weight),
        Command::Govern(change) => platform::govern(tx, change),
        Command::Attest(what) => ledger::attest(tx, what),
        Command::Operate(what) => operate::operate(tx, what),
        Command::Hook(what) => webhook::hook(tx, what),
        Command::AllocateBudget { .. }
        | Command::Consume { .. }
        | Command::ConsumeBudget { .. }
        | Command::ReplenishBudget { .. } => spend(tx, command),
        Command::Subscribe { .. }
        | Command::Unsubscribe { .. }
        | Command::TriggerSubscription { .. }
        | Command::PublishEvent { .. } => listen(tx, command),
        Command::UpdateTask(patch) => task::update(tx, patch),
        Command::CreateRun {
            task,
            run,
            state,
            scheduled_at,
        } => task::create_run(tx, *task, *run, *state, *scheduled_at),
        Command::TransitionRun { .. }
        | Command::AcquireLease { .. }
        | Command::RenewLease { .. }
        | Command::ExpireLease { .. }
        | Command::ReleaseLease { .. }
        | Command::StartAttempt { .. }
        | Command::FinishAttempt { .. } => by_hand(tx, command),
    }
}

/// A dead letter is tried again or cleared away.
fn bury(tx: &mut Tx<'_>, command: &Command) -> Result<Outcome, Rejection> {
    match command {
        Command::RetryRun { run, reason } => deadletter::redrive(tx, *run, reason.as_ref()),
        Command::ClearDeadLetter { run, reason } => deadletter::clear(tx, *run, reason.as_ref()),
        _ => unsupported(),
    }
}

/// The direct lane: runs, leases and attempts moved one by one.
fn by_hand(tx: &mut Tx<'_>, command: &mut Command) -> Result<Outcome, Rejection> {
    match command {
        Command::TransitionRun { run, expected, to } => run::transition(tx, *run, *expected, *to),
        Command::AcquireLease {
            run,
            owner,
            lease_ms,
        } => run::acquire(tx, *run, owner, *lease_ms),
        Command::RenewLease {
            run,
            owner,
            expires_at,
        } => run::keep(tx, *run, owner, *expires_at),
        Command::ExpireLease {
            run,
            owner,
            expires_at,
        } => run::expire(tx, *run, owner, *expires_at),
        Command::ReleaseLease {
            run,
            owner,
            expires_at,
        } => run::release(tx, *run, owner, *expires_at),
        Command::StartAttempt { run } => run::start_attempt(tx, *run),
        Command::FinishAttempt {
            run,
            attempt,
            outcome,
            output,
            error,
        } => {
            let finish = Finish {
                outcome: *outcome,
                error: error.clone(),
                ..Finish::success(*run, Fence::default(), output.clone())
            };
            run::end_attempt(tx, *attempt, finish)
        }
        _ => Ok(Outcome::Ticked { more: false }),
    }
}

fn spend(tx: &mut Tx<'_>, command: &Command) -> Result<Outcome, Rejection> {
    match command {
        Command::AllocateBudget {
            scope,
            dimension,
            limit,
            reserve,
        } => budget::allocate(tx, *scope, dimension, *limit, *reserve),
        Command::Consume {
            run,
            fence,
            consumption,
        } => run::consume(tx, *run, *fence, consumption),
        Command::ConsumeBudget {
            scope,
            dimension,
            amount,
        } => budget::consume(tx, *scope, dimension, *amount),
        Command::ReplenishBudget {
            scope,
            dimension,
            new_limit,
        } => budget::replenish(tx, *scope, dimension, *new_limit),
        _ => unsupported(),
    }
}

/// Who works.
fn employ(tx: &mut Tx<'_>, command: &Command) -> Result<Outcome, Rejection> {
    match command {
        Command::RegisterActor(told) => actor::register(tx, told),
        Command::DrainActor { actor, reason } => actor::drain(tx, *actor, reason.as_ref()),
        Command::DeregisterActor { actor, reason } => {
            actor::deregister(tx, *actor, reason.as_ref())
        }
        Command::BeatActor { actor } => actor::heartbeat(tx, *actor),
        _ => unsupported(),
    }
}

fn listen(tx: &mut Tx<'_>, command: &Command) -> Result<Outcome, Rejection> {
    match command {
        Command::Subscribe { task, id, filter } => subscription::subscribe(tx, *task, *id, filter),
        Command::Unsubscribe { subscription } => subscription::unsubscribe(tx, *subscription),
        Command::TriggerSubscription { subscription } => hear::trigger(tx, *subscription),
        Command::PublishEvent { key, payload } => subscription::publish(tx, key, payload.as_ref()),
        _ => unsupported(),
    }
}

fn unsupported() -> Result<Outcome, Rejection> {
    Err(Rejection::NotSupported {
        field: "command".into(),
    })
}

/// A process begins: workers had nobody to report to, so every live lease gets a fresh term in memory.
fn start(tx: &mut Tx<'_>, incarnation: u64, downtime_ms: u64) -> Outcome {
    tx.emit(EngineStarted {
        incarnation,
        downtime_ms,
    });
    tx.begin();
    for run in tx.state().alarms.steady_runs() {
        let Some(active) = tx.state().runs[run].active.as_deref() else {
            continue;
        };
        let fresh_ms = active.lease_ms.min(limits::RENEWAL_EVENT_MS);
        let expires = tx.now.steady.plus_ms(fresh_ms).max(active.expires);
        let expires_at = tx.now.wall.plus_ms(fresh_ms).max(active.expires_at);
        tx.renew(
            run,
            Renewal {
                expires,
                expires_at,
                updated_at: tx.now.wall,
                progress: None,
            },
        );
    }
    Outcome::Started
}

/// The tenant's handle, when everything the caller expects holds.
fn check_expectations(state: &Tables, facts: &Facts, call: &Call) -> Result<u32, Rejection> {
    if state.sequence > u64::MAX - (1 << 32) {
        return Err(Rejection::SequenceOverflow);
    }
    let Some(tenant) = state.tenant(call.principal.tenant) else {
        return Err(Rejection::UnknownTenant {
            tenant: call.principal.tenant,
        });
    };
    if let Some(provided) = call
        .expected_sequence
        .filter(|provided| *provided != state.sequence)
    {
        return Err(Rejection::NonMonotonicSequence {
            expected: state.sequence,
            provided,
        });
    }
    limits::check_reason(call.reason.as_ref())?;
    if let Some(expected) = call.expected_state
        && let Some(id) = named_run(&call.command)
    {
        let found = state.find_run(tenant, id).map(|run| (state, run));
        let found = found.or_else(|| facts.find_run(call.principal.tenant, id));
        check_state(found, id, expected)?;
    }
    Ok(tenant)
}

fn check_state(found: Option<(&Tables, u32)>, id: RunId, expected: State) -> Result<(), Rejection> {
    let (state, run) = found.ok_or(Rejection::UnknownRun { run: id })?;
    let actual = state.runs[run].state;
    if actual == expected {
        Ok(())
    } else {
        Err(Rejection::PreviousStateMismatch { expected, actual })
    }
}

fn named_run(command: &Command) -> Option<RunId> {
    match command {
        Command::Heartbeat(beat) => Some(beat.run),
        Command::Finish(finish) => Some(finish.run),
        Command::Checkpoint(put) => Some(put.run),
        Command::CancelRun { run, .. }
        | Command::SuspendRun { run, .. }
        | Command::ResumeRun { run, .. }
        | Command::TransitionRun { run, .. }
        | Command::AcquireLease { run, .. }
        | Command::RenewLease { run, .. }
        | Command::ExpireLease { run, .. }
        | Command::ReleaseLease { run, .. }
        | Command::StartAttempt { run }
        | Command::FinishAttempt { run, .. }
        | Command::Consume { run, .. }
        | Command::RetryRun { run, .. }
        | Command::ClearDeadLetter { run, .. } => Some(*run),
        Command::Submit(_)
        | Command::SubmitAs(..)
        | Command::SubmitAll(_)
        | Command::Claim(_)
        | Command::CancelTask { .. }
        | Command::PauseEngine { .. }
        | Command::ResumeEngine { .. }
        | Command::Start { .. }
        | Command::AdoptClock { .. }
        | Command::Tick
        | Command::UpdateTask(_)
        | Command::CreateRun { .. }
        | Command::DeclareDependencies { .. }
        | Command::AllocateBudget { .. }
        | Command::ConsumeBudget { .. }
        | Command::ReplenishBudget { .. }
        | Command::Subscribe { .. }
        | Command::Unsubscribe { .. }
        | Command::TriggerSubscription { .. }
        | Command::PublishEvent { .. }
        | Command::ConfigureQueue { .. }
        | Command::PauseQueue { .. }
        | Command::ResumeQueue { .. }
        | Command::CreateTenant { .. }
        | Command::WeighTenant { .. }
        | Command::RegisterActor(_)
        | Command::DrainActor { .. }
        | Command::DeregisterActor { .. }
        | Command::BeatActor { .. }
        | Command::Govern(_)
        | Command::Attest(_)
        | Command::Operate(_)
        | Command::Hook(_) => None,
    }
}
