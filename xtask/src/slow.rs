//! `cargo xtask slow`: what healthy requests take while a thousand connections send slowly or do not read, beside what they take alone.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::served::Served;
use crate::{bench, cargo};

/// One file, a line per call, oldest first.
const HISTORY: &str = "bench/history/slow.jsonl";
const HELD: usize = 1000;
/// Both are measured in turns, so that whatever else the machine does falls on both.
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(4);
/// How often a slow connection sends one more byte.
const DRIP: Duration = Duration::from_secs(1);

/// Builds the binary, measures, prints both and their ratio, and keeps them.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let build = [
        "build",
        "--release",
        "--locked",
        "--package",
        "mainstay-cli",
    ];
    cargo::run(root, &build, &[])?;
    let target = cargo::target_folder(root);
    let data = target.join("slow");
    drop(fs::remove_dir_all(&data));
    let served = Served::start(&target.join("release/mainstay"), &data)?;
    let mut healthy = Healthy::connect(&served)?;
    let (mut alone, mut beside, mut reopened) = (Vec::new(), Vec::new(), 0);
    // The first requests of a process are not those of every day.
    healthy.measure(ROUND, &mut Vec::new())?;
    for _ in 0..ROUNDS {
        healthy.measure(ROUND, &mut alone)?;
        let stop = AtomicBool::new(false);
        reopened += std::thread::scope(|scope| {
            let slow = Slow::open(&served)?;
            // Those that do not read fill their sockets first: what is measured is that they are held.
            std::thread::sleep(ROUND);
            let dripping = scope.spawn(|| slow.drip(&served, &stop));
            let measured = healthy.measure(ROUND, &mut beside);
            stop.store(true, Ordering::Relaxed);
            let reopened = dripping.join().map_err(|_| "the slow ones panicked")?;
            measured.map(|()| reopened)
        })?;
    }
    let (alone, beside) = (percentiles(alone), percentiles(beside));
    let ratio = beside[1] as f64 / alone[1].max(1) as f64;
    println!(
        "alone:  p50 {} µs, p99 {} µs, {} requests",
        alone[0], alone[1], alone[2]
    );
    println!(
        "beside: p50 {} µs, p99 {} µs, {} requests",
        beside[0], beside[1], beside[2]
    );
    println!(
        "{HELD} slow connections, {reopened} closed by the server and opened again; ratio of p99: {ratio:.2}"
    );
    let result = json!({
        "held": HELD, "reopened": reopened, "ratio_p99": ratio,
        "alone_p50_us": alone[0], "alone_p99_us": alone[1], "alone_requests": alone[2],
        "beside_p50_us": beside[0], "beside_p99_us": beside[1], "beside_requests": beside[2],
    });
    bench::keep(root, HISTORY, vec![result])
}

/// The median, the 99th percentile and the count.
fn percentiles(mut micros: Vec<u64>) -> [u64; 3] {
    micros.sort_unstable();
    let at = |percent: usize| {
        micros
            .get(micros.len() * percent / 100)
            .copied()
            .unwrap_or(0)
    };
    [at(50), at(99), micros.len() as u64]
}

fn failed(error: &std::io::Error) -> String {
    format!("a connection: {error}")
}

fn connect(served: &Served) -> Result<TcpStream, String> {
    let address = served.url.trim_start_matches("http://");
    TcpStream::connect(address).map_err(|error| failed(&error))
}

fn request(served: &Served, line: &str, rest: &str) -> Vec<u8> {
    let key = &served.key;
    format!("{line} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n{rest}").into_bytes()
}

/// One who works as anybody does: a read after the other on one connection, so that the disk's own pace is no part of it.
struct Healthy {
    stream: TcpStream,
    request: Vec<u8>,
}

impl Healthy {
    fn connect(served: &Served) -> Result<Healthy, String> {
        Ok(Healthy {
            stream: connect(served)?,
            request: request(served, "GET /api/v1/engine", "\r\n"),
        })
    }

    fn measure(&mut self, time: Duration, micros: &mut Vec<u64>) -> Result<(), String> {
        let begun = Instant::now();
        while begun.elapsed() < time {
            let asked = Instant::now();
            self.ask().map_err(|error| failed(&error))?;
            micros.push(asked.elapsed().as_micros().try_into().unwrap_or(u64::MAX));
            // A pace that leaves the machine idle most of the time.
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    fn ask(&mut self) -> std::io::Result<()> {
        self.stream.write_all(&self.request)?;
        let mut answer = Vec::new();
        let mut chunk = [0; 4096];
        // The answer is one object; its last byte is its end.
        while !answer.ends_with(b"}") {
            match self.stream.read(&mut chunk)? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                count => answer.extend_from_slice(&chunk[..count]),
            }
        }
        if answer.starts_with(b"HTTP/1.1 200") {
            Ok(())
        } else {
            Err(std::io::Error::other("a healthy request was refused"))
        }
    }
}

/// A thousand slow ones: a third with a head, a third with a body, a third that asks for much and reads nothing.
struct Slow {
    streams: Vec<TcpStream>,
}

impl Slow {
    fn open(served: &Served) -> Result<Slow, String> {
        let streams = (0..HELD).map(|at| open(served, at));
        Ok(Slow {
            streams: streams.collect::<Result<_, _>>()?,
        })
    }

    /// Keeps them slow until it is told to stop; those that the server closed are opened again. Gives how many were.
    fn drip(mut self, served: &Served, stop: &AtomicBool) -> u64 {
        let mut reopened = 0;
        while !stop.load(Ordering::Relaxed) {
            for (at, stream) in self.streams.iter_mut().enumerate() {
                let gone = at % 3 != 2
                    && stream
                        .write(b" ")
                        .is_err_and(|error| error.kind() != ErrorKind::WouldBlock);
                if gone && let Ok(next) = open(served, at) {
                    *stream = next;
                    reopened += 1;
                }
            }
            std::thread::sleep(DRIP);
        }
        reopened
    }
}

fn open(served: &Served, at: usize) -> Result<TcpStream, String> {
    let mut stream = connect(served)?;
    stream
        .set_nonblocking(true)
        .map_err(|error| failed(&error))?;
    let bytes = match at % 3 {
        0 => request(served, "GET /api/v1/stats", "x-slow: "),
        1 => request(
            served,
            "POST /api/v1/tasks",
            "content-type: application/json\r\ncontent-length: 60000\r\n\r\n{",
        ),
        _ => request(served, "GET /api/v1/openapi.json", "\r\n").repeat(40),
    };
    match stream.write(&bytes) {
        Err(error) if error.kind() != ErrorKind::WouldBlock => Err(failed(&error)),
        _ => Ok(stream),
    }
}
