//! Long lives with crashes: what a store gives back, and the log after it, make the machine that was.
//! Owns: the case.
//! Never: knows which implementation it runs on.

use mainstay_core::Command;

use super::many::repeat;
use super::world::{Factory, LOG_ID, World, load, spec};
use crate::seam::Store;

/// Runs lives of random work, cuts and crashes; after each crash a machine is made of the store and the events after its checkpoint.
///
/// # Panics
/// If it is not the machine that was, or the implementation breaks the contract.
pub fn recovery<F: Factory>(mut make: impl FnMut() -> F, lives: u64) {
    for seed in 1..=lives {
        live_one(&mut make(), seed);
    }
}

fn live_one<F: Factory>(factory: &mut F, seed: u64) {
    let mut world = World::new(seed);
    for _ in 0..4 {
        let mut store = factory.open(LOG_ID).expect("the store opens");
        let mut durable = store.checkpoint();
        for _ in 0..60 {
            match world.roll(10) {
                0 => {
                    let cut = world.machine.take_cut();
                    if cut.through > durable {
                        store.put(cut).expect("put");
                    }
                    durable = durable.max(world.machine.sequence());
                }
                1 => {
                    let checkpoint = store.durable(durable).expect("durable");
                    let limit = world.roll(20) as usize;
                    world.machine.stored(checkpoint, 0, limit);
                }
                _ => act(&mut world),
            }
        }
        drop(store);
        recover(factory, &mut world);
    }
}

fn act(world: &mut World) {
    if world.roll(20) == 0 {
        let weight = 1 + world.roll(9) as u32;
        world.step(Command::WeighTenant { weight });
    }
    let payload_bytes = world.roll(200) as usize;
    let mut wanted = spec(["a", "b"][world.roll(2) as usize], "q", payload_bytes);
    if world.roll(3) == 0 {
        wanted.extras_mut().tags = vec!["nightly".into(), "cost \"x\"".into()];
        wanted.extras_mut().description = Some("a line\nfor people".into());
    }
    wanted.priority = world.roll(3) as i32 - 1;
    if world.roll(6) == 0 {
        wanted.schedule = repeat("q", 1 + world.roll(5) as u32).schedule;
    }
    world.submit(wanted);
    if world.roll(2) == 0 {
        let max = 1 + world.roll(3) as u32;
        for grant in world.claim("q", max) {
            match world.roll(4) {
                0 => _ = world.fail(&grant, true),
                1 => _ = world.fail(&grant, false),
                2 => _ = world.complete(&grant),
                _ => {}
            }
        }
    }
}

/// What a start does: live rows, then the events after them.
fn recover<F: Factory>(factory: &mut F, world: &mut World) {
    let store = factory.open(LOG_ID).expect("the store opens");
    let mut machine = load(&mut *store.reader().expect("reader"));
    assert_eq!(machine.sequence(), store.checkpoint());
    assert_eq!(machine.verify(), Ok(()));
    for (now, entry) in world
        .events
        .range(store.checkpoint() + 1..)
        .map(|(_, event)| event)
    {
        machine.replay(now, entry);
    }
    assert_eq!(machine.sequence(), world.machine.sequence());
    assert_eq!(machine.digest(), world.machine.digest());
    assert_eq!(machine.verify(), Ok(()));
    world.machine = machine;
}
