//! SQL for people: the documented views, and one bounded, read-only `SELECT` over them.

mod authorize;
mod room;
mod run;
#[cfg(test)]
mod tests;
mod views;

pub(crate) use run::run;
pub(crate) use views::VIEWS;
