//! The statistics room: how long attempts take and how they end, by kind, for life and for the last hour.

mod histogram;
mod model;
mod view;

pub(crate) use histogram::Times;
pub(crate) use model::{SLICES, Series, Slice, Statistics};
pub use view::{KindReport, Spans, StatsReport};
pub(crate) use view::{execution, report, uncounted, verify};

#[cfg(test)]
mod tests;
