//! The room of the store: checkpoint of live state, history of finished work, and the index behind lists, search and SQL.
//!
//! Everything in a store is derived: deleting it loses nothing that the retained log holds. This crate is the only one that may speak
//! SQL. It holds the seam that the engine's writer works against; no database stands behind it yet, and the log is never trimmed, so
//! the machine keeps all rows in memory and recovery replays the whole log.
#![forbid(unsafe_code)]

mod seam;

pub use seam::{Row, Store, StoreError};
