//! Signatures as Standard Webhooks has them: HMAC-SHA-256 over id, timestamp and body.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::root::Secret;

/// The value of `webhook-signature`: one signature of each secret, separated by spaces.
pub(super) fn signature(secrets: &[Secret], id: &str, timestamp: u64, body: &[u8]) -> String {
    let all = secrets.iter().map(|secret| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.bytes());
        let mut context = hmac::Context::with_key(&key);
        context.update(format!("{id}.{timestamp}.").as_bytes());
        context.update(body);
        format!("v1,{}", STANDARD.encode(context.sign()))
    });
    all.collect::<Vec<_>>().join(" ")
}
