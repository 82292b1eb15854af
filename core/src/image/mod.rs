//! The images room: what a checkpoint holds of each row, and the way back from it.

mod columns;
mod cut;

pub use columns::{AttemptColumns, RunColumns, TaskColumns};
pub use cut::{Cut, CutRow, KeyClass, KeyRow, PlaceRow, RowKind};
