//! Finds out who asks: from the admin key's file, from the keys that the engine knows, remembered as long as nothing about them changed,
//! or from a token of an issuer that the operator trusts.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use mainstay::Handle;
use mainstay_core::{Answer, KeyId, KeyView, Query, TenantId, Text, Timestamp};
use subtle::ConstantTimeEq;

use super::caller::Caller;
use super::keytext;
use super::rolebook::Rolebook;
use super::throttle::Throttle;
use super::token::{Verifier, Vouched, is_like_token};
use crate::edge::Failure;
use crate::key::AdminKey;

/// Keys that are remembered; beyond them all are forgotten and asked for again.
const KNOWN_MAX: usize = 8192;

/// A key as the engine told of it when its version was this.
#[derive(Clone)]
struct Known {
    version: u64,
    key: Arc<KeyView>,
    name: Text,
}

/// The keys, and how often somebody came with a wrong one.
pub(crate) struct Keyring {
    handle: Handle,
    admin: AdminKey,
    known: RwLock<HashMap<KeyId, Known>>,
    verifier: Verifier,
    roles: Rolebook,
    addresses: Throttle,
    ids: Throttle,
}

impl Keyring {
    /// `failures_max`: failures a minute of one address, or with one key's name; 0 for no bound.
    pub(crate) fn new(
        handle: Handle,
        admin: AdminKey,
        verifier: Verifier,
        failures_max: u32,
    ) -> Keyring {
        Keyring {
            roles: Rolebook::new(handle.clone()),
            handle,
            admin,
            known: RwLock::default(),
            verifier,
            addresses: Throttle::new(failures_max),
            ids: Throttle::new(failures_max),
        }
    }

    /// Who comes with this key. Whatever is wrong with it, the answer is the same: not known, another secret, revoked or expired.
    pub(crate) async fn find(&self, text: &[u8], peer: IpAddr) -> Result<Caller, Failure> {
        if self.admin.verify(text) {
            return Ok(Caller::administrator(self.admin.name()));
        }
        if !self.verifier.is_empty() && is_like_token(text) {
            return self.find_vouched(text, peer).await;
        }
        let Some(id) = keytext::find_id(text) else {
            return Err(self.refuse(peer, None));
        };
        // Who fails all the time asks the engine for nothing; a key that was good before is looked at all the same.
        let remembered = self.remembered(id);
        if remembered.is_none() && self.addresses.is_full(address(peer)) {
            return Err(too_often());
        }
        let known = self.look(id, remembered).await?;
        // As much work for a key that is not there as for one that is.
        let told = keytext::digest(id, text);
        let digest = known.as_ref().map(|known| known.key.digest);
        let same = told.0.ct_eq(&digest.unwrap_or_default().0);
        match known.filter(|known| bool::from(same) && is_live(&known.key)) {
            Some(known) => Ok(caller_of(&known)),
            None => Err(self.refuse(peer, Some(id))),
        }
    }

    /// Who comes with this token.
    async fn find_vouched(&self, text: &[u8], peer: IpAddr) -> Result<Caller, Failure> {
        // Who fails all the time waits for no fetch of keys; a token that is good is let in all the same.
        let may_wait = !self.addresses.is_full(address(peer));
        if let Some(vouched) = self.verifier.verify(text, now_ms(), may_wait).await
            && let Some(caller) = self.caller_vouched(Arc::new(vouched)).await?
        {
            return Ok(caller);
        }
        Err(self.refuse(peer, None))
    }

    /// Somebody vouched for, with what its roles hold now; nothing when its time is over, its tenant is not there, or no such role is.
    async fn caller_vouched(&self, token: Arc<Vouched>) -> Result<Option<Caller>, Failure> {
        if now_ms() >= token.ends_ms {
            return Ok(None);
        }
        let may = self.roles.find(token.tenant, &token.roles).await?;
        Ok(may.map(|may| Caller {
            name: token.name.clone(),
            key: None,
            tenant: token.tenant,
            token: Some(token),
            may,
            actor: None,
        }))
    }

    /// Whether a caller still may what its route needs: nothing is asked as long as nothing changed.
    pub(crate) async fn check(&self, caller: &Caller, needs: super::Needs) -> Result<(), Failure> {
        if let Some(token) = &caller.token {
            let now = self.caller_vouched(Arc::clone(token)).await?;
            return now.ok_or_else(unauthorized)?.check(needs);
        }
        let Some(id) = caller.key else {
            return Ok(());
        };
        let known = self.look(id, self.remembered(id)).await?;
        let known = known.filter(|known| is_live(&known.key));
        let known = known.filter(|known| known.key.tenant == caller.tenant);
        caller_of(&known.ok_or_else(unauthorized)?).check(needs)
    }

    fn remembered(&self, id: KeyId) -> Option<Known> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(&id).cloned()
    }

    /// The key as it is now.
    async fn look(&self, id: KeyId, remembered: Option<Known>) -> Result<Option<Known>, Failure> {
        // Read before the question: what changes meanwhile makes the answer old at once, never young for ever.
        let version = self.handle.platform_version();
        if let Some(known) = remembered.filter(|known| known.version == version) {
            return Ok(Some(known));
        }
        let asked = self.handle.ask(TenantId::DEFAULT, Query::Key(id)).await?;
        let Answer::Key(Some(key)) = asked.value else {
            let mut all = self.known.write().unwrap_or_else(PoisonError::into_inner);
            all.remove(&id);
            return Ok(None);
        };
        let known = Known {
            version,
            name: Text::from(key.id.to_string()),
            key: Arc::from(key),
        };
        let mut all = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= KNOWN_MAX {
            all.clear();
        }
        all.insert(id, known.clone());
        Ok(Some(known))
    }

    fn refuse(&self, peer: IpAddr, id: Option<KeyId>) -> Failure {
        let by_address = self.addresses.failed(address(peer));
        let by_id = id.is_some_and(|id| self.ids.failed(id));
        if by_address || by_id {
            too_often()
        } else {
            unauthorized()
        }
    }
}

/// Who has an IPv6 network has all its addresses.
fn address(peer: IpAddr) -> u128 {
    match peer.to_canonical() {
        IpAddr::V4(one) => u128::from(one.to_bits()),
        IpAddr::V6(one) => one.to_bits() >> 64 << 64,
    }
}

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
}

fn is_live(key: &KeyView) -> bool {
    key.revoked_at.is_none() && key.expires_at.is_none_or(|at| Timestamp(now_ms()) < at)
}

fn caller_of(known: &Known) -> Caller {
    Caller {
        name: known.name.clone(),
        key: Some(known.key.id),
        token: None,
        tenant: known.key.tenant,
        may: known.key.may,
        actor: known.key.actor,
    }
}

/// The one answer to whoever does not say who they are.
pub(crate) fn unauthorized() -> Failure {
    let message = "a valid API key is needed: Authorization: Bearer msk_…";
    Failure::new("unauthorized", message)
}

fn too_often() -> Failure {
    let message = "too many requests without a valid API key";
    Failure::new("rate_limited", message).text("limit", "authentication_failures")
}
