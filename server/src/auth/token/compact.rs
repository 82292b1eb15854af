//! Takes a token apart: three parts, strictly spelled, within a size; nothing in it is believed yet.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::issuer::TokenAlgorithm;
use super::node::{Node, Object, read};
use super::refusal::Refusal;

/// Bytes of a token.
const TOKEN_BYTES_MAX: usize = 8 << 10;
/// Bytes of a key's name.
const KID_BYTES_MAX: usize = 255;
/// What a token may say it is. Tokens for other purposes that an issuer signs with the same keys say so, and are none.
const TYPES: [&str; 2] = ["jwt", "at+jwt"];

/// A token in its parts.
#[derive(Debug)]
pub(super) struct Compact<'a> {
    /// What is signed.
    pub(super) message: &'a str,
    pub(super) signature: &'a str,
    pub(super) algorithm: Option<TokenAlgorithm>,
    pub(super) kid: String,
    pub(super) claims: Object,
}

/// Whether a bearer's text has the form of a token: three parts with dots between them, and not the form of a key.
pub(crate) fn is_like_token(text: &[u8]) -> bool {
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let dots = text.iter().filter(|byte| **byte == b'.').count();
    dots == 2 && !text.starts_with(b"msk_") && text.iter().all(part)
}

impl<'a> Compact<'a> {
    /// Reads a token. Of its header only `alg`, `kid`, `typ` and `crit` are looked at: where to find a key (`jku`, `x5u`) and keys
    /// themselves (`jwk`, `x5c`) are not taken from whoever wants to be let in.
    pub(super) fn read(text: &'a str) -> Result<Compact<'a>, Refusal> {
        Compact::find(text).ok_or(Refusal::Malformed)
    }

    fn find(text: &'a str) -> Option<Compact<'a>> {
        if text.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let (message, signature) = text.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        if signature.is_empty() || claims.contains('.') {
            return None;
        }
        URL_SAFE_NO_PAD.decode(signature).ok()?;
        let header = object(header)?.0;
        // Who demands that something be understood is refused by who does not (RFC 7515 §4.1.11).
        if header.contains_key("crit") {
            return None;
        }
        if let Some(kind) = header.get("typ") {
            let kind = kind.text()?.to_ascii_lowercase();
            let kind = kind.strip_prefix("application/").unwrap_or(&kind);
            if !TYPES.contains(&kind) {
                return None;
            }
        }
        let algorithm = TokenAlgorithm::find(header.get("alg")?.text()?);
        let kid = header.get("kid").and_then(Node::text)?;
        if kid.is_empty() || kid.len() > KID_BYTES_MAX {
            return None;
        }
        Some(Compact {
            message,
            signature,
            algorithm,
            kid: kid.to_owned(),
            claims: object(claims)?,
        })
    }
}

fn object(part: &str) -> Option<Object> {
    read(&URL_SAFE_NO_PAD.decode(part).ok()?)
}
