//! Measures lists, search and SQL over a store of many rows: `read <directory> [tasks]`. The store is made when there is none.
#![allow(clippy::print_stdout)]

use std::path::Path;
use std::time::Instant;

use mainstay_core::{
    Call, Claim, Command, Facts, Finish, FinishOutcome, Machine, Now, Outcome, RunError, RunState,
    TaskSpec, TaskState, TenantId, Text, Timestamp,
};
use mainstay_store::{
    From, JobAsk, Library, Page, RunAsk, Scope, SqlAsk, SqliteOptions, SqliteStore, Store, TaskAsk,
    file_of,
};

const T0: u64 = 1_790_000_000_000;
const PER_CUT: u64 = 10_000;
const MINE: Scope = Scope::Tenant(TenantId::DEFAULT);

struct World {
    machine: Machine,
    store: SqliteStore,
    wall: u64,
}

impl World {
    fn step(&mut self, command: Command) -> Outcome {
        self.wall += 1;
        let mut now = Now::at(Timestamp(self.wall), self.wall - T0);
        now.id_seed = self.wall.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let call = Call::new(command);
        let step = self.machine.step(&now, &Facts::default(), call);
        step.outcome.expect("the step is accepted")
    }

    fn submit(&mut self, at: u64) {
        let mut spec =
            TaskSpec::new(["mail.send", "invoice.render", "report.build"][(at % 3) as usize]);
        spec.queue = Text::from(["default", "bulk", "mail", "slow"][(at / 3 % 4) as usize]);
        spec.priority = if at.is_multiple_of(50) { 5 } else { 0 };
        if at.is_multiple_of(4) {
            spec.extras_mut().tags = vec![
                Text::from(format!("customer-{}", at % 5000)),
                Text::from("nightly"),
            ];
            spec.extras_mut().description =
                Some(Text::from(format!("letter {at} of somebody with a name")));
        }
        self.step(Command::Submit(spec.into()));
    }

    fn work(&mut self, count: u64) {
        let mut left = count;
        while left > 0 {
            let claim = Claim {
                worker: Text::from(format!("worker-{}", left % 7)),
                queues: ["default", "bulk", "mail", "slow"].map(Text::from).to_vec(),
                kinds: Vec::new(),
                max: left.min(1000) as u32,
                lease_ms: None,
                idempotency_key: None,
                ..Claim::default()
            };
            let Outcome::Claimed(grants) = self.step(Command::Claim(claim.into())) else {
                panic!("a claim answers with grants");
            };
            left -= grants.len() as u64;
            for (at, grant) in grants.into_iter().enumerate() {
                let mut finish = Finish::success(grant.run, grant.fence, None);
                if at.is_multiple_of(100) {
                    finish.outcome = FinishOutcome::Failure;
                    finish.error = Some(Box::new(RunError {
                        code: Text::from(["smtp_550", "timeout"][at / 100 % 2]),
                        message: Text::from("no such mailbox"),
                        retryable: false,
                    }));
                }
                if at % 500 != 1 {
                    self.step(Command::Finish(finish.into()));
                }
            }
        }
    }

    fn commit(&mut self) {
        let cut = self.machine.take_cut();
        let through = cut.through;
        self.store.put(cut).expect("a cut is taken");
        self.store.durable(through).expect("a cut is committed");
        self.machine.stored(through, 0, usize::MAX);
    }
}

fn make(dir: &Path, tasks: u64) {
    let store = SqliteStore::open(dir, "measured", SqliteOptions::default()).expect("a store");
    let mut world = World {
        machine: Machine::new(1),
        store,
        wall: T0,
    };
    let begun = Instant::now();
    for at in 0..tasks {
        world.submit(at);
        if at % PER_CUT == PER_CUT - 1 {
            world.work(PER_CUT * 9 / 10);
            world.commit();
        }
    }
    println!("{tasks} tasks made in {:.1?}", begun.elapsed());
}

fn time(name: &str, turns: u32, mut turn: impl FnMut(u32) -> usize) {
    let mut rows = 0;
    let mut spans: Vec<f64> = (0..turns)
        .map(|at| {
            let begun = Instant::now();
            rows = turn(at);
            begun.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    spans.sort_by(f64::total_cmp);
    let part = |percent: usize| spans[(spans.len() - 1) * percent / 100];
    println!(
        "{name:<46} {rows:>5} rows  p50 {:>8.2} ms  p99 {:>8.2} ms",
        part(50),
        part(99)
    );
}

fn tasks(library: &Library, name: &str, ask: &TaskAsk) {
    time(name, 50, |_| library.tasks(ask).expect("a page").rows.len());
}

fn runs(library: &Library, name: &str, ask: &RunAsk) {
    time(name, 50, |_| library.runs(ask).expect("a page").rows.len());
}

fn at_offset(offset: u32) -> Page {
    Page {
        limit: 100,
        from: From::Offset(offset),
    }
}

/// The cursor of the last page.
fn end_of_tasks(library: &Library) -> String {
    let mut ask = TaskAsk::all(MINE, Page::first(1000));
    let begun = Instant::now();
    let mut pages = 0;
    loop {
        let page = library.tasks(&ask).expect("a page");
        pages += 1;
        let Some(next) = page.next_cursor else { break };
        ask.page.from = From::Cursor(next);
    }
    println!(
        "all tasks by cursor: {pages} pages of 1000 in {:.1?}",
        begun.elapsed()
    );
    match ask.page.from {
        From::Cursor(text) => text,
        From::Offset(_) => String::new(),
    }
}

fn lists(library: &Library) {
    let all = TaskAsk::all(MINE, at_offset(0));
    tasks(library, "tasks: first page", &all);
    tasks(
        library,
        "tasks: every tenant",
        &TaskAsk::all(Scope::All, at_offset(0)),
    );
    for state in [TaskState::Active, TaskState::Completed, TaskState::Failed] {
        tasks(
            library,
            &format!("tasks: state {}", state.name()),
            &TaskAsk {
                state: Some(state),
                ..all.clone()
            },
        );
    }
    tasks(
        library,
        "tasks: queue mail",
        &TaskAsk {
            queue: Some("mail".into()),
            ..all.clone()
        },
    );
    tasks(
        library,
        "tasks: kind mail.send",
        &TaskAsk {
            kind: Some("mail.send".into()),
            ..all.clone()
        },
    );
    tasks(
        library,
        "tasks: tag customer-4 (small set)",
        &TaskAsk {
            tag: Some("customer-4".into()),
            ..all.clone()
        },
    );
    tasks(
        library,
        "tasks: tag nightly (a quarter)",
        &TaskAsk {
            tag: Some("nightly".into()),
            ..all.clone()
        },
    );
    let middle = library
        .sql(&SqlAsk::new(Scope::All, "SELECT 1"))
        .map(|_| Timestamp(T0 + 1_000_000))
        .ok();
    tasks(
        library,
        "tasks: created after the middle",
        &TaskAsk {
            created_after: middle,
            ..all.clone()
        },
    );
    for (name, q) in [
        ("rare word", "999996"),
        ("common word", "letter"),
        ("common prefix", "lett"),
        ("word of a kind", "invoice"),
        ("two common words", "letter nightly"),
        ("kind and a tag", "mail nightly"),
        ("no hit", "zzz"),
    ] {
        tasks(
            library,
            &format!("tasks: q {name}"),
            &TaskAsk {
                q: Some(q.into()),
                ..all.clone()
            },
        );
        let ask = RunAsk {
            q: Some(q.into()),
            ..RunAsk::all(MINE, at_offset(0))
        };
        runs(library, &format!("runs: q {name}"), &ask);
    }
    tasks(
        library,
        "tasks: offset 100,000",
        &TaskAsk {
            page: at_offset(100_000),
            ..all.clone()
        },
    );
    tasks(
        library,
        "tasks: offset 100,000, tag nightly",
        &TaskAsk {
            tag: Some("nightly".into()),
            page: at_offset(100_000),
            ..all.clone()
        },
    );
    let mut last = all.clone();
    last.page = Page {
        limit: 1000,
        from: From::Cursor(end_of_tasks(library)),
    };
    tasks(library, "tasks: last page by cursor (1000)", &last);
    let all = RunAsk::all(MINE, at_offset(0));
    runs(library, "runs: first page", &all);
    for state in [
        RunState::Ready,
        RunState::Running,
        RunState::Completed,
        RunState::Failed,
    ] {
        runs(
            library,
            &format!("runs: state {}", state.name()),
            &RunAsk {
                state: Some(state),
                ..all.clone()
            },
        );
    }
    runs(
        library,
        "runs: queue and kind",
        &RunAsk {
            queue: Some("mail".into()),
            kind: Some("mail.send".into()),
            ..all.clone()
        },
    );
    runs(
        library,
        "runs: error smtp_550",
        &RunAsk {
            error_code: Some("smtp_550".into()),
            ..all.clone()
        },
    );
    runs(
        library,
        "runs: worker, running",
        &RunAsk {
            worker: Some("worker-1".into()),
            state: Some(RunState::Running),
            ..all.clone()
        },
    );
    runs(
        library,
        "runs: worker nobody (10,000 visits)",
        &RunAsk {
            worker: Some("nobody".into()),
            ..all.clone()
        },
    );
    runs(
        library,
        "runs: offset 100,000",
        &RunAsk {
            page: at_offset(100_000),
            ..all.clone()
        },
    );
}

fn jobs(library: &Library) {
    let all = JobAsk {
        scope: Scope::All,
        state: None,
        ended: false,
        kind: None,
        q: None,
        limit: 100,
        offset: 0,
    };
    let mine = JobAsk {
        scope: MINE,
        ..all.clone()
    };
    let ended = JobAsk {
        ended: true,
        ..mine.clone()
    };
    let of_state = |state| JobAsk {
        state: Some(state),
        ..mine.clone()
    };
    let q = |word: &str, ask: &JobAsk| JobAsk {
        q: Some(word.into()),
        ..ask.clone()
    };
    for (name, ask) in [
        ("all", all),
        ("a tenant", mine.clone()),
        ("ready", of_state(RunState::Ready)),
        ("completed", of_state(RunState::Completed)),
        ("failed", of_state(RunState::Failed)),
        (
            "a kind",
            JobAsk {
                kind: Some("mail.send".into()),
                ..mine.clone()
            },
        ),
        (
            "failed of a kind",
            JobAsk {
                kind: Some("mail.send".into()),
                ..of_state(RunState::Failed)
            },
        ),
        (
            "failed, offset 10,000",
            JobAsk {
                offset: 10_000,
                ..of_state(RunState::Failed)
            },
        ),
        (
            "offset 100,000",
            JobAsk {
                offset: 100_000,
                ..mine.clone()
            },
        ),
        ("history", ended.clone()),
        (
            "history, offset 100,000",
            JobAsk {
                offset: 100_000,
                ..ended.clone()
            },
        ),
        ("history, rare word", q("999996", &ended)),
        ("history, a quarter's word", q("letter", &ended)),
        ("history, word of a kind", q("invoice", &ended)),
        ("list, a quarter's word", q("letter", &mine)),
    ] {
        time(&format!("jobs: {name}"), 9, |_| {
            library.jobs(&ask).expect("a page").rows.len()
        });
    }
}

fn queries(library: &Library) {
    for sql in [
        "SELECT 1",
        "SELECT count(*) FROM tasks",
        "SELECT state, count(*) FROM runs GROUP BY state",
        "SELECT kind, queue, count(*) FROM tasks GROUP BY 1, 2",
        "SELECT * FROM tasks WHERE id_key = unhex('00')",
        "SELECT error_code, count(*) FROM runs WHERE error_code IS NOT NULL GROUP BY 1",
        "SELECT * FROM queues",
        "SELECT * FROM tasks ORDER BY number DESC LIMIT 10",
        "SELECT * FROM tasks WHERE number = 500000",
        "SELECT * FROM runs WHERE state = 'failed' LIMIT 100",
        "SELECT r.* FROM runs r JOIN tasks t ON t.id_key = r.task_key WHERE t.id_key = unhex('00')",
        "SELECT count(*) FROM tasks WHERE kind = 'mail.send'",
        "SELECT count(*) FROM attempts",
    ] {
        for (whose, scope) in [("tenant", MINE), ("all", Scope::All)] {
            let mut ask = SqlAsk::new(scope, sql);
            ask.time_ms = 60_000;
            time(&format!("{whose}: {sql}"), 3, |_| {
                library.sql(&ask).expect("rows").rows.len()
            });
        }
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let dir = arguments.next().expect("a directory");
    let dir = Path::new(&dir);
    let tasks = arguments
        .next()
        .map_or(500_000, |text| text.parse().expect("a number"));
    if !file_of(dir).exists() {
        make(dir, tasks);
    }
    let library = Library::open(&file_of(dir));
    if std::env::var_os("JOBS_ONLY").is_some() {
        return jobs(&library);
    }
    if std::env::var_os("SQL_ONLY").is_none() {
        lists(&library);
        jobs(&library);
    }
    queries(&library);
}
