//! How a task stands to others, between wire and machine: parent, prerequisites, budgets.

use mainstay_client::wire;
use mainstay_core::{Bonds, BudgetSpec, Fence, RunId, TaskId, TaskView};

use super::budgets::write_budgets;
use super::names::Names;
use super::subscriptions::write_filter;
use crate::edge::{Exchange, Failure, read_run, read_task};
use crate::json::Writer;

/// The bonds that a task asks for, if any.
pub(crate) fn read_bonds(
    exchange: &Exchange,
    names: &mut Names,
    spec: &wire::TaskSpec<'_>,
) -> Result<Option<Box<Bonds>>, Failure> {
    let alone = spec.parent_task_id.is_none()
        && spec.depends_on.is_none()
        && spec.parent_run.is_none()
        && spec.budgets.is_none();
    if alone {
        return Ok(None);
    }
    let parent = spec.parent_task_id.as_deref();
    let parent =
        parent.map(|id| read_task(id).map_err(|failure| failure.text("field", "parent_task_id")));
    let depends_on = spec.depends_on.as_deref().unwrap_or_default();
    let budgets = spec.budgets.as_deref().unwrap_or_default();
    let bonds = Bonds {
        parent: parent.transpose()?,
        depends_on: read_tasks(depends_on)?,
        budgets: budgets
            .iter()
            .map(|budget| BudgetSpec {
                dimension: names.share(&budget.dimension),
                limit: budget.limit,
                reserve: budget.reserve,
            })
            .collect(),
        parent_run: spec
            .parent_run
            .as_ref()
            .map(|run| parent_run(exchange, run))
            .transpose()?,
    };
    Ok((bonds != Bonds::default()).then(|| Box::new(bonds)))
}

/// Prerequisites, each named by its place when it is not an id.
pub(crate) fn read_tasks(given: &[wire::Str<'_>]) -> Result<Vec<TaskId>, Failure> {
    let read = |(index, id): (usize, &wire::Str<'_>)| {
        read_task(id).map_err(|failure| failure.text("field", format!("depends_on.{index}")))
    };
    given.iter().enumerate().map(read).collect()
}

fn parent_run(exchange: &Exchange, given: &wire::ParentRun<'_>) -> Result<(RunId, Fence), Failure> {
    let run =
        read_run(&given.run_id).map_err(|failure| failure.text("field", "parent_run.run_id"))?;
    Ok((run, exchange.fence(run, &given.token)?))
}

/// What is known of a task's bonds, schedule, budgets and subscriptions, into an object that is open.
pub(crate) fn write_bonds(json: &mut Writer, task: &TaskView) {
    let bond = task.bond.as_deref();
    if let Some(parent) = bond.and_then(|bond| bond.parent) {
        json.plain_field("parent_task_id", &parent);
    }
    let list = |json: &mut Writer, name, ids: &[TaskId]| {
        json.name(name).array();
        for id in ids {
            json.plain(id);
        }
        json.end_array();
    };
    list(
        json,
        "depends_on",
        bond.map(|bond| bond.depends_on.as_slice())
            .unwrap_or_default(),
    );
    list(
        json,
        "unmet_dependencies",
        bond.map(|bond| bond.unmet.as_slice()).unwrap_or_default(),
    );
    json.number_field("children_total", bond.map_or(0, |bond| bond.children_total))
        .number_field(
            "descendants_live",
            bond.map_or(0, |bond| bond.descendants_live),
        )
        .name("budgets");
    write_budgets(json, &task.budgets);
    json.name("subscriptions").array();
    for subscription in &task.subscriptions {
        json.object()
            .plain_field("subscription_id", &subscription.id)
            .name("filter");
        write_filter(json, &subscription.filter);
        json.number_field("triggered", subscription.triggered)
            .end_object();
    }
    json.end_array();
    let cron = task
        .schedule
        .as_deref()
        .filter(|view| view.schedule.cron().is_some());
    if let Some(view) = cron {
        json.bool_field("paused", view.paused)
            .name("schedule")
            .object();
        json.bool_field("ended", view.ended)
            .number_field("occurrences", view.occurrences);
        json.maybe("next", view.next, |json, at| {
            json.instant(at);
        });
        json.end_object();
    }
}
