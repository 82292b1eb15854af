//! Properties: random lives of a machine beside a naive model, with late, repeated and stray words, jumps of time and restarts.

use std::collections::BTreeSet;

use mainstay_core::EventKind;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

mod naive;
mod shelf;

use naive::{BondLife, Life, acts, bond_acts};

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 192,
        failure_persistence: None,
        max_shrink_iters: 4000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_random_life_keeps_every_law(acts in acts()) {
        Life::new().live(&acts);
    }

    #[test]
    fn bonded_tasks_are_what_the_naive_model_says(acts in bond_acts()) {
        BondLife::new().live(&acts);
    }
}

/// The same of lives of bonded tasks.
#[test]
fn lives_of_bonded_tasks_meet_every_state_and_refusal() {
    let mut runner = TestRunner::deterministic();
    let mut seen = BTreeSet::new();
    for _ in 0..64 {
        let acts = bond_acts().new_tree(&mut runner).unwrap().current();
        seen.extend(BondLife::new().live(&acts));
    }
    let wanted = "active waiting_for_children completed failed canceled parent_terminal dependency_cycle task_already_started";
    let wanted = wanted.split(' ').chain(["held back by a budget"]);
    let missed: Vec<&str> = wanted.filter(|name| !seen.contains(name)).collect();
    assert!(missed.is_empty(), "never met: {missed:?}");
}

/// A law that no life ever comes near is not tested.
#[test]
fn random_lives_meet_every_event_and_the_refusals_that_matter() {
    let mut runner = TestRunner::deterministic();
    let mut seen = BTreeSet::new();
    for _ in 0..64 {
        let acts = acts().new_tree(&mut runner).unwrap().current();
        seen.extend(Life::new().live(&acts));
    }
    // These lives are those of plain tasks; every other kind of event has stories, and lives of its own room.
    let plain = EventKind::ALL
        .iter()
        .filter(|kind| **kind <= EventKind::ClockAdopted);
    let events = plain.map(|kind| kind.name());
    let causes = "cancel force expired worker task_cancel attempts_exhausted not_retryable worker_lost outcome_unknown";
    let refusals = "lease_lost already_finished checkpoint_conflict idempotency_conflict task_already_exists \
        run_suspend_requires_running run_resume_requires_suspended engine_already_paused engine_not_paused \
        invalid_request unknown_run";
    // What the shelf was needed for.
    let left = "left; reloaded; from a snapshot; granted without payload; left: submit found; left: submit anew; left: id taken; \
        left: key conflict; left: claim again; left: late beat; left: finish again; left: other finish; left: late finish; \
        left: late checkpoint; left: cancel; left: other state; left: cancel task; left: suspend; left: resume";
    let wanted = events
        .chain(causes.split_whitespace())
        .chain(refusals.split_whitespace())
        .chain(left.split("; "));
    let missed: Vec<&str> = wanted.filter(|name| !seen.contains(name)).collect();
    assert!(missed.is_empty(), "never met: {missed:?}");
}
