//! The command line: every command with its options, its help and an example.

mod access;
mod actor;
mod attest;
mod audit;
mod cli;
mod control;
mod data;
mod dead;
mod list;
mod log;
mod ops;
mod submit;
mod webhook;
mod work;
mod workflow;

pub(crate) use access::{GrantArgs, KeyCommand, RoleCommand, TenantBudgetCommand, TenantCommand};
pub(crate) use actor::{ActorCommand, ActorListArgs};
pub(crate) use attest::{ApprovalCommand, LedgerCommand};
pub(crate) use audit::AuditCommand;
pub(crate) use cli::{Cli, Command, Global};
pub(crate) use control::{EngineCommand, RunCommand, TaskCommand};
pub(crate) use data::{BenchArgs, BenchMode, ServeArgs, StorageArgs};
pub(crate) use dead::{ActArgs, BulkCommand, DeadLetterCommand, DeadListArgs, ManyArgs};
pub(crate) use list::{EventsArgs, QueryArgs, RunListArgs, TaskListArgs};
pub(crate) use log::{LogArgs, LogFormat};
pub(crate) use ops::{BackupArgs, DoctorArgs, InspectArgs, LogCommand, RestoreArgs};
pub(crate) use submit::{Budget, SubmitArgs};
pub(crate) use webhook::{WebhookArgs, WebhookCommand};
pub(crate) use work::WorkArgs;
pub(crate) use workflow::{
    BudgetCommand, PreviewArgs, QueueCommand, ScheduleCommand, SubscribeArgs, UpdateArgs,
};
