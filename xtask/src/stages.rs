//! `cargo xtask test`: everything CI checks, stage by stage; a further stage is one row of the table.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::{cargo, tidy};

/// What a stage does.
enum Work {
    /// One cargo command.
    Cargo(&'static [&'static str]),
    /// One cargo command with something in its environment.
    CargoWith(
        &'static [(&'static str, &'static str)],
        &'static [&'static str],
    ),
    /// Something of this program.
    Inside(fn(&Path) -> Result<(), String>),
}

/// One stage: a name for `--only`, what it shows when it passes, and the work.
type Stage = (&'static str, &'static str, Work);

const CLIPPY: &[&str] = &[
    "clippy",
    "--workspace",
    "--all-targets",
    "--locked",
    "--",
    "-D",
    "warnings",
];
// Libraries only: the binary and the embeddable library are both called `mainstay` and would share a page.
const DOCS: &[&str] = &["doc", "--workspace", "--lib", "--no-deps", "--locked"];
const DOCTEST: &[&str] = &["test", "--doc", "--workspace", "--locked"];
const PLAIN_TESTS: &[&str] = &[
    "test",
    "--workspace",
    "--lib",
    "--bins",
    "--tests",
    "--locked",
];
const BINARY: &[&str] = &[
    "build",
    "--release",
    "--locked",
    "--package",
    "mainstay-cli",
];

const STAGES: &[Stage] = &[
    (
        "fmt",
        "the code is formatted",
        Work::Cargo(&["fmt", "--all", "--check"]),
    ),
    (
        "tidy",
        "the rules of the house hold",
        Work::Inside(tidy::check),
    ),
    ("clippy", "no warnings", Work::Cargo(CLIPPY)),
    (
        "docs",
        "the API docs build without warnings",
        Work::CargoWith(&[("RUSTDOCFLAGS", "-Dwarnings")], DOCS),
    ),
    ("test", "unit and integration tests", Work::Inside(tests)),
    (
        "doctest",
        "the examples in the docs run",
        Work::Cargo(DOCTEST),
    ),
    (
        "sim",
        "no crash point loses acknowledged work, and shares are by weight",
        Work::Inside(|root| simulate(root, 200_000)),
    ),
    (
        "plant",
        "the simulator catches every planted bug",
        Work::Inside(|root| simulator(root, &["planted"])),
    ),
    ("binary", "the released binary builds", Work::Cargo(BINARY)),
];

/// Which stages to run.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Choice {
    only: Option<String>,
    from: Option<String>,
    list: bool,
}

impl Choice {
    /// Reads the options behind `cargo xtask test`.
    pub(crate) fn parse(options: &[&str]) -> Result<Choice, String> {
        let mut choice = Choice::default();
        let mut rest = options.iter();
        while let Some(option) = rest.next() {
            let mut stage = || {
                let name = rest
                    .next()
                    .ok_or_else(|| format!("`{option}` needs the name of a stage"))?;
                if STAGES.iter().any(|(known, ..)| known == name) {
                    Ok(Some((*name).to_owned()))
                } else {
                    Err(format!(
                        "no stage `{name}`; `cargo xtask test --list` names them"
                    ))
                }
            };
            match *option {
                "--only" => choice.only = stage()?,
                "--from" => choice.from = stage()?,
                "--list" => choice.list = true,
                _ => return Err(format!("`cargo xtask test` has no option `{option}`")),
            }
        }
        Ok(choice)
    }

    /// The chosen stages in their order.
    fn stages(&self) -> Vec<&'static Stage> {
        let from = self.from.as_deref();
        let later = STAGES
            .iter()
            .skip_while(|(name, ..)| from.is_some_and(|from| from != *name));
        later
            .filter(|(name, ..)| self.only.as_deref().is_none_or(|only| only == *name))
            .collect()
    }
}

/// Runs the chosen stages up to the first that fails, then prints how long each took.
pub(crate) fn test(root: &Path, choice: &Choice) -> Result<(), String> {
    let stages = choice.stages();
    if choice.list {
        for (name, about, _) in stages {
            println!("{name:8} {about}");
        }
        return Ok(());
    }
    let mut times = Vec::new();
    let mut outcome = Ok(());
    for (index, (name, about, work)) in stages.iter().enumerate() {
        println!(
            "==> stage {} of {}: {name}: {about}",
            index + 1,
            stages.len()
        );
        let start = Instant::now();
        let result = perform(root, work);
        times.push((*name, start.elapsed(), result.is_ok()));
        if let Err(cause) = result {
            outcome = Err(format!("stage `{name}` failed: {cause}"));
            break;
        }
    }
    print!("{}", table(&times));
    outcome
}

/// The simulator's long tier, outside the stages.
pub(crate) fn long_simulation(root: &Path, crash_points: &str) -> Result<(), String> {
    let count = crash_points.parse();
    simulate(
        root,
        count.map_err(|_| format!("`{crash_points}` is not a number of crash points"))?,
    )
}

fn perform(root: &Path, work: &Work) -> Result<(), String> {
    match work {
        Work::Cargo(args) => cargo::run(root, args, &[]),
        Work::CargoWith(env, args) => cargo::run(root, args, env),
        Work::Inside(work) => work(root),
    }
}

fn tests(root: &Path) -> Result<(), String> {
    if cargo::has(root, "nextest") {
        return cargo::run(root, &["nextest", "run", "--workspace", "--locked"], &[]);
    }
    println!("cargo-nextest is not installed: cargo's own test runner takes over");
    cargo::run(root, PLAIN_TESTS, &[])
}

/// Plain worlds as many as asked for, judged by the exact model; of all worlds together, judged by model and laws, a tenth as many; and
/// the contests in which shares are measured.
fn simulate(root: &Path, crash_points: u64) -> Result<(), String> {
    let (plain, all) = (crash_points.to_string(), (crash_points / 10).to_string());
    simulator(root, &["run", "--narrow", "--crash-points", &plain])?;
    simulator(root, &["run", "--crash-points", &all])?;
    simulator(root, &["fair"])
}

fn simulator(root: &Path, args: &[&str]) -> Result<(), String> {
    let program = [
        "run",
        "--profile",
        "test-fast",
        "--package",
        "mainstay-sim",
        "--bin",
        "sim",
        "--locked",
        "--",
    ];
    cargo::run(root, &[&program, args].concat(), &[])
}

/// One row per stage that ran, and the sum.
fn table(times: &[(&str, Duration, bool)]) -> String {
    let mut text = String::from("\nstage       seconds\n");
    for (name, time, passed) in times {
        let mark = if *passed { "" } else { "  FAILED" };
        text += &format!("{name:8} {:10.1}{mark}\n", time.as_secs_f64());
    }
    let all: Duration = times.iter().map(|(_, time, _)| *time).sum();
    text + &format!("{:8} {:10.1}\n", "all", all.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(options: &[&str]) -> Vec<&'static str> {
        Choice::parse(options)
            .unwrap()
            .stages()
            .into_iter()
            .map(|(name, ..)| *name)
            .collect()
    }

    #[test]
    fn all_stages_run_unless_some_are_chosen() {
        assert_eq!(names(&[]).len(), STAGES.len());
        assert_eq!(names(&["--only", "clippy"]), ["clippy"]);
        assert_eq!(names(&["--from", "plant"])[0], "plant");
    }

    #[test]
    fn stages_have_names_of_their_own() {
        let mut all = names(&[]);
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), STAGES.len());
    }

    #[test]
    fn unknown_stages_and_options_are_refused() {
        for options in [
            &["--only", "nothing"][..],
            &["--only"],
            &["--from"],
            &["--fast"],
        ] {
            assert!(Choice::parse(options).is_err(), "{options:?}");
        }
    }

    #[test]
    fn the_table_marks_the_stage_that_failed() {
        let text = table(&[
            ("fmt", Duration::from_millis(1500), true),
            ("tidy", Duration::from_millis(250), false),
        ]);
        assert_eq!(
            text,
            "\nstage       seconds\nfmt             1.5\ntidy            0.2  FAILED\nall             1.8\n"
        );
    }

    #[test]
    fn every_stage_explains_itself() {
        assert!(STAGES.iter().all(|(_, about, _)| about.contains(' ')));
    }
}
