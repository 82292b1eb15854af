//! What somebody may do: the capabilities every directory knows, and the roles every directory has.
//! Owns: their names, and which role has which.
//! Never: looks at state.

use core::fmt;

/// One thing that somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// Submit tasks and what belongs to submitting: further runs, dependencies, subscriptions, events of one's own.
    Submit,
    /// Claim work, see the payloads of the leases held, and report on them.
    Execute,
    /// Look at everything in the tenant.
    Read,
    /// Cancel, retry, suspend, and set what queues and budgets allow.
    Cancel,
    /// Review plans.
    Review,
    /// Approve plans.
    Approve,
    /// Manage keys, roles and tenants, and administer jobs.
    Admin,
}

impl Capability {
    /// All of them.
    pub const ALL: [Capability; 7] = [
        Capability::Submit,
        Capability::Execute,
        Capability::Read,
        Capability::Cancel,
        Capability::Review,
        Capability::Approve,
        Capability::Admin,
    ];

    /// Its name on the wire, as `can_submit`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Capability::Submit => "can_submit",
            Capability::Execute => "can_execute",
            Capability::Read => "can_read",
            Capability::Cancel => "can_cancel",
            Capability::Review => "can_review",
            Capability::Approve => "can_approve",
            Capability::Admin => "can_admin",
        }
    }

    /// The capability with this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Capability> {
        Capability::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// A set of [`Capability`].
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Capabilities(u8);

impl Capabilities {
    /// None of them.
    pub const NONE: Capabilities = Capabilities(0);
    /// All of them.
    pub const ALL: Capabilities = Capabilities::of(&Capability::ALL);

    /// Exactly these.
    #[must_use]
    pub const fn of(list: &[Capability]) -> Capabilities {
        let (mut bits, mut at) = (0, 0);
        while at < list.len() {
            bits |= 1 << list[at] as u8;
            at += 1;
        }
        Capabilities(bits)
    }

    /// Whether this one is among them.
    #[must_use]
    pub const fn has(self, one: Capability) -> bool {
        self.0 >> one as u8 & 1 == 1
    }

    /// These and those.
    #[must_use]
    pub const fn with(self, others: Capabilities) -> Capabilities {
        Capabilities(self.0 | others.0)
    }

    /// Each of them, in the order of [`Capability::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Capability> {
        Capability::ALL
            .into_iter()
            .filter(move |one| self.has(*one))
    }
}

impl fmt::Debug for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.iter().map(Capability::name))
            .finish()
    }
}

/// The roles that every tenant has: name, and what who has it may do.
pub const BUILT_IN_ROLES: [(&str, Capabilities); 5] = {
    use Capability::{Approve, Cancel, Execute, Read, Review, Submit};
    [
        ("worker", Capabilities::of(&[Execute])),
        (
            "operator",
            Capabilities::of(&[Submit, Execute, Read, Cancel]),
        ),
        ("auditor", Capabilities::of(&[Read, Review])),
        ("gatekeeper", Capabilities::of(&[Execute, Read, Approve])),
        ("admin", Capabilities::ALL),
    ]
};
