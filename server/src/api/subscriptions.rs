//! Subscriptions, and the events of one's own that meet them.

use mainstay_client::wire;
use mainstay_core::{Command, Filter, Outcome, RunState, SubscriptionId, TaskId, Text};

use super::convert::json_bytes;
use super::tasks::find_task;
use crate::edge::{Exchange, Failure, Reply, read_subscription, read_task};
use crate::json::{Subject, Writer};

/// `POST /api/v1/tasks/{task_id}/subscriptions`.
pub(crate) async fn subscribe(exchange: Exchange) -> Result<Reply, Failure> {
    let task = exchange.task()?;
    let (chosen, keyed, filter) = {
        let body: wire::Subscribe<'_> = exchange.read(Subject::Request)?;
        let chosen = body.subscription_id.as_deref();
        let chosen = chosen.map(read_subscription).transpose()?;
        let keyed = exchange.keyed_id("subscription", task, chosen.map(|_| "subscription_id"))?;
        (
            chosen,
            keyed.map(SubscriptionId),
            read_filter(&body.filter)?,
        )
    };
    let command = Command::Subscribe {
        task,
        id: chosen.or(keyed),
        filter: Box::new(filter.clone()),
    };
    let (id, sequence, status) = match (exchange.call(command).await, keyed) {
        (Ok(placed), _) => {
            let Outcome::Subscribed(id) = placed.value else {
                return Err(Failure::internal());
            };
            (id, placed.sequence, 201)
        }
        (Err(failure), Some(id)) if failure.code() == "subscription_already_exists" => {
            let found = find_task(&exchange, exchange.principal.tenant, task).await?;
            let mut live = found.value.subscriptions.iter();
            if live.any(|other| other.id == id && other.filter != filter) {
                return Err(exchange.key_conflict().at(found.sequence));
            }
            (id, found.sequence, 200)
        }
        (Err(failure), _) => return Err(failure),
    };
    let mut json = Writer::new();
    json.object()
        .plain_field("subscription_id", &id)
        .end_object();
    Ok(Reply::json(json.done()).status(status).at(sequence))
}

/// `DELETE /api/v1/subscriptions/{subscription_id}`.
pub(crate) async fn unsubscribe(exchange: Exchange) -> Result<Reply, Failure> {
    let wire::EmptyBody {} = exchange.read(Subject::Request)?;
    let subscription = exchange.subscription()?;
    let placed = exchange.call(Command::Unsubscribe { subscription }).await?;
    let mut json = Writer::new();
    json.object()
        .plain_field("subscription_id", &subscription)
        .string_field("status", "canceled")
        .end_object();
    Ok(Reply::json(json.done()).at(placed.sequence))
}

/// `POST /api/v1/custom-events`.
pub(crate) async fn publish(exchange: Exchange) -> Result<Reply, Failure> {
    let command = {
        let body: wire::CustomEvent<'_> = exchange.read(Subject::Request)?;
        let payload = body.payload.as_ref().map(json_bytes);
        exchange.check_size(
            "payload_bytes",
            payload.as_ref().map(|payload| payload.len()),
        )?;
        Command::PublishEvent {
            key: Text::from(&*body.key),
            payload,
        }
    };
    let placed = exchange.call(command).await?;
    let Outcome::Triggered(triggered) = placed.value else {
        return Err(Failure::internal());
    };
    let mut json = Writer::new();
    json.object()
        .number_field("triggered", triggered)
        .end_object();
    Ok(Reply::json(json.done()).at(placed.sequence))
}

fn wrong(field: &'static str, message: &str) -> Failure {
    Subject::Request.wrong(field, message)
}

/// What a subscription waits for; fields of another type are refused.
fn read_filter(given: &wire::FilterSpec<'_>) -> Result<Filter, Failure> {
    let fields = [
        ("filter.task_id", given.task_id.is_some()),
        ("filter.state", given.state.is_some()),
        ("filter.dimension", given.dimension.is_some()),
        ("filter.percent", given.percent.is_some()),
        ("filter.key", given.key.is_some()),
    ];
    let of_type: &[&str] = match &*given.kind {
        "task_completed" => &["filter.task_id"],
        "run_state_changed" => &["filter.task_id", "filter.state"],
        "budget_threshold" => &["filter.task_id", "filter.dimension", "filter.percent"],
        "custom" => &["filter.key"],
        _ => {
            let message = "must be task_completed, run_state_changed, budget_threshold or custom";
            return Err(wrong("filter.type", message));
        }
    };
    for (field, present) in fields {
        let wanted = of_type.contains(&field);
        if wanted && !present {
            return Err(wrong(field, "is required"));
        }
        if present && !wanted {
            let message = format!("does not belong to the type {}", &*given.kind);
            return Err(wrong(field, &message));
        }
    }
    let text = |given: &Option<wire::Str<'_>>| Text::from(given.as_deref().unwrap_or_default());
    let task = given.task_id.as_deref().map(read_task).transpose()?;
    let task = task.unwrap_or(TaskId(0));
    Ok(match (&*given.kind, given.state) {
        ("task_completed", _) => Filter::TaskCompleted(task),
        ("run_state_changed", Some(state)) => Filter::RunStateChanged(task, run_state(state)),
        ("budget_threshold", _) => {
            let percent = given.percent.unwrap_or_default();
            Filter::BudgetThreshold(task, text(&given.dimension), percent)
        }
        _ => Filter::Custom(text(&given.key)),
    })
}

/// The machine's state of this name: both lists hold the same words.
pub(crate) fn run_state(given: wire::RunState) -> RunState {
    let known = RunState::ALL.iter().copied();
    let mut same = known.filter(|state| state.name() == given.name());
    same.next().unwrap_or_default()
}

/// A filter in the form it is asked for in.
pub(crate) fn write_filter(json: &mut Writer, filter: &Filter) {
    json.object().string_field("type", filter.name());
    match filter {
        Filter::TaskCompleted(task) => {
            json.plain_field("task_id", task);
        }
        Filter::RunStateChanged(task, state) => {
            json.plain_field("task_id", task)
                .string_field("state", state.name());
        }
        Filter::BudgetThreshold(task, dimension, percent) => {
            json.plain_field("task_id", task)
                .string_field("dimension", dimension)
                .number_field("percent", *percent);
        }
        Filter::Custom(key) => {
            json.string_field("key", key);
        }
    }
    json.end_object();
}
