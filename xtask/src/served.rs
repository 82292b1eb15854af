//! A server of a built binary on a free port and a directory of its own, ended when it is dropped.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// A server that runs.
pub(crate) struct Served {
    child: Child,
    /// Where it listens: `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    /// Its admin key.
    pub(crate) key: String,
}

impl Served {
    /// Starts `program` on `data` and waits until it listens.
    pub(crate) fn start(program: &Path, data: &Path) -> Result<Served, String> {
        let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", program.display());
        let mut child = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--json", "--data-dir"])
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| wrong(&error))?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            let read = BufReader::new(out).read_line(&mut line);
            read.map_err(|error| wrong(&error))?;
        }
        let mut served = Served {
            child,
            url: String::new(),
            key: String::new(),
        };
        let told: Value = serde_json::from_str(&line).map_err(|error| wrong(&error))?;
        served.url = told["url"].as_str().unwrap_or_default().to_owned();
        let key = fs::read_to_string(data.join("admin.key")).map_err(|error| wrong(&error))?;
        served.key = key.trim().to_owned();
        Ok(served)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It has ended already, or it ends now: a scratch directory needs no orderly end.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
