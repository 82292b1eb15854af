//! The state room: all live durable truth, and the check that its indexes agree.

mod alarm;
mod digest;
mod end;
mod keys;
mod model;
mod places;
mod twins;
mod verify;
mod volatile;

pub(crate) use alarm::{Alarm, Armed};
pub use digest::Digest;
pub(crate) use digest::{digest_all, digest_live};
pub(crate) use keys::{ClaimRecord, Held, Scope};
pub(crate) use model::{At, Note, State, Switch};
pub(crate) use verify::{verify, verify_loaded};
pub(crate) use volatile::{Renewal, Volatile};
