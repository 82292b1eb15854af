//! `dead-letter …` and `bulk …`: runs that failed for good, and acts on many runs at once.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use mainstay_client::wire::{
    Bulk, BulkPreview, ClearDeadLetters, DeadLetter, DeadLetterGroup, Operation, RunFilter,
};
use mainstay_client::{Client, Page};

use crate::args::{ActArgs, BulkCommand, DeadLetterCommand, DeadListArgs, Global, ManyArgs};
use crate::connection::{self, SHORT_PATIENCE};
use crate::exit::{Code, Failure};
use crate::lists::{show_rows, tell_more};
use crate::screen::Screen;
use crate::shown::show;

const HEAD: [&str; 6] = ["run", "kind", "queue", "failed", "code", "message"];
const GROUP_HEAD: [&str; 6] = ["fingerprint", "count", "kind", "last", "code", "message"];
const BULK_HEAD: [&str; 7] = [
    "operation",
    "action",
    "state",
    "done",
    "refused",
    "of",
    "began",
];
/// How often one that goes on is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// `dead-letter …`
pub(crate) async fn dead_letter(
    global: &Global,
    command: &DeadLetterCommand,
    screen: Screen,
) -> Result<Code, Failure> {
    let client = connection::client(global, SHORT_PATIENCE)?;
    match command {
        DeadLetterCommand::List(args) => list(&client, args, screen).await,
        DeadLetterCommand::Retry(args) => many(&client, args, "retry", screen).await,
        DeadLetterCommand::Clear(args) => many(&client, args, "clear", screen).await,
    }
}

/// `bulk …`
pub(crate) async fn bulk(
    global: &Global,
    command: &BulkCommand,
    screen: Screen,
) -> Result<Code, Failure> {
    let client = connection::client(global, SHORT_PATIENCE)?;
    match command {
        BulkCommand::List { page } => {
            let found = client.operations(&page.page()).await?;
            show(screen, &found, |screen, found| {
                show_rows(screen, &mut &BULK_HEAD[..], &found.operations, bulk_row);
                tell_more(screen, found.next_cursor.as_deref());
            });
            Ok(Code::Done)
        }
        BulkCommand::Show { operation_id } => {
            let found = client.operation(operation_id).await?;
            show(screen, &found, show_operation);
            Ok(Code::Done)
        }
        BulkCommand::Stop {
            operation_id,
            reason,
        } => {
            let reason = reason.as_deref();
            let found = client.cancel_operation(operation_id, reason).await?;
            show(screen, &found, show_operation);
            Ok(Code::Done)
        }
        BulkCommand::Cancel(args) => all(&client, "cancel", args.filter(), &args.act, screen).await,
        BulkCommand::Resume(args) => all(&client, "resume", args.filter(), &args.act, screen).await,
    }
}

async fn list(client: &Client, args: &DeadListArgs, screen: Screen) -> Result<Code, Failure> {
    let filter = args.filter.filter();
    if args.group {
        let found = client
            .dead_letter_groups(&filter, args.page.limit())
            .await?;
        show(screen, &found, |screen, found| {
            show_rows(screen, &mut &GROUP_HEAD[..], &found.groups, group_row);
            screen.line(&format!("{} dead letters", found.total));
        });
        return Ok(Code::Done);
    }
    let (mut head, mut page) = (&HEAD[..], args.page.page());
    if !args.page.all {
        let found = client.dead_letters(&filter, &page).await?;
        show(screen, &found, |screen, found| {
            show_rows(screen, &mut head, &found.dead_letters, letter_row);
            tell_more(screen, found.next_cursor.as_deref());
        });
        return Ok(Code::Done);
    }
    page.limit = Some(page.limit.unwrap_or(1000));
    loop {
        let found = client.dead_letters(&filter, &page).await?;
        let goes_on = show_rows(screen, &mut head, &found.dead_letters, letter_row);
        let Some(cursor) = found.next_cursor.filter(|_| goes_on) else {
            return Ok(Code::Done);
        };
        page = Page {
            cursor: Some(cursor),
            ..page
        };
    }
}

/// Acts on the dead letters that are named, or on all that match.
async fn many(
    client: &Client,
    args: &ManyArgs,
    action: &str,
    screen: Screen,
) -> Result<Code, Failure> {
    if args.runs.is_empty() {
        return all(client, action, args.filter.filter(), &args.act, screen).await;
    }
    let reason = args.act.reason.as_deref();
    for run in &args.runs {
        if action == "clear" {
            let answer = client.clear_dead_letter(run, reason).await?;
            show(screen, &answer, |screen, answer| {
                screen.line(&format!("run {}: {}", answer.run_id, answer.status));
            });
        } else {
            let answer = client.retry_run(run, reason).await?;
            show(screen, &answer, |screen, answer| {
                screen.line(&format!(
                    "run {} again as {}",
                    answer.retry_of, answer.run_id
                ));
            });
        }
    }
    Ok(Code::Done)
}

/// Counts what matches, asks whether to go on, acts, and follows it to its end.
async fn all(
    client: &Client,
    action: &str,
    filter: RunFilter<'_>,
    act: &ActArgs,
    screen: Screen,
) -> Result<Code, Failure> {
    let mut clear = ClearDeadLetters {
        filter: filter.clone(),
        reason: act.reason.as_deref().map(Into::into),
        ..ClearDeadLetters::default()
    };
    let mut bulk = Bulk {
        action: action.into(),
        filter,
        reason: act.reason.as_deref().map(Into::into),
        ..Bulk::default()
    };
    let preview = match action {
        "clear" => client.preview_clear(&clear).await?,
        _ => client.preview_bulk(&bulk).await?,
    };
    if act.dry_run {
        show(screen, &preview, show_preview);
        return Ok(Code::Done);
    }
    if !act.yes && !confirmed(&preview, screen)? {
        screen.note("nothing was done");
        return Ok(Code::Canceled);
    }
    // Exactly what was shown: another number is refused.
    (clear.expected_count, bulk.expected_count) = (Some(preview.matched), Some(preview.matched));
    let begun = match action {
        "clear" => client.clear_dead_letters(&clear).await?,
        _ => client.bulk(&bulk).await?,
    };
    let done = followed(client, begun, screen).await?;
    show(screen, &done, show_operation);
    Ok(match done.state.as_str() {
        "done" => Code::Done,
        _ => Code::Canceled,
    })
}

/// Whether somebody at a terminal says yes. Where nobody is there to be asked, `--yes` is needed.
fn confirmed(preview: &BulkPreview, screen: Screen) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        let message = format!(
            "{} runs match; --yes says to {} them without asking",
            preview.matched, preview.action
        );
        return Err(Failure::new(Code::Usage, "not_confirmed", message));
    }
    let question = format!("{} {} runs? [y/N] ", preview.action, preview.matched);
    if write!(std::io::stderr(), "{question}").is_err() {
        return Ok(false);
    }
    let mut line = String::new();
    if std::io::stdin().read_line(&mut line).is_err() {
        screen.note("nobody answered");
        return Ok(false);
    }
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}

/// Looks at an operation until it is over.
async fn followed(
    client: &Client,
    mut operation: Operation,
    screen: Screen,
) -> Result<Operation, Failure> {
    let bar = ProgressBar::hidden();
    if screen.draws_progress() && operation.state == "running" {
        bar.set_draw_target(ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {eta}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    }
    bar.set_length(operation.matched);
    while operation.state == "running" {
        bar.set_position(operation.done + operation.refused_total);
        tokio::time::sleep(LOOK_AGAIN).await;
        operation = client.operation(&operation.operation_id).await?;
    }
    bar.finish_and_clear();
    Ok(operation)
}

fn text(value: Option<&String>) -> String {
    value.cloned().unwrap_or_default()
}

fn letter_row(letter: &DeadLetter) -> Vec<String> {
    vec![
        letter.run_id.clone(),
        letter.kind.clone(),
        letter.queue.clone(),
        letter.failed_at.clone(),
        text(letter.error_code.as_ref()),
        text(letter.error_message.as_ref()),
    ]
}

fn group_row(group: &DeadLetterGroup) -> Vec<String> {
    vec![
        group.fingerprint.clone(),
        group.count.to_string(),
        group.kind.clone(),
        group.last_at.clone(),
        text(group.error_code.as_ref()),
        text(group.error_message.as_ref()),
    ]
}

fn bulk_row(operation: &Operation) -> Vec<String> {
    vec![
        operation.operation_id.clone(),
        operation.action.clone(),
        operation.state.clone(),
        operation.done.to_string(),
        operation.refused_total.to_string(),
        operation.matched.to_string(),
        operation.created_at.clone(),
    ]
}

fn show_preview(screen: Screen, preview: &BulkPreview) {
    screen.line(&format!("{} runs match", preview.matched));
    for run in &preview.run_ids {
        screen.line(run);
    }
}

fn show_operation(screen: Screen, operation: &Operation) {
    screen.line(&format!(
        "{} {}: {} of {} done, {} refused ({})",
        operation.action,
        operation.state,
        operation.done,
        operation.matched,
        operation.refused_total,
        operation.operation_id,
    ));
    for refused in &operation.refused {
        screen.line(&format!("refused {}: {}", refused.run_id, refused.code));
    }
}
