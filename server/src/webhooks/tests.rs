//! Signatures and secrets: vectors of Standard Webhooks, a verifier that knows only the text of the secret, the root key's file.

use std::os::unix::fs::PermissionsExt;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mainstay_core::{TenantId, WebhookId};

use super::root::{RootKey, Secret};
use super::rules::{Rules, WebhookRules};
use super::sign::signature;

const TENANT: TenantId = TenantId::DEFAULT;

/// What a receiver does: the secret's text, the three headers, the body, and its clock.
fn verify(secret: &str, headers: [&str; 3], body: &[u8], now: u64) -> Result<(), &'static str> {
    let [id, timestamp, signatures] = headers;
    let key = STANDARD.decode(secret.strip_prefix("whsec_").ok_or("no secret")?);
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key.map_err(|_| "no secret")?);
    let sent: u64 = timestamp.parse().map_err(|_| "no timestamp")?;
    if now.abs_diff(sent) > 300 {
        return Err("too old or too new");
    }
    let content = [format!("{id}.{timestamp}.").as_bytes(), body].concat();
    let ours = signatures
        .split(' ')
        .filter_map(|one| one.strip_prefix("v1,"));
    let mut decoded = ours.filter_map(|one| STANDARD.decode(one).ok());
    match decoded.any(|one| hmac::verify(&key, &content, &one).is_ok()) {
        true => Ok(()),
        false => Err("no signature fits"),
    }
}

#[test]
fn the_vector_of_the_standard_is_signed_as_it_says() {
    // From the test suites of the reference libraries: a secret of 24 bytes.
    let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let (id, timestamp, body) = (
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1_614_265_330,
        br#"{"test": 2432232314}"#,
    );
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let content = [format!("{id}.{timestamp}.").as_bytes(), body.as_slice()].concat();
    let expected = "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    assert_eq!(STANDARD.encode(hmac::sign(&key, &content)), expected);
    // The same over what signs here, whose secrets have 32 bytes.
    let secret = Secret::of(*b"0123456789abcdef0123456789abcdef");
    let text = secret.reveal();
    let signed = signature(&[secret], id, timestamp, body);
    assert_eq!(signed, "v1,hK4CWvngkaAwjY1pABLuUbOIkEJjW9tAapq1no4ojG0=");
    assert_eq!(
        verify(&text, [id, "1614265330", &signed], body, timestamp),
        Ok(())
    );
}

#[test]
fn a_receiver_refuses_what_is_old_or_was_changed() {
    let secret = Secret::of([7; 32]);
    let text = secret.reveal();
    let signed = signature(&[secret], "msg_1", 1_000_000, b"{}");
    let check = |headers, body: &[u8], now| verify(&text, headers, body, now);
    let sent = ["msg_1", "1000000", signed.as_str()];
    assert_eq!(check(sent, b"{}", 1_000_300), Ok(()));
    assert!(check(sent, b"{}", 1_000_301).is_err());
    assert!(check(sent, b"{}", 999_699).is_err());
    assert!(check(sent, b"{ }", 1_000_000).is_err());
    assert!(check(["msg_2", sent[1], sent[2]], b"{}", 1_000_000).is_err());
    assert!(check([sent[0], "1000001", sent[2]], b"{}", 1_000_000).is_err());
    let other = Secret::of([8; 32]).reveal();
    assert!(verify(&other, sent, b"{}", 1_000_000).is_err());
}

#[test]
fn both_secrets_sign_after_a_rotation_and_each_receiver_is_content() {
    let (new, old) = (Secret::of([2; 32]), Secret::of([1; 32]));
    let texts = [new.reveal(), old.reveal()];
    let signed = signature(&[new, old], "msg_1", 1_000_000, b"{}");
    assert_eq!(signed.split(' ').count(), 2);
    for text in texts {
        assert_eq!(
            verify(&text, ["msg_1", "1000000", &signed], b"{}", 1_000_000),
            Ok(())
        );
    }
}

#[test]
fn a_secret_follows_from_the_root_key_and_from_whose_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let root = || RootKey::new(Some(directory.path().to_owned()));
    let first = root();
    let reveal = |root: &RootKey, tenant, webhook, generation| {
        root.secret(tenant, WebhookId(webhook), generation)
            .unwrap()
            .reveal()
    };
    assert!(!directory.path().join("webhook.key").exists());
    let secret = reveal(&first, TENANT, 1, 1);
    assert_eq!(secret.len(), "whsec_".len() + 44);
    let file = directory.path().join("webhook.key");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    // The same after a restart; another for every other tenant, webhook and generation.
    assert_eq!(reveal(&root(), TENANT, 1, 1), secret);
    assert_ne!(reveal(&first, TENANT, 1, 2), secret);
    assert_ne!(reveal(&first, TENANT, 2, 1), secret);
    assert_ne!(reveal(&first, TenantId(5), 1, 1), secret);
    assert!(!format!("{first:?}").contains(&secret));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(root().secret(TENANT, WebhookId(1), 1).is_err());
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&file, "short\n").unwrap();
    assert!(root().secret(TENANT, WebhookId(1), 1).is_err());
}

#[test]
fn a_url_is_judged_by_the_operators_rules() {
    let strict = Rules::read(&WebhookRules::default()).unwrap();
    let loose = WebhookRules {
        allow_networks: vec!["127.0.0.0/8".into(), "10.0.0.0/8".into()],
        allow_http: true,
        ..WebhookRules::default()
    };
    let loose = Rules::read(&loose).unwrap();
    for (url, by_strict, by_loose) in [
        ("https://example.com/hook", true, true),
        ("https://example.com:8443/hook", true, true),
        ("https://example.com:22/", false, false),
        ("http://example.com/hook", false, true),
        ("https://10.0.0.1/", false, true),
        ("http://127.0.0.1:9000/", false, true),
        ("https://192.168.0.1/", false, false),
        ("https://[::ffff:10.0.0.1]/", false, true),
        ("https://user@example.com/", false, false),
        ("https://169.254.169.254/", false, false),
    ] {
        assert_eq!(strict.check(url).is_ok(), by_strict, "{url}");
        assert_eq!(loose.check(url).is_ok(), by_loose, "{url}");
    }
    let wrong = WebhookRules {
        allow_networks: vec!["10.0.0.1/8".into()],
        ..WebhookRules::default()
    };
    assert!(Rules::read(&wrong).is_err());
}
