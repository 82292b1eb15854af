//! One event of each kind about access, and the golden file that pins them.

use alloc::vec;
use alloc::vec::Vec;

use super::samples::{some, text};
use crate::event::*;
use crate::platform::KeyDigest;
use crate::{ActorId, KeyId, Timestamp};

/// With something in every field.
pub(super) fn samples() -> Vec<Event> {
    let (by, role) = (text("ann"), text("deployer"));
    let key_id = KeyId(0x7f3a_91c2_5c3e_4b10_8a4d_0123_4567_89ab);
    let actor = ActorId(0x0192_f7a1_5c3e_7b10_8a4d_0123_4567_89ac);
    vec![
        KeyCreated {
            key_id,
            system: true,
            name: text("ci"),
            role: role.clone(),
            actor: Some(actor),
            expires_at: Some(Timestamp(1_900_000_000_000)),
            digest: KeyDigest([0xa5; 32]),
            by: by.clone(),
        }
        .into(),
        KeyRevoked {
            key_id,
            system: true,
            by: by.clone(),
            reason: some("lost"),
        }
        .into(),
        RoleDefined {
            role: role.clone(),
            capabilities: vec![text("can_submit"), text("deploy")],
            by: by.clone(),
        }
        .into(),
        RoleRemoved {
            role: role.clone(),
            by: by.clone(),
        }
        .into(),
        RoleAssigned {
            actor,
            role: role.clone(),
            by: by.clone(),
        }
        .into(),
        RoleRevoked {
            actor,
            role,
            by: by.clone(),
        }
        .into(),
        CapabilityGranted {
            actor,
            capability: text("can_review"),
            by: by.clone(),
        }
        .into(),
        CapabilityRevoked {
            actor,
            capability: text("deploy"),
            by,
        }
        .into(),
    ]
}

#[test]
fn the_golden_body_of_access_is_read_and_written_as_ever() {
    super::check_golden("access_v1", samples());
}
