//! How the facts of schedules, bonds, budgets, subscriptions, queues and the direct lane are told in a story.

use mainstay_core::{Amount, BudgetView, Event, Outcome, Timestamp};

use super::show::{Names, bytes, text};
use super::world::World;

pub(crate) fn amounts(items: &[Amount]) -> String {
    let items = items.iter();
    let told: Vec<String> = items
        .map(|item| format!("{}:{}", item.dimension, item.amount))
        .collect();
    told.join(",")
}

/// A budget as `dimension:consumed+reserved/limit`, the tenant's with a star.
pub(crate) fn short_budget(view: &BudgetView) -> String {
    let star = if view.of_tenant { "*" } else { "" };
    format!(
        "{star}{}:{}+{}/{}",
        view.dimension, view.consumed, view.reserved, view.limit
    )
}

fn number<T: ToString>(value: Option<T>) -> String {
    value.map_or("-".into(), |value| value.to_string())
}

impl Names {
    fn at(&self, at: Option<Timestamp>) -> String {
        at.map_or("-".into(), |at| self.instant(at))
    }

    fn owner(&self, task: Option<mainstay_core::TaskId>) -> &str {
        task.map_or("tenant", |task| self.task(task))
    }

    /// What an event says beside its name; the events that `show` tells itself are not among these.
    pub(crate) fn fact(&self, event: &Event) -> String {
        match event {
            Event::TenantCreated(e) => format!("{} weight={}", e.name, e.weight),
            Event::TenantWeighted(e) => format!("weight={}", e.weight),
            // Access.
            Event::KeyCreated(e) => format!("{} role={} system={}", e.name, e.role, e.system),
            Event::KeyRevoked(e) => format!("by={}", e.by),
            Event::RoleDefined(e) => {
                format!("{} capabilities={}", e.role, e.capabilities.join("+"))
            }
            Event::RoleRemoved(e) => e.role.to_string(),
            Event::RoleAssigned(e) => e.role.to_string(),
            Event::RoleRevoked(e) => e.role.to_string(),
            Event::CapabilityGranted(e) => e.capability.to_string(),
            Event::CapabilityRevoked(e) => e.capability.to_string(),
            // Operations.
            Event::OperationStarted(e) => format!("{} by={}", e.action.name(), e.by),
            Event::OperationAdvanced(e) => format!("done={} refused={}", e.done, e.refused_total),
            Event::OperationEnded(e) => format!("{} by={}", e.state.name(), text(Some(&e.by))),
            // Ledgers.
            Event::LedgerAppended(e) => {
                let says = String::from_utf8_lossy(&e.payload);
                format!("{} by={} says={says}", e.ledger_key, e.by)
            }
            Event::ApprovalRequested(e) => format!("{} by={}", e.subject, e.by),
            Event::ApprovalDecided(e) => format!("{} by={}", e.decision.name(), e.by),
            // Webhooks.
            Event::WebhookCreated(e) => format!("{} by={}", e.spec.url, e.by),
            Event::WebhookUpdated(e) => format!("{} by={}", e.spec.url, e.by),
            Event::WebhookDeleted(e) => format!("by={}", e.by),
            Event::WebhookRotated(e) => format!("generation={}", e.generation),
            Event::WebhookSwitched(e) => format!("enabled={} why={}", e.enabled, e.why),
            Event::WebhookReported(e) => format!("cursor={} settled={}", e.cursor, e.settled.len()),
            Event::DeliveryRequested(e) => format!("{} {}", e.event, e.kind),
            Event::WebhookEventsMissed(e) => format!("{}-{}", e.first, e.last),
            Event::TaskUpdated(e) => format!(
                "{} priority={} by={}",
                self.task(e.task),
                number(e.priority),
                e.by
            ),
            Event::ScheduleChanged(e) => format!("{} by={}", self.task(e.task), e.by),
            Event::SchedulePaused(e) => format!("{} by={}", self.task(e.task), e.by),
            Event::ScheduleResumed(e) => format!("{} by={}", self.task(e.task), e.by),
            Event::OccurrencesSkipped(e) => format!(
                "{} count={} from={} through={} cause={:?} more={}",
                self.task(e.task),
                e.count,
                self.instant(e.from),
                self.instant(e.through),
                e.cause,
                e.more
            ),
            Event::RunRescheduled(e) => format!(
                "{} due={} occurrence={} cause={}",
                self.run(e.run),
                self.instant(e.scheduled_at),
                self.at(e.occurrence),
                e.cause.name()
            ),
            Event::ScheduleEnded(e) => self.task(e.task).to_owned(),
            Event::DependenciesDeclared(e) => format!(
                "{} unmet={} met={} by={}",
                self.task(e.task),
                e.unmet.len(),
                e.met.len(),
                e.by
            ),
            Event::DependencySatisfied(e) => {
                format!("{} by={}", self.task(e.task), self.task(e.prerequisite))
            }
            other => self.lane_fact(other),
        }
    }

    fn lane_fact(&self, event: &Event) -> String {
        match event {
            Event::LeaseAcquired(e) => format!(
                "{} token={} owner={} lease_ms={}",
                self.run(e.run),
                e.counter,
                e.owner,
                e.lease_ms
            ),
            Event::RunBegan(e) => format!("{} by={}", self.run(e.run), e.by),
            Event::LeaseEnded(e) => format!(
                "{} cause={} by={}",
                self.run(e.run),
                e.cause.name(),
                text(Some(&e.by))
            ),
            Event::AttemptStarted(e) => format!("{} number={}", self.run(e.run), e.number),
            Event::RunTransitioned(e) => format!(
                "{} to={} by={} delay_ms={}",
                self.run(e.run),
                e.to.name(),
                e.by,
                e.delay_ms
            ),
            other => self.spending_fact(other),
        }
    }

    fn spending_fact(&self, event: &Event) -> String {
        match event {
            Event::BudgetAllocated(e) => format!(
                "{} dimension={} limit={} reserve={} by={}",
                self.owner(e.task),
                e.dimension,
                e.limit,
                number(e.reserve),
                e.by
            ),
            Event::BudgetConsumed(e) => format!(
                "{} items={}",
                e.run.map_or(self.owner(e.task), |run| self.run(run)),
                amounts(&e.items)
            ),
            Event::BudgetReplenished(e) => format!(
                "{} dimension={} limit={} by={}",
                self.owner(e.task),
                e.dimension,
                e.limit,
                e.by
            ),
            Event::BudgetExhausted(e) => {
                format!("{} dimension={}", self.owner(e.task), e.dimension)
            }
            Event::BudgetThresholdPassed(e) => format!(
                "{} dimension={} percent={}",
                self.task(e.task),
                e.dimension,
                e.percent
            ),
            Event::SubscriptionCreated(e) => format!(
                "{} task={} filter={} by={}",
                e.subscription.0,
                self.task(e.task),
                e.filter.name(),
                e.by
            ),
            Event::SubscriptionCanceled(e) => format!("{} by={}", e.subscription.0, e.by),
            Event::SubscriptionTriggered(e) => format!(
                "{} run={}",
                e.subscription.0,
                e.run.map_or("-", |run| self.run(run))
            ),
            Event::CustomEventPublished(e) => {
                format!("key={} payload={}", e.key, bytes(e.payload.as_ref()))
            }
            Event::QueueConfigured(e) => format!(
                "{} limit={} per_ms={} max={} weight={}",
                e.queue,
                number(e.concurrency_limit),
                number(e.rate_per_ms),
                number(e.rate_max),
                number(e.weight)
            ),
            Event::TaskReopened(e) => format!("{} by={}", self.task(e.task), e.by),
            Event::RunRedriven(e) => {
                format!(
                    "{} new={} by={}",
                    self.run(e.run),
                    self.run(e.new_run),
                    e.by
                )
            }
            Event::DeadLetterCleared(e) => format!("{} by={}", self.run(e.run), e.by),
            Event::SubmitRecorded(e) => format!("{} key={}", self.task(e.task), e.key),
            Event::QueuePaused(e) => format!("{} by={}", e.queue, e.by),
            Event::QueueResumed(e) => format!("{} by={}", e.queue, e.by),
            newer => self.actor_fact(newer),
        }
    }
}

impl World {
    /// What a command of these rooms answered about what the story calls `name`.
    pub(crate) fn newer_outcome(&self, name: &str, outcome: &Outcome) -> String {
        let names = &self.names;
        match outcome {
            Outcome::SubmittedAll(all) => self.batch_outcome(all),
            Outcome::TaskUpdated => format!("updated {name}"),
            Outcome::RunCreated(run) => format!("{} {name}", run.state.name()),
            Outcome::RunTransitioned(state) | Outcome::LeaseEnded(state) => {
                format!("{} {name}", state.name())
            }
            Outcome::LeaseAcquired { fence, expires_at } => format!(
                "leased {name} token={} until={}",
                fence.counter,
                names.instant(*expires_at)
            ),
            Outcome::LeaseRenewed { expires_at } => {
                format!("renewed {name} until={}", names.instant(*expires_at))
            }
            Outcome::AttemptStarted { number, .. } => format!("attempt {name} number={number}"),
            Outcome::DependenciesDeclared { unmet } => format!("declared {name} unmet={unmet}"),
            Outcome::Budget(view) => format!(
                "budget {name} limit={} reserve={} consumed={} reserved={} total={} exhausted={}",
                view.limit,
                view.reserve,
                view.consumed,
                view.reserved,
                view.consumed_total,
                view.exhausted
            ),
            Outcome::Consumed { budgets, directive } => {
                let told: Vec<String> = budgets.iter().map(short_budget).collect();
                format!("{} {name} budgets={}", directive.name(), told.join(","))
            }
            Outcome::Subscribed(_) => format!("subscribed {name}"),
            Outcome::Unsubscribed => format!("unsubscribed {name}"),
            Outcome::Triggered(count) => format!("triggered {count}"),
            Outcome::QueueConfigured => format!("configured {name}"),
            Outcome::QueuePaused => format!("paused {name}"),
            Outcome::QueueResumed => format!("resumed {name}"),
            Outcome::TenantCreated(_) => format!("created {name}"),
            Outcome::RunRetried { run, .. } => format!("retried {name} as={}", names.run(*run)),
            Outcome::DeadLetterCleared => format!("cleared {name}"),
            Outcome::OperationStarted { created: true, .. } => "began".into(),
            Outcome::OperationStarted { created: false, .. } => "was there".into(),
            Outcome::OperationAdvanced { done, refused } => {
                format!("done={done} refused={refused}")
            }
            Outcome::OperationEnded(state) => state.name().into(),
            Outcome::TenantWeighted => format!("weighted {name}"),
            // Access.
            // Ledgers.
            Outcome::LedgerAppended { created: true, .. } => "appended".into(),
            Outcome::LedgerAppended { created: false, .. } => "was there".into(),
            Outcome::ApprovalRequested(_) => "planned".into(),
            Outcome::ApprovalDecided(state) => state.name().into(),
            // Webhooks.
            Outcome::WebhookCreated(_) => "hooked".into(),
            Outcome::WebhookChanged { changed } => format!("changed={changed}"),
            Outcome::WebhookRotated { generation } => format!("generation={generation}"),
            Outcome::WebhookReported => "noted".into(),
            Outcome::DeliveryRequested { event } => format!("sends {event}"),
            Outcome::KeyCreated => format!("created {name}"),
            Outcome::AccessChanged { changed: true } => format!("done {name}"),
            Outcome::AccessChanged { changed: false } => format!("unchanged {name}"),
            newer => self.actor_outcome(name, newer),
        }
    }
}
