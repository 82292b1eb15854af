//! Two cuts in a row become one.

use alloc::vec::Vec;

use super::world::{World, lively, spec};
use crate::image::{Cut, RowKind};
use crate::{Command, FinishOutcome, Text};

/// Every row with its flags, in order of kind and number; a cut must have all its tasks first.
fn positions(cut: &Cut) -> Vec<(RowKind, u64, bool, bool)> {
    assert!(cut.rows.is_sorted_by_key(|row| row.kind));
    let rows = cut.rows.iter();
    let rows = rows.map(|row| (row.kind, row.number, row.fresh, row.live));
    let mut rows: Vec<_> = rows.collect();
    rows.sort_unstable();
    rows
}

#[test]
fn the_newest_image_wins_and_a_row_is_fresh_if_it_was_in_either() {
    let mut world = World::new();
    let (_, run) = world.submit(spec("q"));
    let first = world.machine.take_cut();
    let fence = world.claim("q", 1, Some("key"))[0].fence;
    world.submit(spec("other"));
    world.finish(run, fence, FinishOutcome::Success);
    let second = world.machine.take_cut();
    assert_eq!(second.keys.len(), 1);
    let merged = first.clone().merge(second.clone());
    assert_eq!(
        positions(&merged),
        [
            (RowKind::Task, 1, true, false),
            (RowKind::Task, 5, true, true),
            (RowKind::Run, 2, true, false),
            (RowKind::Run, 6, true, true),
        ]
    );
    for row in &second.rows {
        let same = merged.rows.iter().find(|other| other.number == row.number);
        assert_eq!(merged.image(same.unwrap()), second.image(row));
    }
    assert_eq!((merged.through, merged.wall), (second.through, second.wall));
    assert_eq!((&merged.meta, &merged.keys), (&second.meta, &second.keys));
    let places: Vec<u32> = merged.places.iter().map(|place| place.place).collect();
    assert_eq!(places, [0, 1]);
    assert_eq!(merged.places, second.places);
}

#[test]
fn a_task_comes_before_its_run_even_when_it_changed_after_it() {
    let mut world = World::new();
    let (task, run) = world.submit(spec("q"));
    world.claim("q", 1, None);
    let (force, reason) = (false, None);
    world.step(Command::CancelRun { run, force, reason });
    let first = world.machine.take_cut();
    let reason = Some(Text::from("all of it"));
    world.step(Command::CancelTask { task, reason });
    let second = world.machine.take_cut();
    assert_eq!(positions(&second), [(RowKind::Task, 1, false, true)]);
    let merged = first.merge(second.clone());
    let both = [
        (RowKind::Task, 1, true, true),
        (RowKind::Run, 2, true, true),
    ];
    assert_eq!(positions(&merged), both);
    assert_eq!(merged.image(&merged.rows[0]), second.image(&second.rows[0]));
}

#[test]
fn payloads_stay_with_whichever_cut_made_them() {
    let mut world = lively();
    let first = world.machine.take_cut();
    let mut large = spec("large");
    large.payload.bytes = [b'2'; 100][..].into();
    world.submit(large);
    let second = world.machine.take_cut();
    let sizes = |cut: &Cut| {
        cut.payloads
            .iter()
            .map(|one| one.1.len())
            .collect::<Vec<_>>()
    };
    assert_eq!((sizes(&first), sizes(&second)), ([65].into(), [100].into()));
    assert_eq!(sizes(&first.merge(second)), [65, 100]);
}

#[test]
fn merging_with_nothing_changes_nothing_but_the_moment() {
    let mut world = lively();
    let first = world.machine.take_cut();
    let nothing = world.machine.take_cut();
    assert!(nothing.rows.is_empty() && nothing.places.is_empty() && nothing.keys.is_empty());
    let merged = first.clone().merge(nothing);
    assert_eq!(positions(&merged), positions(&first));
    assert_eq!(merged.images, first.images);
    assert_eq!(merged.places, first.places);
}

#[test]
fn merging_goes_in_any_grouping() {
    let mut world = World::new();
    let mut cuts = Vec::new();
    for _ in 0..3 {
        world.submit(spec("q"));
        for grant in world.claim("q", 9, None) {
            cuts.push(world.machine.take_cut());
            world.finish(grant.run, grant.fence, FinishOutcome::Released);
        }
    }
    cuts.push(world.machine.take_cut());
    let left = cuts.iter().cloned().reduce(Cut::merge).unwrap();
    let right = cuts
        .into_iter()
        .rev()
        .reduce(|later, earlier| earlier.merge(later));
    let right = right.unwrap();
    let rows = |cut: &Cut| {
        let images = cut
            .rows
            .iter()
            .map(|row| (row.number, row.fresh, cut.image(row).to_vec()));
        let mut rows: Vec<_> = images.collect();
        rows.sort();
        rows
    };
    assert_eq!(rows(&left), rows(&right));
    assert_eq!(
        (left.through, left.meta, left.places),
        (right.through, right.meta, right.places)
    );
}
