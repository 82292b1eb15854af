//! The task room: durable intent, its submission and its cancel.

mod apply;
mod cancel;
mod check;
mod model;
mod submit;

pub(crate) use cancel::decide as cancel;
pub(crate) use check::{check_key, is_name};
pub use model::{
    Bonds, Extras, HoldPolicy, Jitter, Payload, Policy, Retry, SafetyLevel, State, Strategy,
    TaskSpec,
};
pub(crate) use model::{Content, Handle, Rare, Row, Standing, derive_state, is_heavy, policy};
pub(crate) use submit::{decide as submit, short_digest};
