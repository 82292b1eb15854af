//! What a tenant sets for all its work: queues, the engine, its share, who may do what.
//! Owns: one method per command of that room, typed.
//! Never: decides, or knows more than the command.

use mainstay_core::{Command, Govern, Outcome, QueueConfig, TenantId, Text};

use super::{CommandError, Handle};

impl Handle {
    /// Sets what a queue allows; what is absent is not limited any more.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `invalid_request`.
    pub fn configure_queue(
        &self,
        queue: impl Into<Text>,
        config: QueueConfig,
    ) -> Result<(), CommandError> {
        match self.command(Command::ConfigureQueue {
            queue: queue.into(),
            config,
        })? {
            Outcome::QueueConfigured => Ok(()),
            other => unreachable!("{other:?}"),
        }
    }

    /// Grants nothing from a queue until it is resumed.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `queue_already_paused`.
    pub fn pause_queue(
        &self,
        queue: impl Into<Text>,
        reason: Option<Text>,
    ) -> Result<(), CommandError> {
        match self.command(Command::PauseQueue {
            queue: queue.into(),
            reason,
        })? {
            Outcome::QueuePaused => Ok(()),
            other => unreachable!("{other:?}"),
        }
    }

    /// Grants a queue's runs again.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `queue_not_paused`.
    pub fn resume_queue(
        &self,
        queue: impl Into<Text>,
        reason: Option<Text>,
    ) -> Result<(), CommandError> {
        match self.command(Command::ResumeQueue {
            queue: queue.into(),
            reason,
        })? {
            Outcome::QueueResumed => Ok(()),
            other => unreachable!("{other:?}"),
        }
    }

    /// Grants no work at all until the engine is resumed; everything else goes on.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `engine_already_paused`.
    pub fn pause_engine(&self, reason: Option<Text>) -> Result<(), CommandError> {
        match self.command(Command::PauseEngine { reason })? {
            Outcome::EnginePaused => Ok(()),
            other => unreachable!("{other:?}"),
        }
    }

    /// Grants work again.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `engine_not_paused`.
    pub fn resume_engine(&self, reason: Option<Text>) -> Result<(), CommandError> {
        match self.command(Command::ResumeEngine { reason })? {
            Outcome::EngineResumed => Ok(()),
            other => unreachable!("{other:?}"),
        }
    }

    /// Adds a tenant. Its id is minted when none is given.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `tenant_already_exists` or `invalid_request`.
    pub fn create_tenant(
        &self,
        tenant: Option<TenantId>,
        name: impl Into<Text>,
    ) -> Result<TenantId, CommandError> {
        match self.command(Command::CreateTenant {
            tenant,
            name: name.into(),
        })? {
            Outcome::TenantCreated(told) => Ok(told),
            other => unreachable!("{other:?}"),
        }
    }

    /// Changes who may do what. False when it was so already; a key that was made is always new.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `forbidden`, `unknown_key`, `key_already_exists`, `unknown_role`, `role_in_use`, `limit_exceeded`
    /// or `invalid_request`.
    pub fn govern(&self, change: Govern) -> Result<bool, CommandError> {
        match self.command(Command::Govern(Box::new(change)))? {
            Outcome::KeyCreated => Ok(true),
            Outcome::AccessChanged { changed } => Ok(changed),
            other => unreachable!("{other:?}"),
        }
    }

    /// Sets the share of grants of the tenant acted in, 1..=1000.
    ///
    /// # Errors
    /// [`CommandError`]; refused as `invalid_request`.
    pub fn weigh_tenant(&self, weight: u32) -> Result<(), CommandError> {
        match self.command(Command::WeighTenant { weight })? {
            Outcome::TenantWeighted => Ok(()),
            other => unreachable!("{other:?}"),
        }
    }
}
