//! Who asks, what they may, and what routes need of them.

mod caller;
mod keyring;
mod keytext;
mod needs;
mod rolebook;
mod throttle;
mod token;

pub(crate) use caller::Caller;
pub(crate) use keyring::{Keyring, unauthorized};
pub(crate) use keytext::{digest, letters, mint};
pub(crate) use needs::Needs;
pub(crate) use token::Verifier;
pub use token::{Issuer, IssuerTenant, TokenAlgorithm};
