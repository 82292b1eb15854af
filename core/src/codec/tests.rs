//! Tests of the codec room.
