//! The nouns of access: keys, roles of one's own, and what actors were granted.
//! Owns: their rows and the indexes over them; what a key may do.
//! Never: decides; sees a secret.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::capability::{BUILT_IN_ROLES, Capabilities, Capability};
use crate::limits;
use crate::time::Timestamp;
use crate::{ActorId, KeyId, Text};

/// The keyed BLAKE3 digest of a key's whole text: all that is kept of a secret.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct KeyDigest(pub [u8; 32]);

impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyDigest(..)")
    }
}

/// Of whom a key is: a tenant's handle, or nobody's.
pub(crate) type KeyScope = u32;

/// The scope of keys that are of no tenant and reach them all.
pub(crate) const SYSTEM: KeyScope = u32::MAX;

/// A key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Key {
    pub(crate) scope: KeyScope,
    pub(crate) name: Text,
    pub(crate) role: Text,
    pub(crate) actor: Option<ActorId>,
    pub(crate) created_at: Timestamp,
    pub(crate) created_by: Text,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) revoked: Option<Revoked>,
    pub(crate) digest: KeyDigest,
}

/// The end of a key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Revoked {
    pub(crate) at: Timestamp,
    /// The event that said so: revoked keys leave in this order.
    pub(crate) sequence: u64,
    pub(crate) by: Text,
}

/// What an actor was given besides its key's role; both in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) roles: Vec<Text>,
    pub(crate) capabilities: Vec<Text>,
}

impl Grant {
    fn is_empty(&self) -> bool {
        self.roles.is_empty() && self.capabilities.is_empty()
    }
}

/// Rows of access that changed since the last cut, or are gone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changed {
    pub(crate) keys: BTreeSet<(KeyScope, KeyId)>,
    pub(crate) roles: BTreeSet<(u32, Text)>,
    pub(crate) grants: BTreeSet<(u32, ActorId)>,
}

/// Who may do what.
#[derive(Clone, Debug, Default)]
pub(crate) struct Access {
    keys: BTreeMap<KeyId, Key>,
    /// Keys by whose they are.
    by_scope: BTreeSet<(KeyScope, KeyId)>,
    /// Revoked keys by whose they are and the order of their ends.
    revoked: BTreeSet<(KeyScope, u64, KeyId)>,
    roles: BTreeMap<(u32, Text), Vec<Text>>,
    grants: BTreeMap<(u32, ActorId), Grant>,
    pub(crate) changed: Changed,
    /// How often anything here changed since the process began. Not a fact: it tells caches when to look again.
    pub(crate) version: u64,
}

impl Access {
    pub(crate) fn key(&self, id: KeyId) -> Option<&Key> {
        self.keys.get(&id)
    }

    /// Keys after an id, of one scope or of all.
    pub(crate) fn keys(
        &self,
        scope: Option<KeyScope>,
        after: KeyId,
        limit: usize,
    ) -> Vec<(KeyId, &Key)> {
        let next = KeyId(after.0.saturating_add(1));
        match scope {
            Some(scope) => {
                let ids = self
                    .by_scope
                    .range((scope, next)..=(scope, KeyId(u128::MAX)));
                let rows = ids.filter_map(|(_, id)| Some((*id, self.keys.get(id)?)));
                rows.take(limit).collect()
            }
            None => {
                let rows = self.keys.range(next..).map(|(id, key)| (*id, key));
                rows.take(limit).collect()
            }
        }
    }

    /// Keys of a scope that were not revoked.
    pub(crate) fn live_keys(&self, scope: KeyScope) -> impl Iterator<Item = &Key> {
        let ids = self
            .by_scope
            .range((scope, KeyId(0))..=(scope, KeyId(u128::MAX)));
        let rows = ids.filter_map(|(_, id)| self.keys.get(id));
        rows.filter(|key| key.revoked.is_none())
    }

    /// A tenant's own roles, by name.
    pub(crate) fn roles(&self, tenant: u32) -> impl Iterator<Item = (&Text, &[Text])> {
        let from = (tenant, Text::default());
        let rows = self.roles.range(from..);
        let own = rows.take_while(move |((other, _), _)| *other == tenant);
        own.map(|((_, name), capabilities)| (name, &capabilities[..]))
    }

    pub(crate) fn role(&self, tenant: u32, name: &Text) -> Option<&[Text]> {
        let row = self.roles.get(&(tenant, name.clone()));
        row.map(|capabilities| &capabilities[..])
    }

    pub(crate) fn grant(&self, tenant: u32, actor: ActorId) -> Option<&Grant> {
        self.grants.get(&(tenant, actor))
    }

    /// Whether an actor of the tenant has a role.
    pub(crate) fn is_assigned(&self, tenant: u32, role: &Text) -> bool {
        let rows = self
            .grants
            .range((tenant, ActorId(0))..=(tenant, ActorId(u128::MAX)));
        rows.into_iter()
            .any(|(_, grant)| grant.roles.contains(role))
    }

    /// What a role of a scope holds: one that every tenant has, or one of the tenant's own.
    pub(crate) fn held_by_role(&self, scope: KeyScope, role: &Text) -> Option<Held> {
        let built_in = BUILT_IN_ROLES.iter().find(|(name, _)| *name == &**role);
        if let Some((_, may)) = built_in {
            return Some(Held {
                may: *may,
                custom: Vec::new(),
            });
        }
        self.role(scope, role).map(Held::of)
    }

    /// What a key of this scope may do: its role's capabilities, and what its actor was granted.
    pub(crate) fn held_by_key(&self, key: &Key) -> Held {
        let mut held = self.held_by_role(key.scope, &key.role).unwrap_or_default();
        let grant = key.actor.and_then(|actor| self.grant(key.scope, actor));
        if let Some(grant) = grant {
            for role in &grant.roles {
                held.add(self.held_by_role(key.scope, role).unwrap_or_default());
            }
            held.add(Held::of(&grant.capabilities));
        }
        held
    }

    pub(crate) fn put_key(&mut self, id: KeyId, key: Key) -> bool {
        let scope = key.scope;
        if let Some(revoked) = &key.revoked {
            self.revoked.insert((scope, revoked.sequence, id));
        }
        self.by_scope.insert((scope, id));
        self.keys.insert(id, key).is_none()
    }

    /// A key's end. Of those that ended long ago the oldest leaves when there are too many.
    pub(crate) fn revoke(&mut self, id: KeyId, end: Revoked) {
        let Some(key) = self.keys.get_mut(&id) else {
            return;
        };
        let scope = key.scope;
        self.revoked.insert((scope, end.sequence, id));
        key.revoked = Some(end);
        self.changed.keys.insert((scope, id));
        let ended = self
            .revoked
            .range((scope, 0, KeyId(0))..=(scope, u64::MAX, KeyId(u128::MAX)));
        if ended.clone().count() > limits::REVOKED_KEYS_KEPT
            && let Some(oldest) = ended.into_iter().next().copied()
        {
            self.revoked.remove(&oldest);
            self.by_scope.remove(&(scope, oldest.2));
            self.keys.remove(&oldest.2);
            self.changed.keys.insert((scope, oldest.2));
        }
    }

    pub(crate) fn put_role(&mut self, tenant: u32, name: Text, capabilities: Vec<Text>) -> bool {
        self.roles.insert((tenant, name), capabilities).is_none()
    }

    pub(crate) fn remove_role(&mut self, tenant: u32, name: &Text) {
        self.roles.remove(&(tenant, name.clone()));
    }

    /// Changes what an actor was granted; nothing at all is no row.
    pub(crate) fn regrant(&mut self, tenant: u32, actor: ActorId, change: impl FnOnce(&mut Grant)) {
        let mut grant = self.grants.remove(&(tenant, actor)).unwrap_or_default();
        change(&mut grant);
        if !grant.is_empty() {
            self.grants.insert((tenant, actor), grant);
        }
        self.changed.grants.insert((tenant, actor));
    }

    /// An actor is gone, and what it was given with it.
    pub(crate) fn forget(&mut self, tenant: u32, actor: ActorId) {
        if self.grants.remove(&(tenant, actor)).is_some() {
            self.changed.grants.insert((tenant, actor));
            self.version += 1;
        }
    }

    pub(crate) fn put_grant(&mut self, tenant: u32, actor: ActorId, grant: Grant) -> bool {
        self.grants.insert((tenant, actor), grant).is_none()
    }

    /// Actors of a tenant that were granted something.
    pub(crate) fn granted(&self, tenant: u32) -> usize {
        let rows = self
            .grants
            .range((tenant, ActorId(0))..=(tenant, ActorId(u128::MAX)));
        rows.count()
    }

    pub(crate) fn all_keys(&self) -> impl Iterator<Item = (KeyId, &Key)> {
        self.keys.iter().map(|(id, key)| (*id, key))
    }

    pub(crate) fn all_roles(&self) -> impl Iterator<Item = (u32, &Text, &[Text])> {
        let rows = self.roles.iter();
        rows.map(|((tenant, name), capabilities)| (*tenant, name, &capabilities[..]))
    }

    pub(crate) fn all_grants(&self) -> impl Iterator<Item = (u32, ActorId, &Grant)> {
        let rows = self.grants.iter();
        rows.map(|((tenant, actor), grant)| (*tenant, *actor, grant))
    }

    /// Whether the indexes are what the rows say.
    pub(crate) fn verify(&self, tenants: usize) -> Result<(), String> {
        let scopes: BTreeSet<_> = self.keys.iter().map(|(id, key)| (key.scope, *id)).collect();
        let ends = self.keys.iter().filter_map(|(id, key)| {
            let revoked = key.revoked.as_ref()?;
            Some((key.scope, revoked.sequence, *id))
        });
        if scopes != self.by_scope || ends.collect::<BTreeSet<_>>() != self.revoked {
            return Err("the keys of a tenant differ from the rows".into());
        }
        let of_tenant = |scope: u32| scope == SYSTEM || (scope as usize) < tenants;
        if let Some((id, _)) = self.keys.iter().find(|(_, key)| !of_tenant(key.scope)) {
            return Err(format!("key {id}: of a tenant that is not there"));
        }
        for grant in self.grants.values() {
            let ordered = |list: &[Text]| list.is_sorted_by(|one, other| one < other);
            if grant.is_empty() || !ordered(&grant.roles) || !ordered(&grant.capabilities) {
                return Err("an actor's grants are empty or out of order".into());
            }
        }
        Ok(())
    }
}

/// What somebody may do: of the built-in capabilities, and of those that only the tenant knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) may: Capabilities,
    pub(crate) custom: Vec<Text>,
}

impl Held {
    pub(crate) fn of(names: &[Text]) -> Held {
        let mut held = Held::default();
        for name in names {
            match Capability::find(name) {
                Some(one) => held.may = held.may.with(Capabilities::of(&[one])),
                None => held.custom.push(name.clone()),
            }
        }
        held
    }

    fn add(&mut self, other: Held) {
        self.may = self.may.with(other.may);
        self.custom.extend(other.custom);
        self.custom.sort_unstable();
        self.custom.dedup();
    }
}

/// Puts a name into a list in order; one that is there stays there once.
pub(crate) fn put_name(list: &mut Vec<Text>, name: &Text) {
    if let Err(at) = list.binary_search(name) {
        list.insert(at, name.clone());
    }
}

/// Takes a name out of a list in order.
pub(crate) fn drop_name(list: &mut Vec<Text>, name: &Text) {
    if let Ok(at) = list.binary_search(name) {
        list.remove(at);
    }
}
