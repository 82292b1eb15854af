//! The platform room: tenants, capabilities, roles.

mod apply;
mod capability;
mod model;
mod tenant;

pub use capability::{BUILT_IN_ROLES, Capabilities, Capability};
pub(crate) use model::Tenant;
pub(crate) use tenant::{create, weigh};
