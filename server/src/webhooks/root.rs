//! The root key of signing secrets: made at first need, kept in the data directory, never shown. Secrets follow from it and are kept nowhere.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mainstay_core::{TenantId, WebhookId};

const FILE: &str = "webhook.key";
const KEY_BYTES: usize = 32;
const CONTEXT: &str = "mainstay: signing secrets of webhooks";
/// What a secret's text begins with, as Standard Webhooks has it.
const PREFIX: &str = "whsec_";

/// The signing secret of one generation of one webhook.
pub(crate) struct Secret([u8; KEY_BYTES]);

impl Secret {
    /// The secret's text, for the one time it is shown.
    pub(crate) fn reveal(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(self.0))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    #[cfg(test)]
    pub(super) fn of(bytes: [u8; KEY_BYTES]) -> Secret {
        Secret(bytes)
    }
}

/// Where secrets come from.
pub(crate) struct RootKey {
    directory: Option<PathBuf>,
    key: Mutex<Option<[u8; KEY_BYTES]>>,
    /// Whether the log says that there is no key.
    is_told: AtomicBool,
}

impl RootKey {
    /// The key of a data directory; without one a key that ends with the process.
    pub(crate) fn new(directory: Option<PathBuf>) -> RootKey {
        RootKey {
            directory,
            key: Mutex::new(None),
            is_told: AtomicBool::new(false),
        }
    }

    /// The secret of a generation of a webhook. Blocks: the first time the key is read, or made.
    ///
    /// # Errors
    /// When the file cannot be read or written, does not hold a key, or may be read by others than its owner.
    pub(crate) fn secret(
        &self,
        tenant: TenantId,
        webhook: WebhookId,
        generation: u32,
    ) -> io::Result<Secret> {
        let mut held = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        let root = match *held {
            Some(root) => root,
            None => *held.insert(self.open_or_create().inspect_err(|error| {
                if !self.is_told.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%error, "webhooks cannot be signed and are not sent: the key cannot be read or made");
                }
            })?),
        };
        let mut hasher = blake3::Hasher::new_keyed(&blake3::derive_key(CONTEXT, &root));
        hasher
            .update(&tenant.0.to_be_bytes())
            .update(&webhook.0.to_be_bytes())
            .update(&generation.to_be_bytes());
        Ok(Secret(*hasher.finalize().as_bytes()))
    }

    fn open_or_create(&self) -> io::Result<[u8; KEY_BYTES]> {
        let Some(directory) = &self.directory else {
            return mint();
        };
        match File::open(directory.join(FILE)) {
            Ok(file) => read(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = mint()?;
                write(directory, &key)?;
                Ok(key)
            }
            Err(error) => Err(error),
        }
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey(..)")
    }
}

fn mint() -> io::Result<[u8; KEY_BYTES]> {
    let mut key = [0; KEY_BYTES];
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    Ok(key)
}

fn read(file: File) -> io::Result<[u8; KEY_BYTES]> {
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "webhook.key may be read by others: chmod 600 it",
        ));
    }
    let mut text = String::new();
    file.take(256).read_to_string(&mut text)?;
    let decoded = STANDARD.decode(text.trim_end()).ok();
    decoded
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                "webhook.key does not hold a root key",
            )
        })
}

/// The file appears whole or not at all: written aside, synced, renamed, the directory synced.
fn write(directory: &Path, key: &[u8; KEY_BYTES]) -> io::Result<()> {
    let aside = directory.join(format!("{FILE}.tmp"));
    if let Err(error) = std::fs::remove_file(&aside)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&aside)?;
    file.write_all(format!("{}\n", STANDARD.encode(key)).as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&aside, directory.join(FILE))?;
    File::open(directory)?.sync_all()
}
