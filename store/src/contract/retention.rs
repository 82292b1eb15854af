//! What retention removes and what it leaves.
//! Owns: the cases.
//! Never: knows which implementation it runs on.

use std::collections::BTreeMap;

use mainstay_core::{
    Cut, CutRow, KeyClass, RowKind, Submitted, TaskColumns, TenantId, Text, Timestamp,
};

use super::many::repeat;
use super::trail::old_entries_go_and_the_chain_holds;
use super::world::{Factory, LOG_ID, World, load, spec};
use crate::seam::{Keep, Reader, Retention, Store};

const DAY_MS: u64 = 86_400_000;

/// Runs every case of retention, each on a fresh factory.
///
/// # Panics
/// If the implementation breaks the contract.
pub fn retention<F: Factory>(mut make: impl FnMut() -> F) {
    old_work_goes_by_the_rule_of_its_queue(&mut make());
    too_large_a_store_loses_its_oldest_finished_work(&mut make());
    a_step_is_bounded(&mut make());
    old_entries_go_and_the_chain_holds(&mut make());
    keys_go_when_nobody_holds_them(&mut make());
    a_key_and_its_task_stay_a_day_after_the_end(&mut make());
    what_a_reader_holds_outlives_retention(&mut make());
    a_task_goes_with_all_its_runs_and_by_its_own_end(&mut make());
    runs_of_a_live_task_stay(&mut make());
    old_runs_of_a_schedule_that_goes_on_go(&mut make());
}

fn rule(default_ms: u64) -> Retention {
    Retention {
        default: Keep { age_ms: default_ms },
        queues: BTreeMap::new(),
        audit: Keep { age_ms: u64::MAX },
        bytes_max: u64::MAX,
    }
}

fn retain_all(store: &mut impl Store, now: u64, rule: &Retention) -> u32 {
    for steps in 1..10_000 {
        if !store.retain(Timestamp(now), rule).expect("retain") {
            return steps;
        }
    }
    panic!("retention does not come to an end");
}

fn is_there(reader: &mut dyn Reader, submitted: &Submitted) -> bool {
    let task = reader
        .task(TenantId::DEFAULT, submitted.task)
        .expect("look");
    let run = reader
        .run(TenantId::DEFAULT, submitted.run.run)
        .expect("look");
    assert_eq!(task.is_some(), run.is_some(), "a task goes with its run");
    task.is_some()
}

fn old_work_goes_by_the_rule_of_its_queue<F: Factory>(factory: &mut F) {
    let mut store = factory.open(LOG_ID).expect("open");
    let mut world = World::default();
    let mut tagged = spec("a", "short", 500);
    tagged.extras_mut().tags = vec![Text::from("nightly")];
    let old_short = world.run_through(tagged);
    let old_long = world.run_through(spec("a", "long", 10));
    let mut urgent = spec("a", "short", 10);
    urgent.priority = 5;
    let urgent = world.run_through(urgent);
    let live = world.submit(spec("a", "live", 10));
    world.submit(spec("a", "slow", 10));
    world.wall += 3 * DAY_MS;
    // Made long ago, ended now: its age counts from its end. The lease outlives the case.
    let slow = world.claim("slow", 1);
    world.complete(&slow[0]);
    let new_short = world.run_through(spec("a", "short", 10));
    world.store(&mut store);
    let mut reader = store.reader().expect("reader");
    let found = reader
        .task(TenantId::DEFAULT, old_short.task)
        .expect("look")
        .expect("stored");
    let number = TaskColumns::read(&found.task).expect("task").number;
    assert!(reader.payload(number).expect("look").is_some());
    let before = reader.base().expect("base");
    let mut rule = rule(DAY_MS);
    rule.queues.insert(
        Text::from("long"),
        Keep {
            age_ms: 30 * DAY_MS,
        },
    );
    retain_all(&mut store, world.wall, &rule);
    assert!(!is_there(&mut *reader, &old_short) && !is_there(&mut *reader, &urgent));
    assert_eq!(reader.payload(number), Ok(None));
    assert!(is_there(&mut *reader, &old_long) && is_there(&mut *reader, &new_short));
    assert!(is_there(&mut *reader, &live));
    let slow = reader.run(TenantId::DEFAULT, slow[0].run).expect("look");
    assert!(slow.is_some(), "it ended just now");
    assert_eq!(reader.base(), Ok(before), "counts of a place are for life");
    assert_eq!(load(&mut *reader).digest(), world.machine.digest());
    retain_all(&mut store, world.wall + 31 * DAY_MS, &rule);
    assert!(!is_there(&mut *reader, &old_long) && !is_there(&mut *reader, &new_short));
    assert!(is_there(&mut *reader, &live), "live work never goes");
}

fn too_large_a_store_loses_its_oldest_finished_work<F: Factory>(factory: &mut F) {
    let mut store = factory.open(LOG_ID).expect("open");
    let mut world = World::default();
    let live = world.submit(spec("a", "live", 10));
    let finished: Vec<_> = (0..300)
        .map(|_| world.run_through(spec("a", "q", 4000)))
        .collect();
    world.store(&mut store);
    let mut reader = store.reader().expect("reader");
    let mut rule = rule(u64::MAX);
    retain_all(&mut store, world.wall, &rule);
    assert!(
        finished
            .iter()
            .all(|submitted| is_there(&mut *reader, submitted))
    );
    rule.bytes_max = 1;
    assert!(retain_all(&mut store, world.wall, &rule) > 1);
    assert!(
        !finished
            .iter()
            .any(|submitted| is_there(&mut *reader, submitted))
    );
    assert!(is_there(&mut *reader, &live));
    assert_eq!(load(&mut *reader).digest(), world.machine.digest());
}

fn a_step_is_bounded<F: Factory>(factory: &mut F) {
    let mut store = factory.open(LOG_ID).expect("open");
    let mut world = World::default();
    let finished: Vec<_> = (0..1000)
        .map(|_| world.run_through(spec("a", "q", 1)))
        .collect();
    world.store(&mut store);
    let mut reader = store.reader().expect("reader");
    assert_eq!(
        store.retain(Timestamp(world.wall + DAY_MS), &rule(1)),
        Ok(true)
    );
    let left = finished
        .iter()
        .filter(|submitted| is_there(&mut *reader, submitted))
        .count();
    assert!(
        (500..1000).contains(&left),
        "{left} are left after one step"
    );
    retain_all(&mut store, world.wall + DAY_MS, &rule(1));
    assert!(
        !finished
            .iter()
            .any(|submitted| is_there(&mut *reader, submitted))
    );
}

fn keys_go_when_nobody_holds_them<F: Factory>(factory: &mut F) {
    let mut store = factory.open(LOG_ID).expect("open");
    let mut world = World::default();
    for (key, queue) in [("done", "q"), ("live", "r")] {
        let mut spec = spec("a", queue, 1);
        spec.extras_mut().idempotency_key = Some(Text::from(key));
        world.submit(spec);
    }
    let grants = world.claim("q", 1);
    world.complete(&grants[0]);
    world.store(&mut store);
    let mut reader = store.reader().expect("reader");
    let mut is_held = |key: &str| {
        let found = reader
            .key(TenantId::DEFAULT, KeyClass::Submit, key)
            .expect("look");
        found.map(|row| row.until)
    };
    let until = is_held("done").expect("held");
    let rule = rule(u64::MAX);
    retain_all(&mut store, until.0, &rule);
    assert!(is_held("done").is_some() && is_held("live").is_some());
    retain_all(&mut store, until.0 + DAY_MS, &rule);
    assert!(is_held("done").is_none(), "it ran out");
    assert!(is_held("live").is_some(), "its task is live");
}

fn a_key_and_its_task_stay_a_day_after_the_end<F: Factory>(factory: &mut F) {
    let mut store = factory.open(LOG_ID).expect("open");
    let mut world = World::default();
    let mut keyed = spec("a", "q", 1);
    keyed.extras_mut().idempotency_key = Some(Text::from("k"));
    let keyed = world.submit(keyed);
    // It ends long after its key's first day.
    world.wall += 2 * DAY_MS;
    let grants = world.claim("q", 1);
    world.complete(&grants[0]);
    let ended = world.wall;
    let plain = world.run_through(spec("a", "q", 1));
    world.store(&mut store);
    let mut reader = store.reader().expect("reader");
    let mut is_held = || {
        let found = reader.key(TenantId::DEFAULT, KeyClass::Submit, "k");
        let task = reader.task(TenantId::DEFAULT, keyed.task).expect("look");
        assert_eq!(task.is_some(), found.as_ref().is_ok_and(Option::is_some));
        found.expect("look").is_some()
    };
    let mut greedy = rule(1);
    greedy.bytes_max = 1;
    retain_all(&mut store, ended + DAY_MS - 1, &greedy);
    assert!(is_held(), "it holds for a day after the end of its task");
    retain_all(&mut store, ended + DAY_MS + 1, &greedy);
    assert!(!is_held(), "it ran out");
    assert!(!is_there(&mut *reader, &plain));
}

fn what_a_reader_holds_outlives_retention<F: Factory>(factory: &mut F) {
    let mut store = factory.open(LOG_ID).expect("open");
    let mut world = World::default();
    let live = world.submit(spec("a", "q", 4000));
    let begun = world.store(&mut store);
    let mut reader = store.reader().expect("reader");
    let found = reader
        .task(TenantId::DEFAULT, live.task)
        .expect("look")
        .expect("stored");
    let number = TaskColumns::read(&found.task).expect("task").number;
    assert_eq!(reader.hold(begun), Ok(true));
    let grants = world.claim("q", 1);
    world.complete(&grants[0]);
    let ended = world.store(&mut store);
    retain_all(&mut store, world.wall + DAY_MS, &rule(1));
    let payload = reader.payload(number).expect("look");
    assert!(payload.is_some(), "it was live when the reader began");
    reader.let_go();
    assert_eq!(reader.payload(number), Ok(None));
    assert!(!is_there(&mut *reader, &live));
    assert_eq!(reader.hold(begun), Ok(false));
    assert_eq!(reader.hold(ended), Ok(true));
    reader.let_go();
}

fn a_task_goes_with_all_its_runs_and_by_its_own_end<F: Factory>(factory: &mut F) {
    let mut store = factory.open(LOG_ID).expect("open");
    let mut world = World::default();
    let long = world.submit(repeat("long", 1200));
    let short = world.submit(repeat("short", 3));
    for grant in world.claim("short", 3) {
        world.complete(&grant);
    }
    let first = world.claim("long", 600);
    assert!(first.len() > 500, "more than a step looks at");
    for grant in &first {
        world.complete(grant);
    }
    world.store(&mut store);
    // Most of its runs ended long ago, the last of them just now.
    world.wall += 3 * DAY_MS;
    loop {
        let grants = world.claim("long", 1000);
        if grants.is_empty() {
            break;
        }
        for grant in &grants {
            world.complete(grant);
        }
    }
    world.store(&mut store);
    let mut reader = store.reader().expect("reader");
    retain_all(&mut store, world.wall, &rule(DAY_MS));
    assert!(!is_there(&mut *reader, &short));
    assert!(is_there(&mut *reader, &long), "it ended just now");
    let found = reader.task(TenantId::DEFAULT, long.task);
    assert_eq!(found.expect("look").expect("stored").runs.len(), 1000);
    retain_all(&mut store, world.wall + 2 * DAY_MS, &rule(DAY_MS));
    assert!(!is_there(&mut *reader, &long));
    assert_eq!(load(&mut *reader).digest(), world.machine.digest());
}

fn runs_of_a_live_task_stay<F: Factory>(factory: &mut F) {
    let mut store = factory.open(LOG_ID).expect("open");
    let mut world = World::default();
    let task = world.submit(repeat("q", 10)).task;
    for grant in world.claim("q", 9) {
        world.complete(&grant);
    }
    world.store(&mut store);
    let mut greedy = rule(1);
    greedy.bytes_max = 1;
    retain_all(&mut store, world.wall + 30 * DAY_MS, &greedy);
    let mut reader = store.reader().expect("reader");
    let found = reader.task(TenantId::DEFAULT, task).expect("look");
    assert_eq!(found.expect("stored").runs.len(), 10);
}

/// A cut whose only task has a schedule that goes on.
fn going_on(mut cut: Cut) -> Cut {
    // Field 22, the phase, with its first bit: of two fields with one number the last counts.
    const GOES_ON: [u8; 3] = [0xb0, 0x01, 0x01];
    let is_task = |row: &&mut CutRow| row.kind == RowKind::Task;
    let row = cut.rows.iter_mut().find(is_task).expect("a task");
    let image = [&cut.images[row.range.clone()], &GOES_ON].concat();
    row.range = cut.images.len()..cut.images.len() + image.len();
    cut.images.extend(image);
    cut
}

fn old_runs_of_a_schedule_that_goes_on_go<F: Factory>(factory: &mut F) {
    let mut store = factory.open(LOG_ID).expect("open");
    let mut world = World::default();
    let task = world.submit(repeat("q", 900)).task;
    for grant in world.claim("q", 600) {
        world.complete(&grant);
    }
    world.wall += 3 * DAY_MS;
    for grant in world.claim("q", 5) {
        world.complete(&grant);
    }
    let cut = going_on(world.cut());
    let through = cut.through;
    store.put(cut).expect("put");
    assert_eq!(store.durable(through), Ok(through));
    let mut reader = store.reader().expect("reader");
    let before = reader.base().expect("base");
    assert!(retain_all(&mut store, world.wall, &rule(DAY_MS)) > 1);
    let found = reader.task(TenantId::DEFAULT, task).expect("look");
    let found = found.expect("stored");
    assert_eq!(
        found.runs.len(),
        300,
        "those that ended lately or not at all"
    );
    let columns = TaskColumns::read(&found.task).expect("task");
    assert_eq!((columns.runs_total, columns.runs_completed), (900, 605));
    assert_eq!(reader.base(), Ok(before));
    assert_eq!(load(&mut *reader).digest(), world.machine.digest());
}
