//! Who asks, what they may, and what routes need of them.

mod caller;
mod keyring;
mod keytext;
mod needs;
mod throttle;

pub(crate) use caller::Caller;
pub(crate) use keyring::{Keyring, unauthorized};
pub(crate) use keytext::{digest, letters, mint};
pub(crate) use needs::Needs;
