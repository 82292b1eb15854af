//! JSON in and out: a strict reader that names what is wrong and a writer that splices raw values unchanged.

mod depth;
mod instant;
mod reader;
mod writer;

pub(crate) use depth::depth;
pub(crate) use instant::read_instant;
pub(crate) use reader::{Subject, read, read_items, read_lines};
pub(crate) use writer::Writer;
