//! Tests of the dense table.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::{CHUNK, Slab};

#[test]
fn handles_count_up_and_are_used_again_only_after_their_row_left() {
    let mut slab = Slab::default();
    let handles: Vec<u32> = (0..5).map(|row| slab.insert(row)).collect();
    assert_eq!(handles, [0, 1, 2, 3, 4]);
    assert_eq!(slab.remove(1), Some(1));
    assert_eq!(slab.remove(1), None, "it has left already");
    assert_eq!(slab.remove(99), None, "it never was");
    assert_eq!((slab.len(), slab.get(1)), (4, None));
    assert_eq!(slab.insert(10), 1);
    assert_eq!(slab.insert(11), 5);
    assert_eq!(slab[1], 10);
}

#[test]
fn a_table_grows_over_the_borders_of_its_chunks_and_nothing_moves() {
    let mut slab = Slab::default();
    let rows = CHUNK * 2 + 2;
    for row in 0..rows {
        assert_eq!(slab.insert(row) as usize, row);
    }
    let early: *const usize = &slab[CHUNK as u32];
    for row in rows..CHUNK * 4 {
        slab.insert(row);
    }
    assert_eq!(early, &raw const slab[CHUNK as u32]);
    for at in [0, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 4 * CHUNK - 1] {
        assert_eq!(slab[at as u32], at);
        slab[at as u32] += 1;
        assert_eq!(slab.remove(at as u32), Some(at + 1));
    }
    assert_eq!(slab.len(), 4 * CHUNK - 6);
}

#[test]
fn rows_are_walked_in_the_order_of_their_handles() {
    let mut slab = Slab::default();
    (0..2 * CHUNK).for_each(|row| {
        slab.insert(row);
    });
    slab.remove(7);
    slab.remove(CHUNK as u32);
    assert_eq!(slab.insert(usize::MAX), CHUNK as u32, "the last one left");
    let handles: Vec<u32> = slab.iter().map(|(handle, _)| handle).collect();
    assert!(handles.is_sorted());
    assert_eq!(handles.len(), 2 * CHUNK - 1);
    assert!(!handles.contains(&7));
    let (_, row) = slab.iter().nth(CHUNK - 1).unwrap();
    assert_eq!(*row, usize::MAX);
}

#[test]
fn the_row_made_last_is_known_until_it_leaves() {
    let mut slab = Slab::default();
    assert_eq!(slab.last(), None);
    slab.insert('a');
    let last = slab.insert('b');
    assert_eq!(slab.last(), Some((last, &'b')));
    slab.remove(last);
    assert_eq!(slab.last(), None);
    assert_eq!(slab.insert('c'), last);
    assert_eq!(slab.last(), Some((last, &'c')));
}

#[test]
#[should_panic(expected = "a handle in use has a row")]
fn a_handle_whose_row_left_is_not_read() {
    let mut slab = Slab::default();
    let handle = slab.insert(1);
    slab.remove(handle);
    let _ = slab[handle];
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_table_is_a_map_whose_keys_it_chooses(deeds in proptest::collection::vec(prop_oneof![Just(None), (0..40u32).prop_map(Some)], 0..200)) {
        let (mut slab, mut map) = (Slab::default(), BTreeMap::new());
        for (row, deed) in deeds.into_iter().enumerate() {
            match deed {
                None => {
                    let handle = slab.insert(row);
                    prop_assert!(map.insert(handle, row).is_none(), "a handle in use was given out");
                }
                Some(handle) => prop_assert_eq!(slab.remove(handle), map.remove(&handle)),
            }
            prop_assert_eq!(slab.len(), map.len());
        }
        let rows: Vec<(u32, usize)> = slab.iter().map(|(handle, row)| (handle, *row)).collect();
        prop_assert_eq!(rows, map.into_iter().collect::<Vec<_>>());
    }
}
