//! The command line: every command with its options, its help and an example.

mod cli;
mod control;
mod data;
mod list;
mod ops;
mod submit;
mod work;

pub(crate) use cli::{Cli, Command, Global};
pub(crate) use control::{EngineCommand, RunCommand, TaskCommand};
pub(crate) use data::{BenchArgs, BenchMode, ServeArgs, StorageArgs};
pub(crate) use list::{QueryArgs, QueueCommand, RunListArgs, TaskListArgs};
pub(crate) use ops::{BackupArgs, DoctorArgs, InspectArgs, LogCommand, RestoreArgs};
pub(crate) use submit::SubmitArgs;
pub(crate) use work::WorkArgs;
