//! The commands that change tasks, and those about budgets, schedules and queues.

use mainstay_client::Client;
use mainstay_client::wire::{
    AllocateBudget, BudgetView, CustomEvent, FilterSpec, NewRun, Occurrences, QueueCounts,
    QueueList, QueueSettings, RateLimit, Replenish, RunPolicySpec, RunsByState, Str, TaskPatch,
    TaskState, TaskSummary,
};
use mainstay_client::{TaskFilter, wire};
use serde_json::json;

use crate::args::{
    Budget, BudgetCommand, Global, PreviewArgs, QueueCommand, ScheduleCommand, SubscribeArgs,
    TenantBudgetCommand, UpdateArgs,
};
use crate::connection::{self, SHORT_PATIENCE};
use crate::exit::{Code, Failure};
use crate::payload;
use crate::screen::Screen;
use crate::shown::{show, show_task, words};
use crate::span;

fn text(given: &Option<String>) -> Option<Str<'_>> {
    given.as_deref().map(Str::from)
}

/// `task update`
pub(crate) async fn update(
    client: &Client,
    args: &UpdateArgs,
    screen: Screen,
) -> Result<(), Failure> {
    let tags = args.tag.iter().map(|tag| Str::from(tag.as_str()));
    let patch = TaskPatch {
        priority: args.priority,
        tags: (args.no_tags || !args.tag.is_empty()).then(|| tags.collect()),
        description: text(&args.description),
        run_policy: args.cron.as_deref().map(|cron| RunPolicySpec {
            kind: "cron".into(),
            expression: Some(cron.into()),
            timezone: text(&args.timezone),
            ..RunPolicySpec::default()
        }),
        paused: (args.pause || args.unpause).then_some(args.pause),
        reason: text(&args.reason),
    };
    show(
        screen,
        &client.update_task(&args.task_id, &patch).await?,
        show_task,
    );
    Ok(())
}

/// `task depend`
pub(crate) async fn depend(
    client: &Client,
    task_id: &str,
    on: &[String],
    reason: Option<&str>,
    screen: Screen,
) -> Result<(), Failure> {
    let on: Vec<&str> = on.iter().map(String::as_str).collect();
    let answer = client.declare_dependencies(task_id, &on, reason).await?;
    show(screen, &answer, |screen, answer| {
        screen.line(&format!("task {task_id}: waits for {}", answer.unmet));
    });
    Ok(())
}

/// `task run`
pub(crate) async fn create_run(
    client: &Client,
    task_id: &str,
    at: Option<&str>,
    reason: Option<&str>,
    screen: Screen,
) -> Result<(), Failure> {
    let run = NewRun {
        scheduled_at: at.map(Str::from),
        reason: reason.map(Str::from),
        ..NewRun::default()
    };
    let answer = client.create_run(task_id, &run).await?;
    show(screen, &answer, |screen, run| {
        let shown = format!("{} {} {}", run.run_id, run.state, run.scheduled_at);
        screen.pairs(&[("task", task_id.to_owned()), ("run", shown)]);
    });
    Ok(())
}

/// `task subscribe`
pub(crate) async fn subscribe(
    client: &Client,
    args: &SubscribeArgs,
    screen: Screen,
) -> Result<(), Failure> {
    let of = |kind: &'static str, task_id: &'_ Option<String>| FilterSpec {
        kind: kind.into(),
        task_id: task_id.clone().map(Str::from),
        ..FilterSpec::default()
    };
    let filter = if args.completed.is_some() {
        of("task_completed", &args.completed)
    } else if args.run_of.is_some() {
        FilterSpec {
            state: args.state,
            ..of("run_state_changed", &args.run_of)
        }
    } else if args.budget_of.is_some() {
        FilterSpec {
            dimension: text(&args.dimension),
            percent: args.percent,
            ..of("budget_threshold", &args.budget_of)
        }
    } else {
        FilterSpec {
            key: text(&args.event),
            ..of("custom", &None)
        }
    };
    let answer = client.subscribe(&args.task_id, filter).await?;
    show(screen, &answer, |screen, answer| {
        screen.line(&format!("subscription {}", answer.subscription_id));
    });
    Ok(())
}

/// `task unsubscribe`
pub(crate) async fn unsubscribe(
    client: &Client,
    subscription_id: &str,
    screen: Screen,
) -> Result<(), Failure> {
    let answer = client.unsubscribe(subscription_id).await?;
    show(screen, &answer, |screen, answer| {
        let status = words(&answer.status);
        screen.line(&format!("subscription {subscription_id}: {status}"));
    });
    Ok(())
}

/// `task publish`
pub(crate) async fn publish(
    client: &Client,
    key: &str,
    payload: Option<&str>,
    screen: Screen,
) -> Result<(), Failure> {
    let event = CustomEvent {
        key: key.into(),
        payload: payload.map(payload::read).transpose()?,
    };
    let answer = client.publish(&event).await?;
    show(screen, &answer, |screen, answer| {
        screen.line(&format!("event {key}: triggered {}", answer.triggered));
    });
    Ok(())
}

/// `task budget …`
pub(crate) async fn budget(
    client: &Client,
    command: &BudgetCommand,
    screen: Screen,
) -> Result<(), Failure> {
    match command {
        BudgetCommand::List { task_id } => show_budgets(screen, &client.budgets(task_id).await?),
        BudgetCommand::Allocate {
            task_id,
            budget,
            reason,
        } => {
            let allocation = allocation(budget, reason);
            show_budget(screen, &client.allocate_budget(task_id, &allocation).await?);
        }
        BudgetCommand::Replenish {
            task_id,
            dimension,
            new_limit,
            reason,
        } => {
            let period = period(*new_limit, reason);
            let told = client.replenish_budget(task_id, dimension, &period).await?;
            show_budget(screen, &told);
        }
    }
    Ok(())
}

/// `tenant budget …`
pub(crate) async fn tenant_budget(
    client: &Client,
    command: &TenantBudgetCommand,
    screen: Screen,
) -> Result<(), Failure> {
    match command {
        TenantBudgetCommand::List { tenant_id } => {
            show_budgets(screen, &client.tenant_budgets(tenant_id).await?);
        }
        TenantBudgetCommand::Allocate {
            tenant_id,
            budget,
            reason,
        } => {
            let allocation = allocation(budget, reason);
            let told = client.allocate_tenant_budget(tenant_id, &allocation).await;
            show_budget(screen, &told?);
        }
        TenantBudgetCommand::Replenish {
            tenant_id,
            dimension,
            new_limit,
            reason,
        } => {
            let period = period(*new_limit, reason);
            let told = client.replenish_tenant_budget(tenant_id, dimension, &period);
            show_budget(screen, &told.await?);
        }
    }
    Ok(())
}

fn allocation<'a>(budget: &'a Budget, reason: &'a Option<String>) -> AllocateBudget<'a> {
    AllocateBudget {
        dimension: budget.dimension.as_str().into(),
        limit: budget.limit,
        reserve: budget.reserve,
        reason: text(reason),
    }
}

fn period(new_limit: u64, reason: &Option<String>) -> Replenish<'_> {
    Replenish {
        new_limit,
        reason: text(reason),
    }
}

fn show_budgets(screen: Screen, budgets: &Vec<BudgetView>) {
    show(screen, budgets, |screen, budgets| table(screen, budgets));
}

fn show_budget(screen: Screen, budget: &BudgetView) {
    show(screen, budget, |screen, budget| {
        table(screen, std::slice::from_ref(budget))
    });
}

fn table(screen: Screen, budgets: &[BudgetView]) {
    let rows = budgets.iter().map(|budget| {
        vec![
            budget.dimension.clone(),
            budget.scope.clone(),
            budget.limit.to_string(),
            budget.consumed.to_string(),
            budget.reserved.to_string(),
            budget.reserve.to_string(),
            budget.consumed_total.to_string(),
            if budget.exhausted { "yes" } else { "no" }.to_owned(),
        ]
    });
    let head = [
        "dimension",
        "of",
        "limit",
        "consumed",
        "reserved",
        "per attempt",
        "ever",
        "exhausted",
    ];
    screen.table(&head, &rows.collect::<Vec<_>>());
}

/// `schedule …`
pub(crate) async fn schedule(
    global: &Global,
    command: &ScheduleCommand,
    screen: Screen,
) -> Result<Code, Failure> {
    let client = connection::client(global, SHORT_PATIENCE)?;
    match command {
        ScheduleCommand::Preview(args) => {
            let coming = client.preview_schedule(policy(args), args.next).await?;
            show(screen, &coming, show_occurrences);
        }
        ScheduleCommand::List {
            task: Some(task_id),
            next,
        } => show(
            screen,
            &client.task_schedule(task_id, *next).await?,
            show_occurrences,
        ),
        ScheduleCommand::List { task: None, next } => {
            list_schedules(&client, *next, screen).await?
        }
    }
    Ok(Code::Done)
}

fn show_occurrences(screen: Screen, coming: &Occurrences) {
    for at in &coming.occurrences {
        screen.line(at);
    }
}

fn policy(args: &PreviewArgs) -> RunPolicySpec<'_> {
    let start_at = text(&args.start_at);
    match args.repeat {
        Some((count, interval)) => RunPolicySpec {
            kind: "repeat".into(),
            count: Some(count),
            interval_ms: Some(span::ms(interval)),
            start_at,
            ..RunPolicySpec::default()
        },
        None => RunPolicySpec {
            kind: "cron".into(),
            expression: text(&args.cron),
            timezone: text(&args.timezone),
            start_at,
            ..RunPolicySpec::default()
        },
    }
}

/// Every cron task that goes on, one page of tasks after the other.
async fn list_schedules(client: &Client, next: u32, screen: Screen) -> Result<(), Failure> {
    let filter = TaskFilter {
        state: Some(TaskState::Active),
        ..TaskFilter::default()
    };
    let mut pages = client.task_pages(filter, Some(1000));
    let mut head = &["task", "kind", "expression", "time zone", "next"][..];
    while let Some(tasks) = pages.next().await? {
        let crons = tasks.iter().filter(|task| task.run_policy.kind == "cron");
        let mut rows = Vec::new();
        for task in crons {
            let coming = client.task_schedule(&task.id, next).await?;
            if screen.is_json() {
                let row = json!({
                    "task_id": task.id, "kind": task.kind, "queue": task.queue, "run_policy": task.run_policy,
                    "occurrences": coming.occurrences,
                });
                screen.json(&row);
            } else {
                rows.push(schedule_row(task, &coming));
            }
        }
        if !rows.is_empty() {
            screen.table(std::mem::take(&mut head), &rows);
        }
    }
    Ok(())
}

fn schedule_row(task: &TaskSummary, coming: &Occurrences) -> Vec<String> {
    let policy: &wire::RunPolicyView = &task.run_policy;
    vec![
        task.id.clone(),
        task.kind.clone(),
        policy.expression.clone().unwrap_or_default(),
        policy.timezone.clone().unwrap_or_default(),
        coming.occurrences.join(" "),
    ]
}

/// `queue …`
pub(crate) async fn queue(
    global: &Global,
    command: &QueueCommand,
    screen: Screen,
) -> Result<Code, Failure> {
    let client = connection::client(global, SHORT_PATIENCE)?;
    match command {
        QueueCommand::List { kinds } => show(screen, &client.queues().await?, |screen, list| {
            show_queues(screen, list, *kinds);
        }),
        QueueCommand::Show { name } => show(screen, &client.queue(name).await?, show_queue),
        QueueCommand::Pause { name, reason } => {
            let answer = client.pause_queue(name, reason.as_deref()).await?;
            show(screen, &answer, |screen, answer| {
                screen.line(&format!("queue {name}: {}", words(&answer.status)));
            });
        }
        QueueCommand::Resume { name, reason } => {
            let answer = client.resume_queue(name, reason.as_deref()).await?;
            show(screen, &answer, |screen, answer| {
                screen.line(&format!("queue {name}: {}", words(&answer.status)));
            });
        }
        QueueCommand::Set {
            name,
            concurrency_limit,
            rate,
            weight,
            reason,
        } => {
            let settings = QueueSettings {
                concurrency_limit: *concurrency_limit,
                rate_limit: rate.map(|(max, per)| RateLimit {
                    per_ms: span::ms(per),
                    max,
                }),
                weight: *weight,
                reason: text(reason),
            };
            show(
                screen,
                &client.configure_queue(name, &settings).await?,
                show_queue,
            );
        }
    }
    Ok(Code::Done)
}

fn show_queue(screen: Screen, queue: &QueueCounts) {
    let limit = queue.concurrency_limit;
    let limit = limit.map_or("none".to_owned(), |limit| limit.to_string());
    let rate = queue.rate_limit;
    let rate = rate.map_or("none".to_owned(), |rate| {
        format!("{} per {} ms", rate.max, rate.per_ms)
    });
    let mut pairs = vec![
        ("queue", queue.name.clone()),
        ("at once", limit),
        ("rate", rate),
        ("weight", queue.weight.to_string()),
        ("held", queue.held.to_string()),
        ("paused", paused(queue)),
    ];
    pairs.extend(queue.paused_reason.clone().map(|reason| ("reason", reason)));
    screen.pairs(&pairs);
    screen.line("");
    let list = QueueList {
        queues: vec![queue.clone()],
        truncated: false,
    };
    show_queues(screen, &list, true);
}

fn paused(queue: &QueueCounts) -> String {
    match (&queue.paused_since, &queue.paused_by) {
        (Some(since), Some(by)) if queue.paused => format!("since {since} by {by}"),
        _ if queue.paused => "yes".into(),
        _ => "no".into(),
    }
}

fn show_queues(screen: Screen, list: &QueueList, kinds: bool) {
    let mut head = vec!["queue"];
    head.push(if kinds { "kind" } else { "paused" });
    head.extend([
        "scheduled",
        "ready",
        "running",
        "retry_wait",
        "suspended",
        "completed",
        "failed",
        "canceled",
    ]);
    let mut rows = Vec::new();
    for queue in &list.queues {
        if kinds {
            for of_kind in &queue.kinds {
                let mut row = vec![queue.name.clone(), of_kind.kind.clone()];
                row.extend(counts(&of_kind.runs_by_state));
                rows.push(row);
            }
        } else {
            let paused = if queue.paused { "yes" } else { "no" };
            let mut row = vec![queue.name.clone(), paused.to_owned()];
            row.extend(counts(&queue.runs_by_state));
            rows.push(row);
        }
    }
    screen.table(&head, &rows);
    if list.truncated {
        screen.note("there are more queues and kinds than are shown");
    }
}

fn counts(runs: &RunsByState) -> [String; 8] {
    [
        runs.scheduled,
        runs.ready,
        runs.leased + runs.running,
        runs.retry_wait,
        runs.suspended,
        runs.completed,
        runs.failed,
        runs.canceled,
    ]
    .map(|count| count.to_string())
}
