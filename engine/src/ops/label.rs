//! The label of a backup: what is in it, by whom and of what, and the digests that prove it.
//! Owns: the form of `backup.json`.
//! Never: trusts a name or a number that it read.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::OpsError;

/// The label's name inside a backup. A directory without it is no backup.
pub const LABEL_FILE: &str = "backup.json";
/// The store's name inside a backup.
pub const STORE_FILE: &str = "store.db";
/// The form of label and directory that this release writes, and the only one it reads.
pub(super) const FORMAT: u64 = 1;
/// No label is longer.
pub(super) const LABEL_BYTES_MAX: u64 = 64 << 10;

/// A backup, as its label describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backup {
    /// The form of label and directory.
    pub format: u64,
    /// Id of the log that the backup was made from.
    pub log_id: String,
    /// The last event in it.
    pub sequence: u64,
    /// Recorded time of that event, Unix milliseconds.
    pub wall: u64,
    /// When the backup was made, by the wall clock, Unix milliseconds.
    pub created_at: u64,
    /// Version of the program that made it.
    pub version: String,
    /// Rows of unfinished tasks and runs.
    pub live_rows: u64,
    /// The sum of their checks, 16 hex digits.
    pub live_sum: String,
    /// Digest of the live state, as `doctor` and `inspect` print it.
    pub digest: String,
    /// Every file beside the label.
    pub files: Vec<BackupFile>,
    /// BLAKE3, in hex, of this label as compact JSON in the order of these fields, with this one empty.
    pub check: String,
}

/// One file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupFile {
    /// Its name in the backup's directory.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Its BLAKE3 hash in hex.
    pub blake3: String,
}

impl Backup {
    fn check_of(&self) -> String {
        let bare = Backup {
            check: String::new(),
            ..self.clone()
        };
        let text = serde_json::to_vec(&bare).unwrap_or_default();
        blake3::hash(&text).to_hex().to_string()
    }

    /// The label's bytes, for people to read too.
    pub(super) fn encode(&mut self) -> Vec<u8> {
        self.check = self.check_of();
        let mut text = serde_json::to_vec_pretty(self).unwrap_or_default();
        text.push(b'\n');
        text
    }

    /// Reads a label; `file` is its name for people.
    pub(super) fn decode(file: &Path, text: &[u8]) -> Result<Backup, OpsError> {
        let damaged = |what: String| OpsError::Damaged {
            file: file.to_owned(),
            what,
        };
        let value: serde_json::Value =
            serde_json::from_slice(text).map_err(|error| damaged(error.to_string()))?;
        let found = value.get("format").and_then(serde_json::Value::as_u64);
        match found {
            Some(FORMAT) => {}
            Some(found) => {
                return Err(OpsError::Format {
                    file: file.to_owned(),
                    found,
                    known: FORMAT,
                });
            }
            None => return Err(damaged("it names no format".to_owned())),
        }
        let label: Backup =
            serde_json::from_value(value).map_err(|error| damaged(error.to_string()))?;
        if label.check != label.check_of() {
            return Err(damaged("its own check does not hold".to_owned()));
        }
        match &label.files[..] {
            [only] if only.name == STORE_FILE => Ok(label),
            _ => Err(damaged(format!(
                "it must name {STORE_FILE} and nothing else"
            ))),
        }
    }
}

#[cfg(test)]
mod tests;
