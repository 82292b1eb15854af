//! Tokens of other issuers: read strictly, checked against the issuer's published keys, turned into somebody with roles.

mod cache;
mod claims;
mod compact;
mod fetch;
mod issuer;
mod keyset;
mod node;
mod refusal;
#[cfg(test)]
mod tests;
mod verifier;

pub(super) use compact::is_like_token;
pub use issuer::{Issuer, IssuerTenant, TokenAlgorithm};
pub(crate) use verifier::{Verifier, Vouched};
