//! Mainstay embedded: durable tasks inside your program, one directory, no server.
//!
//! ```
//! # let directory = std::env::temp_dir().join(format!("mainstay-doc-{}", std::process::id()));
//! let engine = mainstay::Engine::open(&directory)?;
//! let run = engine.submit(mainstay::Task::new("mail.send").json(r#"{"to":"ada@example.org"}"#))?.run.run;
//! let worker = engine.worker("default").run(|job| Ok(format!("{}", job.payload().len()).into_bytes()));
//! assert_eq!(engine.wait_until_done(run)?.state, mainstay::RunState::Completed);
//! worker.stop();
//! engine.shutdown(std::time::Duration::from_secs(5))?;
//! # std::fs::remove_dir_all(&directory).ok();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Everything goes through a [`Handle`]: commands are decided by the pure machine of `mainstay-core` on one thread, their events are
//! made durable by the log, and only then does an answer leave.
#![forbid(unsafe_code)]

mod audit;
mod backlog;
mod calendar;
mod call;
mod clock;
pub mod doctor;
mod engine;
mod feed;
mod handle;
mod inbox;
mod keeper;
mod metrics;
mod open;
mod operations;
pub mod ops;
mod read_only;
mod reads;
mod recovery;
mod release;
mod shared;
mod shelf;
mod snapshot;
mod space;
mod start;
mod threads;
mod token;
mod waiters;
mod worker;
mod writer;

pub use audit::{AuditCheck, AuditGap, AuditReport, verify_audit};
pub use calendar::{Calendar, coming_instants, schedule_preview};
pub use call::{CallError, Durability, Pending, Replied, Stage};
pub use clock::{Clock, Raw};
pub use engine::{Engine, EngineOptions, OpenError, Recovered};
pub use feed::{EventPage, EventWatch, EventsAfter, FeedError, FeedEvent, Piece};
pub use handle::{CommandError, Handle, Task};
pub use keeper::{Keeper, Kept};
pub use mainstay_core::*;
pub use mainstay_store as store;
pub use metrics::{Histogram, Metrics};
pub use open::{Opening, open};
pub use reads::Reads;
pub use recovery::{Progress, Settings, Shelf};
pub use shared::Status;
pub use snapshot::{Snapped, Snapper};
pub use worker::{Job, JobError, Worker, WorkerBuilder};
#[doc(hidden)]
pub use writer::{Meddler, Meddling, Plant, Turn, Writer};
