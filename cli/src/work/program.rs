//! One program for one lease: starts it, feeds it, listens to it, signals it.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mainstay_client::{Lease, Signal, Verdict};
use rustix::process::{Pid, Signal as Unix, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::time::Instant;

use super::judge::{Left, OUTPUT_BYTES_MAX, TAIL_BYTES_MAX, Told, judge};

/// How long output is read after the program's end when something it started holds the pipes open.
const PIPES_TIMEOUT: Duration = Duration::from_secs(2);

/// The program that works, and those of its processes that run now.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    words: Vec<OsString>,
    grace: Duration,
    running: Arc<Mutex<BTreeSet<i32>>>,
}

impl Program {
    /// A program with its arguments; `grace` lies between SIGTERM and SIGKILL after a cancel.
    pub(crate) fn new(words: Vec<OsString>, grace: Duration) -> Program {
        Program {
            words,
            grace,
            running: Arc::default(),
        }
    }

    /// Kills whatever runs.
    pub(crate) fn kill_all(&self) {
        for group in self.running().iter() {
            send(Some(*group), Unix::KILL);
        }
    }

    /// Runs it for one lease.
    pub(crate) async fn run(self, mut lease: Lease) -> Verdict {
        let payload = match lease.payload_bytes() {
            Ok(payload) => payload,
            Err(error) => {
                return Verdict::failure("payload_not_readable", error.to_string(), false);
            }
        };
        let mut child = match self.start(&lease) {
            Ok(child) => child,
            Err(error) => {
                let message = format!("{}: {error}", self.words[0].to_string_lossy());
                return Verdict::failure("program_not_started", message, true);
            }
        };
        let group = child.id().and_then(|id| i32::try_from(id).ok());
        self.running().extend(group);
        let feed = child.stdin.take().map(|mut stdin| {
            tokio::spawn(async move {
                // A program need not read its payload: a closed pipe is no error.
                let _ = stdin.write_all(&payload).await;
                let _ = stdin.shutdown().await;
            })
        });
        let output = Heard::listen(child.stdout.take(), Keep::First(OUTPUT_BYTES_MAX + 1));
        let tail = Heard::listen(child.stderr.take(), Keep::Last(TAIL_BYTES_MAX));
        let (status, told) = self.attend(&mut child, group, &mut lease).await;
        if let Some(group) = group {
            self.running().remove(&group);
        }
        let status = match status {
            Ok(status) => status,
            Err(error) => return Verdict::failure("program_not_watched", error.to_string(), true),
        };
        let until = Instant::now() + PIPES_TIMEOUT;
        let left = Left {
            output: output.end(until).await,
            tail: tail.end(until).await,
        };
        if let Some(feed) = feed {
            feed.abort();
        }
        judge(status, told, &left)
    }

    fn start(&self, lease: &Lease) -> std::io::Result<Child> {
        Command::new(&self.words[0])
            .args(&self.words[1..])
            .env("MAINSTAY_RUN_ID", &lease.run_id)
            .env("MAINSTAY_TASK_ID", &lease.task_id)
            .env("MAINSTAY_ATTEMPT", lease.attempt.to_string())
            .env("MAINSTAY_KIND", &lease.kind)
            .env("MAINSTAY_TOKEN", &lease.token)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own: signals reach what the program starts, and a Ctrl-C for the worker does not reach the program.
            .process_group(0)
            .spawn()
    }

    /// Waits for the program's end and passes on what the server says meanwhile.
    async fn attend(
        &self,
        child: &mut Child,
        group: Option<i32>,
        lease: &mut Lease,
    ) -> (std::io::Result<ExitStatus>, Told) {
        let mut told = Told::Nothing;
        let mut kill_at: Option<Instant> = None;
        loop {
            let killing = async {
                match kill_at {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                status = child.wait() => return (status, told),
                () = killing => {
                    send(group, Unix::KILL);
                    kill_at = None;
                }
                signal = lease.signaled(), if told != Told::Lost => match signal {
                    Signal::Continue => {}
                    Signal::Suspend => {
                        told = Told::Suspend;
                        send(group, Unix::TERM);
                    }
                    Signal::Cancel => {
                        told = Told::Cancel;
                        kill_at = Some(Instant::now() + self.grace);
                        send(group, Unix::TERM);
                    }
                    Signal::Lost => {
                        told = Told::Lost;
                        send(group, Unix::KILL);
                    }
                },
            }
        }
    }

    fn running(&self) -> MutexGuard<'_, BTreeSet<i32>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Signals a process group. One that is gone already needs no signal.
fn send(group: Option<i32>, signal: Unix) {
    if let Some(group) = group.and_then(Pid::from_raw) {
        let _ = kill_process_group(group, signal);
    }
}

/// Which part of a stream is kept.
#[derive(Clone, Copy)]
enum Keep {
    First(usize),
    Last(usize),
}

/// What a stream has said so far.
struct Heard {
    bytes: Arc<Mutex<Vec<u8>>>,
    reading: Option<tokio::task::JoinHandle<()>>,
}

impl Heard {
    fn listen(stream: Option<impl AsyncRead + Unpin + Send + 'static>, keep: Keep) -> Heard {
        let bytes: Arc<Mutex<Vec<u8>>> = Arc::default();
        let heard = Arc::clone(&bytes);
        let reading = stream.map(|mut stream| {
            tokio::spawn(async move {
                let mut buffer = vec![0; 16 << 10];
                while let Ok(count @ 1..) = stream.read(&mut buffer).await {
                    keep.add(
                        &mut heard.lock().unwrap_or_else(PoisonError::into_inner),
                        &buffer[..count],
                    );
                }
            })
        });
        Heard { bytes, reading }
    }

    /// What was kept once the stream has ended, or at the latest at `until`.
    async fn end(self, until: Instant) -> Vec<u8> {
        if let Some(mut reading) = self.reading
            && tokio::time::timeout_at(until, &mut reading).await.is_err()
        {
            reading.abort();
        }
        std::mem::take(&mut self.bytes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Keep {
    fn add(self, kept: &mut Vec<u8>, new: &[u8]) {
        match self {
            Keep::First(limit) => {
                kept.extend_from_slice(&new[..new.len().min(limit.saturating_sub(kept.len()))])
            }
            Keep::Last(limit) => {
                kept.extend_from_slice(new);
                let surplus = kept.len().saturating_sub(limit);
                kept.drain(..surplus);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_keeps_its_beginning_or_its_end() {
        let mut first = Vec::new();
        let mut last = Vec::new();
        for part in [&b"abc"[..], b"de", b"fgh"] {
            Keep::First(4).add(&mut first, part);
            Keep::Last(4).add(&mut last, part);
        }
        assert_eq!(first, b"abcd");
        assert_eq!(last, b"efgh");
    }
}
