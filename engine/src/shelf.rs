//! The store of a data directory on a real disk.
//! Owns: where it stands, and how one that cannot be used is put aside.
//! Never: deletes a store.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mainstay_store::{Library, SqliteOptions, SqliteStore, Store, StoreError, Unsearched};

use crate::recovery::Shelf;

/// The store's directory inside a data directory.
pub(crate) const STORE_DIRECTORY: &str = "store";

/// The store of one data directory.
#[derive(Clone)]
pub(crate) struct FileShelf {
    directory: PathBuf,
    unsearched: Unsearched,
}

impl FileShelf {
    pub(crate) fn new(data_directory: &Path, unsearched: Unsearched) -> FileShelf {
        FileShelf {
            directory: data_directory.join(STORE_DIRECTORY),
            unsearched,
        }
    }

    /// The reading room over the file.
    pub(crate) fn library(&self) -> Arc<Library> {
        Arc::new(Library::open(&mainstay_store::file_of(&self.directory)))
    }
}

impl Shelf for FileShelf {
    fn open(&mut self, log_id: &str) -> Result<Box<dyn Store>, StoreError> {
        let options = SqliteOptions {
            unsearched: self.unsearched.clone(),
            ..SqliteOptions::default()
        };
        let store = SqliteStore::open(&self.directory, log_id, options)?;
        Ok(Box::new(store))
    }

    fn set_aside(&mut self) -> Result<String, StoreError> {
        let moved = mainstay_store::set_aside(&self.directory)?;
        Ok(moved.map_or_else(
            || "nothing: there was none".to_owned(),
            |path| path.display().to_string(),
        ))
    }
}
