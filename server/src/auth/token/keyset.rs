//! An issuer's published keys (RFC 7517): those that can check a signature in one of its algorithms; the rest is passed over.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;

use super::issuer::TokenAlgorithm;
use super::node::{Node, Object, read};

/// Keys of one issuer. Beyond them the set is not one that an issuer publishes.
const KEYS_MAX: usize = 100;

/// A key with the algorithms it may be used with.
struct Key {
    kid: String,
    algorithms: Vec<TokenAlgorithm>,
    key: DecodingKey,
}

/// An issuer's keys.
pub(super) struct KeySet(Vec<Key>);

impl KeySet {
    /// Reads `{"keys": […]}`, for an issuer that uses these algorithms; an error when it is none or has no key that is of use.
    pub(super) fn read(body: &[u8], pinned: &[TokenAlgorithm]) -> Result<KeySet, &'static str> {
        let document = read(body).ok_or("not a JSON object in which no name comes twice")?;
        let Some(Node::List(list)) = document.0.get("keys") else {
            return Err("no list of keys");
        };
        if list.len() > KEYS_MAX {
            return Err("more than 100 keys");
        }
        let keys = list.iter().filter_map(|node| match node {
            Node::Object(object) => key(object, pinned),
            _ => None,
        });
        let keys: Vec<Key> = keys.collect();
        if keys.is_empty() {
            return Err("no key for the configured algorithms");
        }
        Ok(KeySet(keys))
    }

    /// The key of this name, if it is one for this algorithm.
    pub(super) fn find(&self, kid: &str, algorithm: TokenAlgorithm) -> Option<&DecodingKey> {
        let fits = |key: &&Key| key.kid == kid && key.algorithms.contains(&algorithm);
        self.0.iter().find(fits).map(|key| &key.key)
    }
}

fn key(object: &Object, pinned: &[TokenAlgorithm]) -> Option<Key> {
    let text = |name: &str| object.0.get(name).and_then(Node::text);
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
    let is_for_signatures = match object.0.get("use") {
        Some(meant) => meant.text() == Some("sig"),
        None => true,
    };
    let may_verify = match object.0.get("key_ops") {
        Some(meant) => meant.texts().is_some_and(|all| all.contains(&"verify")),
        None => true,
    };
    if !is_for_signatures || !may_verify {
        return None;
    }
    let (key, family) = match (text("kty")?, text("crv")) {
        ("RSA", _) => {
            let (modulus, exponent) = (bytes("n")?, bytes("e")?);
            let key = DecodingKey::from_rsa_raw_components(&modulus, &exponent);
            (key, &[TokenAlgorithm::Rs256, TokenAlgorithm::Ps256][..])
        }
        ("EC", Some("P-256")) => {
            let (x, y) = (bytes("x")?, bytes("y")?);
            if (x.len(), y.len()) != (32, 32) {
                return None;
            }
            // A point as SEC 1 spells it whole.
            let point = [&[4], &x[..], &y[..]].concat();
            let key = DecodingKey::from_ec_der(&point);
            (key, &[TokenAlgorithm::Es256][..])
        }
        ("OKP", Some("Ed25519")) => {
            let point = bytes("x").filter(|point| point.len() == 32)?;
            let key = DecodingKey::from_ed_der(&point);
            (key, &[TokenAlgorithm::EdDsa][..])
        }
        _ => return None,
    };
    // A key that says what it is for is for nothing else.
    let meant = match object.0.get("alg") {
        Some(named) => Some(TokenAlgorithm::find(named.text()?)?),
        None => None,
    };
    let algorithms = family.iter().copied();
    let algorithms =
        algorithms.filter(|one| pinned.contains(one) && meant.is_none_or(|meant| meant == *one));
    let algorithms: Vec<TokenAlgorithm> = algorithms.collect();
    (!algorithms.is_empty()).then_some(Key {
        kid: text("kid")?.to_owned(),
        algorithms,
        key,
    })
}
