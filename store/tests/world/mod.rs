//! A store that a real machine filled, for the tests of lists and SQL.

mod filled;

pub(crate) use filled::*;
