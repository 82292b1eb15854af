//! The platform room: tenants.

mod apply;
mod model;
mod tenant;

pub(crate) use model::Tenant;
pub(crate) use tenant::{create, weigh};
