//! Runs cargo and other programs from the repository's root.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The repository's root: the folder above this crate.
pub(crate) fn workspace_root() -> Result<PathBuf, String> {
    let own = std::env::var_os("CARGO_MANIFEST_DIR").ok_or("start this as `cargo xtask`")?;
    let root = Path::new(&own)
        .parent()
        .ok_or("xtask has no folder above it")?;
    Ok(root.to_path_buf())
}

/// Where cargo puts what it builds.
pub(crate) fn target_folder(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

/// A cargo command without what the outer `cargo run` put into the environment, which would make
/// build scripts that watch it run again.
pub(crate) fn command(root: &Path, args: &[&str]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command.args(args).current_dir(root);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs cargo with its output going straight through.
pub(crate) fn run(root: &Path, args: &[&str], env: &[(&str, &str)]) -> Result<(), String> {
    let status = command(root, args).envs(env.iter().copied()).status();
    let status = status.map_err(|error| format!("cargo {}: {error}", args.join(" ")))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("`cargo {}` failed ({status})", args.join(" ")))
    }
}

/// Runs cargo and gives back what it printed.
pub(crate) fn output(root: &Path, args: &[&str]) -> Result<String, String> {
    let output = command(root, args).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("cargo {}: {error}", args.join(" ")))?;
    if !output.status.success() {
        return Err(format!(
            "`cargo {}` failed ({})",
            args.join(" "),
            output.status
        ));
    }
    String::from_utf8(output.stdout).map_err(|_| {
        format!(
            "`cargo {}` printed something else than text",
            args.join(" ")
        )
    })
}

/// Whether a cargo subcommand is installed.
pub(crate) fn has(root: &Path, subcommand: &str) -> bool {
    let quiet = command(root, &[subcommand, "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    quiet.is_ok_and(|status| status.success())
}
