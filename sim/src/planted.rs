//! Planted bugs: each must be caught by what crashes bring to light, or the oracle is blind.

use mainstay::store::MemoryPlant as StorePlant;
use mainstay::{Meddler, Meddling, Plant as EnginePlant};
use mainstay_log::Plant as LogPlant;

use crate::meddle::*;

use crate::world::{Report, Setup, run_seed};

/// Crash points after which a bug counts as missed.
const CRASH_POINTS_MAX: u64 = 20_000;

/// One planted bug.
#[derive(Clone, Copy, Debug)]
pub struct Planted {
    /// Its switch.
    pub name: &'static str,
    log: fn(&mut LogPlant),
    engine: fn(&mut EnginePlant),
    store: fn(&mut StorePlant),
    rules: Option<fn() -> Box<dyn Meddler>>,
    damage: u64,
}

const fn nowhere(name: &'static str) -> Planted {
    Planted {
        name,
        log: |_| {},
        engine: |_| {},
        store: |_| {},
        rules: None,
        damage: 0,
    }
}

const fn in_log(name: &'static str, log: fn(&mut LogPlant), damage: u64) -> Planted {
    Planted {
        log,
        damage,
        ..nowhere(name)
    }
}

const fn in_engine(name: &'static str, engine: fn(&mut EnginePlant)) -> Planted {
    Planted {
        engine,
        ..nowhere(name)
    }
}

const fn in_store(name: &'static str, store: fn(&mut StorePlant), damage: u64) -> Planted {
    Planted {
        store,
        damage,
        ..nowhere(name)
    }
}

/// A bug of the machine's rules, beside the machine; it shows only where people use everything a task can be.
const fn in_rules(name: &'static str, rules: fn() -> Box<dyn Meddler>) -> Planted {
    Planted {
        rules: Some(rules),
        ..nowhere(name)
    }
}

/// Every bug that can be planted.
pub const PLANTED: &[Planted] = &[
    in_log("ack_before_sync", |plant| plant.ack_before_sync = true, 0),
    in_log("skip_sync_every_n", |plant| plant.skip_sync_every_n = 7, 0),
    in_log("sync_wrong_file", |plant| plant.sync_wrong_file = true, 0),
    in_log(
        "rename_before_content_sync",
        |plant| plant.rename_before_content_sync = true,
        0,
    ),
    in_log(
        "ignore_sync_error",
        |plant| plant.ignore_sync_error = true,
        0,
    ),
    in_log(
        "retry_failed_sync",
        |plant| plant.retry_failed_sync = true,
        0,
    ),
    in_log(
        "continue_after_short_write",
        |plant| plant.continue_after_short_write = true,
        0,
    ),
    in_log(
        "skip_dir_sync_on_segment_create",
        |plant| plant.skip_dir_sync_on_segment_create = true,
        0,
    ),
    in_log("crc_skips_header", |plant| plant.crc_skips_header = true, 0),
    in_log(
        "crc_skips_last_byte",
        |plant| plant.crc_skips_last_byte = true,
        0,
    ),
    in_log(
        "truncate_at_first_bad",
        |plant| plant.truncate_at_first_bad = true,
        40,
    ),
    in_log(
        "eio_is_end_of_log",
        |plant| plant.eio_is_end_of_log = true,
        40,
    ),
    in_log(
        "missing_segment_is_end",
        |plant| plant.missing_segment_is_end = true,
        40,
    ),
    in_log(
        "serve_before_tail_rewrite",
        |plant| plant.serve_before_tail_rewrite = true,
        0,
    ),
    in_engine("feed_before_durable", |plant| {
        plant.feed_before_durable = true
    }),
    in_engine("ack_before_durable", |plant| {
        plant.ack_before_durable = true
    }),
    in_engine("reads_see_undurable", |plant| {
        plant.reads_see_undurable = true
    }),
    in_engine("leases_leave_early", |plant| {
        plant.leases_leave_early = true
    }),
    in_engine("deferred_called_durable", |plant| {
        plant.deferred_called_durable = true
    }),
    in_engine("cut_before_durable", |plant| {
        plant.cut_before_durable = true
    }),
    in_engine("rows_leave_early", |plant| plant.rows_leave_early = true),
    in_engine("trim_to_newest_snapshot", |plant| {
        plant.trim_to_newest_snapshot = true
    }),
    in_engine("snapshot_unread", |plant| plant.snapshot_unread = true),
    in_engine("snapshot_unsynced", |plant| plant.snapshot_unsynced = true),
    in_engine("store_unsynced", |plant| plant.store_unsynced = true),
    Planted {
        damage: 40,
        ..in_engine("fill_unsynced", |plant| plant.fill_unsynced = true)
    },
    in_engine("replay_begins_late", |plant| {
        plant.replay_begins_late = true
    }),
    in_engine("replay_begins_early", |plant| {
        plant.replay_begins_early = true
    }),
    in_engine("payload_not_fetched", |plant| {
        plant.payload_not_fetched = true
    }),
    in_engine("keys_forgotten", |plant| plant.keys_forgotten = true),
    in_store("digest_ignored", |plant| plant.digest_ignored = true, 40),
    in_rules("occurrence_again", || Box::new(Tampered::again())),
    in_rules("occurrence_lost", || Box::new(Tampered::lost())),
    in_rules("misfire_storm", || meddler(Storm::default())),
    in_rules("summer_time_ignored", || Box::new(Shifted)),
    in_rules("repeat_run_lost", || meddler(RepeatShort)),
    in_rules("ticks_forgotten", || meddler(Timeless)),
    in_rules("dependents_stranded", || meddler(Untold::end(true))),
    in_rules("dependents_not_canceled", || meddler(Untold::end(false))),
    in_rules("failed_counts_as_completed", || meddler(PrerequisiteFailed)),
    in_rules("children_forgotten", || {
        meddler(ChildrenForgotten::default())
    }),
    in_rules("shown_completed_early", || Box::new(ShownCompleted)),
    in_rules("fence_ignored", || meddler(FenceIgnored::default())),
    in_rules("children_lost_with_finish", || meddler(Orphaned)),
    in_rules("reservation_kept", || meddler(Reserved::default())),
    in_rules("use_counted_twice", || meddler(Twice)),
    in_rules("use_not_noted", || meddler(Unspent)),
    in_rules("granted_beyond_budget", || {
        meddler(Overgrant::past("budget_exhausted"))
    }),
    in_rules("threshold_passed_twice", || meddler(Echo::of_thresholds())),
    in_rules("exhausted_twice", || meddler(Echo::of_exhaustion())),
    in_rules("triggered_twice", || meddler(Echo::of_triggers())),
    in_rules("subscriptions_lost", || meddler(Deaf::default())),
    in_rules("granted_while_paused", || {
        meddler(Overgrant::past("queue_paused"))
    }),
    in_rules("granted_beyond_queue_limit", || {
        meddler(Overgrant::past("queue_busy"))
    }),
    in_rules("granted_beyond_key_limit", || {
        meddler(Overgrant::past("concurrency_key_busy"))
    }),
    in_rules("granted_beyond_rate", || {
        meddler(Overgrant::past("rate_limited"))
    }),
    in_rules("rate_forgotten", || meddler(RateForgotten::default())),
    in_rules("newest_first", || meddler(Newest::default())),
    in_rules("turns_ignored", || Box::new(TurnsIgnored)),
    in_rules("taken_by_hand", || meddler(ByHand::default())),
    in_rules("resumed_by_nobody", || meddler(Unasked::default())),
    in_rules("called_runnable", || Box::new(CalledRunnable)),
    in_rules("called_blocked", || Box::new(CalledBlocked)),
    in_rules("unique_key_ignored", || Box::new(KeyIgnored)),
    in_rules("gone_keeps_runs", || meddler(KeepsRuns)),
    in_rules("missed_too_early", || meddler(Impatient::default())),
    in_rules("granted_while_draining", || Box::new(DrainIgnored)),
    in_rules("decision_not_on_record", || meddler(Unrecorded)),
    in_rules("approved_unreviewed", || meddler(Unreviewed)),
    in_rules("entry_made_twice", || Box::new(EntryAgain)),
    in_rules("batch_in_part", || meddler(InPart)),
    in_rules("entries_not_stored", || Box::new(Unstored::Entries)),
    in_rules("trail_not_stored", || Box::new(Unstored::Trail)),
    in_rules("image_without_bonds", || Box::new(Left::BONDS)),
    in_rules("image_without_schedules", || Box::new(Left::SCHEDULES)),
    in_rules("image_without_budgets", || Box::new(Left::BUDGETS)),
    in_rules("image_without_subscriptions", || {
        Box::new(Left::SUBSCRIPTIONS)
    }),
    in_rules("image_without_holds", || Box::new(Left::HOLDS)),
    in_rules("image_without_rates", || Box::new(Left::RATES)),
];

impl Planted {
    /// Whether it is a bug of the rules: what single answers and faults show says nothing about those.
    #[must_use]
    pub fn is_in_rules(&self) -> bool {
        self.rules.is_some()
    }

    /// A world with this bug in it. `blind` turns the rules off that look at every single answer and fault.
    #[must_use]
    pub fn setup(&self, blind: bool) -> Setup {
        let mut setup = Setup {
            damage: self.damage,
            blind,
            wide: self.rules.map(|_| true),
            ..Setup::default()
        };
        setup.engine.meddling = self.rules.map(|make| Meddling {
            name: self.name,
            make,
        });
        (self.log)(&mut setup.log);
        (self.engine)(&mut setup.engine);
        (self.store)(&mut setup.store);
        setup
    }
}

/// Runs seeds from `first` on until the bug is caught. Gives the seed, the crash points it took and what was caught; `Err` with the
/// crash points spent in vain.
///
/// # Errors
/// The bug was not caught.
pub fn hunt(bug: &Planted, first: u64, blind: bool) -> Result<(u64, u64, String), u64> {
    let setup = bug.setup(blind);
    let mut crash_points = 0;
    for seed in first.. {
        let Report {
            crash_points: more,
            failure,
            ..
        } = guarded(seed, &setup);
        crash_points += more;
        if let Some(failure) = failure {
            return Ok((seed, crash_points, failure));
        }
        if crash_points >= CRASH_POINTS_MAX {
            break;
        }
    }
    Err(crash_points)
}

/// One seed; a panic of the engine or the machine is a failure like any other.
#[must_use]
pub fn guarded(seed: u64, setup: &Setup) -> Report {
    let run = std::panic::catch_unwind(|| run_seed(seed, setup));
    run.unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_default();
        Report {
            failure: Some(format!("panic: {text}")),
            ..Report::default()
        }
    })
}
