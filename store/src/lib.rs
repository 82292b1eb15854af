//! The room of the store: checkpoint of live state, history of finished work, and the index behind lists, search and SQL.
//!
//! Everything in a store is derived: deleting it loses nothing that the retained log holds. This crate is the only one that may speak
//! SQL.
#![forbid(unsafe_code)]

#[doc(hidden)]
pub mod contract;
mod library;
mod list;
mod memory;
mod query;
mod seam;
mod sqlite;
mod trail;

pub use library::Library;
pub use list::{
    AfterPage, ApprovalAsk, AuditAsk, AuditPage, DeadAsk, DeadGroup, DeadGroups, DeadLetter,
    EventLine, From, JobAsk, JobLine, JobPage, LedgerAsk, ListError, Listed, MatchAsk, Matched,
    Matches, Page, RunAsk, RunLine, Scope, SqlAnswer, SqlAsk, SqlError, SqlValue, TaskAsk,
    TaskLine,
};
#[doc(hidden)]
pub use memory::MemoryPlant;
pub use memory::{MemoryShelf, MemoryStore};
pub use seam::{
    Base, Found, Keep, LiveRow, Reader, Retention, Store, StoreError, Unsearched, check_of,
};
pub use sqlite::{
    Examined, STORE_FILE, SqliteOptions, SqliteReader, SqliteStore, adopt, copy_store, examine,
    file_of, set_aside,
};
pub use trail::{Chained, Extent, Trail, chain_entry};
