//! The operation room: acts on many runs, done a piece at a time and remembered.

mod apply;
mod begin;
mod cancel;
mod index;
mod model;

pub(crate) use begin::begin;
pub(crate) use cancel::cancel;
pub(crate) use index::Operations;
pub use model::{
    Action, BeginOperation, Operate, Operation, OperationPiece, OperationState, Refused, Selection,
};
