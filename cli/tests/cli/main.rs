//! The real binary against real directories: every test starts its own server on a free port.

mod batch;
mod canary;
mod crash;
mod doctor;
mod events;
mod exits;
mod guide;
mod harness;
mod journal;
mod lists;
mod ops;
mod outcomes;
mod tls;
mod work;
mod workflow;
