//! The subscription room: tasks that wait to hear of something.

mod apply;
mod model;

pub use model::Filter;
pub(crate) use model::Subscription;
