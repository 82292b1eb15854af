//! The simulated disk: what it holds, what goes wrong, what a crash leaves.

mod calls;
mod damage;
mod fault;
mod model;
mod sim;

#[cfg(test)]
mod tests;

pub use calls::{SimFile, SimLock};
pub use damage::Saved;
pub use fault::{Act, Aim, Fault, Lasts, Plan, Planned};
pub use sim::{Crash, Hook, SimDisk};
