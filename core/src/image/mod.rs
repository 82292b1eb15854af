//! The images room: what a checkpoint holds of each row, and the way back from it.

mod columns;
mod cut;
mod form;
mod guard;
mod read;
mod write;

pub use columns::{AttemptColumns, RunColumns, TaskColumns};
pub use cut::{Cut, CutRow, KeyClass, KeyRow, PlaceRow, RowKind};
pub use read::Loader;
pub(crate) use write::{meta, put_run, put_task};

#[cfg(test)]
mod tests;
