//! The contract of a store: what every implementation must do, as cases that run on any of them.

mod cases;
mod many;
mod objects;
mod recovery;
mod retention;
mod trail;
mod world;

pub use cases::all;
pub use recovery::recovery;
pub use retention::retention;
#[cfg(test)]
pub(crate) use trail::trail_cut;
#[cfg(test)]
pub(crate) use world::load;
pub use world::{Factory, LOG_ID, World};
