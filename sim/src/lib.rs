//! The simulator: one seed decides everything; the real machine, writer and file log run in it, and an oracle watches.
#![forbid(unsafe_code)]

mod disk;
mod marks;
mod meddle;
mod oracle;
mod planted;
mod rng;
mod world;

pub use disk::*;
pub use marks::Marks;
pub use planted::{PLANTED, Planted, guarded, hunt};
pub use rng::Rng;
pub use world::{Contest, Report, Setup, Shares, run_ancient, run_contest, run_planned, run_seed};
