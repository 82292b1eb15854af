//! What every store does with cuts and look-ups.
//! Owns: the cases.
//! Never: knows which implementation it runs on.

use mainstay_core::{KeyClass, RunColumns, RunState, TaskColumns, TaskState, TenantId, Text};

use super::many::many;
use super::objects::objects;
use super::trail::trail;
use super::world::{Factory, LOG_ID, World, hand_over, load, spec, view, walk};
use crate::seam::{Store, StoreError};

/// Runs every case, each on a fresh factory.
///
/// # Panics
/// If the implementation breaks the contract.
pub fn all<F: Factory>(mut make: impl FnMut() -> F) {
    an_empty_store_holds_nothing(&mut make());
    cuts_out_of_order_are_refused(&mut make());
    nothing_is_seen_before_its_log_is_durable(&mut make());
    the_checkpoint_outlives_the_store(&mut make());
    live_rows_make_the_same_machine(&mut make());
    several_cuts_at_once_are_as_good_as_one_by_one(&mut make);
    finished_rows_are_found_by_their_ids(&mut make());
    rows_of_another_tenant_are_not_found(&mut make());
    a_run_that_comes_back_is_changed_in_place(&mut make());
    keys_are_found_by_tenant_class_and_text(&mut make());
    payloads_come_back(&mut make());
    a_reader_sees_the_last_commit(&mut make());
    a_visitor_that_refuses_ends_the_walk(&mut make());
    the_store_of_another_log_is_refused(&mut make());
    objects(&mut make);
    many(&mut make);
    trail(&mut make);
}

fn open<F: Factory>(factory: &mut F) -> F::Store {
    factory.open(LOG_ID).expect("the store opens")
}

fn an_empty_store_holds_nothing<F: Factory>(factory: &mut F) {
    let mut store = open(factory);
    assert_eq!(store.checkpoint(), 0);
    assert_eq!(store.durable(100), Ok(0));
    let mut reader = store.reader().expect("reader");
    let walked = walk(&mut *reader);
    assert_eq!((walked.base.sequence, walked.base.live_rows), (0, 0));
    assert_eq!(walked.base.log_id, LOG_ID);
    assert!(walked.base.meta.is_empty() && walked.base.places.is_empty());
    assert_eq!(reader.payload(1), Ok(None));
}

fn cuts_out_of_order_are_refused<F: Factory>(factory: &mut F) {
    let mut store = open(factory);
    let mut world = World::default();
    world.submit(spec("a", "q", 1));
    let first = world.cut();
    let last = first.through;
    let again = first.clone();
    store.put(first).expect("put");
    let given = again.through;
    assert_eq!(
        store.put(again.clone()),
        Err(StoreError::OutOfOrder { last, given })
    );
    assert_eq!(store.durable(last), Ok(last));
    assert_eq!(
        store.put(again),
        Err(StoreError::OutOfOrder { last, given })
    );
    world.submit(spec("a", "q", 1));
    assert_eq!(
        world.store(&mut store),
        store.checkpoint(),
        "the next one is taken"
    );
}

fn nothing_is_seen_before_its_log_is_durable<F: Factory>(factory: &mut F) {
    let mut store = open(factory);
    let mut world = World::default();
    let first = world.submit(spec("a", "q", 1));
    let one = world.cut();
    let second = world.submit(spec("b", "q", 100));
    let two = world.cut();
    let (at_one, at_two) = (one.through, two.through);
    store.put(one).expect("put");
    store.put(two).expect("put");
    let mut reader = store.reader().expect("reader");
    assert_eq!(reader.base().expect("base").sequence, 0);
    assert_eq!(reader.task(TenantId::DEFAULT, first.task), Ok(None));
    assert_eq!(store.durable(at_one - 1), Ok(0), "a cut is not split");
    assert_eq!(store.durable(at_two - 1), Ok(at_one));
    assert!(
        reader
            .task(TenantId::DEFAULT, first.task)
            .expect("look")
            .is_some()
    );
    assert_eq!(reader.task(TenantId::DEFAULT, second.task), Ok(None));
    assert_eq!(walk(&mut *reader).work(), 2);
    assert_eq!(store.durable(at_two + 10), Ok(at_two));
    assert!(
        reader
            .task(TenantId::DEFAULT, second.task)
            .expect("look")
            .is_some()
    );
    assert_eq!(walk(&mut *reader).work(), 4);
}

fn the_checkpoint_outlives_the_store<F: Factory>(factory: &mut F) {
    let mut store = open(factory);
    let mut world = World::default();
    let kept = world.submit(spec("a", "q", 1));
    let at = world.store(&mut store);
    let before = walk(&mut *store.reader().expect("reader"));
    let lost = world.submit(spec("a", "q", 1));
    store.put(world.cut()).expect("put");
    drop(store);
    let mut store = open(factory);
    assert_eq!(store.checkpoint(), at);
    let mut reader = store.reader().expect("reader");
    assert_eq!(walk(&mut *reader), before);
    assert!(
        reader
            .task(TenantId::DEFAULT, kept.task)
            .expect("look")
            .is_some()
    );
    assert_eq!(reader.task(TenantId::DEFAULT, lost.task), Ok(None));
    assert_eq!(
        store.durable(u64::MAX),
        Ok(at),
        "what was not committed is gone"
    );
}

fn live_rows_make_the_same_machine<F: Factory>(factory: &mut F) {
    let mut store = open(factory);
    let mut world = World::default();
    for at in 0..50 {
        world.submit(spec("mail.send", ["q", "r"][at % 2], at * 10));
    }
    world.store(&mut store);
    let grants = world.claim("q", 20);
    for grant in &grants[..10] {
        world.complete(grant);
    }
    assert_eq!(world.fail(&grants[10], true), RunState::RetryWait);
    assert_eq!(world.fail(&grants[11], false), RunState::Failed);
    world.store(&mut store);
    let mut reader = store.reader().expect("reader");
    let walked = walk(&mut *reader);
    assert_eq!((walked.tasks.len(), walked.runs.len()), (39, 39));
    let numbers = |number: &dyn Fn(&[u8]) -> u64, images: &[Vec<u8>]| {
        let numbers: Vec<u64> = images.iter().map(|image| number(image)).collect();
        assert!(numbers.is_sorted(), "rows come in number order");
    };
    numbers(
        &|image| TaskColumns::read(image).expect("task").number,
        &walked.tasks,
    );
    numbers(
        &|image| RunColumns::read(image).expect("run").number,
        &walked.runs,
    );
    let loaded = load(&mut *reader);
    assert_eq!(loaded.verify(), Ok(()));
    assert_eq!(loaded.sequence(), world.machine.sequence());
    assert_eq!(loaded.digest(), world.machine.digest());
}

fn several_cuts_at_once_are_as_good_as_one_by_one<F: Factory>(make: &mut impl FnMut() -> F) {
    let mut ends = Vec::new();
    for together in [false, true] {
        let mut factory = make();
        let mut store = open(&mut factory);
        let mut world = World::default();
        let mut tasks = Vec::new();
        for round in 0..6 {
            for at in 0..20 {
                let mut spec = spec("mail.send", "q", at * 10);
                spec.extras_mut().idempotency_key = Some(Text::from(format!("key-{round}-{at}")));
                tasks.push(world.submit(spec));
            }
            for (at, grant) in world.claim("q", 15).iter().enumerate() {
                match at % 3 {
                    0 => world.complete(grant),
                    1 => world.fail(grant, false),
                    _ => world.fail(grant, true),
                };
            }
            let cut = world.cut();
            let through = cut.through;
            store.put(cut).expect("put");
            if !together {
                store.durable(through).expect("durable");
            }
        }
        store.durable(world.machine.sequence()).expect("durable");
        let mut reader = store.reader().expect("reader");
        let found: Vec<_> = tasks
            .iter()
            .map(|submitted| {
                reader
                    .task(TenantId::DEFAULT, submitted.task)
                    .expect("look")
            })
            .collect();
        assert!(found.iter().all(Option::is_some));
        ends.push((walk(&mut *reader), found));
    }
    assert!(ends[0] == ends[1]);
}

fn finished_rows_are_found_by_their_ids<F: Factory>(factory: &mut F) {
    let mut store = open(factory);
    let mut world = World::default();
    let at_once = world.run_through(spec("mail.send", "q", 10));
    world.store(&mut store);
    let later = world.submit(spec("mail.send", "q", 10));
    world.store(&mut store);
    let grants = world.claim("q", 1);
    assert_eq!(world.fail(&grants[0], false), RunState::Failed);
    world.store(&mut store);
    let mut reader = store.reader().expect("reader");
    let places = reader.base().expect("base").places;
    assert_eq!(places.len(), 1);
    let ended = [RunState::Completed as usize, RunState::Failed as usize];
    assert_eq!(ended.map(|state| places[0].counts[state]), [1, 1]);
    for (submitted, state) in [
        (&at_once, TaskState::Completed),
        (&later, TaskState::Failed),
    ] {
        let run = submitted.run.run;
        let found = reader
            .task(TenantId::DEFAULT, submitted.task)
            .expect("look");
        let found = found.expect("the task is stored");
        assert_eq!(found.runs.len(), 1);
        assert_eq!(view(&places, &found, submitted).state, state);
        assert_eq!(reader.run(TenantId::DEFAULT, run), Ok(Some(found)));
    }
    assert_eq!(walk(&mut *reader).work(), 0);
    let nobody = mainstay_core::TaskId(1);
    assert_eq!(reader.task(TenantId::DEFAULT, nobody), Ok(None));
}

fn rows_of_another_tenant_are_not_found<F: Factory>(factory: &mut F) {
    let mut store = open(factory);
    let mut world = World::default();
    let other = TenantId(7);
    let mine = world.submit(spec("a", "q", 1));
    let theirs = world.submit(spec("a", "theirs", 1));
    let mut cut = world.cut();
    hand_over(&mut cut, "theirs", other, &[]);
    let through = cut.through;
    store.put(cut).expect("put");
    store.durable(through).expect("durable");
    let mut reader = store.reader().expect("reader");
    for (tenant, own, foreign) in [(TenantId::DEFAULT, &mine, &theirs), (other, &theirs, &mine)] {
        assert!(reader.task(tenant, own.task).expect("look").is_some());
        assert!(reader.run(tenant, own.run.run).expect("look").is_some());
        assert_eq!(reader.task(tenant, foreign.task), Ok(None));
        assert_eq!(reader.run(tenant, foreign.run.run), Ok(None));
    }
    assert_eq!(
        reader.task(TenantId(8), mine.task),
        Ok(None),
        "a tenant without rows"
    );
    let places = reader.base().expect("base").places;
    assert_eq!(
        places.iter().map(|place| place.tenant).collect::<Vec<_>>(),
        [TenantId::DEFAULT, other]
    );
}

fn a_run_that_comes_back_is_changed_in_place<F: Factory>(factory: &mut F) {
    let mut store = open(factory);
    let mut world = World::default();
    let submitted = world.submit(spec("a", "q", 1));
    world.store(&mut store);
    let mut reader = store.reader().expect("reader");
    let before = reader
        .run(TenantId::DEFAULT, submitted.run.run)
        .expect("look");
    let grants = world.claim("q", 1);
    world.store(&mut store);
    let held = reader
        .run(TenantId::DEFAULT, submitted.run.run)
        .expect("look");
    assert_ne!(before, held);
    let run = held.expect("the run is stored").runs.remove(0);
    assert!(RunColumns::read(&run).expect("run").held.is_some());
    assert_eq!(world.fail(&grants[0], true), RunState::RetryWait);
    world.store(&mut store);
    assert_eq!(walk(&mut *reader).work(), 2);
    assert_eq!(load(&mut *reader).digest(), world.machine.digest());
}

fn keys_are_found_by_tenant_class_and_text<F: Factory>(factory: &mut F) {
    let mut store = open(factory);
    let mut world = World::default();
    let mut with_key = spec("a", "q", 1);
    with_key.extras_mut().idempotency_key = Some(Text::from("order-1"));
    let submitted = world.submit(with_key.clone());
    with_key.queue = Text::from("theirs");
    with_key.extras_mut().idempotency_key = Some(Text::from("order-2"));
    let theirs = world.submit(with_key);
    let mut cut = world.cut();
    hand_over(
        &mut cut,
        "theirs",
        TenantId(7),
        std::slice::from_ref(&theirs),
    );
    let (through, keys) = (cut.through, cut.keys.clone());
    assert_eq!(keys.len(), 2);
    store.put(cut).expect("put");
    store.durable(through).expect("durable");
    let mut reader = store.reader().expect("reader");
    for key in keys {
        let mine = key.tenant == TenantId::DEFAULT;
        let (text, task) = if mine {
            ("order-1", submitted.task)
        } else {
            ("order-2", theirs.task)
        };
        let found = reader
            .key(key.tenant, KeyClass::Submit, text)
            .expect("look");
        assert_eq!(key.task, Some(task));
        assert_eq!(found, Some(key));
    }
    assert_eq!(
        reader.key(TenantId::DEFAULT, KeyClass::Claim, "order-1"),
        Ok(None)
    );
    assert_eq!(
        reader.key(TenantId::DEFAULT, KeyClass::Submit, "order-2"),
        Ok(None)
    );
    assert_eq!(
        reader.key(TenantId(8), KeyClass::Submit, "order-1"),
        Ok(None)
    );
}

fn payloads_come_back<F: Factory>(factory: &mut F) {
    let mut store = open(factory);
    let mut world = World::default();
    let sizes = [1, 64, 65, 5000, 1 << 20];
    let tasks: Vec<_> = sizes
        .iter()
        .map(|size| world.submit(spec("a", "q", *size)))
        .collect();
    world.store(&mut store);
    world.claim("q", 2);
    world.store(&mut store);
    let mut reader = store.reader().expect("reader");
    for (submitted, size) in tasks.iter().zip(sizes) {
        let found = reader
            .task(TenantId::DEFAULT, submitted.task)
            .expect("look");
        let found = found.expect("the task is stored");
        let columns = TaskColumns::read(&found.task).expect("task");
        assert_eq!(columns.payload_bytes as usize, size);
        let payload = reader.payload(columns.number).expect("look");
        assert_eq!(payload.is_some(), columns.payload_stored);
        if let Some(payload) = payload {
            assert!(payload.len() == size && payload.iter().all(|byte| *byte == b'7'));
        }
    }
}

fn a_reader_sees_the_last_commit<F: Factory>(factory: &mut F) {
    let mut store = open(factory);
    let mut reader = store.reader().expect("reader");
    let mut world = World::default();
    for _ in 0..5 {
        world.run_through(spec("a", "q", 1));
        world.submit(spec("a", "r", 1));
        let at = world.store(&mut store);
        assert_eq!(reader.base().expect("base").sequence, at);
        assert_eq!(load(&mut *reader).digest(), world.machine.digest());
    }
}

fn a_visitor_that_refuses_ends_the_walk<F: Factory>(factory: &mut F) {
    let mut store = open(factory);
    let mut world = World::default();
    for _ in 0..10 {
        world.submit(spec("a", "q", 1));
    }
    world.store(&mut store);
    let mut seen = 0;
    let refused = store.reader().expect("reader").live(&mut |_| {
        seen += 1;
        if seen == 5 {
            Err(String::from("no more"))
        } else {
            Ok(())
        }
    });
    assert!(
        matches!(refused, Err(StoreError::Damaged(_))),
        "{refused:?}"
    );
    assert_eq!(seen, 5);
}

fn the_store_of_another_log_is_refused<F: Factory>(factory: &mut F) {
    let mut world = World::default();
    world.submit(spec("a", "q", 1));
    let mut store = open(factory);
    let at = world.store(&mut store);
    drop(store);
    assert!(
        factory
            .open("0192f5a0-0000-7000-8000-000000000002")
            .is_err()
    );
    assert_eq!(open(factory).checkpoint(), at, "a refusal changes nothing");
}
