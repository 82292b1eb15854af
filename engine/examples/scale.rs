//! What an engine costs at scale: fills a directory, is killed under load, starts again, and reads its lists; one JSON line per size.
//!
//! `cargo run --release --example scale -- <queued|finished> <runs> [payload bytes] [payload cache bytes]`
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mainstay::store::{From, Listed, Page, RunAsk, RunLine, Scope, TaskAsk};
use mainstay::{
    Call, CallError, Claim, Engine, EngineOptions, Finish, Handle, Outcome, Principal, RunState,
    Task, TaskSpec, Text,
};

/// The allocator of the released binary: what is measured here is what it does.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BATCH: usize = 1000;
const PATIENCE: Duration = Duration::from_secs(3600);
/// How long the load goes on before the process is killed.
const LOAD: Duration = Duration::from_secs(3);

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words[..] {
        ["fill", directory, kind, runs, payload, cache] => fill(
            Path::new(directory),
            kind == "finished",
            number(runs),
            number(payload) as usize,
            number(cache),
        ),
        ["load", directory] => load(Path::new(directory)),
        ["read", directory, cache] => read(Path::new(directory), number(cache)),
        [kind @ ("queued" | "finished"), runs, ref rest @ ..] => {
            let payload = rest.first().copied().unwrap_or("256");
            let cache = rest.get(1).copied().unwrap_or("0");
            measure(kind, runs, payload, cache);
        }
        _ => {
            eprintln!("usage: scale <queued|finished> <runs> [payload bytes] [payload cache bytes]")
        }
    }
}

fn number(text: &str) -> u64 {
    text.parse().expect("a number")
}

fn options() -> EngineOptions {
    Engine::options().low_water_bytes(0)
}

/// Runs each part in a process of its own, so that its memory is its own.
fn measure(kind: &str, runs: &str, payload: &str, cache: &str) {
    let home = tempfile::tempdir().expect("a directory");
    let data = home.path().join("data");
    let data = data.to_str().expect("a path of text");
    let filled = part(&["fill", data, kind, runs, payload, cache]);
    let loaded = part(&["load", data]);
    let read = part(&["read", data, cache]);
    println!(
        "{{\"kind\":\"{kind}\",\"runs\":{runs},\"payload_bytes\":{payload},\"payload_cache_bytes\":{cache},{filled},{loaded},{read}}}"
    );
}

fn part(args: &[&str]) -> String {
    let program = std::env::current_exe().expect("this program");
    let output = Command::new(program)
        .args(args)
        .stderr(Stdio::inherit())
        .output()
        .expect("a part runs");
    // The loaded one is killed on purpose: what it says comes before.
    String::from_utf8(output.stdout)
        .expect("text")
        .trim()
        .to_owned()
}

fn rss_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) * 1024
}

fn batch(payload: usize) -> Vec<Call> {
    let spec = || -> TaskSpec { Task::new("scale.work").bytes(vec![b'x'; payload]).into() };
    (0..BATCH)
        .map(|_| Call::new(mainstay::Command::Submit(Box::new(spec()))))
        .collect()
}

fn submit(handle: &Handle, payload: usize) {
    loop {
        match handle.call_many(batch(payload)).wait() {
            Ok(_) => return,
            Err(CallError::Busy { .. }) => std::thread::sleep(Duration::from_millis(5)),
            Err(error) => panic!("a submit came to {error}"),
        }
    }
}

fn claim_and_finish(handle: &Handle) -> usize {
    let claim = Claim {
        worker: Text::from("scale"),
        queues: vec![Text::from("default")],
        kinds: Vec::new(),
        max: BATCH as u32,
        lease_ms: None,
        idempotency_key: None,
        ..Claim::default()
    };
    let claimed = handle.claim(Principal::default(), claim, Duration::ZERO);
    let Ok(Outcome::Claimed(grants)) = claimed.wait().expect("a claim").value else {
        return 0;
    };
    let finishes = grants.iter().map(|grant| {
        let finish = Finish::success(grant.run, grant.fence, None);
        Call::new(mainstay::Command::Finish(Box::new(finish)))
    });
    let count = grants.len();
    handle
        .call_many(finishes.collect())
        .wait()
        .expect("finishes");
    count
}

fn bytes_in(directory: &Path) -> u64 {
    let entries = std::fs::read_dir(directory).into_iter().flatten();
    let sizes = entries.filter_map(|entry| entry.ok()?.metadata().ok());
    sizes.map(|file| file.len()).sum()
}

fn fill(directory: &Path, finished: bool, runs: u64, payload: usize, cache: u64) {
    let engine = options()
        .payload_cache_bytes(cache)
        .open(directory)
        .expect("an engine");
    let handle = engine.handle();
    submit(&handle, payload);
    claim_and_finish(&handle);
    let before = rss_bytes();
    let started = Instant::now();
    let mut done = 0;
    while done < runs {
        submit(&handle, payload);
        if finished {
            claim_and_finish(&handle);
        }
        done += BATCH as u64;
    }
    let accepted = started.elapsed();
    assert!(handle.wait_stored(handle.sequence(), PATIENCE));
    let stored = started.elapsed();
    // A little more work, so that every thread gives back what it freed.
    for _ in 0..20 {
        submit(&handle, payload);
        claim_and_finish(&handle);
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(handle.wait_stored(handle.sequence(), PATIENCE));
    std::thread::sleep(Duration::from_secs(2));
    let grown = rss_bytes().saturating_sub(before);
    let metrics = handle.metrics();
    print!(
        "\"accepted_per_s\":{},\"stored_per_s\":{},\"rss_bytes_per_run\":{},\"rss_bytes\":{},\"commit_us_per_run\":{:.2},\"rows_in_memory\":{},",
        per_second(done, accepted),
        per_second(done, stored),
        grown / done,
        rss_bytes(),
        metrics.store_commit_us as f64 / done as f64,
        metrics.rows_tasks + metrics.rows_runs,
    );
    engine.shutdown(Duration::ZERO).expect("an orderly end");
    print!(
        "\"log_bytes_per_run\":{},\"store_bytes_per_run\":{}",
        metrics.bytes_written / done,
        bytes_in(&directory.join("store")) / done,
    );
}

fn per_second(count: u64, time: Duration) -> u64 {
    (count as f64 / time.as_secs_f64()) as u64
}

/// Full load on what is there, and then the end of the process in the middle of it.
fn load(directory: &Path) {
    let engine = options().open(directory).expect("an engine");
    let stop = AtomicBool::new(false);
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            let handle = engine.handle();
            let stop = &stop;
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    submit(&handle, 256);
                    claim_and_finish(&handle);
                }
            });
        }
        std::thread::sleep(LOAD);
        let lag = engine.handle().metrics().store_lag_events;
        print!(
            "\"killed_after_ms\":{},\"store_lag_events\":{lag}",
            started.elapsed().as_millis()
        );
        use std::io::Write;
        std::io::stdout().flush().ok();
        std::process::abort();
    });
}

fn read(directory: &Path, cache: u64) {
    let before = rss_bytes();
    let engine = options()
        .payload_cache_bytes(cache)
        .open(directory)
        .expect("an engine");
    let recovered = engine.recovered();
    let (ms, events) = (recovered.ms, recovered.events);
    let grown = rss_bytes().saturating_sub(before);
    let metrics = engine.handle().metrics();
    print!(
        "\"restart_ms\":{ms},\"tail_events\":{events},\"restart_rss_bytes\":{grown},\"live_runs\":{},",
        metrics.rows_runs
    );
    let handle = engine.handle();
    assert!(handle.wait_stored(handle.sequence(), PATIENCE));
    lists(&handle);
    engine.shutdown(Duration::ZERO).expect("an orderly end");
}

/// Microseconds: the median and the 99th of a hundred.
fn timed(name: &str, mut act: impl FnMut()) {
    let mut times: Vec<u128> = (0..100)
        .map(|_| {
            let started = Instant::now();
            act();
            started.elapsed().as_micros()
        })
        .collect();
    times.sort_unstable();
    print!(",\"{name}_us\":[{},{}]", times[50], times[99]);
}

fn lists(handle: &Handle) {
    let library = handle.library().expect("a store on a disk");
    let runs = |ask: &RunAsk| library.runs(ask).expect("a page of runs");
    let first = |change: &dyn Fn(&mut RunAsk)| {
        let mut ask = RunAsk::all(Scope::All, Page::first(100));
        change(&mut ask);
        ask
    };
    // Every page, to find the last one.
    let (mut pages, mut slowest) = (0u64, 0u128);
    let mut cursor: Option<String> = None;
    let mut last = None;
    loop {
        let mut ask = first(&|_| {});
        ask.page.limit = 1000;
        if let Some(at) = cursor.take() {
            ask.page.from = From::Cursor(at.clone());
            last = Some(at);
        }
        let started = Instant::now();
        let listed: Listed<RunLine> = runs(&ask);
        slowest = slowest.max(started.elapsed().as_micros());
        pages += 1;
        cursor = listed.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    print!("\"pages_of_1000\":{pages},\"slowest_page_us\":{slowest}");
    timed("runs_first", || drop(runs(&first(&|_| {}))));
    timed("runs_state", || {
        drop(runs(&first(&|ask| ask.state = Some(RunState::Completed))));
    });
    timed("runs_queue", || {
        drop(runs(&first(&|ask| ask.queue = Some(Text::from("default")))));
    });
    timed("runs_offset_100000", || {
        drop(runs(&first(&|ask| ask.page.from = From::Offset(100_000))));
    });
    timed("runs_search_all", || {
        drop(runs(&first(&|ask| ask.q = Some("scale work".to_owned()))));
    });
    timed("runs_search_none", || {
        drop(runs(&first(&|ask| ask.q = Some("nowhere".to_owned()))));
    });
    if let Some(last) = last {
        timed("runs_last", || {
            drop(runs(&first(&|ask| {
                ask.page.from = From::Cursor(last.clone())
            })));
        });
    }
    timed("tasks_first", || {
        let ask = TaskAsk::all(Scope::All, Page::first(100));
        drop(library.tasks(&ask).expect("a page of tasks"));
    });
}
