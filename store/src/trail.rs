//! The audit trail as a store keeps it: entries in the order of the log, each chained to the one before.
//! Owns: the nouns of the trail and what its chain covers.
//! Never: reads or writes anything.

use mainstay_core::AuditRow;

/// What stands before the first entry of a chain.
pub(crate) const NO_HASH: [u8; 32] = [0; 32];

/// An entry of the trail with the hash that chains it to the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chained {
    /// The entry.
    pub row: AuditRow,
    /// BLAKE3 over the hash before it and everything in the entry.
    pub hash: [u8; 32],
}

/// How far a trail reaches, and its two ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// The trail holds every act of control after this event, up to the store's checkpoint. More than 0 when retention took older entries,
    /// or when the store was made again from what did not hold them.
    pub after: u64,
    /// The hash before the oldest entry.
    pub before: [u8; 32],
    /// The hash of the newest entry; that before the oldest when there is none.
    pub head: [u8; 32],
}

/// A piece of the trail of all tenants, of one commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trail {
    /// How far it reaches as a whole.
    pub extent: Extent,
    /// The last event that the store reflects.
    pub checkpoint: u64,
    /// The entries, oldest first.
    pub rows: Vec<Chained>,
}

/// The hash of an entry that follows one with hash `before`.
#[must_use]
pub fn chain_entry(before: &[u8; 32], row: &AuditRow) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"mainstay audit 1");
    hasher.update(before);
    hasher.update(&row.sequence.to_le_bytes());
    hasher.update(&row.at.0.to_le_bytes());
    hasher.update(&row.tenant.0.to_le_bytes());
    let texts = [
        Some(&row.who),
        Some(&row.what),
        row.target.as_ref(),
        row.reason.as_ref(),
        row.request_id.as_ref(),
    ];
    for text in texts {
        // An absent text is no empty one.
        hasher.update(&[u8::from(text.is_some())]);
        let text = text.map_or("", |text| text);
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use mainstay_core::{AuditRow, TenantId, Text, Timestamp};

    use super::{NO_HASH, chain_entry};

    #[test]
    fn the_hash_covers_every_field_and_what_came_before() {
        let row = AuditRow {
            sequence: 7,
            at: Timestamp(9),
            tenant: TenantId(3),
            who: Text::from("ada"),
            what: Text::from("pause_queue"),
            target: Some(Text::from("mail")),
            reason: None,
            request_id: Some(Text::from("r")),
        };
        let hash = chain_entry(&NO_HASH, &row);
        let others = [
            AuditRow {
                sequence: 8,
                ..row.clone()
            },
            AuditRow {
                at: Timestamp(10),
                ..row.clone()
            },
            AuditRow {
                tenant: TenantId(4),
                ..row.clone()
            },
            AuditRow {
                who: Text::from("bob"),
                ..row.clone()
            },
            AuditRow {
                what: Text::from("resume_queue"),
                ..row.clone()
            },
            AuditRow {
                target: None,
                reason: row.target.clone(),
                ..row.clone()
            },
            AuditRow {
                reason: Some(Text::from("")),
                ..row.clone()
            },
            AuditRow {
                request_id: None,
                ..row.clone()
            },
        ];
        for other in others {
            assert_ne!(chain_entry(&NO_HASH, &other), hash, "{other:?}");
        }
        assert_ne!(chain_entry(&hash, &row), hash);
    }
}
