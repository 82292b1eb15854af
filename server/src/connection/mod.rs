//! One connection: its deadlines, what it has sent of which answer, and how it ends.

mod admission;
mod drive;
mod link;
mod outgoing;
mod socket;
mod stream;
mod tls;

pub(crate) use admission::Admission;
pub(crate) use drive::drive;
pub(crate) use link::Link;
pub use tls::{Tls, TlsError};
