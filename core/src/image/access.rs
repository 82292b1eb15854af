//! From images back to who may do what.
//! Owns: the loading of keys, roles and grants.
//! Never: trusts an image: what does not fit is refused.

use super::cut::{ObjectClass, ObjectRow};
use super::form::{KeyForm, RoleForm};
use super::guard;
use crate::codec::{Malformed, Record};
use crate::platform::{Grant, Key, Revoked, SYSTEM};
use crate::state::State;
use crate::{ActorId, KeyId};

/// Adds a key, a role or a grant. `fresh` says that the next cut must hold it again.
pub(super) fn load(
    state: &mut State,
    tenant: u32,
    row: &ObjectRow,
    fresh: bool,
) -> Result<(), Malformed> {
    let twice = |added: bool| added.then_some(()).ok_or(Malformed("an object twice"));
    let access = &mut state.access;
    match row.class {
        ObjectClass::Key => {
            let id: Option<KeyId> = row.key.parse().ok();
            let id = id.ok_or(Malformed("a key whose name is no id"))?;
            let form = KeyForm::read(&row.image)?;
            guard::check_key(&form, state.sequence)?;
            let key = key(tenant, form);
            if fresh {
                access.changed.keys.insert((key.scope, id));
            }
            twice(access.put_key(id, key))
        }
        ObjectClass::Role => {
            let capabilities = RoleForm::read(&row.image)?.capabilities;
            guard::check_role(&row.key, &capabilities)?;
            if fresh {
                access.changed.roles.insert((tenant, row.key.clone()));
            }
            twice(access.put_role(tenant, row.key.clone(), capabilities))
        }
        ObjectClass::Grant => {
            let id: Option<ActorId> = row.key.parse().ok();
            let id = id.ok_or(Malformed("a grant whose name is no id"))?;
            let grant = Grant::read(&row.image)?;
            if fresh {
                access.changed.grants.insert((tenant, id));
            }
            twice(access.put_grant(tenant, id, grant))
        }
        _ => Ok(()),
    }
}

fn key(tenant: u32, form: KeyForm) -> Key {
    let revoked = form.revoked_at.map(|at| Revoked {
        at,
        sequence: form.revoked,
        by: form.revoked_by,
    });
    Key {
        scope: if form.system { SYSTEM } else { tenant },
        name: form.name,
        role: form.role,
        actor: form.actor,
        created_at: form.created_at,
        created_by: form.created_by,
        expires_at: form.expires_at,
        revoked,
        digest: form.digest,
    }
}
