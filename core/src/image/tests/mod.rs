//! Tests of the images room.

mod columns;
mod golden;
mod hostile;
mod merge;
mod webhooks;
mod world;
