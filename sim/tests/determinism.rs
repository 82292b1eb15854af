//! The same seed does the same things, every time.

use mainstay_sim::{Setup, run_seed};

#[test]
fn a_seed_runs_the_same_way_twice() {
    for seed in 1..12 {
        let first = run_seed(seed, &Setup::default());
        let second = run_seed(seed, &Setup::default());
        assert_eq!(first.failure, None, "seed {seed}");
        assert_eq!(first.trace, second.trace, "seed {seed}");
        assert_eq!(
            (first.crash_points, first.events, first.acks, first.marks),
            (
                second.crash_points,
                second.events,
                second.acks,
                second.marks
            ),
            "seed {seed}"
        );
    }
}

#[test]
fn another_seed_runs_another_way() {
    let traces: std::collections::BTreeSet<u64> = (1..6)
        .map(|seed| run_seed(seed, &Setup::default()).trace)
        .collect();
    assert_eq!(traces.len(), 5);
}

#[test]
fn hundreds_of_crashes_lose_nothing() {
    let mut crash_points = 0;
    for seed in 100.. {
        let report = run_seed(seed, &Setup::default());
        assert_eq!(report.failure, None, "seed {seed}");
        crash_points += report.crash_points;
        if crash_points >= 400 {
            break;
        }
    }
}
