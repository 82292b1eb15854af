//! The dependency room: prerequisites between tasks, and the hierarchy of parents and children.

mod apply;
mod census;
mod check;
mod children;
mod declare;
mod kin;
mod links;
mod model;

pub(crate) use census::census;
pub(crate) use check::{Fate, adopt, check, check_token, fate, holder, standing};
pub(crate) use children::{
    is_bounded, named, plan as plan_children, shown as children, weight as weigh_children,
};
pub(crate) use declare::decide as declare;
pub(crate) use kin::{Kin, Ties};
pub(crate) use links::{
    ancestors, ended, fall_asleep, fence, is_blocked, link_loaded, parent, rejoin, rise, tie,
};
pub(crate) use model::{Bond, Child, Owed};
