//! The worker: claims work, runs a handler for each lease, keeps leases alive, reports the ends.

mod beats;
mod finishes;
mod lease;
mod live;
mod presence;
mod run;
mod verdict;
mod watch;

pub use lease::{Lease, Signal};
pub use presence::ActorOptions;
pub use run::{Stop, Summary, Worker, WorkerOptions};
pub use verdict::Verdict;
pub use watch::Event;
