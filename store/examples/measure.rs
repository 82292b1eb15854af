//! Measures the SQLite store with cuts of a real machine: `measure <directory> write|live|retain|copy …`.
#![allow(clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mainstay_core::{
    Bytes, Call, Claim, Command, Cut, Facts, Finish, FinishOutcome, Machine, Now, Outcome,
    RunError, TaskSpec, Text, Timestamp,
};
use mainstay_store::{
    Keep, LiveRow, Retention, SqliteOptions, SqliteReader, SqliteStore, Store, copy_store, examine,
    file_of,
};

const PER_CUT: u64 = 10_000;
const LOG: &str = "measured";

/// What every task of a run of this program is like.
#[derive(Clone, Copy)]
struct Shape {
    payload_bytes: usize,
    tagged: bool,
    failing: bool,
}

/// A machine and the clock that drives it.
struct World {
    machine: Machine,
    wall: u64,
    shape: Shape,
}

impl World {
    fn new(shape: Shape) -> World {
        World {
            machine: Machine::new(1),
            wall: 1_790_000_000_000,
            shape,
        }
    }

    fn step(&mut self, command: Command) -> Outcome {
        self.wall += 1;
        let mut now = Now::at(Timestamp(self.wall), self.wall - 1_790_000_000_000);
        now.id_seed = self.wall.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let step = self
            .machine
            .step(&now, &Facts::default(), Call::new(command));
        step.outcome.expect("the step is accepted")
    }

    fn submit(&mut self, at: u64) {
        let mut spec =
            TaskSpec::new(["mail.send", "invoice.render", "report.build"][(at % 3) as usize]);
        spec.payload.bytes = Bytes::from(vec![b'7'; self.shape.payload_bytes]);
        if self.shape.tagged {
            let extras = spec.extras_mut();
            extras.tags = vec![
                Text::from(format!("customer-{}", at % 1000)),
                Text::from("nightly"),
            ];
            extras.description = Some(Text::from(format!(
                "invoice {at} of a customer with a name"
            )));
        }
        self.step(Command::Submit(spec.into()));
    }

    fn finish(&mut self, count: u64) {
        let mut left = count;
        while left > 0 {
            let claim = Claim {
                worker: Text::from("worker-1"),
                queues: vec![Text::from("default")],
                kinds: Vec::new(),
                max: left.min(1000) as u32,
                lease_ms: None,
                idempotency_key: None,
                ..Claim::default()
            };
            let Outcome::Claimed(grants) = self.step(Command::Claim(claim.into())) else {
                panic!("a claim answers with grants");
            };
            assert!(!grants.is_empty(), "work is ready");
            left -= grants.len() as u64;
            for grant in grants {
                let mut finish = Finish::success(grant.run, grant.fence, None);
                if self.shape.failing {
                    finish.outcome = FinishOutcome::Failure;
                    finish.error = Some(Box::new(RunError {
                        code: Text::from("smtp_refused"),
                        message: Text::from("the other side refused the connection after 3 tries"),
                        retryable: false,
                    }));
                }
                self.step(Command::Finish(finish.into()));
            }
        }
    }

    fn cut(&mut self) -> Cut {
        let cut = self.machine.take_cut();
        self.machine.stored(cut.through, 0, usize::MAX);
        cut
    }
}

/// Time this thread has had a core: what a busy machine does not change much.
fn on_core() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split(' ').next().and_then(|text| text.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

fn write_cut(store: &mut SqliteStore, cut: Cut) -> Duration {
    let from = on_core();
    let through = cut.through;
    store.put(cut).expect("put");
    store.durable(through).expect("durable");
    on_core() - from
}

fn size(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).expect("directory");
    entries
        .map(|entry| entry.expect("entry").metadata().expect("size").len())
        .sum()
}

fn write(dir: &Path, count: u64, shape: Shape, crossing: bool) -> World {
    let mut world = World::new(shape);
    let mut store = SqliteStore::open(dir, LOG, SqliteOptions::default()).expect("open");
    let mut spent = Duration::ZERO;
    let mut worst = Duration::ZERO;
    for cut in 0..count / PER_CUT {
        for at in 0..PER_CUT {
            world.submit(cut * PER_CUT + at);
        }
        if crossing {
            let cut = world.cut();
            spent += write_cut(&mut store, cut);
        }
        world.finish(PER_CUT);
        let cut = world.cut();
        let took = write_cut(&mut store, cut);
        worst = worst.max(took);
        spent += took;
    }
    let used = store.bytes_used().expect("bytes");
    drop(store);
    println!(
        "{count} lifecycles: {:.0}/s, worst commit {worst:?}, {:.0} bytes each ({:.0} on disk)",
        count as f64 / spent.as_secs_f64(),
        used as f64 / count as f64,
        size(dir) as f64 / count as f64,
    );
    world
}

fn live(dir: &Path) {
    for _ in 0..3 {
        let mut reader = SqliteReader::open(&file_of(dir), 64 << 10).expect("reader");
        let from = Instant::now();
        let (mut rows, mut bytes) = (0u64, 0u64);
        mainstay_store::Reader::live(&mut reader, &mut |row| {
            if let LiveRow::Task(image) | LiveRow::Run(image) = row {
                rows += 1;
                bytes += image.len() as u64;
            }
            Ok(())
        })
        .expect("live");
        let took = from.elapsed();
        println!("{rows} live rows of {bytes} bytes in {took:?}");
    }
}

fn retain(dir: &Path) {
    let mut store = SqliteStore::open(dir, LOG, SqliteOptions::default()).expect("open");
    let rule = Retention {
        default: Keep { age_ms: 0 },
        queues: std::collections::BTreeMap::new(),
        audit: Keep { age_ms: 0 },
        bytes_max: u64::MAX,
    };
    let (mut steps, mut worst) = (0u32, Duration::ZERO);
    let from = Instant::now();
    while from.elapsed() < Duration::from_secs(10) {
        let step = Instant::now();
        let more = store
            .retain(Timestamp(2_000_000_000_000), &rule)
            .expect("retain");
        worst = worst.max(step.elapsed());
        steps += 1;
        if !more {
            break;
        }
    }
    println!("{steps} steps in {:?}, worst {worst:?}", from.elapsed());
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let dir = PathBuf::from(&arguments[0]);
    let number = |at: usize| {
        arguments
            .get(at)
            .map_or(0, |text| text.parse().expect("a number"))
    };
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    let shape = Shape {
        payload_bytes: number(3) as usize,
        tagged: has("tagged"),
        failing: has("failing"),
    };
    match arguments[1].as_str() {
        "write" => {
            write(&dir, number(2), shape, has("crossing"));
        }
        "backlog" => {
            // So many finished, then so many live.
            let mut world = write(&dir, number(2), shape, false);
            let mut store = SqliteStore::open(&dir, LOG, SqliteOptions::default()).expect("open");
            for cut in 0..number(4) / PER_CUT {
                for at in 0..PER_CUT {
                    world.submit(cut * PER_CUT + at);
                }
                let cut = world.machine.take_cut();
                write_cut(&mut store, cut);
            }
        }
        "live" => live(&dir),
        "retain" => retain(&dir),
        "copy" => {
            let from = Instant::now();
            let to = dir.join("copy.db");
            copy_store(&file_of(&dir), &to, &mut |_, _| {}).expect("copy");
            println!("copied in {:?}", from.elapsed());
            let from = Instant::now();
            let examined = examine(&to, &mut |_| {}).expect("sound");
            println!("examined {} tasks in {:?}", examined.tasks, from.elapsed());
        }
        other => panic!("no measurement `{other}`"),
    }
}
