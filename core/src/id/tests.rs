//! Tests of the id room.

use super::*;
use alloc::string::ToString;

#[test]
fn text_and_number_are_the_same_id() {
    let id: TaskId = "0192f7a1-5c3e-7b10-8a4d-0123456789ab".parse().unwrap();
    assert_eq!(id.to_string(), "0192f7a1-5c3e-7b10-8a4d-0123456789ab");
}

#[test]
fn nil_and_malformed_texts_are_refused() {
    for text in [
        "",
        "not-a-uuid",
        "00000000-0000-0000-0000-000000000000",
        "0192f7a15c3e7b108a4d0123456789ab",
        "0192f7a1-5c3e-7b10-8a4d-0123456789ag",
        "0192f7a1_5c3e-7b10-8a4d-0123456789ab",
    ] {
        assert_eq!(text.parse::<RunId>(), Err(ParseIdError), "{text}");
    }
}

#[test]
fn minted_ids_strictly_increase_whatever_the_clock_does() {
    let mut last = Minted::default();
    let mut previous = 0;
    for (round, ms) in [5, 5, 5, 9, 3, 9, 9, 10].into_iter().enumerate() {
        last = last.next(Timestamp(ms));
        let id = last.id(round as u64 * 77);
        assert!(id > previous);
        assert_eq!(Minted::of(id), last);
        assert_eq!(id >> 76 & 0xf, 7, "version 7");
        assert_eq!(id >> 62 & 0x3, 2, "the RFC's variant");
        previous = id;
    }
}

#[test]
fn a_full_counter_spills_into_the_next_millisecond() {
    let full = Minted {
        ms: 7,
        counter: (1 << COUNTER_BITS) - 1,
    };
    let next = full.next(Timestamp(7));
    assert_eq!(next, Minted { ms: 8, counter: 0 });
    assert!(next.id(0) > full.id(u64::MAX));
}

#[test]
fn attempts_of_a_run_have_different_ids() {
    let run = RunId(
        Minted {
            ms: 1_700_000_000_000,
            counter: 3,
        }
        .id(9),
    );
    assert_ne!(AttemptId::derive(run, 1), AttemptId::derive(run, 2));
    assert_eq!(AttemptId::derive(run, 1), AttemptId::derive(run, 1));
}
