//! The command itself: a worker whose handler is a program, with its signals and its words.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mainstay_client::wire::RunState;
use mainstay_client::{ActorOptions, Event, Stop, Worker, WorkerOptions};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::program::Program;
use crate::args::{Global, WorkArgs};
use crate::connection;
use crate::exit::{Code, Failure};
use crate::screen::Screen;

/// How long one claim waits for work: a server that went away without a word is noticed after this and a little.
const WAIT: Duration = Duration::from_secs(20);

/// The ends of runs by state.
#[derive(Debug, Default)]
struct Counts {
    completed: AtomicU64,
    failed: AtomicU64,
    other: AtomicU64,
}

/// Works until stopped by a signal, or idle when so asked.
pub(crate) async fn work(global: &Global, args: WorkArgs, screen: Screen) -> Result<Code, Failure> {
    check_program(&args.program[0])?;
    let client = connection::client(global, Duration::ZERO)?;
    let queues = if args.queue.is_empty() {
        vec!["default".to_owned()]
    } else {
        args.queue
    };
    let options = WorkerOptions {
        name: args.name.unwrap_or_else(default_name),
        queues,
        kinds: args.kind,
        capabilities: args.capability,
        concurrency: usize::from(args.concurrency),
        lease_ms: None,
        wait: WAIT,
        until_idle: args.until_idle,
        actor: args.actor.map(|identity| ActorOptions {
            department: args.department,
            ..ActorOptions::new(identity)
        }),
    };
    let counts = Arc::new(Counts::default());
    let seen = Arc::clone(&counts);
    let worker = Worker::new(client, options).observed(move |event| tell(screen, &seen, event));
    let program = Program::new(args.program, args.grace);
    let listening = tokio::spawn(listen(worker.stop(), program.clone(), screen));
    let result = worker.run(|lease| program.clone().run(lease)).await;
    listening.abort();
    let summary = result?;
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let (completed, failed, other) = (
        count(&counts.completed),
        count(&counts.failed),
        count(&counts.other),
    );
    if screen.is_json() {
        let summary = json!({"claimed": summary.claimed, "completed": completed, "failed": failed, "other": other});
        screen.note(&summary.to_string());
    } else {
        screen.note(&format!(
            "worked on {}: completed {completed}, failed {failed}, other {other}",
            summary.claimed
        ));
    }
    Ok(Code::Done)
}

/// The first signal ends the claiming, the second everything.
async fn listen(stop: Stop, program: Program, screen: Screen) {
    let (Ok(mut term), Ok(mut int)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        screen.note("mainstay: signals cannot be listened to");
        return;
    };
    let mut next = async || {
        tokio::select! {
            _ = term.recv() => SignalKind::terminate(),
            _ = int.recv() => SignalKind::interrupt(),
        }
    };
    next().await;
    stop.stop();
    screen.note("mainstay: no more claims; leaving when what runs is done (once more to kill it)");
    let kind = next().await;
    program.kill_all();
    std::process::exit(128 + kind.as_raw_value());
}

fn tell(screen: Screen, counts: &Counts, event: Event) {
    match event {
        Event::Away(error) => screen.note(&format!("mainstay: server away, trying on: {error}")),
        Event::Back => screen.note("mainstay: server is back"),
        Event::Lost { run_id } => screen.note(&format!("run {run_id}: lease lost, program killed")),
        Event::Refused {
            run_id,
            code,
            message,
        } => screen.note(&format!("run {run_id}: result refused: {code}: {message}")),
        Event::Finished { run_id, state } => {
            let counter = match state {
                RunState::Completed => &counts.completed,
                RunState::Failed => &counts.failed,
                _ => &counts.other,
            };
            counter.fetch_add(1, Ordering::Relaxed);
            !screen.is_json() || screen.json(&json!({"run_id": run_id, "state": state}))
        }
    };
}

fn default_name() -> String {
    let host = rustix::system::uname();
    let mut name = format!(
        "{}:{}",
        host.nodename().to_string_lossy(),
        std::process::id()
    );
    // A worker's name is bounded; the process id at its end tells workers of one host apart.
    if name.len() > 200 {
        name = format!("worker:{}", std::process::id());
    }
    name
}

/// A program that is not there would fail every run: found before the first claim.
fn check_program(program: &OsString) -> Result<(), Failure> {
    let runs = |path: &Path| {
        path.metadata()
            .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    };
    let found = if program.as_bytes().contains(&b'/') {
        runs(Path::new(program))
    } else {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| runs(&folder.join(OsStr::new(program))))
    };
    if found {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "program {:?} is not found, or cannot be run",
        program.to_string_lossy()
    )))
}
