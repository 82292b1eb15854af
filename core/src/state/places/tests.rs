//! Tests of the numbering of places.

use alloc::vec::Vec;

use super::Places;
use crate::intern::Symbol;

const A: Symbol = Symbol(1);
const B: Symbol = Symbol(2);

#[test]
fn places_are_numbered_from_zero_in_the_order_of_their_first_naming() {
    let mut places = Places::new(9);
    assert_eq!(places.number(0, A, B), 0);
    assert_eq!(places.number(0, B, A), 1, "queue and kind are told apart");
    assert_eq!(places.number(1, A, B), 2, "and so are tenants");
    assert_eq!(places.number(0, A, B), 0);
    assert_eq!(places.len(), 3);
    let known: Vec<_> = places
        .iter()
        .map(|(at, place)| (at, place.tenant, place.queue, place.kind))
        .collect();
    assert_eq!(known, [(0, 0, A, B), (1, 0, B, A), (2, 1, A, B)]);
}

#[test]
fn the_seed_of_the_index_does_not_show_in_the_numbers() {
    let numbers = |seed| {
        let mut places = Places::new(seed);
        let named = (0..100).map(|at| places.number(at % 3, Symbol(at % 7), Symbol(at % 11)));
        named.collect::<Vec<u32>>()
    };
    assert_eq!(numbers(0), numbers(u64::MAX));
}

#[test]
fn a_place_is_cut_when_it_is_new_or_its_counts_changed_and_once() {
    let mut places = Places::new(0);
    places.number(0, A, A);
    places.number(0, B, B);
    assert_eq!(places.take_dirty(), [0, 1]);
    assert_eq!(places.take_dirty(), []);
    places.number(0, A, A);
    assert_eq!(places.take_dirty(), [], "naming it again changes nothing");
    places.count(1, 2, 1);
    places.count(1, 2, 1);
    places.count(1, 3, 1);
    places.count(1, 2, -1);
    assert_eq!(places.take_dirty(), [1]);
    assert_eq!(places[1].counts, [0, 0, 1, 1, 0, 0, 0, 0, 0]);
}

#[test]
fn restored_counts_are_not_a_change() {
    let mut places = Places::new(0);
    places.number(0, A, A);
    places.take_dirty();
    places.restore(0, [7; 9], 3);
    assert_eq!(places[0].counts, [7; 9]);
    assert_eq!(places.take_dirty(), []);
}
