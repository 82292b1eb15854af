//! What roles hold: those every tenant has, and a tenant's own as the engine knows them, remembered as long as nothing about them changed.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use mainstay::Handle;
use mainstay_core::{Answer, BUILT_IN_ROLES, Capabilities, Capability, Query, TenantId, Text};

use crate::edge::Failure;

/// Tenants that are remembered; beyond them all are forgotten and asked for again.
const KNOWN_MAX: usize = 8192;

/// A tenant's own roles by name; nothing when there is no such tenant.
type Own = Option<Arc<HashMap<Text, Capabilities>>>;

/// The roles of all tenants.
pub(super) struct Rolebook {
    handle: Handle,
    /// With the version of keys, roles and tenants as of which it was told.
    known: RwLock<HashMap<TenantId, (u64, Own)>>,
}

impl Rolebook {
    pub(super) fn new(handle: Handle) -> Rolebook {
        Rolebook {
            handle,
            known: RwLock::default(),
        }
    }

    /// What these roles of a tenant hold together, or of no tenant; nothing when there is no such tenant, or none of the roles.
    pub(super) async fn find(
        &self,
        tenant: Option<TenantId>,
        roles: &[Text],
    ) -> Result<Option<Capabilities>, Failure> {
        let own = match tenant {
            None => Arc::default(),
            Some(tenant) => match self.own(tenant).await? {
                Some(own) => own,
                None => return Ok(None),
            },
        };
        let built_in = |role: &Text| {
            let known = BUILT_IN_ROLES.iter().find(|(name, _)| *name == &**role);
            known.map(|(_, may)| *may)
        };
        let held = roles
            .iter()
            .filter_map(|role| built_in(role).or_else(|| own.get(role).copied()));
        Ok(held.reduce(Capabilities::with))
    }

    async fn own(&self, tenant: TenantId) -> Result<Own, Failure> {
        // Read before the question: what changes meanwhile makes the answer old at once, never young for ever.
        let version = self.handle.platform_version();
        {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            if let Some((of, own)) = known.get(&tenant)
                && *of == version
            {
                return Ok(own.clone());
            }
        }
        let asked = self.handle.ask(tenant, Query::Roles).await?;
        let own = match asked.value {
            Answer::Roles(rows) => {
                let held = rows.into_iter().map(|(name, capabilities)| {
                    let built_in = capabilities.iter().filter_map(|one| Capability::find(one));
                    let list: Vec<Capability> = built_in.collect();
                    (name, Capabilities::of(&list))
                });
                Some(Arc::new(held.collect()))
            }
            _ => None,
        };
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(tenant, (version, own.clone()));
        Ok(own)
    }
}
