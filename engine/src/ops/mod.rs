//! The operations room: what people do to a whole data directory, beside the work in it.

mod backup;
mod base;
mod dump;
mod error;
mod events;
mod files;
mod inspect;
mod label;
mod restore;
mod verify;

pub use backup::{backup_directory, is_data_directory};
pub(crate) use base::reaching;
pub use dump::{Line, dump};
pub use error::OpsError;
pub use inspect::{InspectAsk, Inspection, inspect_at};
pub use label::{Backup, BackupFile, LABEL_FILE, STORE_FILE};
pub(crate) use restore::{MARK as UNFINISHED_RESTORE, expect_finished};
pub use restore::{Restored, restore};
pub use verify::verify_backup;
