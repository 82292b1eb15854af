//! Starts servers, runs commands against them, and waits for what must come, with time limits fit for a slow machine.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use serde_json::Value;

/// Longer than anything takes that is going to happen at all.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A command of the binary under test, untouched by the environment of whoever runs the tests.
pub(crate) fn mainstay() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mainstay"));
    for name in [
        "MAINSTAY_URL",
        "MAINSTAY_API_KEY",
        "MAINSTAY_DATA_DIR",
        "MAINSTAY_LOG",
    ] {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// Standard output as one JSON value.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Standard output as one JSON value per line.
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        self.stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{self:?}")))
            .collect()
    }

    /// The same, once it is known to have ended well.
    pub(crate) fn good(self) -> Ended {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Ended {
    let output = command.output().expect("the binary runs");
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Waits until `check` gives something.
pub(crate) fn eventually<T>(what: &str, mut check: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = check() {
            return value;
        }
        assert!(start.elapsed() < PATIENCE, "still not: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Sends a signal to a child that was not waited for yet.
pub(crate) fn send(child: &Child, signal: Signal) {
    let pid = i32::try_from(child.id())
        .ok()
        .and_then(Pid::from_raw)
        .expect("a process id");
    kill_process(pid, signal).expect("the process is there");
}

/// Waits for a child's end.
pub(crate) fn ended(child: &mut Child) -> ExitStatus {
    eventually("the process ends", || child.try_wait().expect("a child"))
}

/// A server of its own, killed when dropped.
pub(crate) struct Served {
    child: Child,
    pub(crate) url: String,
    pub(crate) directory: PathBuf,
}

impl Served {
    /// Starts a server on a free port and waits until it is ready.
    pub(crate) fn start(directory: &Path) -> Served {
        Served::start_at(directory, "127.0.0.1:0")
    }

    /// Starts a server at an address and waits until it is ready.
    pub(crate) fn start_at(directory: &Path, listen: &str) -> Served {
        Served::of(&mut serve(directory, listen), directory)
    }

    /// Starts a server with more options on a free port and waits until it is ready.
    pub(crate) fn start_with(directory: &Path, words: &[&str]) -> Served {
        Served::of(serve(directory, "127.0.0.1:0").args(words), directory)
    }

    fn of(command: &mut Command, directory: &Path) -> Served {
        Served::spawned(command.stderr(Stdio::inherit()), directory)
    }

    /// Starts what the command says, with the standard error it says, and waits until it is ready.
    pub(crate) fn spawned(command: &mut Command, directory: &Path) -> Served {
        let mut child = command.spawn().expect("the binary runs");
        let stdout = child.stdout.take().expect("a pipe");
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let Some(url) = line.strip_prefix("API: ") {
                    let _ = sender.send(url.to_owned());
                }
            }
        });
        let url = receiver
            .recv_timeout(PATIENCE)
            .expect("the server is ready");
        Served {
            child,
            url,
            directory: directory.to_owned(),
        }
    }

    /// A client command against this server.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = mainstay();
        command
            .args(["--server", &self.url, "--data-dir"])
            .arg(&self.directory)
            .args(words);
        command
    }

    /// Runs a client command against this server.
    pub(crate) fn run(&self, words: &[&str]) -> Ended {
        run(&mut self.command(words))
    }

    /// Submits one task; its task and run.
    pub(crate) fn submit(&self, words: &[&str]) -> (String, String) {
        let answer = self
            .run(&[&["submit", "--json"], words].concat())
            .good()
            .json();
        let text = |value: &Value| value.as_str().expect("an id").to_owned();
        (
            text(&answer["task"]["id"]),
            text(&answer["runs"][0]["run_id"]),
        )
    }

    /// Submits one task written as JSON; its run.
    pub(crate) fn submit_json(&self, task: &str) -> String {
        let file = self.directory.with_extension("ndjson");
        std::fs::write(&file, task).expect("a file");
        let path = file.to_str().expect("UTF-8");
        let answer = self
            .run(&["submit", "--json", "--batch", path])
            .good()
            .json_lines();
        answer[0]["run_ids"][0].as_str().expect("a run").to_owned()
    }

    /// One run as it stands.
    pub(crate) fn show(&self, run: &str) -> Value {
        self.run(&["run", "show", run, "--json"]).good().json()
    }

    /// Waits until a run is in a state.
    pub(crate) fn until(&self, run: &str, state: &str) -> Value {
        eventually(state, || {
            Some(self.show(run)).filter(|shown| shown["state"] == state)
        })
    }

    /// From now on every write of the server fails, as on a disk that has gone bad.
    pub(crate) fn forbid_writing(&self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let limit = Rlimit {
            current: Some(0),
            maximum: Some(0),
        };
        prlimit(pid, Resource::Fsize, limit).expect("the process is there");
    }

    /// Waits for the end that comes by itself.
    pub(crate) fn end(mut self) -> ExitStatus {
        ended(&mut self.child)
    }

    /// The end without warning.
    pub(crate) fn kill(mut self) {
        send(&self.child, Signal::KILL);
        ended(&mut self.child);
    }

    /// The orderly end.
    pub(crate) fn stop(mut self) -> ExitStatus {
        send(&self.child, Signal::TERM);
        ended(&mut self.child)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command that serves a directory.
pub(crate) fn serve(directory: &Path, listen: &str) -> Command {
    let mut command = mainstay();
    command
        .arg("serve")
        .arg("--data-dir")
        .arg(directory)
        .args(["--listen", listen]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}
