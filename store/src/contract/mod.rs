//! The contract of a store: what every implementation must do, as cases that run on any of them.

mod cases;
mod recovery;
mod retention;
mod world;

pub use cases::all;
pub use recovery::recovery;
pub use retention::retention;
pub use world::{Factory, LOG_ID, World};
