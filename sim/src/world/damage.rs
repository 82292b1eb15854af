//! Damage at rest between two lives, and its repair: for the bugs that only damage shows.

use super::run::World;

/// Damages something; true when it did, so that a refusal is right.
pub(super) fn inflict(world: &mut World) -> bool {
    let _ = world;
    false
}

/// Undoes the damage, as restoring a copy would.
pub(super) fn repair(world: &mut World) {
    world.disk.heal();
}
