//! `cargo xtask schemathesis`: every documented route of a live server under made-up requests, with all checks that apply.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::cargo;
use crate::served::Served;

/// The one version that the hooks are written for.
const PACKAGE: &str = "schemathesis==4.32.5";
/// Checks the document itself against the meta-schema of OpenAPI 3.1.
const VALIDATOR: &str = "openapi-spec-validator==0.7.1";
/// Made-up requests per route and phase, in one run.
const EXAMPLES: &str = "60";
/// What goes with a run: settings, hooks and the world that it begins with.
const FILES: &str = "xtask/schemathesis";
/// Where the tools are installed and a run leaves its report.
const TOOLS: &str = "target/schemathesis";

/// Runs at least `cases` cases; fails with what they found.
pub(crate) fn run(root: &Path, cases: u64) -> Result<(), String> {
    cargo::run(
        root,
        &["build", "--locked", "--package", "mainstay-cli"],
        &[],
    )?;
    install(root)?;
    let scratch = root.join(TOOLS).join("world");
    drop(fs::remove_dir_all(&scratch));
    fs::create_dir_all(&scratch).map_err(|error| format!("{}: {error}", scratch.display()))?;
    let (mut total, mut seed) = (0, 1);
    // Every run begins with another seed, in another world, until there are as many cases as were asked for.
    while total < cases {
        let world = scratch.join(seed.to_string());
        let served = serve(root, &world)?;
        if total == 0 {
            validate(root, &served, &world)?;
        }
        let report = attack(root, &served, &world, seed)?;
        let found = report["failures"].as_array().map_or(0, Vec::len)
            + report["errors"].as_array().map_or(0, Vec::len);
        let generated = generated(&report);
        total += generated;
        println!(
            "seed {seed}: {generated} cases over {} routes, {found} findings",
            report["operations"]["tested"]
        );
        if found > 0 || generated == 0 {
            return Err(format!("see {}/{seed}/report.json", scratch.display()));
        }
        seed += 1;
    }
    println!("{total} cases, nothing found");
    Ok(())
}

fn generated(report: &Value) -> u64 {
    report["test_cases"]["generated"].as_u64().unwrap_or(0)
}

fn tool(root: &Path, name: &str) -> PathBuf {
    root.join(TOOLS).join("bin").join(name)
}

fn install(root: &Path) -> Result<(), String> {
    if tool(root, "schemathesis").exists() && tool(root, "openapi-spec-validator").exists() {
        return Ok(());
    }
    let folder = root.join(TOOLS);
    finish(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    let mut pip = Command::new(tool(root, "pip"));
    finish(pip.args(["install", "--quiet", PACKAGE, VALIDATOR]))
}

fn finish(command: &mut Command) -> Result<(), String> {
    let status = command.status();
    match status.map_err(|error| format!("{command:?}: {error}"))? {
        status if status.success() => Ok(()),
        status => Err(format!("{command:?}: {status}")),
    }
}

/// A server of the built binary with something of everything in it.
fn serve(root: &Path, world: &Path) -> Result<Served, String> {
    fs::create_dir_all(world).map_err(|error| format!("{}: {error}", world.display()))?;
    let program = cargo::target_folder(root).join("debug/mainstay");
    let served = Served::start(&program, &world.join("data"))?;
    let mut python = Command::new(tool(root, "python"));
    python.arg(root.join(FILES).join("world.py"));
    python.args([&served.url, &served.key]);
    finish(python.arg(world.join("world.json")))?;
    Ok(served)
}

/// The document against the meta-schema.
fn validate(root: &Path, served: &Served, world: &Path) -> Result<(), String> {
    let document = world.join("openapi.json");
    let mut curl = Command::new("curl");
    let header = format!("Authorization: Bearer {}", served.key);
    curl.args(["--silent", "--fail", "--header", &header, "--output"]);
    finish(
        curl.arg(&document)
            .arg(format!("{}/api/v1/openapi.json", served.url)),
    )?;
    finish(Command::new(tool(root, "openapi-spec-validator")).arg(&document))
}

/// One run of all phases; its report.
fn attack(root: &Path, served: &Served, world: &Path, seed: u64) -> Result<Value, String> {
    let report = world.join("report.json");
    let files = root.join(FILES);
    let header = format!("Authorization: Bearer {}", served.key);
    // Its exit code says no more than its report does.
    let status = Command::new(tool(root, "schemathesis"))
        .current_dir(&files)
        .env("MAINSTAY_WORLD", world.join("world.json"))
        .env("SCHEMATHESIS_HOOKS", files.join("hooks.py"))
        .arg("--config-file")
        .arg(files.join("schemathesis.toml"))
        .args(["run", &format!("{}/api/v1/openapi.json", served.url)])
        .args(["--header", &header, "--seed", &seed.to_string()])
        .args(["--max-examples", EXAMPLES])
        .args(["--report", "json", "--report-json-path"])
        .arg(&report)
        .status();
    status.map_err(|error| format!("schemathesis: {error}"))?;
    let text = fs::read_to_string(&report);
    let text = text.map_err(|error| format!("{}: {error}", report.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", report.display()))
}
