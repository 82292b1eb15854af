//! Tests of the run room.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::retry::delay_ms;
use super::{AttemptResult, Cause, State, TRANSITIONS};
use crate::RunId;
use crate::task::{Jitter, Retry, Strategy as Backoff};

fn retry(strategy: Backoff, initial_ms: u64, multiplier_milli: u32, max_ms: u64) -> Retry {
    Retry {
        strategy,
        initial_ms,
        multiplier_milli,
        max_ms,
        jitter: Jitter::None,
        non_retryable: Vec::new(),
    }
}

#[test]
fn the_delay_is_multiplied_after_each_failure_up_to_its_maximum() {
    let policy = retry(Backoff::Exponential, 1000, 2000, 300_000);
    let delays: Vec<u64> = (1..=11).map(|n| delay_ms(&policy, RunId(1), n)).collect();
    assert_eq!(
        delays,
        [
            1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000
        ]
    );
    let slow = retry(Backoff::Exponential, 10, 1001, 1000);
    assert_eq!(
        delay_ms(&slow, RunId(1), 101),
        11,
        "fractions are kept on the way"
    );
}

#[test]
fn the_largest_policy_does_not_overflow() {
    for multiplier in [1000, 1001, 1_000_000, u32::MAX] {
        for failures in [1, 2, 999, 1000, u32::MAX] {
            let policy = retry(Backoff::Exponential, u64::MAX, multiplier, u64::MAX);
            assert_eq!(delay_ms(&policy, RunId(1), failures.min(1000)), u64::MAX);
            let nothing = retry(Backoff::Exponential, 0, multiplier, u64::MAX);
            assert_eq!(delay_ms(&nothing, RunId(1), failures.min(1000)), 0);
        }
    }
}

#[test]
fn jitter_spreads_over_the_whole_delay() {
    let mut policy = retry(Backoff::Fixed, 999, 1000, 10_000);
    policy.jitter = Jitter::Full;
    let mut tenths = [0u32; 10];
    for run in 0..10_000u128 {
        tenths[(delay_ms(&policy, RunId(run << 40), 1) / 100) as usize] += 1;
    }
    assert!(
        tenths.iter().all(|count| (800..1200).contains(count)),
        "{tenths:?}"
    );
}

#[test]
fn the_transition_table_is_the_contract() {
    use State::{
        Canceled, Completed, Failed, Leased, Ready, RetryWait, Running, Scheduled, Suspended,
    };
    let mut edges: BTreeSet<(State, State)> = [
        (Scheduled, Ready),
        (Ready, Leased),
        (Leased, Running),
        (Leased, Ready),
        (Running, Completed),
        (Running, Failed),
        (Running, RetryWait),
        (Running, Suspended),
        (RetryWait, Ready),
        (RetryWait, Failed),
        (Suspended, Ready),
    ]
    .into();
    for from in [Scheduled, Ready, Leased, Running, RetryWait, Suspended] {
        edges.insert((from, Canceled));
    }
    let table: BTreeSet<(State, State)> = TRANSITIONS.iter().copied().collect();
    assert_eq!(table, edges);
    assert_eq!(TRANSITIONS.len(), table.len(), "no edge is listed twice");
    for from in State::ALL {
        for to in State::ALL {
            assert_eq!(from.may_become(*to), edges.contains(&(*from, *to)));
        }
        let ends = State::ALL.iter().all(|to| !from.may_become(*to));
        assert_eq!(from.is_terminal(), ends, "terminal is final");
    }
}

#[test]
fn codes_and_names_find_their_values() {
    for (code, state) in State::ALL.iter().enumerate() {
        assert_eq!(*state as usize, code);
        assert_eq!(State::from_code(code as u64), Some(*state));
        assert_eq!(State::from_name(state.name()), Some(*state));
    }
    for (code, result) in AttemptResult::ALL.iter().enumerate() {
        assert_eq!(AttemptResult::from_code(code as u64), Some(*result));
        assert_eq!(AttemptResult::from_name(result.name()), Some(*result));
    }
    for (code, cause) in Cause::ALL.iter().enumerate() {
        assert_eq!(Cause::from_code(code as u64), Some(*cause));
        assert_eq!(Cause::from_name(cause.name()), Some(*cause));
    }
    assert_eq!(State::from_code(9), None);
    assert_eq!(State::from_name("Canceled"), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_delay_stays_within_its_policy(
        run in any::<u128>(),
        failures in 1..1000u32,
        initial in 0..10_000_000u64,
        multiplier in 1000..1_000_000u32,
        max in 0..100_000_000u64,
        fixed in any::<bool>(),
    ) {
        let strategy = if fixed { Backoff::Fixed } else { Backoff::Exponential };
        let mut policy = retry(strategy, initial, multiplier, max);
        let plain = delay_ms(&policy, RunId(run), failures);
        prop_assert!(plain <= max && plain >= initial.min(max));
        prop_assert!(plain <= delay_ms(&policy, RunId(run), failures + 1));
        policy.jitter = Jitter::Full;
        let spread = delay_ms(&policy, RunId(run), failures);
        prop_assert!(spread <= plain);
        prop_assert_eq!(spread, delay_ms(&policy, RunId(run), failures), "deterministic");
    }
}
