//! The edge: what happens to every request before and after its route's own work.

mod body;
mod codes;
mod exchange;
mod failure;
mod headers;
mod panic;
mod reply;
mod serve;

pub(crate) use codes::{CODES, Code, find_code};
pub(crate) use exchange::{Edge, Exchange, Placed, check_tenant, read_run, read_task};
pub(crate) use failure::Failure;
pub(crate) use headers::{Form, invalid_parameter};
pub(crate) use reply::{Grants, Reply};
pub(crate) use serve::{bare_answer, serve};
