//! The store on one SQLite file: how rows get in, come back, go, and are copied.

mod adopt;
mod audit;
mod bulk;
mod change;
mod copy;
mod erase;
mod examine;
mod fault;
mod json;
mod known;
mod ledger;
mod live;
mod look;
mod objects;
mod open;
mod outlived;
mod overdue;
mod put;
mod retain;
mod runs;
mod schema;
mod sum;
mod tasks;
#[cfg(test)]
mod tests;
mod texts;
mod writer;

pub use adopt::adopt;
pub(crate) use audit::{
    AFTER_OF, after as entries_after, extent, is_kept, number, read as read_entry,
};
pub use copy::copy_store;
pub use examine::{Examined, examine};
pub(crate) use fault::fault;
pub(crate) use known::find_tenant;
pub(crate) use ledger::{APPROVAL, ENTRY, read_approval, read_entry as read_ledger};
pub use look::SqliteReader;
pub(crate) use open::connect;
pub use open::{STORE_FILE, SqliteOptions, file_of, set_aside};
pub use writer::SqliteStore;
