//! `submit --batch`: sends the lines of a file in batches, goes on past bad ones, and can be repeated after any crash.

use std::io::BufRead;
use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use mainstay_client::wire::BatchItem;
use mainstay_client::{Client, Error};
use serde_json::{Value, json};

use super::lines::{BadLine, Line, Lines};
use crate::args::Global;
use crate::connection::{self, LONG_PATIENCE};
use crate::exit::{Code, Failure};
use crate::screen::Screen;

/// Lines of one request.
const BATCH: usize = 500;
/// Bytes of one request, roughly.
const BATCH_BYTES: usize = 4 << 20;

/// What became of the lines so far.
struct Tally {
    screen: Screen,
    progress: ProgressBar,
    submitted: u64,
    already_there: u64,
    failed: u64,
}

/// Tasks of one atomic batch.
const TOGETHER: usize = 10_000;

/// Submits every line of `path` (`-` for standard input); with `atomic` in one step, all or none.
pub(crate) async fn submit_file(
    global: &Global,
    path: &Path,
    atomic: bool,
    screen: Screen,
) -> Result<Code, Failure> {
    let client = connection::client(global, LONG_PATIENCE)?;
    let progress = ProgressBar::hidden();
    let mut tally = Tally {
        screen,
        progress,
        submitted: 0,
        already_there: 0,
        failed: 0,
    };
    let result = if path == Path::new("-") {
        let lines = Lines::new(std::io::stdin().lock());
        submit_all(&client, lines, atomic, &mut tally).await
    } else {
        let unreadable =
            |error: std::io::Error| Failure::usage(format!("{}: {error}", path.display()));
        let file = std::fs::File::open(path).map_err(unreadable)?;
        let length = file.metadata().map_err(unreadable)?.len();
        if screen.draws_progress() {
            tally.progress = progress_bar(length);
        }
        let lines = Lines::new(std::io::BufReader::new(file));
        submit_all(&client, lines, atomic, &mut tally).await
    };
    tally.progress.finish_and_clear();
    tally.summary();
    result?;
    Ok(if tally.failed == 0 {
        Code::Done
    } else {
        Code::Failed
    })
}

fn progress_bar(length: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {msg} {eta}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

async fn submit_all(
    client: &Client,
    lines: Lines<impl BufRead>,
    atomic: bool,
    tally: &mut Tally,
) -> Result<(), Failure> {
    match atomic {
        true => submit_together(client, lines, tally).await,
        false => submit_lines(client, lines, tally).await,
    }
}

/// Reads every line, and sends them in one request that makes all tasks or none.
async fn submit_together(
    client: &Client,
    mut lines: Lines<impl BufRead>,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let (mut numbers, mut tasks) = (Vec::new(), Vec::new());
    while let Some(next) = next_line(&mut lines)? {
        match next {
            Ok(line) => {
                numbers.push(line.number);
                tasks.push(line.task);
            }
            Err(bad) => tally.bad(&bad),
        }
        if tasks.len() > TOGETHER {
            let message = format!("an atomic batch has at most {TOGETHER} tasks");
            return Err(Failure::usage(message));
        }
    }
    if tally.failed > 0 || tasks.is_empty() {
        return Ok(());
    }
    match client.submit_batch_json_atomic(&tasks).await {
        Ok(answer) => {
            let told = numbers.iter().zip(answer.results);
            told.for_each(|(number, item)| tally.item(*number, item));
            Ok(())
        }
        Err(error) => {
            let failure = Failure::from(error);
            let at = failure.details["index"]
                .as_u64()
                .and_then(|at| numbers.get(at as usize));
            let Some(line) = at else {
                return Err(failure);
            };
            tally.failure(*line, &failure.name, &failure.message, failure.details);
            Ok(())
        }
    }
}

fn next_line(lines: &mut Lines<impl BufRead>) -> Result<Option<Result<Line, BadLine>>, Failure> {
    let next = lines.next_line();
    next.map_err(|error| Failure::usage(format!("reading the batch: {error}")))
}

async fn submit_lines(
    client: &Client,
    mut lines: Lines<impl BufRead>,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let mut batch: Vec<Line> = Vec::new();
    let mut bytes = 0;
    loop {
        let next = next_line(&mut lines)?;
        let at_end = next.is_none();
        match next {
            Some(Ok(line)) => {
                bytes += line.task.get().len();
                batch.push(line);
            }
            Some(Err(bad)) => tally.bad(&bad),
            None => {}
        }
        if batch.len() >= BATCH || bytes >= BATCH_BYTES || (at_end && !batch.is_empty()) {
            send(client, std::mem::take(&mut batch), tally).await?;
            bytes = 0;
            tally.progress.set_position(lines.bytes());
        }
        if at_end {
            return Ok(());
        }
    }
}

/// Sends one batch. An error that every further batch would meet too ends the command.
async fn send(client: &Client, batch: Vec<Line>, tally: &mut Tally) -> Result<(), Failure> {
    let mut queue = vec![batch];
    while let Some(batch) = queue.pop() {
        let (numbers, tasks): (Vec<_>, Vec<_>) = batch
            .into_iter()
            .map(|line| (line.number, line.task))
            .unzip();
        match client.submit_batch_json(&tasks).await {
            Ok(answer) => numbers
                .iter()
                .zip(answer.results)
                .for_each(|(number, item)| tally.item(*number, item)),
            Err(error) if !is_about_the_lines(&error) => return Err(error.into()),
            // One line spoils the whole request (it is too large, say): halve until it is found.
            Err(_) if tasks.len() > 1 => {
                let lines = numbers
                    .into_iter()
                    .zip(tasks)
                    .map(|(number, task)| Line { number, task });
                let mut first: Vec<_> = lines.collect();
                let second = first.split_off(first.len() / 2);
                queue.extend([second, first]);
            }
            Err(error) => {
                let failure = Failure::from(error);
                tally.failure(numbers[0], &failure.name, &failure.message, failure.details);
            }
        }
    }
    Ok(())
}

fn is_about_the_lines(error: &Error) -> bool {
    error
        .refusal()
        .is_some_and(|refusal| matches!(refusal.status, 400 | 413 | 422))
}

impl Tally {
    fn bad(&mut self, bad: &BadLine) {
        self.failure(bad.number, bad.code, &bad.message, json!({}));
    }

    fn item(&mut self, number: u64, item: BatchItem) {
        if let Some(code) = item.error {
            let message = item.message.unwrap_or_default();
            self.failure(number, &code, &message, Value::Object(item.details));
            return;
        }
        let created = item.status != 200;
        if created {
            self.submitted += 1;
        } else {
            self.already_there += 1;
        }
        if self.screen.is_json() {
            let line = json!({"line": number, "task_id": item.task_id, "run_ids": item.run_ids, "created": created});
            self.progress.suspend(|| self.screen.json(&line));
        }
    }

    fn failure(&mut self, number: u64, code: &str, message: &str, details: Value) {
        self.failed += 1;
        self.progress.suspend(|| {
            if self.screen.is_json() {
                self.screen.json(
                    &json!({"line": number, "error": code, "message": message, "details": details}),
                )
            } else {
                self.screen
                    .note(&format!("line {number}: {code}: {message}"))
            }
        });
    }

    /// Programs read tasks from standard output, so the summary goes beside it.
    fn summary(&self) {
        let Tally {
            submitted,
            already_there,
            failed,
            ..
        } = self;
        if self.screen.is_json() {
            let summary =
                json!({"submitted": submitted, "already_there": already_there, "failed": failed});
            self.screen.note(&summary.to_string());
        } else {
            self.screen.line(&format!(
                "submitted {submitted}, already there {already_there}, failed {failed}"
            ));
        }
    }
}
