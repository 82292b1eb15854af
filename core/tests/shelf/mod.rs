//! A shelf of maps in place of a store: it is fed by cuts, fills machines, and looks up what has left memory.
#![allow(dead_code)] // each test binary uses its own part of it

mod calendar;
mod decide;
mod kept;

pub(crate) use kept::Shelf;
