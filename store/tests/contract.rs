//! The contract suite on the store in memory and on the SQLite store.
//! Owns: the factories.
//! Never: adds cases of its own.

use mainstay_store::contract::{self, Factory};
use mainstay_store::{MemoryShelf, MemoryStore, SqliteOptions, SqliteStore, StoreError};

struct InMemory {
    shelf: MemoryShelf,
}

impl Factory for InMemory {
    type Store = MemoryStore;

    fn open(&mut self, log_id: &str) -> Result<MemoryStore, StoreError> {
        self.shelf.open(log_id)
    }
}

struct OnFile {
    dir: tempfile::TempDir,
}

impl Factory for OnFile {
    type Store = SqliteStore;

    fn open(&mut self, log_id: &str) -> Result<SqliteStore, StoreError> {
        SqliteStore::open(
            &self.dir.path().join("store"),
            log_id,
            SqliteOptions::default(),
        )
    }
}

fn in_memory() -> InMemory {
    InMemory {
        shelf: MemoryShelf::default(),
    }
}

fn on_file() -> OnFile {
    OnFile {
        dir: tempfile::tempdir().expect("directory"),
    }
}

#[test]
fn the_memory_store_keeps_the_contract() {
    contract::all(in_memory);
}

#[test]
fn the_memory_store_recovers() {
    contract::recovery(in_memory, 20);
}

#[test]
fn the_sqlite_store_keeps_the_contract() {
    contract::all(on_file);
}

#[test]
fn the_sqlite_store_recovers() {
    contract::recovery(on_file, 10);
}

#[test]
fn the_sqlite_store_keeps_what_retention_keeps() {
    contract::retention(on_file);
}
