//! The commands that look at and control runs, tasks and the engine.

use mainstay_client::Client;

use crate::args::{EngineCommand, Global, RunCommand, TaskCommand};
use crate::connection::{self, LONG_PATIENCE, SHORT_PATIENCE};
use crate::exit::{Code, Failure};
use crate::screen::Screen;
use crate::shown::{
    show, show_explain, show_run, show_stats, show_task, show_task_cancel, status_line, words,
};
use crate::{follow, lists, payload, workflow};

/// `run …`
pub(crate) async fn run(
    global: &Global,
    command: &RunCommand,
    screen: Screen,
) -> Result<Code, Failure> {
    let client = connection::client(global, SHORT_PATIENCE)?;
    match command {
        RunCommand::List(args) => return lists::runs(&client, args, screen).await,
        RunCommand::Show { run_id } => show(screen, &client.run(run_id).await?, show_run),
        RunCommand::Cancel {
            run_id,
            force,
            reason,
        } => {
            let answer = client.cancel_run(run_id, *force, reason.as_deref()).await?;
            show(screen, &answer, |screen, answer| {
                status_line(screen, &answer.run_id, &answer.status)
            })
        }
        RunCommand::Suspend { run_id, reason } => {
            let answer = client.suspend_run(run_id, reason.as_deref()).await?;
            show(screen, &answer, |screen, answer| {
                status_line(screen, &answer.run_id, &answer.status)
            })
        }
        RunCommand::Resume { run_id, payload } => {
            let payload = payload.as_deref().map(payload::read).transpose()?;
            let answer = client.resume_run(run_id, payload).await?;
            show(screen, &answer, |screen, answer| {
                status_line(screen, &answer.run_id, &answer.status)
            })
        }
        RunCommand::Retry { run_id, reason } => {
            let answer = client.retry_run(run_id, reason.as_deref()).await?;
            show(screen, &answer, |screen, answer| {
                screen.line(&format!(
                    "{}  takes the place of {}",
                    answer.run_id, answer.retry_of
                ));
            });
        }
        RunCommand::Explain { run_id } => {
            show(screen, &client.explain_run(run_id).await?, show_explain)
        }
        RunCommand::Watch { run_id } => {
            return follow::watch(&client.with_patience(LONG_PATIENCE), run_id, screen).await;
        }
    }
    Ok(Code::Done)
}

/// `task …`
pub(crate) async fn task(
    global: &Global,
    command: &TaskCommand,
    screen: Screen,
) -> Result<Code, Failure> {
    let client = connection::client(global, SHORT_PATIENCE)?;
    match command {
        TaskCommand::List(args) => return lists::tasks(&client, args, screen).await,
        TaskCommand::Show { task_id } => show(screen, &client.task(task_id).await?, show_task),
        TaskCommand::Cancel { task_id, reason } => {
            let answer = client.cancel_task(task_id, reason.as_deref()).await?;
            show(screen, &answer, show_task_cancel);
        }
        TaskCommand::Update(args) => workflow::update(&client, args, screen).await?,
        TaskCommand::Budget(command) => workflow::budget(&client, command, screen).await?,
        TaskCommand::Depend {
            task_id,
            on,
            reason,
        } => {
            workflow::depend(&client, task_id, on, reason.as_deref(), screen).await?;
        }
        TaskCommand::Run {
            task_id,
            at,
            reason,
        } => {
            workflow::create_run(&client, task_id, at.as_deref(), reason.as_deref(), screen)
                .await?;
        }
        TaskCommand::Subscribe(args) => workflow::subscribe(&client, args, screen).await?,
        TaskCommand::Unsubscribe { subscription_id } => {
            workflow::unsubscribe(&client, subscription_id, screen).await?;
        }
        TaskCommand::Publish { event, payload } => {
            workflow::publish(&client, event, payload.as_deref(), screen).await?;
        }
    }
    Ok(Code::Done)
}

/// `engine …`
pub(crate) async fn engine(
    global: &Global,
    command: &EngineCommand,
    screen: Screen,
) -> Result<Code, Failure> {
    let client = connection::client(global, SHORT_PATIENCE)?;
    let answer = match command {
        EngineCommand::Pause { reason } => client.pause_engine(reason.as_deref()).await?,
        EngineCommand::Resume { reason } => client.resume_engine(reason.as_deref()).await?,
    };
    show(screen, &answer, |screen, answer| {
        screen.line(&format!("engine {}", words(&answer.status)));
    });
    Ok(Code::Done)
}

/// `stats`
pub(crate) async fn stats(global: &Global, screen: Screen) -> Result<Code, Failure> {
    let client: Client = connection::client(global, SHORT_PATIENCE)?;
    show(screen, &client.stats().await?, show_stats);
    Ok(Code::Done)
}
