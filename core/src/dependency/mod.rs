//! The dependency room: prerequisites between tasks, and the hierarchy of parents and children.

mod apply;
mod model;

pub(crate) use model::Bond;
