//! The subscription room: tasks that wait to hear of something.

mod apply;
mod index;
mod model;
mod verbs;

pub(crate) use index::{
    Watches, forget, link, listen_again, pending, thresholds, verify, watchers,
};
pub use model::Filter;
pub(crate) use model::Subscription;
pub(crate) use verbs::{check_events, publish, subscribe, task_of, unsubscribe};
