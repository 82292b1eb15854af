//! The images room: what a checkpoint holds of each row, and the way back from it.

mod access;
mod approval;
mod columns;
mod cut;
mod form;
mod guard;
mod operation;
mod read;
mod revive;
mod statistics;
mod webhook;
mod write;

pub use columns::{AttemptColumns, RunColumns, TaskColumns, brief_run};
pub use cut::{Cut, CutRow, KeyClass, KeyRow, MarkRow, ObjectClass, ObjectRow, PlaceRow, RowKind};
#[cfg(test)]
pub(crate) use form::TaskForm;
pub use read::Loader;
pub use revive::Revived;
pub(crate) use revive::revive;
pub(crate) use statistics::{put_series, series_key};
pub(crate) use webhook::{cut_webhooks, put_delivery, put_webhook};
pub(crate) use write::{
    meta, put_actor, put_grant, put_key, put_mark, put_queue, put_role, put_run, put_task,
    put_tenant, put_ties,
};

#[cfg(test)]
mod tests;
