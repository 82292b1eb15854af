//! Damage at rest between two lives: it must be refused, or must not matter.

use super::run::World;
use crate::disk::SimDisk;

/// What was damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Damage {
    /// A block cannot be read.
    Unreadable,
    /// A bit has changed.
    Rot,
    /// A file is missing.
    Lost,
}

/// Files that hold what was acknowledged.
fn files(disk: &SimDisk) -> Vec<String> {
    let holds =
        |name: &String| name == "manifest" || name.ends_with(".log") || name.ends_with(".snap");
    disk.names().into_iter().filter(holds).collect()
}

/// Damages one file. Blocks may become unreadable at any time; rot and loss strike only what is provably durable.
pub(super) fn strike(world: &mut World, is_sealed: bool) -> Option<Damage> {
    let files = files(&world.disk);
    if files.is_empty() {
        return None;
    }
    let name = world.rng.pick(&files).clone();
    let bytes = world.disk.bytes(&name).unwrap_or_default();
    let used: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] != 0).collect();
    if used.is_empty() {
        return None;
    }
    let offset = *world.rng.pick(&used);
    let damage = match world.rng.below(if is_sealed { 6 } else { 1 }) {
        0 | 1 => {
            world.disk.spoil(&name, offset);
            Damage::Unreadable
        }
        2..=4 => {
            let mask = 1 << world.rng.below(8);
            world.disk.rot(&name, offset, mask);
            Damage::Rot
        }
        _ => {
            world.disk.lose(&name);
            Damage::Lost
        }
    };
    if name.ends_with(".snap") || name.starts_with("log/") && damage == Damage::Rot {
        let before = (damage, bytes);
        world.damaged.entry(name.clone()).or_insert(before);
    }
    world.say(|| format!("-- {damage:?} of {name} at {offset}"));
    Some(damage)
}

/// Undoes rot in segments that recovery had no need to read; what it has rewritten or cut off since is left alone.
pub(super) fn mend_unread(world: &mut World) {
    let disk = &world.disk;
    world.damaged.retain(|name, (_, before)| {
        if !name.starts_with("log/") {
            return true;
        }
        let now = disk.bytes(name).unwrap_or_default();
        let changed = now.iter().zip(before.iter()).filter(|(a, b)| a != b);
        if now.len() == before.len() && changed.count() == 1 {
            disk.mend(name, before);
        }
        false
    });
}

fn lose_snapshots(world: &mut World) {
    for name in files(&world.disk) {
        if name.ends_with(".snap") {
            let bytes = world.disk.bytes(&name).unwrap_or_default();
            world.disk.lose(&name);
            // One that was damaged before comes back as it was before that.
            let before = world.damaged.entry(name).or_insert((Damage::Lost, bytes));
            before.0 = Damage::Lost;
        }
    }
}

/// Damages the store: all of it, one live row, or a part of one. The log and the snapshots must make up for it.
pub(super) fn strike_store(world: &mut World) {
    let choice = world.rng.draw();
    let what = match world.rng.below(3) {
        0 => {
            world.shelf.lose();
            world.report.marks.hit("store lost");
            // Without a snapshot nothing reaches a trimmed log: that must be refused, and the copies of people bring them back.
            if world.oldest > 1 && world.rng.chance(20) {
                lose_snapshots(world);
            }
            "loss of the store"
        }
        1 if world.shelf.rot(choice) => "rot in the store",
        2 if world.shelf.lose_row(choice) => "a row of the store is lost",
        _ => return,
    };
    world.store_struck = true;
    world.say(|| format!("-- {what}"));
}
