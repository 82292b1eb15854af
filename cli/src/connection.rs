//! Finds the server and the key: options first, then the environment, then the data directory of this machine.

use std::env;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mainstay_client::Client;

use crate::args::Global;
use crate::exit::{Code, Failure};

/// Where the server is when nothing says otherwise.
const DEFAULT_URL: &str = "http://127.0.0.1:7420";
/// The data directory when nothing says otherwise.
const DEFAULT_DATA_DIR: &str = "mainstay-data";
/// How long single commands try while the server is away or starts.
pub(crate) const SHORT_PATIENCE: Duration = Duration::from_secs(3);
/// How long commands that go on for long stand a server's restart.
pub(crate) const LONG_PATIENCE: Duration = Duration::from_secs(600);

/// The data directory that is meant.
pub(crate) fn data_dir(global: &Global) -> PathBuf {
    let named = global
        .data_dir
        .clone()
        .or_else(|| variable("MAINSTAY_DATA_DIR").map(PathBuf::from));
    named.unwrap_or_else(|| PathBuf::from(DEFAULT_DATA_DIR))
}

/// A client of the server that is meant.
pub(crate) fn client(global: &Global, patience: Duration) -> Result<Client, Failure> {
    let url = global.server.clone().or_else(|| variable("MAINSTAY_URL"));
    client_of(global, url.as_deref().unwrap_or(DEFAULT_URL), patience)
}

/// A client of the server at `url`.
pub(crate) fn client_of(global: &Global, url: &str, patience: Duration) -> Result<Client, Failure> {
    let key = match global.key.clone().or_else(|| variable("MAINSTAY_API_KEY")) {
        Some(key) => Some(key),
        None => stored_key(&data_dir(global))?,
    };
    let roots = global
        .ca_file
        .clone()
        .or_else(|| variable("MAINSTAY_CA_FILE").map(PathBuf::from));
    let client = match roots {
        None => Client::new(url, key.as_deref())?,
        Some(path) => {
            let wrong = |what: String| {
                let message = format!("{}: {what}", path.display());
                Failure::new(Code::NotUnderstood, "ca_file", message)
            };
            let pem = std::fs::read(&path).map_err(|error| wrong(error.to_string()))?;
            Client::with_roots(url, key.as_deref(), &pem)?
        }
    };
    Ok(client.with_patience(patience))
}

/// The key that the server stores beside its data; none when there is no such file here.
fn stored_key(data_dir: &Path) -> Result<Option<String>, Failure> {
    let path = data_dir.join("admin.key");
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(Failure::new(
            Code::NotAllowed,
            "key_not_readable",
            format!(
                "{}: {error}; give a key with --key or MAINSTAY_API_KEY",
                path.display()
            ),
        )),
        Err(error) => Err(Failure::new(
            Code::NotUnderstood,
            "key_not_readable",
            format!("{}: {error}", path.display()),
        )),
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
