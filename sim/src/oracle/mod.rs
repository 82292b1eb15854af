//! The oracle: an independent reference model, fed by what clients saw and by the durable image.

mod audit;
mod claims;
mod closing;
mod deferred;
mod either;
mod ending;
mod heard;
mod history;
mod image;
mod judge;
mod laws;
mod model;
mod noted;
mod replies;
mod rules;
mod tally;
mod views;

pub(crate) use heard::Page;
pub(crate) use history::{Asked, Entry, Request, Said, principal};
pub(crate) use image::{Kept, witness};
pub(crate) use judge::{LastWord, Oracle, Recovered};
pub(crate) use laws::is_summer_in_berlin;
pub(crate) use model::Run;
pub(crate) use tally::{Counted, IsModest, Tally};
