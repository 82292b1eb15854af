//! Tests of the run room.
