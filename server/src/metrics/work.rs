//! What the machine says of the work: runs, queues, tenants, budgets, and who is there to do it.

use mainstay_core::{
    AttemptResult, Execution, Overview, RunState, Timestamp, WebhookLoad, Workforce,
};

use super::text::Text;

/// What stands for everything that is not named.
const OTHER: &str = "other";
/// Budgets shown at most.
const BUDGETS_SHOWN_MAX: usize = 200;

/// The states of runs that have not ended.
fn unfinished() -> impl Iterator<Item = RunState> {
    let all = RunState::ALL.iter().copied();
    all.filter(|state| !state.is_terminal())
}

pub(super) fn write(text: &mut Text, told: &Overview) {
    let counters = &told.counters;
    let of_state = |state: RunState| counters.runs_by_state[state as usize] as f64;
    text.family("mainstay_runs");
    for state in RunState::ALL {
        text.sample(&[state.name()], of_state(*state));
    }
    let flag = |yes: bool| f64::from(u8::from(yes));
    for (name, value) in [
        ("mainstay_runs_ready", of_state(RunState::Ready)),
        ("mainstay_runs_running", of_state(RunState::Running)),
        ("mainstay_runs_created_total", counters.runs_total as f64),
        ("mainstay_tasks_total", counters.tasks_total as f64),
        (
            "mainstay_attempts_started_total",
            counters.attempts_total as f64,
        ),
        (
            "mainstay_scheduling_lag_seconds",
            age(counters.now, counters.oldest_ready_at),
        ),
        ("mainstay_dead_letters", told.dead_letters as f64),
        ("mainstay_engine_paused", flag(counters.paused)),
        ("mainstay_queues", told.queues_total as f64),
        ("mainstay_queues_paused", told.queues_paused as f64),
        ("mainstay_tenants", told.tenants_total as f64),
        ("mainstay_budgets_exhausted", told.budgets_exhausted as f64),
        (
            "mainstay_runs_waiting_for_budget",
            told.waiting_for_budget as f64,
        ),
        (
            "mainstay_operations_running",
            told.operations_running as f64,
        ),
        (
            "mainstay_webhook_deliveries_pending",
            told.webhooks.pending as f64,
        ),
        (
            "mainstay_webhook_lag_events",
            told.webhooks.lag_events as f64,
        ),
    ] {
        text.single(name, value);
    }
    text.family("mainstay_attempts_total");
    for (result, count) in AttemptResult::ALL.iter().zip(counters.attempts_by_result) {
        text.sample(&[result.name()], count as f64);
    }
    text.family("mainstay_executor_duration_seconds");
    let Execution { counts, sum_ms } = &told.execution;
    text.histogram(&[], 1e3, (&Execution::BOUNDS_MS, counts), *sum_ms);
    write_webhooks(text, &told.webhooks);
    write_queues(text, told);
    write_tenants(text, told);
}

fn age(now: Timestamp, since: Option<Timestamp>) -> f64 {
    since.map_or(0.0, |since| now.0.saturating_sub(since.0) as f64 / 1e3)
}

fn write_webhooks(text: &mut Text, told: &WebhookLoad) {
    text.family("mainstay_webhooks");
    for (state, count) in [
        ("enabled", told.enabled),
        ("disabled", told.disabled),
        ("gone", told.gone),
        ("failing", told.failing),
    ] {
        text.sample(&[state], count as f64);
    }
}

fn write_queues(text: &mut Text, told: &Overview) {
    let now = told.counters.now;
    let named = told.queues.iter();
    let mut all: Vec<(String, &str, _)> = named
        .map(|load| (load.tenant.to_string(), &*load.name, load))
        .collect();
    if told.queues_total > told.queues.len() as u64 {
        all.push((OTHER.to_owned(), OTHER, &told.other_queues));
    }
    text.family("mainstay_queue_runs");
    for (tenant, queue, load) in &all {
        for state in unfinished() {
            let runs = load.runs_by_state[state as usize] as f64;
            text.sample(&[tenant, queue, state.name()], runs);
        }
    }
    text.family("mainstay_queue_oldest_ready_seconds");
    for (tenant, queue, load) in &all {
        text.sample(&[tenant, queue], age(now, load.oldest_ready_at));
    }
    text.family("mainstay_queue_dead_letters");
    for (tenant, queue, load) in &all {
        text.sample(&[tenant, queue], load.dead_letters as f64);
    }
    text.family("mainstay_queue_paused");
    for (tenant, queue, load) in all.iter().filter(|(tenant, ..)| tenant != OTHER) {
        text.sample(&[tenant, queue], f64::from(u8::from(load.paused)));
    }
}

fn write_tenants(text: &mut Text, told: &Overview) {
    let named = told.tenants.iter();
    let mut all: Vec<_> = named.map(|load| (load.id.to_string(), load)).collect();
    text.family("mainstay_tenant_info");
    for (tenant, load) in &all {
        text.sample(&[tenant, &load.name], 1.0);
    }
    let budgets: Vec<_> = all
        .iter()
        .flat_map(|(tenant, load)| {
            load.budgets
                .iter()
                .map(move |budget| (tenant.clone(), budget))
        })
        .take(BUDGETS_SHOWN_MAX)
        .collect();
    all.push((OTHER.to_owned(), &told.other_tenants));
    text.family("mainstay_tenant_runs");
    for (tenant, load) in &all {
        for state in unfinished() {
            let runs = load.runs_by_state[state as usize] as f64;
            text.sample(&[tenant, state.name()], runs);
        }
    }
    text.family("mainstay_tenant_dead_letters");
    for (tenant, load) in &all {
        text.sample(&[tenant], load.dead_letters as f64);
    }
    text.family("mainstay_budget_limit");
    for (tenant, budget) in &budgets {
        text.sample(&[tenant, &budget.dimension], budget.limit as f64);
    }
    text.family("mainstay_budget_consumed");
    for (tenant, budget) in &budgets {
        text.sample(&[tenant, &budget.dimension], budget.consumed as f64);
    }
    text.family("mainstay_budget_reserved");
    for (tenant, budget) in &budgets {
        text.sample(&[tenant, &budget.dimension], budget.reserved as f64);
    }
}

/// Who is there to work, and what waits though somebody is there.
pub(super) fn write_workforce(text: &mut Text, told: &Workforce) {
    text.family("mainstay_actors");
    let busy = told.actors.saturating_sub(told.draining + told.idle);
    for (state, count) in [
        ("busy", busy),
        ("idle", told.idle),
        ("draining", told.draining),
    ] {
        text.sample(&[state], count as f64);
    }
    text.single("mainstay_runs_ready_unserved", told.unserved as f64);
    text.single("mainstay_runs_ready_passed_by", told.passed_by as f64);
}
