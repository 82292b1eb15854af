//! One random deed of a life: small numbers that the life resolves against what exists.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// A task to submit, in small numbers.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) queue: u8,
    pub(crate) kind: u8,
    pub(crate) priority: i32,
    pub(crate) key: Option<u8>,
    pub(crate) limit: u32,
    pub(crate) release: bool,
    pub(crate) safety: u8,
    pub(crate) attempts: u32,
    pub(crate) lost: u32,
    pub(crate) timeout_ms: Option<u64>,
    pub(crate) delay_ms: Option<u64>,
    pub(crate) expires_ms: Option<u64>,
    pub(crate) idem: Option<u8>,
    pub(crate) id: Option<u8>,
    pub(crate) payload: usize,
}

/// One deed.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Submit(Wish),
    Claim {
        queues: u8,
        kinds: u8,
        max: u32,
        lease_ms: u64,
        idem: Option<u8>,
    },
    /// The end of an attempt: `token` counts back from the last one granted, `stray` pairs it with another run.
    Finish {
        token: usize,
        stray: bool,
        outcome: u8,
        output: u8,
        error: u8,
        after_ms: Option<u64>,
        memo: Option<u8>,
    },
    Beat {
        token: usize,
        stray: bool,
        lease_ms: u64,
    },
    Checkpoint {
        token: usize,
        stray: bool,
        name: u8,
        value: u8,
    },
    /// With `expect` the caller names the state it expects: the right one, or a wrong one.
    CancelRun {
        run: usize,
        force: bool,
        expect: Option<bool>,
    },
    CancelTask {
        task: usize,
    },
    Suspend {
        run: usize,
    },
    Resume {
        run: usize,
        payload: bool,
    },
    Pause,
    Unpause,
    Tick,
    Wait {
        ms: u64,
    },
    Jump {
        ms: u64,
    },
    Restart {
        downtime_ms: u64,
    },
    Probe,
    /// The same request with the same key.
    Repeat {
        back: usize,
    },
    /// What changed is cut; the cut waits to be committed.
    Cut,
    /// The first waiting cuts are committed, merged or one by one, and what is finished in them leaves memory, `limit` rows at a time.
    Store {
        cuts: usize,
        merge: bool,
        budget: u64,
        limit: usize,
        rounds: u8,
    },
    /// The process dies, cuts that were not committed with it, and another one begins with what was.
    Reload {
        downtime_ms: u64,
        fresh: bool,
    },
}

fn wish() -> impl Strategy<Value = Wish> {
    let place = (
        0..2u8,
        0..2u8,
        prop_oneof![4 => Just(0), 1 => Just(5), 1 => Just(-1)],
    );
    let key = (option::weighted(0.5, 0..2u8), 1..4u32, any::<bool>());
    let ends = (
        0..4u8,
        1..4u32,
        0..3u32,
        option::weighted(0.2, 1..20_000u64),
    );
    let times = (
        option::weighted(0.2, 0..20_000u64),
        option::weighted(0.2, 0..30_000u64),
    );
    let names = (option::weighted(0.2, 0..3u8), option::weighted(0.1, 1..5u8));
    let payload = prop_oneof![3 => Just(4usize), 1 => Just(64), 2 => 65..300usize];
    let all = (place, key, ends, times, names, payload);
    all.prop_map(|(place, key, ends, times, names, payload)| Wish {
        queue: place.0,
        kind: place.1,
        priority: place.2,
        key: key.0,
        limit: key.1,
        release: key.2,
        safety: ends.0,
        attempts: ends.1,
        lost: ends.2,
        timeout_ms: ends.3,
        delay_ms: times.0,
        expires_ms: times.1,
        idem: names.0,
        id: names.1,
        payload,
    })
}

fn lease_ms() -> impl Strategy<Value = u64> {
    prop_oneof![3 => Just(10_000u64), 1 => Just(1000), 1 => 1000..400_000u64, 1 => Just(999)]
}

fn worker_act() -> impl Strategy<Value = Act> {
    let which = || {
        (
            prop_oneof![3 => 0..3usize, 1 => 0..40usize],
            prop::bool::weighted(0.05),
        )
    };
    let finish = (
        which(),
        (prop_oneof![2 => Just(0u8), 3 => 1..5u8], 0..2u8, 0..4u8),
        option::weighted(0.3, 0..5000u64),
        option::weighted(0.3, 0..4u8),
    );
    let finish = finish.prop_map(|((token, stray), said, after_ms, memo)| Act::Finish {
        token,
        stray,
        outcome: said.0,
        output: said.1,
        error: said.2,
        after_ms,
        memo,
    });
    let beat = (which(), lease_ms()).prop_map(|((token, stray), lease_ms)| Act::Beat {
        token,
        stray,
        lease_ms,
    });
    let checkpoint =
        (which(), 0..2u8, 0..2u8).prop_map(|((token, stray), name, value)| Act::Checkpoint {
            token,
            stray,
            name,
            value,
        });
    prop_oneof![6 => finish, 3 => beat, 2 => checkpoint]
}

fn people_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (0..30usize, prop::bool::weighted(0.3), option::weighted(0.4, prop::bool::weighted(0.7)))
            .prop_map(|(run, force, expect)| Act::CancelRun { run, force, expect }),
        1 => (0..30usize).prop_map(|task| Act::CancelTask { task }),
        2 => (0..8usize).prop_map(|run| Act::Suspend { run }),
        4 => (0..30usize, any::<bool>()).prop_map(|(run, payload)| Act::Resume { run, payload }),
        1 => Just(Act::Pause),
        3 => Just(Act::Unpause),
    ]
}

fn time_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..4000u64).prop_map(|ms| Act::Wait { ms }),
        2 => (0..40_000u64).prop_map(|ms| Act::Wait { ms }),
        1 => prop_oneof![Just(600_000u64), Just(90_000_000)].prop_map(|ms| Act::Wait { ms }),
        8 => Just(Act::Tick),
        1 => prop_oneof![0..5000u64, Just(3_600_000)].prop_map(|ms| Act::Jump { ms }),
        1 => prop_oneof![Just(0u64), 0..100_000u64].prop_map(|downtime_ms| Act::Restart { downtime_ms }),
        3 => Just(Act::Probe),
    ]
}

fn shelf_act() -> impl Strategy<Value = Act> {
    let budget = prop_oneof![2 => Just(0u64), 1 => 0..600u64, 1 => Just(1 << 20)];
    let limit = prop_oneof![2 => 1..4usize, 1 => 1..12usize, 1 => Just(1000)];
    let store = (0..4usize, any::<bool>(), budget, limit, 0..4u8);
    let reload = (
        prop_oneof![Just(0u64), 0..100_000u64],
        prop::bool::weighted(0.3),
    );
    prop_oneof![
        6 => Just(Act::Cut),
        6 => store.prop_map(|(cuts, merge, budget, limit, rounds)| Act::Store {
            cuts,
            merge,
            budget,
            limit,
            rounds,
        }),
        1 => reload.prop_map(|(downtime_ms, fresh)| Act::Reload { downtime_ms, fresh }),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    let claim = (
        1..4u8,
        0..4u8,
        0..5u32,
        lease_ms(),
        option::weighted(0.15, 0..3u8),
    )
        .prop_map(|(queues, kinds, max, lease_ms, idem)| Act::Claim {
            queues,
            kinds,
            max,
            lease_ms,
            idem,
        });
    prop_oneof![
        7 => wish().prop_map(Act::Submit),
        6 => claim,
        8 => worker_act(),
        3 => people_act(),
        8 => time_act(),
        2 => (0..6usize).prop_map(|back| Act::Repeat { back }),
        6 => shelf_act(),
    ]
}

/// A whole life.
pub(crate) fn acts() -> impl Strategy<Value = Vec<Act>> {
    vec(act(), 60..180)
}
