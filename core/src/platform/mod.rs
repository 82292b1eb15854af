//! The platform room: tenants, capabilities, roles, keys.

mod access;
mod apply;
mod capability;
mod govern;
mod grant;
mod key;
mod model;
mod role;
mod tenant;

pub use access::KeyDigest;
pub(crate) use access::{Access, Grant, Key, Revoked, SYSTEM};
pub use capability::{BUILT_IN_ROLES, Capabilities, Capability};
pub(crate) use govern::govern;
pub use govern::{Govern, NewKey};
pub(crate) use model::Tenant;
pub(crate) use tenant::{create, weigh};
