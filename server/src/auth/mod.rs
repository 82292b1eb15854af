//! Who may ask what: what routes need, and what callers may.

mod caller;
mod needs;

pub(crate) use caller::Caller;
pub(crate) use needs::Needs;
