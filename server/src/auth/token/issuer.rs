//! An issuer of tokens as the operator describes it, and what makes such a description unusable.

use std::collections::BTreeMap;
use std::time::Duration;

use jsonwebtoken::Algorithm;
use mainstay_core::TenantId;

use crate::outgoing::{Network, Outgoing, Reach, Roots, Target};

/// The largest difference of clocks that is borne with.
const LEEWAY_MAX: Duration = Duration::from_secs(300);
/// Bytes of an issuer's name for itself.
const ISSUER_BYTES_MAX: usize = 255;

/// How a token may be signed. There are only ways in which whoever checks cannot sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenAlgorithm {
    /// RSA with PKCS #1 v1.5 and SHA-256.
    Rs256,
    /// RSA-PSS with SHA-256.
    Ps256,
    /// ECDSA over P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl TokenAlgorithm {
    /// All of them.
    pub const ALL: [TokenAlgorithm; 4] = [
        TokenAlgorithm::Rs256,
        TokenAlgorithm::Ps256,
        TokenAlgorithm::Es256,
        TokenAlgorithm::EdDsa,
    ];

    /// Its name in tokens and in configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            TokenAlgorithm::Rs256 => "RS256",
            TokenAlgorithm::Ps256 => "PS256",
            TokenAlgorithm::Es256 => "ES256",
            TokenAlgorithm::EdDsa => "EdDSA",
        }
    }

    /// The algorithm of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<TokenAlgorithm> {
        TokenAlgorithm::ALL
            .into_iter()
            .find(|one| one.name() == name)
    }

    pub(super) fn algorithm(self) -> Algorithm {
        match self {
            TokenAlgorithm::Rs256 => Algorithm::RS256,
            TokenAlgorithm::Ps256 => Algorithm::PS256,
            TokenAlgorithm::Es256 => Algorithm::ES256,
            TokenAlgorithm::EdDsa => Algorithm::EdDSA,
        }
    }
}

/// Where those act whom an issuer vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IssuerTenant {
    /// In every tenant, as a system key does; only with built-in roles.
    System,
    /// In this one.
    Fixed(TenantId),
    /// In the one that a claim names: by its id, or by a word of the table.
    Claim {
        /// The claim, and the fields within it that lead there.
        path: Vec<String>,
        /// The tenants of words that the issuer uses.
        names: BTreeMap<String, TenantId>,
    },
}

/// An issuer whose tokens are accepted where a key is: `Authorization: Bearer <JWT>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// What its tokens say in `iss`, to the letter; without `jwks_url` it is a URL, and its keys are found from it.
    pub issuer: String,
    /// A token is for us when its `aud` has one of these.
    pub audiences: Vec<String>,
    /// Where its keys are. Default: where `<issuer>/.well-known/openid-configuration` says.
    pub jwks_url: Option<String>,
    /// How its tokens may be signed; at least one.
    pub algorithms: Vec<TokenAlgorithm>,
    /// Where its people and programs act.
    pub tenant: IssuerTenant,
    /// The claim, and the fields within it, that say what somebody is: a text or a list of texts.
    pub role_claim: Vec<String>,
    /// The role for each value of that claim: a built-in one, or one of the tenant's own. Other values give nothing.
    pub roles: BTreeMap<String, String>,
    /// How far clocks may differ, at most 5 minutes.
    pub leeway: Duration,
    /// The certificates, as PEM, that its server's must come from. Default: the system's.
    pub roots_pem: Option<Vec<u8>>,
    /// Networks beyond the public internet where its server may be, as `10.0.0.0/8`.
    pub networks: Vec<String>,
    /// Whether its keys may be fetched without TLS: whoever stands in between can then let in whom they like.
    pub allows_plaintext: bool,
}

impl Issuer {
    /// What makes this description unusable: the key of the configuration, and what is wrong with it.
    ///
    /// # Errors
    /// The first such key.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        let wrong = |key, what: &str| Err((key, what.to_owned()));
        let graphic = self.issuer.bytes().all(|byte| byte.is_ascii_graphic());
        if self.issuer.is_empty() || self.issuer.len() > ISSUER_BYTES_MAX || !graphic {
            return wrong("issuer", "expected 1 to 255 visible ASCII characters");
        }
        // The name that audits show is the issuer, this sign and the subject.
        if self.issuer.contains('#') || !self.issuer.contains(':') {
            return wrong("issuer", "expected a URL without a fragment");
        }
        if self.audiences.is_empty() || self.audiences.iter().any(String::is_empty) {
            return wrong("audience", "expected at least one text");
        }
        if self.algorithms.is_empty() {
            return wrong("algorithms", "expected at least one");
        }
        if self.role_claim.is_empty() || self.role_claim.iter().any(String::is_empty) {
            return wrong("role_claim", "expected a claim's name");
        }
        if self.roles.is_empty() {
            return wrong("roles", "nobody would have a role");
        }
        if self.leeway > LEEWAY_MAX {
            return wrong("leeway", "expected at most 5m");
        }
        if let Some(pem) = &self.roots_pem {
            Outgoing::new(Roots::Pem(pem.clone()))
                .map_err(|error| ("ca_file", error.to_string()))?;
        }
        self.reach().map_err(|what| ("networks", what.to_owned()))?;
        let (key, url) = match &self.jwks_url {
            Some(url) => ("jwks_url", url.clone()),
            None => ("issuer", self.discovery()),
        };
        self.target(&url).map_err(|what| (key, what.to_owned()))?;
        Ok(())
    }

    /// Where the issuer describes itself.
    pub(super) fn discovery(&self) -> String {
        let base = self.issuer.trim_end_matches('/');
        format!("{base}/.well-known/openid-configuration")
    }

    /// A URL that keys may be fetched from.
    pub(super) fn target(&self, url: &str) -> Result<Target, &'static str> {
        let target = Target::parse(url).map_err(|error| error.0)?;
        if target.is_secure() || self.allows_plaintext {
            Ok(target)
        } else {
            Err("must begin with https://, unless allow_plaintext is true")
        }
    }

    pub(super) fn reach(&self) -> Result<Reach, &'static str> {
        let networks: Result<Vec<Network>, _> =
            self.networks.iter().map(|text| text.parse()).collect();
        Ok(Reach::PublicAnd(networks?))
    }
}
