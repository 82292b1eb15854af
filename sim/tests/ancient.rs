//! One run that waits for ever keeps no part of the log.

use mainstay_sim::run_ancient;

/// Segments of 4 KiB: two snapshots apart by 8 KiB, what the snapshots themselves allow, and the open one.
const FEW: u64 = 36;

#[test]
fn an_ancient_run_keeps_no_segments() {
    for seed in 1..6 {
        let (most, made) = run_ancient(seed, 24, 60).unwrap();
        assert!(made > 2 * FEW, "seed {seed}: only {made} segments");
        assert!(most <= FEW, "seed {seed}: {most} segments of {made}");
    }
}

#[test]
fn short_lives_still_give_up_their_log() {
    for seed in 1..6 {
        let (most, made) = run_ancient(seed, 200, 6).unwrap();
        assert!(made > FEW, "seed {seed}: only {made} segments");
        assert!(most <= FEW, "seed {seed}: {most} segments of {made}");
    }
}
