//! The feed room: durable events as the public sees them, in order, from any cursor that the log still holds.

mod ask;
mod frame;
mod model;
mod read;
mod ring;
mod source;
mod tasks;
mod watch;

pub use ask::{EventPage, EventsAfter, FeedError, FeedEvent};
pub(crate) use model::Feed;
pub use read::Piece;
pub(crate) use source::{Files, Source};
pub(crate) use tasks::stored_task;
pub use watch::EventWatch;

#[cfg(test)]
mod tests;
