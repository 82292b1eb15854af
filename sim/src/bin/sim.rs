//! The command line of the simulator: many seeds in parallel, one seed step by step, planted bugs.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use mainstay_sim::{
    Contest, Marks, PLANTED, Planted, Report, Setup, guarded, hunt, run_contest, run_seed,
};

const CRASH_POINTS_DEFAULT: u64 = 200_000;
const FAIR_SEEDS: (u64, u64) = (1, 4);
const USAGE: &str =
    "usage: sim run [--crash-points N] [--seeds A..B] [--seed S] [--threads T] [--wide | --narrow] [--doublecheck]
       sim fair [--seeds A..B]
       sim planted [--name NAME] [--threads T]
       sim one --seed S [--trace]";

/// What the command line asks for.
#[derive(Default)]
struct Args {
    crash_points: Option<u64>,
    seeds: Option<(u64, u64)>,
    threads: Option<usize>,
    doublecheck: bool,
    trace: bool,
    wide: Option<bool>,
    name: Option<String>,
}

fn parse(words: &[String]) -> Option<Args> {
    let mut args = Args::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--crash-points" => args.crash_points = Some(words.next()?.parse().ok()?),
            "--seed" => {
                let seed = words.next()?.parse().ok()?;
                args.seeds = Some((seed, seed + 1));
            }
            "--seeds" => {
                let (from, to) = words.next()?.split_once("..")?;
                args.seeds = Some((from.parse().ok()?, to.parse().ok()?));
            }
            "--threads" => args.threads = Some(words.next()?.parse().ok()?),
            "--doublecheck" => args.doublecheck = true,
            "--trace" => args.trace = true,
            "--wide" => args.wide = Some(true),
            "--narrow" => args.wide = Some(false),
            "--name" => args.name = Some(words.next()?.clone()),
            _ => return None,
        }
    }
    Some(args)
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some((verb, rest)) = words.split_first() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let Some(args) = parse(rest) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let good = match verb.as_str() {
        "run" => run(&args),
        "one" => one(&args),
        "fair" => fair(&args),
        "planted" => planted(&args),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Sums over all seeds.
#[derive(Default)]
struct Total {
    report: Report,
    seeds: u64,
    failures: Vec<(u64, String)>,
}

impl Total {
    fn add(&mut self, seed: u64, report: Report) {
        self.seeds += 1;
        let total = &mut self.report;
        total.crash_points += report.crash_points;
        total.recoveries += report.recoveries;
        total.nested += report.nested;
        total.refusals += report.refusals;
        total.events += report.events;
        total.acks += report.acks;
        total.marks.add(&report.marks);
        if let Some(failure) = report.failure {
            self.failures.push((seed, failure));
        }
    }
}

fn checked(seed: u64, args: &Args) -> Report {
    let setup = Setup {
        wide: args.wide,
        ..Setup::default()
    };
    let mut report = guarded(seed, &setup);
    if args.doublecheck && report.failure.is_none() {
        let again = guarded(seed, &setup);
        if again.trace != report.trace {
            report.failure = Some(String::from(
                "the same seed ran differently the second time",
            ));
        }
    }
    report
}

fn threads(args: &Args) -> usize {
    args.threads
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get))
}

fn run(args: &Args) -> bool {
    let wanted = match (args.crash_points, args.seeds) {
        (Some(count), _) => count,
        (None, Some(_)) => u64::MAX,
        (None, None) => CRASH_POINTS_DEFAULT,
    };
    let (first, end) = args.seeds.unwrap_or((1, u64::MAX));
    let total = Mutex::new(Total::default());
    let (next, done) = (AtomicU64::new(first), AtomicBool::new(false));
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads(args) {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        break;
                    }
                    let report = checked(seed, args);
                    let Ok(mut total) = total.lock() else { break };
                    total.add(seed, report);
                    if total.seeds % 2000 == 0 {
                        progress(&total, started);
                    }
                    if total.report.crash_points >= wanted || !total.failures.is_empty() {
                        done.store(true, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let Ok(total) = total.into_inner() else {
        return false;
    };
    summary(&total, started);
    let missing = total.report.marks.missing(args.wide != Some(false));
    let must_reach_all = total.report.crash_points >= CRASH_POINTS_DEFAULT;
    if must_reach_all && !missing.is_empty() {
        println!("FAILED: never reached: {}", missing.join(", "));
        return false;
    }
    total.failures.is_empty()
}

fn progress(total: &Total, started: Instant) {
    let seconds = started.elapsed().as_secs_f64();
    let points = total.report.crash_points;
    println!(
        "{points} crash points, {} seeds, {:.0} s, {:.0} crash points/s",
        total.seeds,
        seconds,
        points as f64 / seconds
    );
}

fn summary(total: &Total, started: Instant) {
    let report = &total.report;
    progress(total, started);
    println!(
        "{} recoveries, {} more cut off in recovery, {} refusals, {} events, {} answers checked",
        report.recoveries, report.nested, report.refusals, report.events, report.acks
    );
    for name in Marks::wanted(true) {
        println!("sometimes {:>9}  {name}", report.marks.count(name));
    }
    for (seed, failure) in &total.failures {
        println!("FAILED seed {seed}: {failure}");
        println!(
            "reproduce: cargo run --profile test-fast -p mainstay-sim --bin sim -- run --seed {seed}"
        );
    }
}

fn one(args: &Args) -> bool {
    let Some((seed, _)) = args.seeds else {
        eprintln!("{USAGE}");
        return false;
    };
    let setup = Setup {
        trace: args.trace,
        wide: args.wide,
        ..Setup::default()
    };
    let report = run_seed(seed, &setup);
    for step in &report.steps {
        println!("{step}");
    }
    println!(
        "seed {seed}: {} crash points, {} recoveries, {} events, {} answers, trace {:016x}",
        report.crash_points, report.recoveries, report.events, report.acks, report.trace
    );
    if let Some(failure) = &report.failure {
        println!("FAILED: {failure}");
    }
    report.failure.is_none()
}

/// Shares by weight, and nobody starves, in every contest.
fn fair(args: &Args) -> bool {
    let (first, end) = args.seeds.unwrap_or(FAIR_SEEDS);
    let mut good = true;
    println!(
        "contest            seed  submitted  granted while both wait      due  spells  in a row  longest wait"
    );
    for contest in Contest::ALL {
        for seed in first..end {
            let shares = run_contest(seed, *contest);
            let ([greedy, modest], weights) = (shares.granted, contest.weights());
            let due =
                (greedy + modest) as f64 * weights[1] as f64 / (weights[0] + weights[1]) as f64;
            println!(
                "{:<18} {seed:>4}  {:>5}:{:<3}  {greedy:>10}:{modest:<13} {due:>7.1} {:>7} {:>9} {:>13}",
                format!("{contest:?}"),
                shares.submitted[0],
                shares.submitted[1],
                shares.spells,
                shares.in_a_row,
                shares.waited
            );
            if let Some(failure) = &shares.failure {
                println!("FAILED {contest:?} seed {seed}: {failure}");
                good = false;
            }
        }
    }
    good
}

/// Every planted bug must be caught, by all rules and by those alone that look after a crash; of a bug of the rules all show only then.
fn planted(args: &Args) -> bool {
    std::panic::set_hook(Box::new(|_| {}));
    let wanted = |name: &str| args.name.as_deref().is_none_or(|only| only == name);
    let mut hunts = Vec::new();
    for bug in PLANTED.iter().filter(|bug| wanted(bug.name)) {
        if !bug.is_in_rules() {
            hunts.push((bug, false));
        }
        hunts.push((bug, true));
    }
    let (next, missed) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..threads(args) {
            scope.spawn(|| {
                while let Some((bug, blind)) =
                    hunts.get(next.fetch_add(1, Ordering::Relaxed) as usize)
                {
                    if !caught(bug, *blind) {
                        missed.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    missed.into_inner() == 0
}

fn caught(bug: &Planted, blind: bool) -> bool {
    let how = if blind {
        "after crashes only"
    } else {
        "all rules"
    };
    match hunt(bug, 1, blind) {
        Ok((seed, crash_points, failure)) => {
            println!(
                "caught  {:<32} {how:<18} seed {seed}, {crash_points} crash points: {failure}",
                bug.name
            );
            true
        }
        Err(crash_points) => {
            println!(
                "MISSED  {:<32} {how:<18} {crash_points} crash points",
                bug.name
            );
            false
        }
    }
}
