//! A disk that fills up, on a small file system in memory: new work is refused first, nothing acknowledged is lost, and room heals.

use std::path::{Path, PathBuf};
use std::process::Command as Program;
use std::time::{Duration, Instant};

use mainstay::{
    Answer, CallError, Claim, CommandError, Engine, EngineOptions, Finish, Outcome, Principal,
    Query, RunId, RunState, Status, Task, TenantId, Text,
};

const PATIENCE: Duration = Duration::from_secs(60);

/// A file system of its own, of a given size.
struct Small {
    directory: tempfile::TempDir,
}

impl Small {
    fn new(mib: u32) -> Small {
        let directory = tempfile::tempdir().unwrap();
        let mounted = Program::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={mib}m"), "tmpfs"])
            .arg(directory.path())
            .status();
        let mounted = mounted.expect("this test needs the program `mount`");
        assert!(mounted.success(), "this test needs to mount a tmpfs");
        Small { directory }
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn ballast(&self) -> PathBuf {
        self.directory.path().join("ballast")
    }

    /// Takes so much room away.
    fn fill(&self, bytes: usize) {
        std::fs::write(self.ballast(), vec![1; bytes]).unwrap();
    }

    /// Takes all the room there is.
    fn fill_up(&self) {
        use std::io::Write;
        let mut file = std::fs::File::create(self.ballast()).unwrap();
        let block = vec![1; 1 << 16];
        while file.write_all(&block).is_ok() {}
        while file.write_all(&[1]).is_ok() {}
    }

    fn free(&self) {
        std::fs::remove_file(self.ballast()).unwrap();
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let path: &Path = self.directory.path();
        Program::new("umount").arg("-l").arg(path).status().ok();
    }
}

fn options() -> EngineOptions {
    Engine::options().segment_bytes(2 << 20)
}

fn large() -> Task {
    Task::new("large").bytes(vec![7; 50_000])
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < PATIENCE, "{what} did not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn state_of(engine: &Engine, run: RunId) -> Option<RunState> {
    let asked = engine.handle().ask(TenantId::DEFAULT, Query::Run(run));
    match asked.wait().unwrap().value {
        Answer::Run(view) => Some(view.state),
        _ => None,
    }
}

/// Submits until it is refused; gives what was acknowledged, and the refusal.
fn submit_all(engine: &Engine) -> (Vec<RunId>, CallError) {
    let mut runs = Vec::new();
    loop {
        match engine.submit(large()) {
            Ok(submitted) => runs.push(submitted.run.run),
            Err(CommandError::Call(error)) => return (runs, error),
            Err(other) => panic!("a submit came to {other}"),
        }
        assert!(runs.len() < 10_000, "a small disk never filled up");
    }
}

#[test]
fn below_the_low_water_mark_new_work_is_refused_and_all_else_goes_on() {
    // What is refused last is still to be stored: a store takes as much room again, and its own log as much.
    let small = Small::new(256);
    small.fill(128 << 20);
    let engine = options()
        .low_water_bytes(64 << 20)
        .open(small.data())
        .unwrap();
    let (runs, refused) = submit_all(&engine);
    assert!(
        matches!(refused, CallError::StorageFull { needed_bytes, .. } if needed_bytes == 64 << 20),
        "{refused}"
    );
    let claim = Claim {
        worker: Text::from("w"),
        queues: vec![Text::from("default")],
        kinds: Vec::new(),
        max: 1,
        lease_ms: None,
        idempotency_key: None,
        ..Claim::default()
    };
    let handle = engine.handle();
    let told = handle.claim(Principal::default(), claim, Duration::ZERO);
    let Ok(Outcome::Claimed(grants)) = told.wait().unwrap().value else {
        panic!("a claim is granted");
    };
    let finish = Finish::success(grants[0].run, grants[0].fence, None);
    let finish = mainstay::Call::new(mainstay::Command::Finish(Box::new(finish)));
    assert!(handle.call(finish).wait().unwrap().value.is_ok());
    assert_eq!(state_of(&engine, runs[0]), Some(RunState::Completed));
    let cancel = mainstay::Call::new(mainstay::Command::CancelRun {
        run: runs[1],
        force: false,
        reason: None,
    });
    assert!(handle.call(cancel).wait().unwrap().value.is_ok());
    small.free();
    until("room for new work", || engine.submit(large()).is_ok());
    engine.shutdown(Duration::ZERO).unwrap();
}

#[test]
fn a_full_disk_stops_the_engine_and_a_start_on_it_reads_until_there_is_room() {
    let small = Small::new(64);
    let engine = options().low_water_bytes(0).open(small.data()).unwrap();
    let first = engine.submit(large()).unwrap().run.run;
    small.fill_up();
    let (mut runs, stopped) = submit_all(&engine);
    assert!(
        matches!(
            stopped,
            CallError::CommitUnknown { .. }
                | CallError::Stopped { .. }
                | CallError::StorageFull { .. }
        ),
        "{stopped}"
    );
    runs.push(first);
    drop(engine);
    small.fill_up();

    let engine = options().low_water_bytes(0).open(small.data()).unwrap();
    let handle = engine.handle();
    assert!(
        matches!(handle.status(), Status::ReadOnly { .. }),
        "{:?}",
        handle.status()
    );
    for run in &runs {
        assert_eq!(state_of(&engine, *run), Some(RunState::Ready), "{run}");
    }
    let refused = engine.submit(large());
    assert!(
        matches!(
            refused,
            Err(CommandError::Call(CallError::StorageFull { .. }))
        ),
        "{refused:?}"
    );
    small.free();
    until("a full start", || handle.status() == Status::Ready);
    for run in &runs {
        assert_eq!(state_of(&engine, *run), Some(RunState::Ready), "{run}");
    }
    engine.submit(large()).unwrap();
    engine.shutdown(Duration::ZERO).unwrap();
}
