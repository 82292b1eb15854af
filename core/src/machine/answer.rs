//! Questions: bounded, answered from tables and indexes alone.
//! Owns: the views of tasks, runs and counters.
//! Never: changes anything.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::facts::Facts;
use super::model::{Machine, Now};
use super::{access, operate, overview, views};
use crate::image::KeyClass;
use crate::outcome::SubmittedRun;
use crate::query::{
    Answer, AttemptView, CancelView, ChangeView, EngineView, LeaseView, Query, RunView, Stats,
    TaskView,
};
use crate::run::{Cause, Origin, Row};
use crate::{
    ActorId, AttemptId, TenantId, actor, budget, dependency, limits, run, statistics, task, webhook,
};

impl Machine {
    /// Answers a question about a tenant's things at this moment.
    #[must_use]
    pub fn answer(&self, now: &Now, tenant: TenantId, query: &Query) -> Answer {
        let Some(tenant) = self.state.tenant(tenant) else {
            return Answer::Absent;
        };
        match query {
            Query::Task(id) => match self.state.find_task(tenant, *id) {
                Some(task) => Answer::Task(Box::new(self.task_view(task))),
                None => Answer::Absent,
            },
            Query::Run(id) => match self.state.find_run(tenant, *id) {
                Some(run) => Answer::Run(Box::new(self.run_view(now, run))),
                None => Answer::Absent,
            },
            Query::Explain(id) => match self.state.find_run(tenant, *id) {
                Some(run) => Answer::Explain(Box::new(run::explain(
                    &self.state,
                    &self.volatile,
                    now,
                    run,
                ))),
                None => Answer::Absent,
            },
            Query::Stats => Answer::Stats(Box::new(Stats {
                now: now.wall,
                ..self.stats()
            })),
            Query::Engine => Answer::Engine(self.engine_view()),
            Query::Places => Answer::Places(self.places_of(tenant, limits::PLACES_SHOWN_MAX)),
            Query::Queues => Answer::Queues(views::queues(&self.state, tenant)),
            Query::Budgets => {
                let budgets = self.state.tenant_rows[tenant as usize].budgets.iter();
                Answer::Budgets(budgets.map(|budget| budget.view(true)).collect())
            }
            Query::Actor(_) | Query::Actors { .. } | Query::Workforce => {
                self.answer_of_actors(now, tenant, query)
            }
            // Access.
            Query::Key(id) => Answer::Key(access::key(&self.state, *id)),
            Query::Keys { of, after, limit } => {
                Answer::Keys(access::keys(&self.state, tenant, *of, *after, *limit))
            }
            Query::Roles => self.answer_of_roles(tenant),
            Query::Grant(actor) => self.answer_of_grant(tenant, *actor),
            Query::Tenants => Answer::Tenants(access::tenants(&self.state)),
            // Operations.
            Query::Operation(_) | Query::Operations { .. } | Query::NextOperation(_) => {
                operate::answer(&self.state, tenant, query)
            }
            // Webhooks.
            Query::Webhook(_) | Query::Webhooks { .. } | Query::Deliveries { .. } => {
                self.answer_of_webhooks(tenant, query)
            }
            // Statistics.
            Query::Overview => {
                let counters = Stats {
                    now: now.wall,
                    ..self.stats()
                };
                Answer::Overview(Box::new(overview::overview(&self.state, counters)))
            }
            Query::Report { all } => {
                let of = (!all).then_some(tenant);
                let report = statistics::report(&self.state, now.wall, of, self.stats_of(of));
                Answer::Report(Box::new(report))
            }
        }
    }

    fn answer_of_grant(&self, tenant: u32, actor: ActorId) -> Answer {
        let grant = self.state.access.grant(tenant, actor).cloned();
        let grant = grant.unwrap_or_default();
        Answer::Grant(grant.roles, grant.capabilities)
    }

    fn answer_of_roles(&self, tenant: u32) -> Answer {
        let own = self.state.access.roles(tenant);
        let own = own.map(|(name, list)| (name.clone(), list.to_vec()));
        Answer::Roles(own.collect())
    }

    fn answer_of_actors(&self, now: &Now, tenant: u32, query: &Query) -> Answer {
        let (state, volatile) = (&self.state, &self.volatile);
        match query {
            Query::Actor(id) => match state.actors.find(tenant, *id) {
                Some(row) => Answer::Actor(Box::new(actor::view(state, volatile, row))),
                None => Answer::Absent,
            },
            Query::Actors { all, after, limit } => {
                let of = (!all).then_some(tenant);
                let after = after.map(|(of, id)| (state.tenant(of).unwrap_or(tenant), id));
                Answer::Actors(actor::views(state, volatile, of, after, *limit))
            }
            Query::Workforce => Answer::Workforce(actor::workforce(state, volatile, now.steady)),
            _ => Answer::Absent,
        }
    }

    fn answer_of_webhooks(&self, tenant: u32, query: &Query) -> Answer {
        let state = &self.state;
        match query {
            Query::Webhook(id) => match webhook::webhook(state, tenant, *id) {
                Some(view) => Answer::Webhook(view),
                None => Answer::Absent,
            },
            Query::Webhooks { all, after, limit } => {
                Answer::Webhooks(webhook::webhooks(state, tenant, *all, *after, *limit))
            }
            Query::Deliveries {
                webhook,
                of,
                before,
                limit,
            } if state.webhooks.find(tenant, *webhook).is_some() => {
                let rows = webhook::deliveries(state, tenant, *webhook, *of, *before, *limit);
                Answer::Deliveries(rows)
            }
            _ => Answer::Absent,
        }
    }

    /// What a claim asks with: its own list of capabilities, or its actor's. Whoever waits with a claim waits for such work.
    #[must_use]
    pub fn able_to(&self, tenant: TenantId, claim: &crate::command::Claim) -> Vec<crate::Text> {
        let tenant = self.state.tenant(tenant);
        let asks = tenant.map(|tenant| actor::claimant(&self.state, tenant, claim));
        match asks {
            Some(Ok(Some(claimant))) => claimant.capabilities,
            _ => claim.capabilities.clone(),
        }
    }

    /// Whether a claim with this key was granted something: asking again with it never finds new work.
    #[must_use]
    pub fn has_claimed(&self, facts: &Facts, tenant: TenantId, key: &crate::Text) -> bool {
        if facts.has_claimed(tenant, key) {
            return true;
        }
        self.state.tenant(tenant).is_some_and(|tenant| {
            let found = self.state.keys.find(tenant, KeyClass::Claim, key);
            found.is_some()
        })
    }

    fn task_view(&self, at: u32) -> TaskView {
        let row = &self.state.tasks[at];
        let place = &self.state.places[row.place];
        let (payload, stored_payload) = row.payload();
        let runs: Vec<SubmittedRun> = row
            .runs()
            .take(limits::RUNS_SHOWN_MAX)
            .map(|run| self.state.runs[run].submitted())
            .collect();
        TaskView {
            tenant: self.state.tenants[place.tenant as usize],
            id: row.id,
            kind: self.state.names.text(place.kind).clone(),
            queue: self.state.names.text(place.queue).clone(),
            priority: row.priority,
            payload,
            stored_payload,
            policy: task::policy(row).clone(),
            extras: row.extras().cloned().unwrap_or_default(),
            scheduled_at: runs.first().map_or(row.created_at, |run| run.scheduled_at),
            created_at: row.created_at,
            created_by: self.state.created_by(row).clone(),
            updated_at: row.rare.as_deref().and_then(|rare| rare.updated_at),
            canceled_at: row.canceled_at(),
            state: dependency::standing(&self.state, at),
            runs,
            runs_total: row.runs_total,
            runs_by_state: views::run_counts(&self.state, row),
            schedule: views::schedule(row),
            bond: views::bond(row),
            budgets: views::task_budgets(row),
            subscriptions: views::subscriptions(row),
        }
    }

    fn run_view(&self, now: &Now, at: u32) -> RunView {
        let row = &self.state.runs[at];
        let task = self.state.task_of(at);
        let place = &self.state.places[task.place];
        let past = row.past.as_deref();
        let active = row.active.as_deref();
        let cancel = active.and_then(|active| active.cancel.as_deref());
        let waits = row.state == crate::RunState::RetryWait;
        RunView {
            tenant: self.state.tenants[row.tenant as usize],
            id: row.id,
            task: task.id,
            kind: self.state.names.text(place.kind).clone(),
            queue: self.state.names.text(place.queue).clone(),
            state: row.state,
            created_at: row.created_at,
            scheduled_at: row.scheduled_at,
            attempt_count: row.attempt_count,
            failures: row.failures.into(),
            lost_leases: row.lost_leases.into(),
            concurrency_key: task::policy(task).concurrency_key.clone(),
            current_attempt: active
                .filter(|active| !active.idle)
                .map(|_| AttemptId::derive(row.id, row.attempt_count)),
            changes: changes(row),
            attempts: attempts(row),
            lease: self.lease_view(at),
            cancel_requested: cancel.map(|cancel| CancelView {
                at: cancel.at,
                by: cancel.by.clone(),
                reason: cancel.reason.clone(),
                force_at: cancel.force_at,
            }),
            suspend_requested: active.is_some_and(|active| active.suspend.is_some()),
            block_reason: run::block_reason(&self.state, now, at),
            reason: past.and_then(|past| past.reason.clone()),
            output: past.and_then(|past| past.output.clone()),
            checkpoints: past.map_or_else(Vec::new, |past| {
                past.checkpoints.clone().into_iter().collect()
            }),
            retry_at: waits.then_some(row.retry().1),
            origin: past.map_or(Origin::Policy, |past| past.origin),
            occurrence: past.and_then(|past| past.occurrence),
            retry_of: past.and_then(|past| past.retry_of),
            redriven_by: past.and_then(|past| past.redriven_by),
            cleared_at: past.and_then(|past| past.cleared_at),
            // What has ended is covered by nothing any more: its task's own budgets are its history.
            budgets: if row.state.is_terminal() {
                views::task_budgets(task)
            } else {
                budget::views(&self.state, task)
            },
        }
    }

    fn lease_view(&self, at: u32) -> Option<LeaseView> {
        let active = self.state.runs[at].active.as_deref()?;
        let renewal = self.volatile.renewals.get(&at);
        Some(LeaseView {
            owner: active.worker.clone(),
            expires_at: renewal.map_or(active.expires_at, |renewal| {
                renewal.expires_at.max(active.expires_at)
            }),
            acquired_at: active.acquired_at,
            updated_at: renewal.map_or(active.acquired_at, |renewal| renewal.updated_at),
            progress: renewal.and_then(|renewal| renewal.progress.clone()),
        })
    }

    /// The counters, with recorded time as of the last event.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.stats_of(None)
    }

    /// The same, with nothing in it of when other tenants' runs became due.
    fn stats_of(&self, tenant: Option<u32>) -> Stats {
        let due = |run: u32| overview::ready_since(&self.state, run);
        let oldest = self
            .state
            .queues
            .heads(limits::CLAIM_FILTER_MAX)
            .filter(|run| tenant.is_none_or(|of| self.state.runs[*run].tenant == of))
            .map(due)
            .min();
        let paused = self.state.switch.paused;
        Stats {
            sequence: self.state.sequence,
            paused,
            oldest_ready_at: oldest,
            now: self.state.wall,
            ..self.state.stats.clone()
        }
    }

    fn engine_view(&self) -> EngineView {
        let switch = &self.state.switch;
        let used = switch.since.0 > 0;
        EngineView {
            paused: switch.paused,
            since: used.then_some(switch.since),
            by: used.then(|| switch.by.clone()),
            reason: switch.reason.clone(),
        }
    }
}

fn changes(row: &Row) -> Vec<ChangeView> {
    let past = row.past.as_deref();
    let kept = past.map_or(0, |past| past.changes.len());
    let mut changes = Vec::with_capacity(kept + 1);
    if kept < limits::HISTORY_KEPT {
        changes.push(ChangeView {
            from: None,
            to: row.born,
            at: row.created_at,
            sequence: row.number,
            cause: Cause::Submit,
            actor: None,
        });
    }
    changes.extend(
        past.into_iter()
            .flat_map(|past| &past.changes)
            .map(|change| ChangeView {
                from: Some(change.from),
                to: change.to,
                at: change.at,
                sequence: change.sequence,
                cause: change.cause,
                actor: (!change.actor.is_empty()).then(|| change.actor.clone()),
            }),
    );
    changes
}

fn attempts(row: &Row) -> Vec<AttemptView> {
    let ended = row
        .past
        .iter()
        .flat_map(|past| &past.attempts)
        .map(|attempt| AttemptView {
            id: AttemptId::derive(row.id, attempt.number),
            number: attempt.number,
            started_at: attempt.started_at,
            finished_at: Some(attempt.finished_at),
            result: Some(attempt.result),
            fence: attempt.fence,
            error: attempt.error.as_deref().cloned(),
            output: attempt.output.clone(),
            worker: attempt.worker.clone(),
            consumption: attempt.consumption.clone(),
        });
    let begun = row.active.iter().filter(|active| !active.idle);
    let current = begun.map(|active| AttemptView {
        id: AttemptId::derive(row.id, row.attempt_count),
        number: row.attempt_count,
        started_at: active.started_at(),
        finished_at: None,
        result: None,
        fence: active.fence,
        error: None,
        output: None,
        worker: active.worker.clone(),
        consumption: active.consumption.clone(),
    });
    ended.chain(current).collect()
}
