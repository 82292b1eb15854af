//! The edge: what happens to every request before and after its route's own work.

mod body;
mod codes;
mod cursor;
mod exchange;
mod failure;
mod feeds;
mod headers;
mod panic;
mod pieces;
mod reply;
mod serve;
mod stored;

pub(crate) use codes::{CODES, Code, find_code};
pub(crate) use exchange::{
    Addressed, Edge, Exchange, Placed, read_actor, read_run, read_subscription, read_task,
    read_tenant, until_ended,
};
pub(crate) use failure::{Failure, wire_code};
pub(crate) use headers::{Form, invalid_parameter};
pub(crate) use pieces::{Pieces, ReplyBody};
pub(crate) use reply::{Grants, Reply};
pub(crate) use serve::{bare_answer, serve};
pub(crate) use stored::{Read, Reading};
