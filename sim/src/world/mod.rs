//! The world: one seed decides who asks what, when time passes and what breaks.

mod clock;
mod contest;
mod crew;
mod damage;
mod explained;
mod known;
mod life;
mod people;
mod plan;
mod reader;
mod revive;
mod run;
mod steps;
mod wide;

pub use contest::{Contest, Shares, run_contest};
pub use run::{Report, Setup, run_ancient, run_planned, run_seed};
