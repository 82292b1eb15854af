//! The dead letter room: runs that failed for good, until somebody tries them again or clears them away.

mod apply;
mod clear;
mod find;
mod fingerprint;
mod model;
mod redrive;

pub(crate) use clear::decide as clear;
pub use fingerprint::Fingerprint;
pub(crate) use model::Mark;
pub(crate) use redrive::decide as redrive;
