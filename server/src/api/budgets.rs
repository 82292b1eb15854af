//! Budgets: what may be spent, what is used, and a new period.

use mainstay_client::wire;
use mainstay_core::{
    Amount, Answer, BudgetScope, BudgetView, Call, Command, Outcome, Query, TenantId, Text,
};

use super::heartbeat::call_in;
use super::names::Names;
use super::tasks::find_task;
use crate::edge::{Exchange, Failure, Placed, Reply, read_tenant};
use crate::json::{Subject, Writer};

/// `POST /api/v1/tasks/{task_id}/budgets`.
pub(crate) async fn allocate(exchange: Exchange) -> Result<Reply, Failure> {
    let call = read_allocation(&exchange, BudgetScope::Task(exchange.task()?))?;
    answer(exchange.call_by(call).await?)
}

/// `PUT /api/v1/tenants/{tenant_id}/budgets`.
pub(crate) async fn allocate_tenant(exchange: Exchange) -> Result<Reply, Failure> {
    let tenant = path_tenant(&exchange)?;
    let mut call = read_allocation(&exchange, BudgetScope::Tenant)?;
    call.principal.tenant = tenant;
    answer(exchange.call_by(call).await?)
}

fn read_allocation(exchange: &Exchange, scope: BudgetScope) -> Result<Call, Failure> {
    let body: wire::AllocateBudget<'_> = exchange.read(Subject::Request)?;
    let command = Command::AllocateBudget {
        scope,
        dimension: Names::default().share(&body.dimension),
        limit: body.limit,
        reserve: body.reserve,
    };
    Ok(Call {
        reason: body.reason.as_deref().map(Text::from),
        ..exchange.call_of(command)
    })
}

/// `POST /api/v1/tasks/{task_id}/budgets/{dimension}/replenish`.
pub(crate) async fn replenish(exchange: Exchange) -> Result<Reply, Failure> {
    let call = read_period(&exchange, BudgetScope::Task(exchange.task()?))?;
    answer(exchange.call_by(call).await?)
}

/// `POST /api/v1/tenants/{tenant_id}/budgets/{dimension}/replenish`.
pub(crate) async fn replenish_tenant(exchange: Exchange) -> Result<Reply, Failure> {
    let tenant = path_tenant(&exchange)?;
    let mut call = read_period(&exchange, BudgetScope::Tenant)?;
    call.principal.tenant = tenant;
    answer(exchange.call_by(call).await?)
}

fn read_period(exchange: &Exchange, scope: BudgetScope) -> Result<Call, Failure> {
    let body: wire::Replenish<'_> = exchange.read(Subject::Request)?;
    let command = Command::ReplenishBudget {
        scope,
        dimension: exchange.name(1),
        new_limit: body.new_limit,
    };
    Ok(Call {
        reason: body.reason.as_deref().map(Text::from),
        ..exchange.call_of(command)
    })
}

/// The tenant that the path names, as far as the caller reaches.
fn path_tenant(exchange: &Exchange) -> Result<TenantId, Failure> {
    let tenant = read_tenant(&exchange.name(0))?;
    match exchange.caller.tenant {
        Some(own) if own != tenant => {
            let sequence = exchange.handle().sequence();
            Err(Failure::tenant_not_found(tenant).at(sequence))
        }
        _ => Ok(tenant),
    }
}

fn answer(placed: Placed<Outcome>) -> Result<Reply, Failure> {
    let Outcome::Budget(view) = placed.value else {
        return Err(Failure::internal());
    };
    let mut json = Writer::new();
    write_budget(&mut json, &view);
    Ok(Reply::json(json.done()).at(placed.sequence))
}

/// `GET /api/v1/tasks/{task_id}/budgets`.
pub(crate) async fn list(exchange: Exchange) -> Result<Reply, Failure> {
    let found = find_task(&exchange, exchange.principal.tenant, exchange.task()?).await?;
    let mut json = Writer::new();
    write_budgets(&mut json, &found.value.budgets);
    Ok(Reply::json(json.done()).at(found.sequence))
}

/// `GET /api/v1/tenants/{tenant_id}/budgets`.
pub(crate) async fn of_tenant(exchange: Exchange) -> Result<Reply, Failure> {
    let tenant = path_tenant(&exchange)?;
    let found = exchange.ask_in(tenant, Query::Budgets).await?;
    let Answer::Budgets(budgets) = found.value else {
        return Err(Failure::tenant_not_found(tenant).at(found.sequence));
    };
    let mut json = Writer::new();
    write_budgets(&mut json, &budgets);
    Ok(Reply::json(json.done()).at(found.sequence))
}

/// `POST /api/v1/runs/{run_id}/consume`.
pub(crate) async fn consume(exchange: Exchange) -> Result<Reply, Failure> {
    let call = {
        let body: wire::Consume<'_> = exchange.read(Subject::Request)?;
        let run = exchange.run()?;
        let command = Command::Consume {
            run,
            fence: exchange.fence(run, &body.token)?,
            consumption: read_amounts(&mut Names::default(), &body.consumption),
        };
        call_in(&exchange, body.tenant_id.as_deref(), command)?
    };
    let placed = exchange.call_by(call).await?;
    let Outcome::Consumed { budgets, directive } = placed.value else {
        return Err(Failure::internal());
    };
    let mut json = Writer::new();
    json.object().name("budgets");
    write_budgets(&mut json, &budgets);
    json.string_field("directive", directive.name())
        .end_object();
    Ok(Reply::json(json.done()).at(placed.sequence))
}

/// What an attempt used.
pub(crate) fn read_amounts(names: &mut Names, given: &[wire::Amount<'_>]) -> Vec<Amount> {
    given
        .iter()
        .map(|amount| Amount {
            dimension: names.share(&amount.dimension),
            amount: amount.amount,
        })
        .collect()
}

/// What an attempt used, as a list.
pub(crate) fn write_amounts(json: &mut Writer, amounts: &[Amount]) {
    json.array();
    for amount in amounts {
        json.object()
            .string_field("dimension", &amount.dimension)
            .number_field("amount", amount.amount)
            .end_object();
    }
    json.end_array();
}

/// Budgets as a list.
pub(crate) fn write_budgets(json: &mut Writer, budgets: &[BudgetView]) {
    json.array();
    for budget in budgets {
        write_budget(json, budget);
    }
    json.end_array();
}

fn write_budget(json: &mut Writer, budget: &BudgetView) {
    json.object()
        .string_field("dimension", &budget.dimension)
        .number_field("limit", budget.limit)
        .number_field("consumed", budget.consumed)
        .number_field("reserved", budget.reserved)
        .bool_field("exhausted", budget.exhausted)
        .number_field("reserve", budget.reserve)
        .number_field("consumed_total", budget.consumed_total)
        .string_field("scope", if budget.of_tenant { "tenant" } else { "task" })
        .end_object();
}
