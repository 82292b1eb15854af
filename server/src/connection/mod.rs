//! One connection: its deadlines, what it has sent of which answer, and how it ends.

mod admission;
mod drive;
mod link;
mod outgoing;
mod stream;

pub(crate) use admission::Admission;
pub(crate) use drive::drive;
pub(crate) use link::Link;
