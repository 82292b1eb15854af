//! What one command costs the machine itself, without log or store, with many live runs: one JSON line per command.
//!
//! `cargo run --release --example step -- <live runs> [rounds]`
#![allow(clippy::print_stdout)]

use std::time::Instant;

use mainstay_core::{
    Call, Claim, ClaimGrant, Command, Events, Facts, Finish, Machine, Now, Outcome, QueueConfig,
    RateLimit, TaskSpec, Text, Timestamp,
};

/// The allocator of the released binary: what is measured here is what it does.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BATCH: usize = 1000;

struct Bench {
    machine: Machine,
    now: Now,
    events: Events,
}

impl Bench {
    fn step(&mut self, command: Command) -> Outcome {
        self.events.clear();
        let mut call = Call::new(command);
        let facts = Facts::default();
        let stepped = self
            .machine
            .step_into(&self.now, &facts, &mut call, &mut self.events);
        stepped.expect("nothing is refused here")
    }

    /// Microseconds per item.
    fn time(&mut self, what: &str, items: usize, act: impl FnOnce(&mut Bench)) {
        let start = Instant::now();
        act(self);
        let us = start.elapsed().as_secs_f64() * 1e6 / items as f64;
        println!("{{\"step\":\"{what}\",\"items\":{items},\"us_each\":{us:.3}}}");
        // Nobody stores what ended here; what was woken is asked for as the writer does.
        self.machine.take_woken(&mut Vec::new());
    }

    fn claim(&mut self, queue: &str, max: u32, able: &[&str]) -> Vec<ClaimGrant> {
        let claim = Claim {
            worker: Text::from("w"),
            queues: vec![Text::from(queue)],
            max,
            capabilities: able.iter().map(|name| Text::from(*name)).collect(),
            ..Claim::default()
        };
        match self.step(Command::Claim(Box::new(claim))) {
            Outcome::Claimed(grants) => grants,
            other => panic!("a claim came to {other:?}"),
        }
    }

    /// Submits, claims one by one and many at once, finishes.
    fn lives(
        &mut self,
        name: &str,
        rounds: usize,
        spec: impl Fn(usize) -> TaskSpec,
        able: &[&str],
    ) {
        let queue = spec(0).queue;
        self.time(&format!("{name}: submit"), rounds * BATCH, |bench| {
            for at in 0..rounds * BATCH {
                bench.step(Command::Submit(Box::new(spec(at))));
            }
        });
        let mut grants = Vec::new();
        self.time(&format!("{name}: claim 1"), rounds * BATCH / 2, |bench| {
            for _ in 0..rounds * BATCH / 2 {
                grants.extend(bench.claim(&queue, 1, able));
            }
        });
        self.time(&format!("{name}: claim 100"), rounds * BATCH / 2, |bench| {
            for _ in 0..rounds * BATCH / 200 {
                grants.extend(bench.claim(&queue, 100, able));
            }
        });
        assert_eq!(grants.len(), rounds * BATCH);
        self.time(&format!("{name}: finish"), grants.len(), |bench| {
            for grant in &grants {
                let finish = Finish::success(grant.run, grant.fence, None);
                bench.step(Command::Finish(Box::new(finish)));
            }
        });
    }
}

fn in_queue(queue: &str) -> TaskSpec {
    let mut spec = TaskSpec::new("work");
    spec.queue = Text::from(queue);
    spec
}

fn main() {
    let mut args = std::env::args().skip(1);
    let mut number = |default: usize| {
        let text = args.next();
        text.map_or(default, |text| text.parse().expect("a number"))
    };
    let (live, rounds) = (number(1_000_000), number(100));
    let mut bench = Bench {
        machine: Machine::new(1),
        now: Now::at(Timestamp(1_800_000_000_000), 0),
        events: Events::new(),
    };
    bench.time("fill", live, |bench| {
        for at in 0..live {
            let queue = format!("q{}", at % 100);
            bench.step(Command::Submit(Box::new(in_queue(&queue))));
        }
    });
    bench.lives("plain", rounds, |_| in_queue("default"), &[]);
    let fair = |at: usize| {
        let mut spec = in_queue("fair");
        spec.policy_mut().fairness_key = Some(Text::from(format!("key-{}", at % 1000)));
        spec
    };
    bench.lives("1000 fairness keys", rounds, fair, &[]);
    let able = |at: usize| {
        let mut spec = in_queue("able");
        spec.policy_mut().required_capabilities = vec![Text::from(["gpu", "tpu"][at % 2])];
        spec
    };
    bench.lives("capabilities", rounds, able, &["gpu", "tpu"]);
    let config = QueueConfig {
        concurrency_limit: Some(1_000_000),
        rate_limit: Some(RateLimit {
            per_ms: 1000,
            max: 1_000_000,
        }),
        weight: None,
    };
    let queue = Text::from("limited");
    bench.step(Command::ConfigureQueue { queue, config });
    bench.lives("limited queue", rounds, |_| in_queue("limited"), &[]);
}
