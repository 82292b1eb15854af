//! What an earlier release wrote stays readable, and today's writer writes the same bytes.

extern crate std;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;
use std::path::Path;

use super::world::{load, text};
use crate::budget::{Amount, Budget};
use crate::codec::{Reader, Record, put_bytes};
use crate::dependency::{Bond, Child};
use crate::id::Minted;
use crate::image::{self, KeyClass, KeyRow, Loader, ObjectClass, ObjectRow, PlaceRow};
use crate::intern::Symbol;
use crate::machine::Facts;
use crate::queue::{self, QueueConfig, QueueRow, RateLimit};
use crate::run::{
    Active, Attempt, AttemptResult, CancelRequest, Cause, Change, Fence, Hold, Origin, Past,
    RunError, State as RunState, SuspendRequest,
};
use crate::schedule::{Clockwork, Cron, Schedule};
use crate::state::{Armed, ClaimRecord, Held, State, Switch};
use crate::subscription::{Filter, Subscription};
use crate::task::{
    Content, Extras, Handle, HoldPolicy, Jitter, Policy, Rare, Retry, SafetyLevel, Strategy,
};
use crate::time::{Steady, Timestamp};
use crate::{Bytes, RunId, SubscriptionId, TaskId, TenantId, Text, run, task};

const RUN: u128 = 0x0192_f7a1_5c3e_7b10_8a4d_0123_4567_89ab;

fn bytes(words: &str) -> Bytes {
    Bytes::from(words.as_bytes())
}

fn policy() -> Policy {
    Policy {
        max_attempts: 1000,
        max_lost_leases: 0,
        timeout_ms: Some(0),
        lease_ms: 86_400_000,
        cancel_grace_ms: 0,
        concurrency_key: Some(text("customer-7")),
        concurrency_limit: u32::MAX,
        hold_policy: HoldPolicy::ReleaseOnRetry,
        safety_level: SafetyLevel::Transactional,
        retry: Retry {
            strategy: Strategy::Fixed,
            initial_ms: 17,
            multiplier_milli: 1500,
            max_ms: u64::MAX,
            jitter: Jitter::None,
            non_retryable: vec![text("gone"), text("bad_input")],
        },
        ..Policy::default()
    }
}

fn extras() -> Extras {
    Extras {
        content_type: Some(text("application/cbor")),
        tags: vec![text("a"), text("b")],
        description: Some(text("what it is for")),
        traceparent: Some(text("00-1-2-01")),
        idempotency_key: Some(text("order-7")),
        expires_at: Some(Timestamp::MAX),
        ..Extras::default()
    }
}

fn plain_task(number: u64) -> task::Row {
    task::Row {
        id: TaskId(u128::from(number)),
        number,
        place: 0,
        priority: 0,
        payload: Content::Here(bytes("null")),
        binary: false,
        dirty: false,
        stored: true,
        created_at: Timestamp(1_800_000_000_000),
        created_by: Symbol(1),
        rare: None,
        run: Handle::NONE,
        runs_total: 1,
        runs_live: 1,
        runs_completed: 0,
    }
}

fn plain_run(number: u64, state: RunState) -> run::Row {
    run::Row {
        id: RunId(RUN + u128::from(number)),
        task: 0,
        tenant: 0,
        state,
        born: RunState::Ready,
        holds_key: false,
        parked: false,
        failures: 0,
        lost_leases: 0,
        attempt_count: 0,
        created_at: Timestamp(1_800_000_000_001),
        number,
        scheduled_at: Timestamp(1_800_000_000_002),
        ready_order: 0,
        dirty: false,
        stored: true,
        armed: Armed::default(),
        active: None,
        past: None,
    }
}

fn active() -> Active {
    Active {
        fence: Fence {
            incarnation: 4,
            counter: 300,
        },
        worker: text("w-1"),
        lease_ms: 30_000,
        acquired_at: Timestamp(1_800_000_000_003),
        expires: Steady(70_000),
        expires_at: Timestamp(1_800_000_030_003),
        deadline: Some(Steady(0)),
        deadline_at: Some(Timestamp(1_800_000_000_004)),
        cancel: Some(Box::new(CancelRequest {
            at: Timestamp(1_800_000_000_005),
            force: Steady(45_000),
            force_at: Timestamp(1_800_000_005_005),
            by: text("ann"),
            reason: Some(text("mistake")),
            task: true,
            why: None,
        })),
        suspend: Some(Box::new(SuspendRequest {
            at: Timestamp(1_800_000_000_006),
            by: text("bob"),
            reason: Some(text("costly")),
            ..SuspendRequest::default()
        })),
        ..Active::default()
    }
}

fn past() -> Past {
    let error = RunError {
        code: text("boom"),
        message: text("it went off \u{1f4a5}"),
        retryable: true,
    };
    let attempt = Attempt {
        number: 1,
        result: AttemptResult::Failure,
        fence: Fence {
            incarnation: 3,
            counter: 299,
        },
        started_at: Timestamp(1_800_000_000_007),
        finished_at: Timestamp(1_800_000_000_008),
        worker: text("w-2"),
        error: Some(Box::new(error)),
        output: Some(bytes("2")),
        reported: true,
        after: RunState::RetryWait,
        ..Attempt::default()
    };
    let change = |from, to, cause, actor: &str| Change {
        from,
        to,
        cause,
        at: Timestamp(1_800_000_000_008),
        sequence: 290,
        actor: text(actor),
    };
    Past {
        changes: VecDeque::from([
            change(RunState::Leased, RunState::Running, Cause::Claim, "w-2"),
            change(RunState::Running, RunState::RetryWait, Cause::Finish, ""),
        ]),
        attempts: VecDeque::from([Attempt::default(), attempt]),
        checkpoints: [(text("page"), bytes("7")), (text("row"), bytes(""))].into(),
        checkpoint_bytes: 8,
        output: Some(bytes("2")),
        resume_payload: Some(bytes("[]")),
        retry_due: Steady(99_000),
        retry_at: Timestamp(1_800_000_009_000),
        reason: Some(text("approval")),
        ..Past::default()
    }
}

/// Three tasks with a run each, with every field that an image has.
fn golden_state() -> State {
    let mut state = State::new(0);
    (state.sequence, state.incarnation) = (400, 4);
    (state.wall, state.steady) = (Timestamp(1_800_000_000_009), Steady(44_000));
    (state.fence_counter, state.ready_counter) = (300, 200);
    state.minted = Minted::of(RUN + (1 << 40));
    state.switch = Switch {
        paused: true,
        since: Timestamp(1_800_000_000_010),
        by: text("ann"),
        reason: Some(text("night")),
    };
    state.stats.tasks_total = 3;
    state.stats.runs_total = 3;
    state.stats.attempts_total = 12;
    state.stats.attempts_by_result = [1, 2, 3, 0, 4, 5, 6];
    state.stats.runs_by_state = [0, 1, 0, 1, 1, 0, 0, 0, 0];
    let kind = state.names.intern(&text("mail.send"));
    let queue = state.names.intern(&text("mail"));
    state.places.number(0, queue, kind);
    state.places.restore(0, state.stats.runs_by_state, 0);

    assert_eq!(state.person(&text("ann")).0, Symbol(1));
    let full = state.insert_task(task::Row {
        priority: i32::MIN,
        rare: Rare {
            canceled_at: Some(Timestamp(1_800_000_000_011)),
            policy: Some(Box::new(policy())),
            extras: Some(Box::new(extras())),
            created_by: None,
            ..Rare::default()
        }
        .boxed(),
        ..plain_task(1)
    });
    let heavy = state.insert_task(task::Row {
        priority: i32::MAX,
        payload: Content::Stored(16 << 20),
        binary: true,
        rare: Rare {
            policy: Some(Box::default()),
            ..Rare::default()
        }
        .boxed(),
        ..plain_task(10)
    });
    let plain = state.insert_task(plain_task(20));
    state.insert_run(run::Row {
        task: full,
        holds_key: true,
        failures: 2,
        lost_leases: 3,
        attempt_count: 300,
        ready_order: 199,
        born: RunState::Scheduled,
        active: Some(Box::new(active())),
        ..plain_run(2, RunState::Running)
    });
    state.insert_run(run::Row {
        task: heavy,
        past: Some(Box::new(past())),
        ..plain_run(11, RunState::RetryWait)
    });
    state.insert_run(run::Row {
        task: plain,
        ready_order: 200,
        past: Some(Box::default()),
        ..plain_run(21, RunState::Ready)
    });
    for (at, task) in [full, heavy, plain].into_iter().enumerate() {
        state.tasks[task].run = Handle::some(at as u32);
    }
    state
}

fn golden_keys() -> [Held; 2] {
    let submit = Held {
        digest: u128::MAX,
        until: Timestamp(1_800_086_400_000),
        task: Some(TaskId(7)),
        claim: None,
        entry: None,
    };
    let claim = ClaimRecord {
        runs: vec![RunId(RUN), RunId(1)],
        counters: vec![0, 300],
        ..ClaimRecord::default()
    };
    let claim = Held {
        digest: 9,
        task: None,
        claim: Some(Box::new(claim)),
        ..submit.clone()
    };
    [submit, claim]
}

/// One field per piece: 1 the meta, 2 tasks, 3 runs, 4 keys.
fn golden_text() -> Vec<u8> {
    let state = golden_state();
    let mut out = Vec::new();
    put_bytes(&mut out, 1, &image::meta(&state));
    for (_, row) in state.tasks.iter() {
        let mut image = Vec::new();
        image::put_task(&state, row, &mut image);
        put_bytes(&mut out, 2, &image);
    }
    for (_, row) in state.runs.iter() {
        let mut image = Vec::new();
        image::put_run(&state, row, &mut image);
        put_bytes(&mut out, 3, &image);
    }
    for held in golden_keys() {
        let mut image = Vec::new();
        held.put(&mut image);
        put_bytes(&mut out, 4, &image);
    }
    out
}

fn pieces(golden: &[u8]) -> [Vec<Vec<u8>>; 4] {
    let mut pieces = [const { Vec::new() }; 4];
    let mut reader = Reader::new(golden);
    while let Some((number, value)) = reader.field().unwrap() {
        pieces[number as usize - 1].push(value.bytes().unwrap().to_vec());
    }
    pieces
}

#[test]
fn the_golden_images_are_read_and_written_as_ever() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/image_v1.bin");
    if !path.exists() && std::env::var_os("MAINSTAY_BLESS_NEW").is_some() {
        std::fs::write(&path, golden_text()).unwrap();
    }
    let golden = std::fs::read(&path).expect("a golden file is never removed");
    let [meta, tasks, runs, keys] = pieces(&golden);
    let place = PlaceRow {
        place: 0,
        tenant: TenantId::DEFAULT,
        queue: text("mail"),
        kind: text("mail.send"),
        counts: golden_state().places[0].counts,
        dead_letters: 0,
    };
    let machine = load(&meta[0], core::slice::from_ref(&place), &tasks, &runs);
    let machine = machine.expect("what an earlier release wrote stays readable");
    assert_eq!(machine.verify(), Ok(()));
    assert_eq!(machine.digest(), crate::state::digest_live(&golden_state()));
    let mut facts = Facts::default();
    for (image, held) in keys.iter().zip(golden_keys()) {
        assert!(Held::read(image).unwrap() == held);
        let row = KeyRow {
            tenant: TenantId::DEFAULT,
            class: KeyClass::Submit,
            key: Text::default(),
            until: held.until,
            task: held.task,
            image: image.clone(),
        };
        facts.add_key(&row).unwrap();
    }
    assert!(
        golden_text() == golden,
        "today's writer writes the same bytes"
    );
}

/// What only some tasks carry: a schedule, bonds, budgets, subscriptions, and an end of their own.
fn tied() -> Rare {
    let cron = Schedule::Cron(Box::new(Cron {
        expression: text("0 9 * * *"),
        ..Cron::default()
    }));
    let clockwork = Clockwork {
        schedule: Box::new(cron),
        ended: true,
        paused: true,
        occurrences: 12,
        next: Some(Timestamp(1_800_000_100_000)),
        future: 2,
        queued: 3,
        through: Some(Timestamp(1_800_000_090_000)),
    };
    let bond = Bond {
        parent: Some(TaskId(5)),
        depth: 3,
        children_total: 9,
        descendants_live: 4,
        depends_on: vec![TaskId(6), TaskId(7)],
        unmet: vec![TaskId(7)],
        first_children: vec![
            Child {
                task: TaskId(8),
                ended: 0,
            },
            Child {
                task: TaskId(9),
                ended: 3,
            },
        ],
        ..Bond::default()
    };
    Rare {
        ended_at: Some(Timestamp(1_800_000_000_012)),
        clockwork: Some(Box::new(clockwork)),
        bond: Some(Box::new(bond)),
        budgets: vec![Budget::default(), budget()],
        subscriptions: vec![Subscription {
            id: SubscriptionId(77),
            filter: Box::new(Filter::RunStateChanged(TaskId(5), RunState::Failed)),
            canceled: true,
            triggered: 3,
            pending: 2,
        }],
        ..Rare::default()
    }
}

fn budget() -> Budget {
    Budget {
        dimension: text("token"),
        limit: 1000,
        reserve: 10,
        consumed: 300,
        reserved: 20,
        before: 4000,
        fired: vec![25, 80],
        told: true,
    }
}

fn amounts() -> Vec<Amount> {
    vec![Amount {
        dimension: text("token"),
        amount: 30,
    }]
}

fn tied_state() -> State {
    let mut state = State::new(0);
    let kind = state.names.intern(&text("mail.send"));
    let queue = state.names.intern(&text("mail"));
    state.places.number(0, queue, kind);
    assert_eq!(state.person(&text("ann")).0, Symbol(1));
    let task = state.insert_task(task::Row {
        rare: tied().boxed(),
        ..plain_task(1)
    });
    let budget = SuspendRequest {
        budget: true,
        ..SuspendRequest::default()
    };
    let held = Active {
        suspend: Some(Box::new(budget)),
        idle: true,
        started_at: Some(Timestamp(1_800_000_000_013)),
        consumption: amounts(),
        reserved: amounts(),
        reserved_of_tenant: amounts(),
        ..active()
    };
    let used = Attempt {
        consumption: amounts(),
        ..Attempt::default()
    };
    let past = Past {
        attempts: VecDeque::from([used]),
        hold: Hold::Children,
        origin: Origin::AdHoc,
        occurrence: Some(Timestamp(1_800_000_100_000)),
        ..past()
    };
    state.insert_run(run::Row {
        task,
        active: Some(Box::new(held)),
        past: Some(Box::new(past)),
        ..plain_run(2, RunState::Leased)
    });
    let (of, number) = (state.runs[0].task, state.runs[0].number);
    state.link_run(of, 0, number);
    let row = QueueRow {
        config: QueueConfig {
            concurrency_limit: Some(3),
            rate_limit: Some(RateLimit {
                per_ms: 1000,
                max: 10,
            }),
            weight: Some(7),
        },
        switch: Switch {
            paused: true,
            since: Timestamp(1_800_000_000_010),
            by: text("ann"),
            reason: Some(text("night")),
        },
        held: 0,
        arrival_us: 44_000_000,
    };
    queue::restore(&mut state, 0, queue, row);
    let tenant = &mut state.tenant_rows[0];
    (tenant.name, tenant.weight) = (text("acme"), 9);
    tenant.budgets = vec![budget_of_tenant()];
    state
}

fn budget_of_tenant() -> Budget {
    Budget {
        dimension: text("cost_cents"),
        ..budget()
    }
}

/// One field per piece: 1 tasks, 2 runs, 3 queues, 4 tenants.
fn tied_text(state: &State) -> Vec<u8> {
    let (mut task, mut run) = (Vec::new(), Vec::new());
    image::put_task(state, &state.tasks[0], &mut task);
    image::put_run(state, &state.runs[0], &mut run);
    let (mut queue, mut tenant) = (Vec::new(), Vec::new());
    let (_, row) = state.queues.rows().next().unwrap();
    image::put_queue(row, &mut queue);
    image::put_tenant(&state.tenant_rows[0], &mut tenant);
    let mut out = Vec::new();
    for (number, image) in (1..).zip([task, run, queue, tenant]) {
        put_bytes(&mut out, number, &image);
    }
    out
}

#[test]
fn the_golden_images_of_ties_are_read_and_written_as_ever() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/image_v2.bin");
    let today = tied_text(&tied_state());
    if !path.exists() && std::env::var_os("MAINSTAY_BLESS_NEW").is_some() {
        std::fs::write(&path, &today).unwrap();
    }
    let golden = std::fs::read(&path).expect("a golden file is never removed");
    assert!(today == golden, "today's writer writes the same bytes");
    let [task, run, queue, tenant] = pieces(&golden).map(|piece| piece[0].clone());
    let mut loader = Loader::of_facts(0);
    loader.add_place(&PlaceRow {
        place: 0,
        tenant: TenantId::DEFAULT,
        queue: text("mail"),
        kind: text("mail.send"),
        counts: [0; 9],
        dead_letters: 0,
    });
    let object = |class, image| ObjectRow {
        class,
        tenant: TenantId::DEFAULT,
        key: text("mail"),
        image,
    };
    let read = loader
        .task(&task)
        .and_then(|()| loader.run(&run))
        .and_then(|()| loader.object(&object(ObjectClass::Queue, queue)))
        .and_then(|()| loader.object(&object(ObjectClass::Tenant, tenant)));
    read.expect("what an earlier release wrote stays readable");
    assert!(
        tied_text(&loader.into_state()) == golden,
        "what was read is written again alike"
    );
}
