//! The guide's pages: every block of a page that says so is run as it stands.

use std::path::Path;
use std::process::Command;

use crate::harness::Served;

/// What a page says when its blocks are run.
const MARK: &str = "is run by the tests";

#[test]
fn every_example_of_the_guide_works_as_it_is_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide");
    let mut pages = 0;
    for entry in std::fs::read_dir(folder).expect("the guide") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("a page");
        if text.contains(MARK) {
            run_page(&path, &script(&text));
            pages += 1;
        }
    }
    assert!(pages >= 6, "only {pages} pages are run");
}

/// The shell blocks of a page as one script that stops where a line does not say what it should.
fn script(page: &str) -> String {
    let mut script = String::from("set -euo pipefail\n");
    let mut inside = false;
    for line in page.lines() {
        if line.starts_with("```") {
            inside = line == "```sh";
        } else if inside {
            script.push_str(&match line.split_once("# → ") {
                Some((command, expected)) => {
                    let expected = expected.trim_end().replace('\'', "'\\''");
                    let command = command.trim_end();
                    format!(
                        "{{ {command}; }} > out.txt 2>&1 || true\n\
                         grep -qF -- '{expected}' out.txt || {{ echo 'expected: {expected}'; cat out.txt; exit 1; }}\n"
                    )
                }
                None => format!("{line}\n"),
            });
        }
    }
    script
}

fn run_page(page: &Path, script: &str) {
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("data");
    let served = Served::start(&data);
    let key = std::fs::read_to_string(data.join("admin.key")).expect("a key");
    let binary = Path::new(env!("CARGO_BIN_EXE_mainstay"));
    let folder = binary.parent().expect("a folder").display();
    let output = Command::new("bash")
        .args(["-c", script])
        .current_dir(directory.path())
        .env(
            "PATH",
            format!("{folder}:{}", std::env::var("PATH").unwrap_or_default()),
        )
        .env("MAINSTAY_URL", &served.url)
        .env("MAINSTAY_DATA_DIR", &data)
        .env("API", format!("{}/api/v1", served.url))
        .env("AUTH", format!("Authorization: Bearer {}", key.trim()))
        .env("JSON", "Content-Type: application/json")
        .output()
        .expect("bash runs");
    assert!(
        output.status.success(),
        "{}: {}{}",
        page.display(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
