//! The project's chores: `cargo xtask <chore>`; nothing here is shipped.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod bench;
mod cargo;
mod digest;
mod lexer;
mod metadata;
mod scale;
mod schemathesis;
mod served;
mod slow;
mod spdx;
mod stages;
mod tidy;
mod tree;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask <chore>

  test [--only STAGE] [--from STAGE] [--list]
                      everything CI checks, stage by stage; stops at the first that fails
  tidy                the rules of the house; prints every violation as path:line: rule: message
  tidy --bless-new    records golden files that are not recorded yet (never changes a recorded one)
  tidy --retie DOC    DOC was read again after the code it is tied to changed: renews its hashes
  sim [--crash-points N]
                      the simulator's long tier (20,000,000 crash points unless told)
  bench               runs the released binary's benchmarks and appends the results to bench/history/
  scale [--runs-max N]
                      memory, disk, restart and lists with up to N (10,000,000) runs; needs 30 GB and half an hour for all of it
  schemathesis [--cases N]
                      made-up requests to every documented route of a live server, N (20,000) at least; installs what it
                      needs with pip, under target/
  slow                how long healthy requests take beside 1,000 slow connections, measured with the released binary
  help                this text
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<(), String> {
    let root = cargo::workspace_root()?;
    match words {
        [] | ["help" | "--help" | "-h", ..] => {
            print!("{HELP}");
            Ok(())
        }
        ["test", options @ ..] => stages::test(&root, &stages::Choice::parse(options)?),
        ["tidy"] => tidy::check(&root),
        ["tidy", "--bless-new"] => tidy::bless_new(&root),
        ["tidy", "--retie", docs @ ..] if !docs.is_empty() => tidy::retie(&root, docs),
        ["sim"] => stages::long_simulation(&root, "20000000"),
        ["sim", "--crash-points", count] => stages::long_simulation(&root, count),
        ["bench"] => bench::run(&root),
        ["schemathesis"] => schemathesis::run(&root, 20_000),
        ["schemathesis", "--cases", cases] => {
            let cases = cases.parse().map_err(|_| "--cases takes a number")?;
            schemathesis::run(&root, cases)
        }
        ["slow"] => slow::run(&root),
        ["scale"] => scale::run(&root, 10_000_000),
        ["scale", "--runs-max", most] => {
            let most = most.parse().map_err(|_| "--runs-max takes a number")?;
            scale::run(&root, most)
        }
        _ => Err(format!(
            "no chore `{}`; see `cargo xtask help`",
            words.join(" ")
        )),
    }
}
