//! What every store does with the audit trail: entries in order, chained, of one commit.
//! Owns: the cases.
//! Never: knows which implementation it runs on.

use mainstay_core::{AuditRow, Cut, TenantId, Text, Timestamp};

use super::world::{Factory, LOG_ID};
use crate::seam::{Keep, Retention, Store};
use crate::trail::{Trail, chain_entry};

/// Runs every case of the trail, each on a fresh factory.
///
/// # Panics
/// If the implementation breaks the contract.
pub(super) fn trail<F: Factory>(make: &mut impl FnMut() -> F) {
    entries_come_back_in_order(&mut make());
    entries_wait_for_their_log(&mut make());
    the_chain_goes_on_after_a_restart(&mut make());
    a_trail_that_is_not_whole_begins_anew(&mut make());
}

fn entry(sequence: u64) -> AuditRow {
    AuditRow {
        sequence,
        at: Timestamp(1_000 + sequence),
        tenant: TenantId(7 + u128::from(sequence % 2)),
        who: Text::from("ada"),
        what: Text::from("pause_queue"),
        target: sequence.is_multiple_of(3).then(|| Text::from("mail")),
        reason: sequence
            .is_multiple_of(2)
            .then(|| Text::from("a \"reason\"")),
        request_id: Some(Text::from(format!("r{sequence}"))),
    }
}

/// A cut after event `after` that holds nothing but so many entries of the trail.
#[must_use]
pub(crate) fn trail_cut(after: u64, entries: u64) -> Cut {
    Cut {
        through: after + entries,
        audit: (after + 1..=after + entries).map(entry).collect(),
        ..Cut::default()
    }
}

fn read(store: &impl Store, after: u64, limit: usize) -> Trail {
    let mut reader = store.reader().expect("reader");
    reader.trail(after, limit).expect("a trail")
}

/// Every entry is the one made, and the chain holds from one end to the other.
fn check(trail: &Trail, first: u64, last: u64) {
    let sequences: Vec<u64> = trail.rows.iter().map(|entry| entry.row.sequence).collect();
    assert_eq!(sequences, (first..=last).collect::<Vec<_>>());
    let mut hash = trail.extent.before;
    for found in &trail.rows {
        assert_eq!(found.row, entry(found.row.sequence));
        hash = chain_entry(&hash, &found.row);
        assert_eq!(found.hash, hash);
    }
    assert_eq!(trail.extent.head, hash);
}

fn entries_come_back_in_order<F: Factory>(factory: &mut F) {
    let mut store = factory.open(LOG_ID).expect("open");
    assert_eq!(read(&store, 0, 10), Trail::default());
    for (after, entries) in [(0, 3), (3, 0), (3, 4), (7, 1)] {
        if entries > 0 {
            store.put(trail_cut(after, entries)).expect("put");
        }
    }
    assert_eq!(store.durable(8), Ok(8));
    let trail = read(&store, 0, 100);
    check(&trail, 1, 8);
    assert_eq!((trail.extent.after, trail.checkpoint), (0, 8));
    let of = |after, limit| {
        let rows = read(&store, after, limit).rows;
        rows.iter()
            .map(|entry| entry.row.sequence)
            .collect::<Vec<_>>()
    };
    assert_eq!(of(2, 3), [3, 4, 5]);
    assert_eq!(of(8, 3), [] as [u64; 0]);
    assert_eq!(of(u64::MAX, 3), [] as [u64; 0]);
}

fn entries_wait_for_their_log<F: Factory>(factory: &mut F) {
    let mut store = factory.open(LOG_ID).expect("open");
    store.put(trail_cut(0, 3)).expect("put");
    store.put(trail_cut(3, 2)).expect("put");
    assert_eq!(store.durable(4), Ok(3));
    check(&read(&store, 0, 100), 1, 3);
}

fn the_chain_goes_on_after_a_restart<F: Factory>(factory: &mut F) {
    for after in [0, 5, 10] {
        let mut store = factory.open(LOG_ID).expect("open");
        store.put(trail_cut(after, 5)).expect("put");
        assert_eq!(store.durable(after + 5), Ok(after + 5));
        check(&read(&store, 0, 100), 1, after + 5);
    }
}

fn a_trail_that_is_not_whole_begins_anew<F: Factory>(factory: &mut F) {
    let mut store = factory.open(LOG_ID).expect("open");
    store
        .put(Cut {
            through: 20,
            audit_after: Some(20),
            ..Cut::default()
        })
        .expect("put");
    store.put(trail_cut(20, 3)).expect("put");
    assert_eq!(store.durable(23), Ok(23));
    let trail = read(&store, 0, 100);
    check(&trail, 21, 23);
    assert_eq!(trail.extent.after, 20);
}

/// Retention takes the oldest entries, and the chain of the others still holds.
pub(super) fn old_entries_go_and_the_chain_holds<F: Factory>(factory: &mut F) {
    let mut store = factory.open(LOG_ID).expect("open");
    store.put(trail_cut(0, 1200)).expect("put");
    assert_eq!(store.durable(1200), Ok(1200));
    let rule = Retention {
        default: Keep { age_ms: u64::MAX },
        queues: std::collections::BTreeMap::new(),
        audit: Keep { age_ms: 100 },
        bytes_max: u64::MAX,
    };
    let now = Timestamp(1_000 + 1_151 + 100);
    let mut steps = 0;
    while store.retain(now, &rule).expect("retain") {
        steps += 1;
        assert!(steps < 100, "it ends");
    }
    assert!(steps >= 2, "in bounded pieces: {steps}");
    let trail = read(&store, 0, 100);
    check(&trail, 1151, 1200);
    assert_eq!(trail.extent.after, 1150);
    let mut store = {
        drop(store);
        factory.open(LOG_ID).expect("open")
    };
    store.put(trail_cut(1200, 3)).expect("put");
    assert_eq!(store.durable(1203), Ok(1203));
    check(&read(&store, 0, 100), 1151, 1203);
}
