//! Finds out whom a token vouches for: issuer, algorithm, key, signature and claims, in this order.

use std::sync::{Arc, Once};

use mainstay_core::{TenantId, Text};

use super::cache::KeyCache;
use super::claims::judge;
use super::compact::Compact;
use super::fetch::{Published, Source};
use super::issuer::Issuer;
use super::node::Node;
use super::refusal::Refusal;

/// Somebody whom an issuer vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Vouched {
    /// The name in histories: the issuer, `#`, the subject.
    pub(crate) name: Text,
    /// The only tenant that may be reached; nothing for all of them.
    pub(crate) tenant: Option<TenantId>,
    /// Roles by name, in order; whether there are such roles is the engine's to say.
    pub(crate) roles: Vec<Text>,
    /// When it ends, in milliseconds since 1970: the token's end and the leeway.
    pub(crate) ends_ms: u64,
}

struct Known {
    issuer: Arc<Issuer>,
    keys: Arc<KeyCache>,
}

/// The issuers whose tokens are accepted.
pub(crate) struct Verifier {
    issuers: Vec<Known>,
}

impl Verifier {
    /// With these issuers.
    ///
    /// # Errors
    /// When one is described in a way that cannot work.
    pub(crate) fn new(issuers: &[Issuer]) -> Result<Verifier, String> {
        let mut all: Vec<(Arc<Issuer>, Arc<dyn Source>)> = Vec::new();
        for issuer in issuers {
            let tell = |what: String| format!("issuer {}: {what}", issuer.issuer);
            issuer
                .check()
                .map_err(|(key, what)| tell(format!("{key}: {what}")))?;
            let issuer = Arc::new(issuer.clone());
            let source = Published::new(Arc::clone(&issuer)).map_err(tell)?;
            all.push((issuer, Arc::new(source)));
        }
        Ok(Verifier::of(all))
    }

    pub(super) fn of(issuers: Vec<(Arc<Issuer>, Arc<dyn Source>)>) -> Verifier {
        if !issuers.is_empty() {
            install_provider();
        }
        let known = issuers.into_iter().map(|(issuer, source)| Known {
            keys: Arc::new(KeyCache::new(&issuer.issuer, source)),
            issuer,
        });
        Verifier {
            issuers: known.collect(),
        }
    }

    /// Whether tokens are accepted at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.issuers.is_empty()
    }

    /// Whom the token vouches for at this time; nothing when it is not accepted. Who may not wait is judged by the keys at hand.
    pub(crate) async fn verify(&self, text: &[u8], now_ms: u64, may_wait: bool) -> Option<Vouched> {
        match self.judge(text, now_ms, may_wait).await {
            Ok(vouched) => Some(vouched),
            Err(refusal) => {
                // The answer tells nobody; the operator has to find out.
                tracing::debug!(cause = refusal.name(), "a token was refused");
                None
            }
        }
    }

    pub(super) async fn judge(
        &self,
        text: &[u8],
        now_ms: u64,
        may_wait: bool,
    ) -> Result<Vouched, Refusal> {
        let text = std::str::from_utf8(text).map_err(|_| Refusal::Malformed)?;
        let token = Compact::read(text)?;
        let named = token.claims.0.get("iss").and_then(Node::text);
        let known = self
            .issuers
            .iter()
            .find(|known| named == Some(&known.issuer.issuer));
        let Known { issuer, keys } = known.ok_or(Refusal::Issuer)?;
        // Pinned before a key is looked for: what a token says of itself chooses among what the issuer uses, and nothing else.
        let algorithm = token
            .algorithm
            .filter(|one| issuer.algorithms.contains(one));
        let algorithm = algorithm.ok_or(Refusal::Algorithm)?;
        let key = keys.find(&token.kid, algorithm, may_wait).await;
        let key = key.ok_or(Refusal::Key)?;
        let holds = jsonwebtoken::crypto::verify(
            token.signature,
            token.message.as_bytes(),
            &key,
            algorithm.algorithm(),
        );
        if !matches!(holds, Ok(true)) {
            return Err(Refusal::Signature);
        }
        judge(&token.claims, issuer, now_ms)
    }
}

/// The one place where it is said who computes signatures. The program around us may have said so before.
fn install_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    });
}
