//! The task room: durable intent, its submission and its cancel.

mod apply;
mod batch;
mod cancel;
mod check;
mod create;
mod model;
mod state;
mod submit;
mod update;

pub(crate) use batch::{check_bounds, plan_all};
pub(crate) use cancel::decide as cancel;
pub(crate) use check::{check as check_spec, check_capabilities, check_key, invalid, within};
pub(crate) use create::decide as create_run;
pub use model::{
    Bonds, Extras, HoldPolicy, Jitter, Payload, Policy, Retry, SafetyLevel, Strategy, TaskSpec,
};
pub(crate) use model::{Content, Handle, Rare, Row, is_heavy, policy};
pub use state::State;
pub(crate) use state::{Standing, derive_state};
pub(crate) use submit::{Plan, decide as submit, make_all, short_digest};
pub(crate) use update::decide as update;
