//! A short workload, walked over call by call: each disk call fails in every way, and each is the last of its process.

use mainstay_sim::{Aim, Crash, Fault, Lasts, Plan, Planned, Setup, run_planned};

const SEEDS: [u64; 2] = [3, 8];
const STEPS: u64 = 8;

fn setup(crash: Option<Crash>) -> Setup {
    Setup {
        damage: 0,
        crash,
        ..Setup::default()
    }
}

/// Disk calls of the workload when nothing goes wrong.
fn calls(seed: u64) -> u64 {
    let (report, calls) = run_planned(seed, &setup(None), Plan::default(), STEPS);
    assert_eq!(report.failure, None, "seed {seed} without any fault");
    assert!(calls > 30, "the workload is too short to prove anything");
    calls
}

#[test]
fn a_crash_of_either_kind_at_every_call_loses_nothing() {
    for seed in SEEDS {
        for call in 1..=calls(seed) {
            for crash in [Crash::Process, Crash::Power] {
                let plan = Plan {
                    crash_at: Some(call),
                    ..Plan::default()
                };
                let (report, _) = run_planned(seed, &setup(Some(crash)), plan, STEPS);
                assert_eq!(
                    report.failure, None,
                    "seed {seed}, {crash:?} at call {call}"
                );
            }
        }
    }
}

#[test]
fn every_call_may_fail_once_or_for_ever() {
    let faults = [Fault::Io, Fault::Full, Fault::Short, Fault::ShortThenIo];
    for seed in SEEDS {
        for call in 1..=calls(seed) {
            for fault in faults {
                for lasts in [Lasts::Once, Lasts::Forever] {
                    let planned = Planned {
                        aim: Aim::Call(call),
                        fault,
                        lasts,
                    };
                    let plan = Plan {
                        faults: vec![planned],
                        ..Plan::default()
                    };
                    let (report, _) = run_planned(seed, &setup(None), plan, STEPS);
                    assert_eq!(
                        report.failure, None,
                        "seed {seed}, {fault:?} {lasts:?} at call {call}"
                    );
                }
            }
        }
    }
}
