//! The journal: what the server tells whoever reads its log. Never a payload, an output, a header's value or a secret.

mod facts;
mod request;
mod seldom;

pub(crate) use facts::Facts;
pub(crate) use request::{Noted, Told};
pub(crate) use seldom::Seldom;
