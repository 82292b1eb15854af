//! Images that nobody wrote: nothing panics on them, and what is loaded can be lived with.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::world::{Stored, World, facts_of, lively, load, refused, spec, stored, text, used};
use crate::codec::{Reader, Record, Value, put_bytes, put_varint};
use crate::image::form::{MetaForm, RunForm, TaskForm};
use crate::image::{KeyClass, KeyRow, Loader, RunColumns, TaskColumns};
use crate::machine::{Facts, Machine, Now};
use crate::run::{Active, State as RunState};
use crate::state::{ClaimRecord, Held};
use crate::{
    Answer, BudgetScope, Bytes, Command, Fence, Filter, FinishOutcome, HeartbeatItem, Query, RunId,
    SubscriptionId, TaskId, TenantId, Text, Timestamp, limits,
};

fn put_number(out: &mut Vec<u8>, field: u64, value: u64) {
    put_varint(out, field << 3);
    put_varint(out, value);
}

/// Everything a caller can do to a machine, with whatever it finds in it.
fn live_with(machine: Machine, ids: &[(TaskId, RunId, Fence)]) {
    let mut world = World {
        machine,
        ..World::new()
    };
    world.now = world.machine.moment();
    world.pass(1);
    let queues = [
        "done", "waits", "aside", "back", "off", "bad", "held", "again", "large", "later", "now",
        "spent", "family",
    ];
    world.step(Command::Start {
        incarnation: u64::MAX,
        downtime_ms: u64::MAX,
    });
    for round in 0..2u64 {
        for (_, run, fence) in ids {
            world.step(Command::Heartbeat(HeartbeatItem {
                run: *run,
                fence: *fence,
                lease_ms: Some(limits::LEASE_MS_MAX),
                progress: None,
            }));
            let outcome = [FinishOutcome::Failure, FinishOutcome::Suspended][round as usize % 2];
            world.step(Command::Consume {
                run: *run,
                fence: *fence,
                consumption: vec![used(u64::MAX >> 4)],
            });
            world.finish(*run, *fence, outcome);
            let payload = Some(Bytes::from(&b"1"[..]));
            world.step(Command::ResumeRun { run: *run, payload });
        }
        world.step(Command::PublishEvent {
            key: text("go"),
            payload: None,
        });
        for (task, _, _) in ids {
            live_with_ties(&mut world, *task, round);
        }
        world.step(Command::Tick);
        for queue in queues {
            for grant in world.claim(queue, 2, None) {
                let outcome = [FinishOutcome::Released, FinishOutcome::Success][round as usize % 2];
                world.finish(grant.run, grant.fence, outcome);
            }
            world.claim(queue, 1, Some(queue));
        }
        let through = world.machine.take_cut().through;
        world.pass(1 << (20 + round));
        world.step(Command::Tick);
        world.machine.stored(through, 0, 2);
    }
    for (task, run, _) in ids {
        let (force, reason) = (true, None);
        for query in [Query::Run(*run), Query::Explain(*run), Query::Task(*task)] {
            let _ = world.machine.answer(&world.now, TenantId::DEFAULT, &query);
        }
        world.step(Command::CancelRun {
            run: *run,
            force,
            reason,
        });
        let reason = None;
        world.step(Command::CancelTask {
            task: *task,
            reason,
        });
    }
    let through = world.machine.take_cut().through;
    world.machine.stored(through, 0, usize::MAX);
    let _ = (world.machine.verify(), world.machine.digest_all());
}

/// What can be done with a task's budgets and subscriptions.
fn live_with_ties(world: &mut World, task: TaskId, round: u64) {
    let (scope, dimension) = (BudgetScope::Task(task), text("token"));
    let filter = Filter::BudgetThreshold(task, dimension.clone(), 50);
    world.step(Command::Subscribe {
        task,
        id: Some(SubscriptionId(u128::from(round) + 1)),
        filter: Box::new(filter),
    });
    world.step(Command::AllocateBudget {
        scope,
        dimension: dimension.clone(),
        limit: 3 + round,
        reserve: Some(round),
    });
    world.step(Command::ConsumeBudget {
        scope,
        dimension: dimension.clone(),
        amount: 1,
    });
    world.step(Command::ReplenishBudget {
        scope,
        dimension,
        new_limit: u64::MAX >> 8,
    });
    world.step(Command::Unsubscribe {
        subscription: SubscriptionId(1),
    });
    let mut bound = spec("family");
    bound.bonds_mut().parent = Some(task);
    world.step(Command::Submit(Box::new(bound.clone())));
    bound.bonds_mut().parent = None;
    bound.bonds_mut().depends_on = vec![task, TaskId(0xc1)];
    bound.extras_mut().unique_key = Some(text("only"));
    world.step(Command::Submit(Box::new(bound)));
    for (task, prerequisite) in [(task, TaskId(0xc1)), (TaskId(0xc1), task)] {
        world.step(Command::DeclareDependencies {
            task,
            depends_on: vec![prerequisite],
        });
    }
}

/// Every task, its run, and the token that it was last granted with.
fn ids_of(world: &mut World, stored: &Stored) -> Vec<(TaskId, RunId, Fence)> {
    let view = |run| match facts_of(&stored.cut).answer(&world.now, TenantId::DEFAULT, &run) {
        Answer::Run(view) => view,
        other => panic!("a run came to {other:?}"),
    };
    let ids = stored.runs.iter().map(|image| {
        let view = view(Query::Run(RunColumns::read(image).unwrap().id));
        let fence = view.attempts.last().map(|attempt| attempt.fence);
        (view.task, view.id, fence.unwrap_or_default())
    });
    ids.collect()
}

fn sample() -> (Stored, Vec<(TaskId, RunId, Fence)>) {
    let mut world = lively();
    let stored = stored(world.machine.take_cut());
    let ids = ids_of(&mut world, &stored);
    (stored, ids)
}

/// Loads and, when it is accepted, lives with it.
fn try_out(stored: &Stored, ids: &[(TaskId, RunId, Fence)]) -> bool {
    match stored.load() {
        Ok(machine) => {
            let _ = machine.verify();
            live_with(machine, ids);
            true
        }
        Err(_) => false,
    }
}

#[test]
fn the_sample_itself_can_be_lived_with() {
    let (stored, ids) = sample();
    assert!(try_out(&stored, &ids));
}

const NUMBERS: [u64; 10] = [
    0,
    1,
    2,
    9,
    300,
    u32::MAX as u64,
    1 << 32,
    u64::MAX >> 1,
    u64::MAX - 1,
    u64::MAX,
];

/// An image with one field changed, left out or doubled; `at` and `how` choose which and how.
pub(super) fn changed(image: &[u8], at: usize, how: usize) -> Vec<u8> {
    let mut fields = Vec::new();
    let mut reader = Reader::new(image);
    while let Ok(Some(field)) = reader.field() {
        fields.push(field);
    }
    let at = at % fields.len().max(1);
    let mut out = Vec::new();
    let put = |out: &mut Vec<u8>, number, value: Value<'_>| match value {
        Value::Number(value) => put_number(out, number, value),
        Value::Bytes(bytes) => put_bytes(out, number, bytes),
    };
    for (index, (number, value)) in fields.iter().enumerate() {
        match (value, how) {
            _ if index != at => put(&mut out, *number, *value),
            (_, 0) => {}
            (_, 1) => {
                put(&mut out, *number, *value);
                put(&mut out, *number, *value);
            }
            (Value::Number(_), how) => {
                put_number(&mut out, *number, NUMBERS[how % NUMBERS.len()]);
            }
            (Value::Bytes(bytes), how) => {
                let mut bytes = bytes.to_vec();
                if bytes.is_empty() {
                    bytes.push(how as u8);
                }
                let inner = how / 7 % bytes.len();
                match how % 3 {
                    0 => bytes = changed(&bytes, how / 3, how / 5),
                    1 => bytes[inner] ^= 1 << (how % 8),
                    _ => bytes.truncate(inner),
                }
                put_bytes(&mut out, *number, &bytes);
            }
        }
    }
    // Some fields are absent in most rows.
    if how > 1 && how.is_multiple_of(11) {
        put_number(&mut out, at as u64 % 28, NUMBERS[how % NUMBERS.len()]);
    }
    out
}

/// Tries every single change of every field; gives how many were accepted and refused.
fn try_all(change: impl Fn(&mut Stored, usize, usize) -> bool) -> (usize, usize) {
    let (mut accepted, mut refused) = (0, 0);
    let (sample, ids) = sample();
    for how in 0..14 {
        for at in 0.. {
            let mut stored = sample.clone();
            if !change(&mut stored, at, how) {
                break;
            }
            if try_out(&stored, &ids) {
                accepted += 1;
            } else {
                refused += 1;
            }
        }
    }
    (accepted, refused)
}

#[test]
fn no_changed_field_of_the_meta_makes_a_machine_panic() {
    let (accepted, refused) = try_all(|stored, at, how| {
        stored.cut.meta = changed(&stored.cut.meta, at, how);
        at < 36
    });
    assert!(accepted > 100 && refused > 100, "{accepted} {refused}");
}

#[test]
fn no_changed_field_of_a_run_makes_a_machine_panic() {
    let (accepted, refused) = try_all(|stored, at, how| {
        let count = stored.runs.len();
        let run = &mut stored.runs[at % count];
        *run = changed(run, at / count, how);
        at / count < 20
    });
    assert!(accepted > 500 && refused > 500, "{accepted} {refused}");
}

#[test]
fn no_changed_field_of_a_task_makes_a_machine_panic() {
    let (accepted, refused) = try_all(|stored, at, how| {
        let count = stored.tasks.len();
        let task = &mut stored.tasks[at % count];
        *task = changed(task, at / count, how);
        at / count < 16
    });
    assert!(accepted > 500 && refused > 500, "{accepted} {refused}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn several_changes_at_once_make_no_machine_panic(changes in proptest::collection::vec((0..3u8, any::<u16>(), any::<u16>(), 0..1000usize), 1..4)) {
        let (mut stored, ids) = sample();
        for (kind, row, at, how) in changes {
            let (row, at) = (usize::from(row), usize::from(at));
            let images = match kind {
                0 => { stored.cut.meta = changed(&stored.cut.meta, at, how); continue }
                1 => &mut stored.tasks,
                _ => &mut stored.runs,
            };
            let row = row % images.len();
            images[row] = changed(&images[row], at, how);
        }
        try_out(&stored, &ids);
    }

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), 0..60u8], 0..200)) {
        let _ = (TaskColumns::read(&bytes), RunColumns::read(&bytes));
        let (stored, _) = sample();
        if let Ok(loader) = Loader::new(0, &bytes, &[], true) {
            let _ = loader.finish().verify();
        }
        let mut loader = Loader::new(0, &stored.cut.meta, &stored.cut.places, true).unwrap();
        let _ = (loader.task(&bytes), loader.task(&stored.tasks[0]), loader.run(&bytes));
        let _ = loader.finish().verify();
        let key = KeyRow {
            tenant: TenantId(7),
            class: KeyClass::Claim,
            key: Text::from("k"),
            until: Timestamp(0),
            task: None,
            image: bytes.clone(),
        };
        let mut facts = facts_of(&stored.cut);
        let _ = (facts.add_key(&key), facts.add_task(&bytes), facts.add_run(&bytes));
        let _ = facts.answer(&Now::default(), TenantId::DEFAULT, &Query::Stats);
    }
}

#[test]
fn every_truncation_of_an_image_is_refused_or_read_without_panic() {
    let (stored, _) = sample();
    for image in stored.tasks.iter().chain(&stored.runs) {
        for length in 0..image.len() {
            let _ = TaskColumns::read(&image[..length]);
            let _ = RunColumns::read(&image[..length]);
            let mut facts = facts_of(&stored.cut);
            let _ = (
                facts.add_task(&image[..length]),
                facts.add_run(&image[..length]),
            );
        }
    }
}

/// A sample whose first run in this state, with its task and the meta, is changed as told.
fn bent(state: RunState, bend: impl FnOnce(&mut MetaForm, &mut TaskForm, &mut RunForm)) -> Stored {
    let (mut stored, _) = sample();
    let run = stored
        .runs
        .iter()
        .position(|run| RunColumns::read(run).unwrap().state == state);
    let run = run.unwrap();
    let mut meta = MetaForm::read(&stored.cut.meta).unwrap();
    let mut run_form = RunForm::read(&stored.runs[run]).unwrap();
    let of_run = |task: &Vec<u8>| TaskColumns::read(task).unwrap().number == run_form.task;
    let task = stored.tasks.iter().position(of_run).unwrap();
    let mut task_form = TaskForm::read(&stored.tasks[task]).unwrap();
    bend(&mut meta, &mut task_form, &mut run_form);
    for (image, form) in [
        (&mut stored.cut.meta, &meta as &dyn Put),
        (&mut stored.tasks[task], &task_form),
        (&mut stored.runs[run], &run_form),
    ] {
        image.clear();
        form.put_into(image);
    }
    stored
}

trait Put {
    fn put_into(&self, out: &mut Vec<u8>);
}

impl<T: Record> Put for T {
    fn put_into(&self, out: &mut Vec<u8>) {
        self.put(out);
    }
}

#[test]
fn what_does_not_fit_is_refused_in_words() {
    type Bend = fn(&mut MetaForm, &mut TaskForm, &mut RunForm);
    let cases: [(RunState, &str, Bend); 28] = [
        (RunState::Ready, "beyond the sequence", |meta, _, _| {
            meta.ready_counter = meta.sequence + 1
        }),
        (RunState::Ready, "beyond the sequence", |meta, _, _| {
            meta.attempts_by_result[6] = u64::MAX
        }),
        (RunState::Ready, "wrong length", |meta, _, _| {
            meta.runs_by_state.pop();
        }),
        (RunState::Ready, "wrong length", |meta, _, _| {
            meta.attempts_by_result.push(0)
        }),
        (
            RunState::Ready,
            "other runs than the counters",
            |meta, _, _| meta.runs_by_state[1] -= 1,
        ),
        (RunState::Ready, "no tenant", |meta, _, _| {
            meta.tenants.clear()
        }),
        (RunState::Ready, "one twice", |meta, _, _| {
            meta.tenants.push(TenantId::DEFAULT)
        }),
        (RunState::Ready, "not the default one", |meta, _, _| {
            meta.tenants.insert(0, TenantId(7))
        }),
        (RunState::RetryWait, "beyond the sequence", |_, task, _| {
            task.number = 0
        }),
        (RunState::Ready, "beyond the sequence", |_, task, _| {
            task.number = 1 << 40
        }),
        (RunState::Ready, "finished task", |_, task, _| {
            task.runs_live = 0
        }),
        (RunState::Ready, "than there are", |_, task, _| {
            task.runs_completed = u32::MAX
        }),
        (RunState::Ready, "another length", |_, task, _| {
            task.payload_bytes = 5
        }),
        (RunState::Ready, "not in its image", |_, task, _| {
            task.payload = None
        }),
        (RunState::Ready, "nobody described", |_, task, _| {
            task.place = 99
        }),
        (RunState::Ready, "task is not there", |_, _, run| {
            run.task += 1000
        }),
        (RunState::Ready, "in another place", |_, _, run| {
            run.place = 0
        }),
        (RunState::Ready, "before its task", |_, _, run| {
            run.number = 1
        }),
        (RunState::Ready, "without a place", |_, _, run| {
            run.ready_order = 0
        }),
        (RunState::Ready, "without a place", |meta, _, run| {
            run.ready_order = meta.ready_counter + 1
        }),
        (RunState::Ready, "never begun", |_, _, run| {
            run.state = RunState::Leased
        }),
        (RunState::Ready, "finished run", |_, _, run| {
            run.state = RunState::Failed
        }),
        (RunState::Ready, "than are counted", |_, _, run| {
            run.state = RunState::RetryWait
        }),
        (RunState::Ready, "without being held", |_, _, run| {
            run.active = Some(Box::new(Active::default()))
        }),
        (RunState::Running, "held without a lease", |_, _, run| {
            run.active = None
        }),
        (RunState::Running, "not issued yet", |meta, _, _| {
            meta.fence_counter = 1
        }),
        (RunState::RetryWait, "than there can be", |_, _, run| {
            run.attempt_count = u32::MAX
        }),
        (RunState::RetryWait, "longer than is kept", |_, _, run| {
            run.attempts = vec![Default::default(); 51]
        }),
    ];
    for (at, (state, why, bend)) in cases.into_iter().enumerate() {
        let told = refused(bent(state, bend).load());
        assert!(told.contains(why), "case {at}: {told}, not {why}");
    }
}

#[test]
fn no_row_is_loaded_twice() {
    let (stored, _) = sample();
    let (meta, places) = (&stored.cut.meta, &stored.cut.places);
    let with = |tasks: &[Vec<u8>], runs: &[Vec<u8>]| refused(load(meta, places, tasks, runs));
    let twice = [stored.tasks[0].clone(), stored.tasks[0].clone()];
    assert_eq!(with(&twice, &[]), "tasks out of order");
    let swapped = [stored.tasks[1].clone(), stored.tasks[0].clone()];
    assert_eq!(with(&swapped, &[]), "tasks out of order");
    let mut other = TaskForm::read(&stored.tasks[0]).unwrap();
    other.number += 1;
    let mut image = Vec::new();
    other.put(&mut image);
    assert_eq!(with(&[stored.tasks[0].clone(), image], &[]), "a task twice");
    let twice = [stored.runs[0].clone(), stored.runs[0].clone()];
    assert_eq!(with(&stored.tasks, &twice), "a run twice");
    assert_eq!(with(&[], &stored.runs), "a run whose task is not there");
}

#[test]
fn two_ready_runs_do_not_share_a_place_in_the_order() {
    let (mut stored, _) = sample();
    let ready = |image: &&mut Vec<u8>| RunColumns::read(image).unwrap().state == RunState::Ready;
    for image in stored.runs.iter_mut().filter(ready) {
        let mut form = RunForm::read(image).unwrap();
        form.ready_order = 1;
        image.clear();
        form.put(image);
    }
    assert_eq!(refused(stored.load()), "two runs in one place of the order");
}

#[test]
fn places_are_numbered_without_a_gap_and_none_stands_twice() {
    let (stored, _) = sample();
    let places = &stored.cut.places;
    let told = |places| refused(load(&stored.cut.meta, places, &[], &[]));
    assert_eq!(told(&places[1..]), "places that are not numbered from 0 on");
    let mut doubled = places.clone();
    doubled[1] = doubled[0].clone();
    doubled[1].place = 1;
    assert_eq!(told(&doubled), "places that are not numbered from 0 on");
    assert_eq!(
        told(&places[..3]),
        "places that count other runs than the counters"
    );
    let mut huge = places.clone();
    (huge[0].counts[4], huge[1].counts[4]) = (u64::MAX, u64::MAX);
    assert_eq!(told(&huge), "a count out of range");
}

#[test]
fn facts_come_in_any_order_and_several_times_and_need_their_place() {
    let mut world = lively();
    let cut = world.machine.take_cut();
    let stored = stored(cut.clone());
    let mut facts = facts_of(&cut);
    for image in stored.tasks.iter().rev() {
        facts.add_task(image).unwrap();
    }
    for image in stored.runs.iter().rev() {
        facts.add_run(image).unwrap();
        facts.add_run(image).unwrap();
    }
    let mut facts = Facts::default();
    facts.add_place(&cut.places[1]);
    facts.add_place(&cut.places[1]);
    let of_place = |place| {
        let of = move |image: &&Vec<u8>| TaskColumns::read(image).unwrap().place == place;
        stored.tasks.iter().find(of).unwrap()
    };
    assert!(facts.add_task(of_place(1)).is_ok());
    assert!(
        facts.add_task(of_place(2)).is_err(),
        "another place is not taken for the one described first"
    );
}

#[test]
fn a_claim_record_with_odd_lists_is_no_danger() {
    let record = ClaimRecord {
        runs: vec![RunId(1), RunId(2)],
        counters: vec![1],
        ..ClaimRecord::default()
    };
    let held = Held {
        claim: Some(Box::new(record)),
        until: Timestamp(u64::MAX),
        ..Held::default()
    };
    let mut image = Vec::new();
    held.put(&mut image);
    let key = KeyRow {
        tenant: TenantId::DEFAULT,
        class: KeyClass::Claim,
        key: Text::from("k"),
        until: held.until,
        task: None,
        image,
    };
    let mut facts = Facts::default();
    facts.add_key(&key).unwrap();
    let facts = facts.ready();
    assert!(
        World::new()
            .machine
            .has_claimed(&facts, TenantId::DEFAULT, &key.key)
    );
}

#[test]
fn an_alarm_at_the_end_of_all_time_goes_with_its_run() {
    let stored = bent(RunState::Scheduled, |_, _, run| {
        run.scheduled_at = Timestamp(u64::MAX);
    });
    let mut world = World::new();
    let ids = ids_of(&mut world, &stored);
    world.machine = stored.load().unwrap();
    world.now = world.machine.moment();
    for (_, run, _) in ids {
        let (force, reason) = (true, None);
        world.step(Command::CancelRun { run, force, reason });
    }
    assert_eq!(world.machine.verify(), Ok(()));
    assert_eq!(world.machine.next_deadline_in_ms(&world.now), None);
}

#[test]
fn a_payload_of_another_length_is_left_out_and_missed() {
    let (stored, _) = sample();
    let heavy = |image: &&Vec<u8>| TaskColumns::read(image).unwrap().payload_stored;
    let image = stored.tasks.iter().find(heavy).unwrap();
    for (length, bytes) in [(64, 0), (66, 0), (65, 65)] {
        let mut loader = Loader::new(0, &stored.cut.meta, &stored.cut.places, true).unwrap();
        loader.task(image).unwrap();
        loader.payload(Bytes::from(vec![b'1'; length]));
        loader.payload(Bytes::from(vec![b'1'; 70]));
        let mut machine = loader.finish();
        assert_eq!(machine.payload_bytes(), bytes);
        let cut = machine.take_cut();
        assert_eq!(cut.payloads.len(), usize::from(bytes > 0));
    }
}
