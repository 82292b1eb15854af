//! What one command costs the machine, alone, at two sizes: nanoseconds per command, as a table or as JSON.
//!
//! `cargo run --release --example steps -- [live runs, 1000000] [--json] [--only <command>]`
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::time::Instant;

use mainstay::{
    Amount, BudgetScope, BudgetSpec, Call, Claim, Command, Facts, Fence, Filter, Finish,
    HeartbeatItem, Machine, Now, Outcome, Query, RunId, Steady, TaskId, TaskSpec, TenantId, Text,
    Timestamp,
};

/// The allocator of the released binary: what is measured here is what it does.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Commands of one kind per measurement.
const ROUND: usize = 2000;
const ROUNDS: usize = 9;

struct Bench {
    /// Measure this command alone.
    only: Option<String>,
    machine: Machine,
    facts: Facts,
    now: Now,
    events: Vec<mainstay::Entry>,
}

/// One row of the table.
struct Row {
    command: &'static str,
    nanos: f64,
}

impl Bench {
    fn new(only: Option<String>) -> Bench {
        Bench {
            only,
            machine: Machine::new(1),
            facts: Facts::default(),
            now: Now {
                wall: Timestamp(1_800_000_000_000),
                steady: Steady(1),
                id_seed: 7,
            },
            events: Vec::with_capacity(1 << 16),
        }
    }

    fn step(&mut self, command: Command) -> Outcome {
        self.events.clear();
        let mut call = Call::new(command);
        let outcome = self
            .machine
            .step_into(&self.now, &self.facts, &mut call, &mut self.events);
        outcome.expect("a command of the bench is accepted")
    }

    fn submit(&mut self, spec: TaskSpec) -> (TaskId, RunId) {
        let Outcome::Submitted(done) = self.step(Command::Submit(Box::new(spec))) else {
            panic!("a submit answers a submit");
        };
        (done.task, done.run.run)
    }

    fn claim(&mut self, claim: &Claim) -> Vec<(RunId, Fence)> {
        let Outcome::Claimed(grants) = self.step(Command::Claim(Box::new(claim.clone()))) else {
            panic!("a claim answers a claim");
        };
        grants
            .iter()
            .map(|grant| (grant.run, grant.fence))
            .collect()
    }

    /// Live work of every kind that is only there to be in the way.
    fn fill(&mut self, live: usize) {
        let (prerequisite, _) = self.submit(far("bulk"));
        let (parent, _) = self.submit(far("bulk"));
        for at in 0..live {
            let mut spec = plain("bulk");
            match at % 10 {
                0 => spec.policy_mut().concurrency_key = Some(name("k", at % 500)),
                1 => spec.policy_mut().fairness_key = Some(name("f", at % 1000)),
                2 => spec.policy_mut().required_capabilities = vec![Text::from("gpu")],
                3 => spec.bonds_mut().depends_on = vec![prerequisite],
                4 => spec.bonds_mut().parent = Some(parent),
                5 => spec.bonds_mut().budgets = vec![budget()],
                6 => spec.run_at = Some(Timestamp(self.now.wall.0 + 1_000_000 + at as u64)),
                _ => {}
            }
            self.submit(spec);
        }
        let mut woken = Vec::new();
        self.machine.take_woken(&mut woken);
    }

    /// A round's commands and nothing else: what a profiler is told to count.
    #[inline(never)]
    fn round(&mut self, commands: Vec<Command>) {
        for command in commands {
            std::hint::black_box(self.step(command));
        }
    }

    /// The median over some rounds; `make` prepares a round's commands, which are timed alone.
    fn measure(
        &mut self,
        command: &'static str,
        mut make: impl FnMut(&mut Bench) -> Vec<Command>,
    ) -> Row {
        if self.only.as_deref().is_some_and(|only| only != command) {
            return Row {
                command,
                nanos: 0.0,
            };
        }
        let mut nanos = Vec::new();
        for _ in 0..ROUNDS {
            let commands = make(self);
            let count = commands.len();
            let started = Instant::now();
            self.round(commands);
            nanos.push(started.elapsed().as_nanos() as f64 / count as f64);
            self.now.steady = self.now.steady.plus_ms(1);
            self.now.wall = self.now.wall.plus_ms(1);
            self.machine.take_cut();
            self.machine.stored(u64::MAX, 0, usize::MAX);
        }
        nanos.sort_by(f64::total_cmp);
        Row {
            command,
            nanos: nanos[ROUNDS / 2],
        }
    }
}

fn name(prefix: &str, number: usize) -> Text {
    Text::from(format!("{prefix}{number}"))
}

fn plain(queue: &str) -> TaskSpec {
    let mut spec = TaskSpec::new("work");
    spec.queue = Text::from(queue);
    spec
}

fn far(queue: &str) -> TaskSpec {
    let mut spec = plain(queue);
    spec.run_at = Some(Timestamp(4_000_000_000_000));
    spec
}

fn budget() -> BudgetSpec {
    BudgetSpec {
        dimension: Text::from("token"),
        limit: 1 << 40,
        reserve: Some(1),
    }
}

fn one(queue: &str) -> Claim {
    Claim {
        worker: Text::from("w"),
        queues: vec![Text::from(queue)],
        max: 1,
        capabilities: vec![Text::from("gpu")],
        ..Claim::default()
    }
}

fn many(queue: &str) -> Claim {
    Claim {
        max: 1000,
        ..one(queue)
    }
}

/// Ready runs of this kind in the queue, and that many claims of one run each.
fn claims(bench: &mut Bench, queue: &str, make: impl Fn(usize) -> TaskSpec) -> Vec<Command> {
    drain(bench, queue);
    for at in 0..ROUND {
        bench.submit(make(at));
    }
    let claim = Box::new(one(queue));
    (0..ROUND).map(|_| Command::Claim(claim.clone())).collect()
}

/// Held runs of this kind.
fn held(bench: &mut Bench, queue: &str, make: impl Fn(usize) -> TaskSpec) -> Vec<(RunId, Fence)> {
    drain(bench, queue);
    for at in 0..ROUND {
        bench.submit(make(at));
    }
    let claim = many(queue);
    let mut held = bench.claim(&claim);
    held.extend(bench.claim(&claim));
    held
}

fn drain(bench: &mut Bench, queue: &str) {
    loop {
        let held = bench.claim(&many(queue));
        if held.is_empty() {
            return;
        }
        for (run, fence) in held {
            bench.step(Command::Finish(Box::new(Finish::success(run, fence, None))));
        }
    }
}

fn finishes(held: Vec<(RunId, Fence)>) -> Vec<Command> {
    let finish = |(run, fence)| Command::Finish(Box::new(Finish::success(run, fence, None)));
    held.into_iter().map(finish).collect()
}

/// Submits, claims and finishes.
fn lifecycle(bench: &mut Bench) -> Vec<Row> {
    let fair = |at: usize| {
        let mut spec = plain("fair");
        spec.policy_mut().fairness_key = Some(name("g", at % 100));
        spec
    };
    let capable = |_| {
        let mut spec = plain("capable");
        spec.policy_mut().required_capabilities = vec![Text::from("gpu")];
        spec
    };
    let paid = |_| {
        let mut spec = plain("paid");
        spec.bonds_mut().budgets = vec![budget()];
        spec
    };
    let submits = |make: &dyn Fn(usize) -> TaskSpec| -> Vec<Command> {
        (0..ROUND)
            .map(|at| Command::Submit(Box::new(make(at))))
            .collect()
    };
    vec![
        bench.measure("submit", |_| submits(&|_| plain("hot"))),
        bench.measure("claim", |bench| claims(bench, "hot", |_| plain("hot"))),
        bench.measure("finish", |bench| {
            finishes(held(bench, "hot", |_| plain("hot")))
        }),
        bench.measure("submit, fairness key", |_| submits(&fair)),
        bench.measure("claim, 100 fairness keys", |bench| {
            claims(bench, "fair", fair)
        }),
        bench.measure("claim, capabilities", |bench| {
            claims(bench, "capable", capable)
        }),
        bench.measure("submit, budget", |_| submits(&paid)),
        bench.measure("claim, budget", |bench| claims(bench, "paid", paid)),
        bench.measure("finish, budget and use", |bench| {
            let mut commands = finishes(held(bench, "paid", paid));
            for command in &mut commands {
                if let Command::Finish(finish) = command {
                    finish.consumption = vec![Amount {
                        dimension: Text::from("token"),
                        amount: 1,
                    }];
                }
            }
            commands
        }),
    ]
}

/// Bonds, budgets, subscriptions and looks.
fn others(bench: &mut Bench) -> Vec<Row> {
    let mut rows = Vec::new();
    rows.push(bench.measure("submit, child", |bench| {
        let (parent, _) = bench.submit(far("hot"));
        let child = || {
            let mut spec = plain("kids");
            spec.bonds_mut().parent = Some(parent);
            Command::Submit(Box::new(spec))
        };
        (0..ROUND).map(|_| child()).collect()
    }));
    rows.push(bench.measure("submit, prerequisite", |bench| {
        let (task, _) = bench.submit(far("hot"));
        let dependent = || {
            let mut spec = plain("deps");
            spec.bonds_mut().depends_on = vec![task];
            Command::Submit(Box::new(spec))
        };
        (0..ROUND).map(|_| dependent()).collect()
    }));
    rows.push(bench.measure("finish that releases a dependent", |bench| {
        drain(bench, "chain");
        let mut tasks = Vec::new();
        for _ in 0..ROUND {
            tasks.push(bench.submit(plain("chain")).0);
        }
        let claim = many("chain");
        let mut held = bench.claim(&claim);
        held.extend(bench.claim(&claim));
        for task in tasks {
            let mut spec = plain("after");
            spec.bonds_mut().depends_on = vec![task];
            bench.submit(spec);
        }
        finishes(held)
    }));
    rows.push(bench.measure("heartbeat", |bench| {
        let beat = |(run, fence)| {
            Command::Heartbeat(HeartbeatItem {
                run,
                fence,
                lease_ms: None,
                progress: None,
            })
        };
        held(bench, "hot", |_| plain("hot"))
            .into_iter()
            .map(beat)
            .collect()
    }));
    rows.push(bench.measure("cancel of a ready run", |bench| {
        let cancel = |run| Command::CancelRun {
            run,
            force: false,
            reason: None,
        };
        let runs: Vec<RunId> = (0..ROUND).map(|_| bench.submit(plain("gone")).1).collect();
        runs.into_iter().map(cancel).collect()
    }));
    rows.push(bench.measure("consume", |bench| {
        let task = bench.submit(far("hot")).0;
        let dimension = Text::from("token");
        bench.step(Command::AllocateBudget {
            scope: BudgetScope::Task(task),
            dimension: dimension.clone(),
            limit: 1 << 40,
            reserve: None,
        });
        let consume = |_| Command::ConsumeBudget {
            scope: BudgetScope::Task(task),
            dimension: dimension.clone(),
            amount: 1,
        };
        (0..ROUND).map(consume).collect()
    }));
    rows.push(bench.measure("custom event with a subscriber", |bench| {
        let key = Text::from("news");
        let task = bench.submit(far("hot")).0;
        bench.step(Command::Subscribe {
            task,
            id: None,
            filter: Box::new(Filter::Custom(key.clone())),
        });
        let publish = |_| Command::PublishEvent {
            key: key.clone(),
            payload: None,
        };
        (0..50).map(publish).collect()
    }));
    rows.push(explained(bench));
    rows
}

/// A question about a run deep in its queue.
fn explained(bench: &mut Bench) -> Row {
    let (_, run) = bench.submit(plain("bulk"));
    let mut nanos = Vec::new();
    for _ in 0..ROUNDS {
        let started = Instant::now();
        for _ in 0..200 {
            let answer = bench
                .machine
                .answer(&bench.now, TenantId::DEFAULT, &Query::Explain(run));
            std::hint::black_box(answer);
        }
        nanos.push(started.elapsed().as_nanos() as f64 / 200.0);
    }
    nanos.sort_by(f64::total_cmp);
    Row {
        command: "explain, deep in a queue",
        nanos: nanos[ROUNDS / 2],
    }
}

fn all(live: usize, only: Option<&String>) -> Vec<Row> {
    let mut bench = Bench::new(only.cloned());
    bench.fill(live);
    let mut rows = lifecycle(&mut bench);
    rows.extend(others(&mut bench));
    rows
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let live = args.iter().find_map(|word| word.parse().ok());
    let live: usize = live.unwrap_or(1_000_000);
    let only = args.iter().position(|word| word == "--only");
    let only = only.and_then(|at| args.get(at + 1));
    let (small, large) = (all(10_000, only), all(live, only));
    if args.iter().any(|word| word == "--json") {
        let rows: Vec<String> = small
            .iter()
            .zip(&large)
            .map(|(small, large)| {
                format!(
                    "{{\"command\":\"{}\",\"ns_at_10k\":{:.0},\"ns\":{:.0}}}",
                    large.command, small.nanos, large.nanos
                )
            })
            .collect();
        println!("{{\"live_runs\":{live},\"steps\":[{}]}}", rows.join(","));
        return;
    }
    println!("| command | ns at 10,000 live runs | ns at {live} | ratio |");
    println!("|---|---|---|---|");
    for (small, large) in small.iter().zip(&large) {
        println!(
            "| {} | {:.0} | {:.0} | {:.2} |",
            large.command,
            small.nanos,
            large.nanos,
            large.nanos / small.nanos
        );
    }
}
