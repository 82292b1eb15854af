//! Segments: files of frames.
//! Owns: re-exports only.
//! Never: anything else.

pub(crate) mod bytes;
mod group;
mod header;
mod image;
mod name;
#[cfg(test)]
mod tests;

pub(crate) use group::{align_up, frame_span, write_fully, write_group};
pub(crate) use header::{FORMAT, SegmentHeader, SegmentHeaderFault};
pub(crate) use image::{Image, Later, Position, Stop, Visited};
pub(crate) use name::{
    LOG_DIR, QUARANTINE_DIR, TAIL_TEMPORARY, first_sequence_of, is_spare, segment_name, spare_name,
};
