//! What every store does with objects: queues and tenants that somebody set something on.
//! Owns: the cases.
//! Never: knows which implementation it runs on.

use mainstay_core::{Command, Cut, ObjectClass, ObjectRow, TenantId, Text};

use super::world::{Factory, LOG_ID, World, load, spec, walk};
use crate::seam::{Store, StoreError};

/// Runs every case of objects, each on a fresh factory.
///
/// # Panics
/// If the implementation breaks the contract.
pub(super) fn objects<F: Factory>(make: &mut impl FnMut() -> F) {
    tenants_come_back(&mut make());
    the_newest_object_of_a_name_counts(&mut make());
    objects_stand_in_the_order_of_their_names(&mut make());
    an_object_that_a_visitor_refuses_ends_the_walk(&mut make());
    an_object_that_is_gone_is_not_there(&mut make());
}

fn create(world: &mut World, name: &str) {
    world.step(Command::CreateTenant {
        tenant: None,
        name: Text::from(name),
    });
}

fn tenants_come_back<F: Factory>(factory: &mut F) {
    let mut store = factory.open(LOG_ID).expect("open");
    let mut world = World::default();
    create(&mut world, "acme");
    world.submit(spec("a", "q", 1));
    world.step(Command::WeighTenant { weight: 7 });
    world.store(&mut store);
    create(&mut world, "zeta");
    world.step(Command::WeighTenant { weight: 9 });
    world.store(&mut store);
    drop(store);
    let store = factory.open(LOG_ID).expect("open");
    let mut reader = store.reader().expect("reader");
    let walked = walk(&mut *reader);
    assert_eq!(walked.made().len(), 3, "two of them new, and the first");
    assert_eq!(walked.work(), 2);
    let loaded = load(&mut *reader);
    assert_eq!(loaded.verify(), Ok(()));
    assert_eq!(loaded.digest(), world.machine.digest());
}

fn object(class: ObjectClass, tenant: TenantId, key: &str, byte: u8) -> ObjectRow {
    ObjectRow {
        class,
        tenant,
        key: Text::from(key),
        image: vec![byte; usize::from(byte)],
    }
}

fn cut_of(through: u64, objects: Vec<ObjectRow>) -> Cut {
    Cut {
        through,
        objects,
        ..Cut::default()
    }
}

fn the_newest_object_of_a_name_counts<F: Factory>(factory: &mut F) {
    let mut store = factory.open(LOG_ID).expect("open");
    let mail = |byte| object(ObjectClass::Queue, TenantId::DEFAULT, "mail", byte);
    for (through, byte) in [(1, 3), (2, 5), (3, 9)] {
        store.put(cut_of(through, vec![mail(byte)])).expect("put");
        if through != 2 {
            assert_eq!(store.durable(through), Ok(through));
        }
    }
    let mut reader = store.reader().expect("reader");
    assert_eq!(walk(&mut *reader).objects, [mail(9)]);
}

fn objects_stand_in_the_order_of_their_names<F: Factory>(factory: &mut F) {
    let mut store = factory.open(LOG_ID).expect("open");
    let (queue, tenant) = (ObjectClass::Queue, ObjectClass::Tenant);
    let sorted = [
        object(queue, TenantId(2), "a", 1),
        object(queue, TenantId(2), "b", 2),
        object(queue, TenantId(0xa0), "a", 3),
        object(tenant, TenantId(1), "", 4),
        object(tenant, TenantId(2), "", 5),
    ];
    let order = [3, 1, 4, 0, 2];
    let mixed = order.map(|at: usize| sorted[at].clone());
    store.put(cut_of(5, mixed.to_vec())).expect("put");
    assert_eq!(store.durable(5), Ok(5));
    let mut reader = store.reader().expect("reader");
    assert_eq!(walk(&mut *reader).objects, sorted);
}

fn an_object_that_a_visitor_refuses_ends_the_walk<F: Factory>(factory: &mut F) {
    let mut store = factory.open(LOG_ID).expect("open");
    let objects = vec![object(ObjectClass::Queue, TenantId::DEFAULT, "mail", 3)];
    store.put(cut_of(1, objects)).expect("put");
    assert_eq!(store.durable(1), Ok(1));
    let mut seen = 0;
    let refused = store.reader().expect("reader").live(&mut |_| {
        seen += 1;
        if seen == 2 {
            Err(String::from("no"))
        } else {
            Ok(())
        }
    });
    assert!(
        matches!(refused, Err(StoreError::Damaged(_))),
        "{refused:?}"
    );
    assert_eq!(seen, 2);
}

fn an_object_that_is_gone_is_not_there<F: Factory>(factory: &mut F) {
    let mut store = factory.open(LOG_ID).expect("open");
    let mail = |byte| object(ObjectClass::Queue, TenantId::DEFAULT, "mail", byte);
    let other = object(ObjectClass::Queue, TenantId::DEFAULT, "other", 4);
    // Gone before any store had it, gone in the cut after, and back again.
    let cuts = [
        vec![mail(0), other.clone()],
        vec![mail(3)],
        vec![mail(0)],
        vec![mail(7)],
        vec![mail(0)],
    ];
    for (at, objects) in cuts.into_iter().enumerate() {
        let through = at as u64 + 1;
        store.put(cut_of(through, objects)).expect("put");
        if through != 2 {
            assert_eq!(store.durable(through), Ok(through));
        }
    }
    drop(store);
    let store = factory.open(LOG_ID).expect("open");
    let mut reader = store.reader().expect("reader");
    let walked = walk(&mut *reader);
    assert_eq!(walked.made(), [&other]);
    assert_eq!(walked.base.live_rows, 1);
}
