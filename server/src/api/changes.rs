//! Changes to a task that exists: its metadata and schedule, further prerequisites, a further run.

use mainstay_client::wire;
use mainstay_core::{
    Answer, Command, Outcome, Query, RunId, RunState, SubmittedRun, TaskId, TaskPatch, Text,
    Timestamp,
};

use super::bonds::read_tasks;
use super::names::Names;
use super::run_policy::{read_at, read_policy};
use super::subscriptions::run_state;
use super::task_json::{write_run_brief, write_task};
use super::tasks::find_task;
use crate::edge::{Exchange, Failure, Reply, read_run};
use crate::json::{Subject, Writer};

/// `PATCH /api/v1/tasks/{task_id}`.
pub(crate) async fn update(exchange: Exchange) -> Result<Reply, Failure> {
    let task = exchange.task()?;
    let (patch, reason) = read_patch(&exchange, task)?;
    let command = Command::UpdateTask(Box::new(patch));
    let placed = exchange.call_because(command, reason).await?;
    let found = find_task(&exchange, exchange.principal.tenant, task).await?;
    let mut json = Writer::with_capacity(1024 + found.value.payload.bytes.len());
    write_task(&mut json, &found.value);
    Ok(Reply::json(json.done()).at(placed.sequence.max(found.sequence)))
}

fn read_patch(exchange: &Exchange, task: TaskId) -> Result<(TaskPatch, Option<Text>), Failure> {
    let body: wire::TaskPatch<'_> = exchange.read(Subject::Request)?;
    let mut names = Names::default();
    let tags = body.tags.as_deref();
    let mut patch = TaskPatch {
        task,
        priority: body.priority,
        tags: tags.map(|tags| tags.iter().map(|tag| names.share(tag)).collect()),
        description: body.description.as_ref().map(|text| Text::from(&**text)),
        schedule: None,
        paused: body.paused,
    };
    if let Some(given) = &body.run_policy {
        let when = read_policy(Subject::Request, &mut names, given)?;
        let cron = when.schedule.filter(|schedule| schedule.cron().is_some());
        let wrong = || Subject::Request.wrong("run_policy.type", "must be cron");
        patch.schedule = Some(cron.ok_or_else(wrong)?);
    }
    Ok((patch, body.reason.as_deref().map(Text::from)))
}

/// `POST /api/v1/tasks/{task_id}/dependencies`.
pub(crate) async fn depend(exchange: Exchange) -> Result<Reply, Failure> {
    let task = exchange.task()?;
    let (depends_on, reason) = {
        let body: wire::Dependencies<'_> = exchange.read(Subject::Request)?;
        (
            read_tasks(&body.depends_on)?,
            body.reason.as_deref().map(Text::from),
        )
    };
    let placed = exchange
        .call_because(Command::DeclareDependencies { task, depends_on }, reason)
        .await?;
    let Outcome::DependenciesDeclared { unmet } = placed.value else {
        return Err(Failure::internal());
    };
    let mut json = Writer::new();
    json.object()
        .plain_field("task_id", &task)
        .number_field("unmet", unmet)
        .end_object();
    Ok(Reply::json(json.done()).at(placed.sequence))
}

/// `POST /api/v1/tasks/{task_id}/runs`.
pub(crate) async fn create_run(exchange: Exchange) -> Result<Reply, Failure> {
    let task = exchange.task()?;
    let (run, keyed, at, state, reason) = {
        let body: wire::NewRun<'_> = exchange.read(Subject::Request)?;
        let chosen = body.run_id.as_deref().map(read_run).transpose()?;
        let keyed = exchange.keyed_id("run", task, chosen.map(|_| "run_id"))?;
        let at = read_at(
            Subject::Request,
            "scheduled_at",
            body.scheduled_at.as_deref(),
        )?;
        let state = body.state.map_or(RunState::Scheduled, run_state);
        let reason = body.reason.as_deref().map(Text::from);
        let keyed = keyed.map(RunId);
        (chosen.or(keyed), keyed, at, state, reason)
    };
    let command = Command::CreateRun {
        task,
        run,
        state,
        scheduled_at: at,
    };
    let (placed, status) = match (exchange.call_because(command, reason).await, keyed) {
        (Ok(placed), _) => {
            let Outcome::RunCreated(run) = placed.value else {
                return Err(Failure::internal());
            };
            ((run, placed.sequence), 201)
        }
        (Err(failure), Some(run)) if failure.code() == "run_already_exists" => {
            (made_before(&exchange, run, at).await?, 200)
        }
        (Err(failure), _) => return Err(failure),
    };
    let (run, sequence) = placed;
    let mut json = Writer::new();
    write_run_brief(&mut json, &run);
    Ok(Reply::json(json.done()).status(status).at(sequence))
}

/// The run that the same key made before.
async fn made_before(
    exchange: &Exchange,
    run: RunId,
    at: Option<Timestamp>,
) -> Result<(SubmittedRun, u64), Failure> {
    let placed = exchange.ask(Query::Run(run)).await?;
    let Answer::Run(view) = placed.value else {
        return Err(Failure::run_not_found(run).at(placed.sequence));
    };
    let moved = view.state == RunState::Scheduled && at.is_some_and(|at| at != view.scheduled_at);
    if moved {
        return Err(exchange.key_conflict().at(placed.sequence));
    }
    let run = SubmittedRun {
        run: view.id,
        state: view.state,
        scheduled_at: view.scheduled_at,
    };
    Ok((run, placed.sequence))
}
