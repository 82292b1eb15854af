//! What one process life is to go through.

use mainstay::Settings;

use crate::disk::{Act, Aim, Fault, Lasts, Plan, Planned};
use crate::rng::Rng;

/// How a world works with its store: everything is small, so that it happens often.
pub(super) fn settings(rng: &mut Rng, segment_bytes: u64, plant: mainstay::Plant) -> Settings {
    Settings {
        cut_rows: rng.within(1, 200) as usize,
        cut_ms: rng.below(500),
        payload_cache_bytes: *rng.pick(&[0, 0, 300, 3000]),
        snapshot_every_bytes: *rng.pick(&[512, 1024, 4096, 16384]),
        log_retain_bytes: segment_bytes * rng.below(4),
        log_retain_ms: *rng.pick(&[0, 1, 60_000, 86_400_000]),
        store_lag_rows: if rng.chance(25) {
            rng.within(5, 60)
        } else {
            1_000_000
        },
        plant,
        ..Settings::default()
    }
}

/// One life's plan.
#[derive(Clone, Debug)]
pub(super) struct LifePlan {
    pub(super) disk: Plan,
    pub(super) steps: u64,
    /// Whether it ends in order, if nothing else ends it.
    pub(super) ends_clean: bool,
}

/// A plan for a life.
pub(super) fn life(rng: &mut Rng) -> LifePlan {
    let mut disk = Plan::default();
    let steps = rng.within(3, 20);
    match rng.below(100) {
        0..=13 => {}
        14..=64 => disk.crash_at = Some(rng.within(1, 30 + steps * 3)),
        65..=79 => disk.faults.push(one(rng)),
        80..=89 => {
            disk.faults.push(one(rng));
            disk.crash_at = Some(rng.within(20, 120));
        }
        90..=94 => {
            disk.faults.push(harmless(rng));
            disk.crash_at = Some(rng.within(20, 120));
        }
        _ => {
            disk.faults.push(one(rng));
            disk.faults.push(one(rng));
        }
    }
    if rng.chance(8) {
        disk.faults.push(Planned {
            aim: Aim::Nth(Act::Write, rng.within(1, 40)),
            fault: Fault::Lie,
            lasts: if rng.chance(50) {
                Lasts::Once
            } else {
                Lasts::Forever
            },
        });
    }
    disk.drops_cache = rng.chance(15);
    LifePlan {
        disk,
        steps,
        ends_clean: rng.chance(40),
    }
}

/// A plan for one more try of a recovery.
pub(super) fn recovery(rng: &mut Rng) -> Plan {
    if rng.chance(85) {
        return Plan {
            crash_at: Some(rng.within(1, 45)),
            ..Plan::default()
        };
    }
    Plan {
        faults: vec![Planned {
            aim: Aim::Call(rng.within(1, 45)),
            fault: *rng.pick(&[Fault::Io, Fault::Full]),
            lasts: Lasts::Once,
        }],
        ..Plan::default()
    }
}

fn one(rng: &mut Rng) -> Planned {
    let act = *rng.pick(&[
        Act::Sync,
        Act::Sync,
        Act::Sync,
        Act::Write,
        Act::Write,
        Act::Read,
        Act::Allocate,
        Act::Name,
        Act::SyncDir,
    ]);
    let fault = match act {
        Act::Write => *rng.pick(&[Fault::Io, Fault::Full, Fault::ShortThenIo]),
        _ => *rng.pick(&[Fault::Io, Fault::Io, Fault::Full]),
    };
    Planned {
        aim: Aim::Nth(act, rng.within(1, 16)),
        fault,
        lasts: if rng.chance(70) {
            Lasts::Once
        } else {
            Lasts::Forever
        },
    }
}

fn harmless(rng: &mut Rng) -> Planned {
    Planned {
        aim: Aim::Nth(Act::Write, rng.within(1, 20)),
        fault: *rng.pick(&[Fault::Short, Fault::Interrupted]),
        lasts: Lasts::Once,
    }
}
