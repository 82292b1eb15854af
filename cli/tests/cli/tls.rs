//! A server that encrypts, and the client commands against it.

use std::path::Path;

use crate::harness::{Served, mainstay, run, serve};

fn data(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/tests/data");
    folder.join(name).display().to_string()
}

#[test]
fn commands_reach_a_server_that_encrypts_and_trust_only_whom_they_are_told_to() {
    let directory = tempfile::tempdir().expect("a directory");
    let (certificate, key) = (data("tls-first.pem"), data("tls-first.key"));
    let words = ["--tls-cert", &certificate, "--tls-key", &key];
    let served = Served::start_with(&directory.path().join("data"), &words);
    assert!(served.url.starts_with("https://"), "{}", served.url);
    let root = data("tls-ca.pem");
    served.run(&["stats", "--ca-file", &root]).good();
    let (_, submitted) = served.submit(&["mail.send", "--ca-file", &root]);
    let shown = run(served
        .command(&["run", "show", &submitted, "--json"])
        .env("MAINSTAY_CA_FILE", &root));
    shown.good();
    // The system does not know this root; the certificate is no root; the file holds none.
    let stranger = served.run(&["stats"]);
    assert_eq!(stranger.code, Some(69), "{stranger:?}");
    assert!(stranger.stderr.contains("certificate"), "{stranger:?}");
    let other = served.run(&["stats", "--ca-file", &data("outgoing/ca.pem")]);
    assert_eq!(other.code, Some(69), "{other:?}");
    assert!(other.stderr.contains("UnknownIssuer"), "{other:?}");
    let none = served.run(&["stats", "--ca-file", &key]);
    assert_eq!(none.code, Some(78), "{none:?}");
    let absent = served.run(&["stats", "--ca-file", "/nowhere"]);
    assert_eq!(absent.code, Some(78), "{absent:?}");
    assert!(absent.stderr.contains("/nowhere"), "{absent:?}");
    // Plainly spoken to, it closes.
    let plain = served.url.replace("https:", "http:");
    let plain = run(mainstay().args(["stats", "--server", &plain, "--key", "k"]));
    assert_eq!(plain.code, Some(69), "{plain:?}");
}

#[test]
fn a_certificate_that_cannot_be_used_ends_the_start_with_its_file_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let data_dir = directory.path().join("data");
    let (certificate, key) = (data("tls-first.pem"), data("tls-second.key"));
    let mut command = serve(&data_dir, "0.0.0.0:0");
    let refused = run(command.args(["--tls-cert", &certificate, "--tls-key", &key]));
    assert_eq!(refused.code, Some(78), "{refused:?}");
    assert!(refused.stderr.contains(&key), "{refused:?}");
    let config = directory.path().join("c.toml");
    std::fs::write(
        &config,
        "[oidc.corp]\nissuer = \"https://id.example.org\"\n",
    )
    .expect("written");
    let mut command = serve(&data_dir, "127.0.0.1:0");
    let refused = run(command.arg("--config").arg(&config));
    assert_eq!(refused.code, Some(78), "{refused:?}");
    assert!(
        refused
            .stderr
            .contains("c.toml: oidc.corp.algorithms: must be set"),
        "{refused:?}"
    );
    assert!(!data_dir.exists(), "nothing was made");
}
