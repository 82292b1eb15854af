//! The admin key: made on first start, kept in the data directory, verified without telling how close a guess was.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use mainstay_core::Text;
use subtle::ConstantTimeEq;

use crate::auth::letters;

const FILE: &str = "admin.key";
const PREFIX: &str = "msk_";
const ID_CHARS: usize = 8;
/// A shorter secret is none; the ones made here have more.
const SECRET_BYTES: usize = 32;
const SECRET_CHARS: usize = 52;
/// A key file is far shorter; whatever is longer is not one.
const FILE_BYTES_MAX: u64 = 512;

/// The key of the administrator: `msk_<id>_<secret>`. It is never printed by `Debug`.
#[derive(Clone)]
pub struct AdminKey {
    text: Text,
    name: Text,
    digest: blake3::Hash,
}

impl AdminKey {
    /// Reads the key of a data directory, or makes one; true when it was made now.
    ///
    /// # Errors
    /// When the file cannot be read or written, does not hold a key, or may be read by others than its owner.
    pub fn open_or_create(data_dir: &Path) -> io::Result<(AdminKey, bool)> {
        let path = data_dir.join(FILE);
        match File::open(&path) {
            Ok(file) => Ok((AdminKey::read(file)?, false)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = AdminKey::parse(&mint()?)?;
                key.write(data_dir)?;
                Ok((key, true))
            }
            Err(error) => Err(error),
        }
    }

    /// The key's text, for the one time it is shown and for local clients.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// The key's id: the name by which its holder appears in histories.
    #[must_use]
    pub fn name(&self) -> Text {
        self.name.clone()
    }

    /// Whether this is the key. The time it takes does not depend on how much of a guess is right.
    pub(crate) fn verify(&self, candidate: &[u8]) -> bool {
        blake3::hash(candidate)
            .as_bytes()
            .ct_eq(self.digest.as_bytes())
            .into()
    }

    fn parse(text: &str) -> io::Result<AdminKey> {
        let id = text
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split_once('_'));
        let is_word =
            |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
        match id {
            Some((id, secret))
                if is_word(id) && is_word(secret) && secret.len() >= SECRET_BYTES =>
            {
                Ok(AdminKey {
                    text: Text::from(text),
                    name: Text::from(id),
                    digest: blake3::hash(text.as_bytes()),
                })
            }
            _ => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "admin.key does not hold an API key",
            )),
        }
    }

    fn read(file: File) -> io::Result<AdminKey> {
        if file.metadata()?.permissions().mode() & 0o077 != 0 {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "admin.key may be read by others: chmod 600 it",
            ));
        }
        let mut text = String::new();
        file.take(FILE_BYTES_MAX).read_to_string(&mut text)?;
        AdminKey::parse(text.trim_end())
    }

    /// The file appears whole or not at all: written aside, synced, renamed, the directory synced.
    fn write(&self, data_dir: &Path) -> io::Result<()> {
        let aside = data_dir.join(format!("{FILE}.tmp"));
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
        file.write_all(format!("{}\n", self.text).as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&aside, data_dir.join(FILE))?;
        File::open(data_dir)?.sync_all()
    }
}

impl fmt::Debug for AdminKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminKey")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

fn mint() -> io::Result<String> {
    let id = letters(ID_CHARS)?;
    Ok(format!("{PREFIX}{id}_{}", letters(SECRET_CHARS)?))
}

#[cfg(test)]
mod tests {
    use super::AdminKey;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_key_is_made_once_and_found_again() {
        let dir = tempfile::tempdir().expect("tempdir");
        let (key, created) = AdminKey::open_or_create(dir.path()).expect("made");
        assert!(created);
        let (again, created) = AdminKey::open_or_create(dir.path()).expect("found");
        assert!(!created);
        assert_eq!(key.reveal(), again.reveal());
        let path = dir.path().join("admin.key");
        assert_eq!(
            std::fs::metadata(&path).expect("file").permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(
            std::fs::read_to_string(&path).expect("text"),
            format!("{}\n", key.reveal())
        );
        assert_eq!(std::fs::read_dir(dir.path()).expect("dir").count(), 1);
    }

    #[test]
    fn only_the_whole_key_is_verified_and_debug_does_not_show_it() {
        let dir = tempfile::tempdir().expect("tempdir");
        let (key, _) = AdminKey::open_or_create(dir.path()).expect("made");
        let text = key.reveal();
        assert!(key.verify(text.as_bytes()));
        assert!(!key.verify(&text.as_bytes()[..text.len() - 1]));
        assert!(!key.verify(b""));
        let secret = text.rsplit('_').next().expect("secret");
        assert!(secret.len() >= 52);
        assert!(!format!("{key:?}").contains(secret));
        assert_eq!(&*key.name(), text.split('_').nth(1).expect("id"));
    }

    #[test]
    fn a_key_file_that_others_may_read_or_that_holds_no_key_is_refused() {
        let dir = tempfile::tempdir().expect("tempdir");
        let path = dir.path().join("admin.key");
        std::fs::write(&path, "hello\n").expect("write");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("chmod");
        assert!(AdminKey::open_or_create(dir.path()).is_err());
        std::fs::write(&path, format!("msk_abcdefgh_{}\n", "a".repeat(52))).expect("write");
        assert!(AdminKey::open_or_create(dir.path()).is_ok());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("chmod");
        assert!(AdminKey::open_or_create(dir.path()).is_err());
    }
}
