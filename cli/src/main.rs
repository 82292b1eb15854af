//! The `mainstay` binary: reads the command line, runs one command, exits with its code.

mod access;
mod actors;
mod args;
mod attest;
mod audit;
mod backup;
mod bench;
mod config;
mod connection;
mod control;
mod dead;
mod doctor;
mod dump;
mod events;
mod exit;
mod follow;
mod inspect;
mod journal;
mod lists;
mod ops;
mod payload;
mod query;
mod recovering;
mod restore;
mod screen;
mod serve;
mod shown;
mod span;
mod submit;
mod views;
mod webhook;
mod work;
mod workflow;

use std::io::Write;
use std::process::ExitCode;

use args::{Cli, Command};
use clap::{CommandFactory, Parser};
use exit::{Code, Failure};
use screen::Screen;

/// Commands are built on one thread and end on another: an allocator that frees across threads without a shared lock.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers; nobody may be reading them any more.
            let _ = error.print();
            return if error.use_stderr() {
                Code::Usage.into()
            } else {
                Code::Done.into()
            };
        }
    };
    let screen = Screen::new(cli.global.json);
    match run(cli, screen) {
        Ok(code) => code.into(),
        Err(failure) => {
            if screen.is_json() {
                screen.note(&failure.envelope().to_string());
            } else {
                screen.note(&failure.sentence());
            }
            failure.code.into()
        }
    }
}

fn run(cli: Cli, screen: Screen) -> Result<Code, Failure> {
    let global = cli.global;
    match cli.command {
        Command::Submit(args) => blocking(async {
            match &args.batch {
                Some(path) => submit::submit_file(&global, path, args.atomic, screen).await,
                None => submit::submit_one(&global, &args, screen).await,
            }
        }),
        Command::Work(args) => blocking(work::work(&global, args, screen)),
        Command::Run(command) => blocking(control::run(&global, &command, screen)),
        Command::Task(command) => blocking(control::task(&global, &command, screen)),
        Command::Queue(command) => blocking(workflow::queue(&global, &command, screen)),
        Command::Actor(command) => blocking(actors::actor(&global, &command, screen)),
        Command::Key(command) => blocking(access::key(&global, &command, screen)),
        Command::Role(command) => blocking(access::role(&global, &command, screen)),
        Command::Tenant(command) => blocking(access::tenant(&global, &command, screen)),
        Command::Schedule(command) => blocking(workflow::schedule(&global, &command, screen)),
        Command::Query(args) => blocking(query::query(&global, &args, screen)),
        Command::Events(args) => blocking(events::events(&global, &args, screen)),
        Command::DeadLetter(command) => blocking(dead::dead_letter(&global, &command, screen)),
        Command::Bulk(command) => blocking(dead::bulk(&global, &command, screen)),
        Command::Stats => blocking(control::stats(&global, screen)),
        Command::Engine(command) => blocking(control::engine(&global, &command, screen)),
        Command::Ledger(command) => blocking(attest::ledger(&global, &command, screen)),
        Command::Approval(command) => blocking(attest::approval(&global, &command, screen)),
        Command::Webhook(command) => blocking(webhook::webhook(&global, &command, screen)),
        Command::Audit(command) => blocking(audit::audit(&global, &command, screen)),
        Command::Serve(args) => serve::serve(&global, &args, screen),
        Command::Backup(args) => backup::backup(&global, &args, screen),
        Command::Restore(args) => restore::restore(&global, &args, screen),
        Command::Doctor(args) => doctor::examine(&args, screen),
        Command::Inspect(args) => inspect::inspect(&args, screen),
        Command::Log(command) => dump::log(&command, screen),
        Command::Bench(args) => bench::bench(&global, &args, screen),
        Command::Completions { shell } => completions(shell),
    }
}

/// Client commands wait for one thing at a time: one thread is enough.
fn blocking<T>(command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime =
        runtime.map_err(|error| Failure::new(Code::Failed, "no_runtime", error.to_string()))?;
    runtime.block_on(command)
}

fn completions(shell: clap_complete::Shell) -> Result<Code, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "mainstay", &mut script);
    // A reader that has seen enough is no error.
    let _ = std::io::stdout().lock().write_all(&script);
    Ok(Code::Done)
}
