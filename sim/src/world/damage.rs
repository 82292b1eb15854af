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
    let holds = |name: &String| name == "manifest" || name.ends_with(".log");
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
    world.say(|| format!("-- {damage:?} of {name} at {offset}"));
    Some(damage)
}
