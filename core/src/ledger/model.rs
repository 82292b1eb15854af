//! The nouns of ledgers and approvals.
//! Owns: an entry's and an approval's row, the states of an approval, what may be decided about it.
//! Never: decides.

use alloc::vec::Vec;

use crate::codec::{Malformed, Record, record};
use crate::time::Timestamp;
use crate::{ActorId, ApprovalId, Bytes, TenantId, Text};

/// Words of the wire that are numbers in the log.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $word:ident = $code:literal $text:literal),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$word_doc])* $word = $code),+ }

        impl $name {
            /// All of them.
            pub const ALL: &'static [$name] = &[$($name::$word),+];

            /// Its name on the wire.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $($name::$word => $text),+ }
            }

            /// The one with this name.
            #[must_use]
            pub fn find(name: &str) -> Option<$name> {
                $name::ALL.iter().copied().find(|one| one.name() == name)
            }

            /// The one with this number in the log.
            #[must_use]
            pub fn from_code(code: u64) -> Option<$name> {
                $name::ALL.iter().copied().find(|one| *one as u64 == code)
            }
        }
    )+};
}
pub(crate) use words;

words! {
    /// Where an approval stands.
    ApprovalState {
        /// It waits for its review.
        #[default]
        Planned = 0 "planned",
        /// It was reviewed and waits for its approval.
        Reviewed = 1 "reviewed",
        /// It was approved.
        Approved = 2 "approved",
        /// It was rejected.
        Rejected = 3 "rejected",
    }
    /// What somebody decides about an approval.
    Decision {
        /// The plan is sound; somebody else has to approve it.
        #[default]
        Review = 0 "review",
        /// The plan may be carried out.
        Approve = 1 "approve",
        /// It may not.
        Reject = 2 "reject",
    }
}

impl ApprovalState {
    /// Whether nothing is to be decided any more.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, ApprovalState::Approved | ApprovalState::Rejected)
    }
}

/// A plan that waits for approval, or was decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Approval {
    /// The sequence of the event that made it.
    pub number: u64,
    /// What it is about, for people.
    pub subject: Text,
    /// What is to be done (JSON text).
    pub plan: Bytes,
    /// The ledger that its decisions are appended to.
    pub ledger_key: Text,
    /// Who asked for it.
    pub requested_by: Text,
    /// When.
    pub requested_at: Timestamp,
    /// Where it stands.
    pub state: ApprovalState,
    /// Who reviewed it.
    pub reviewed_by: Option<Text>,
    /// When.
    pub reviewed_at: Option<Timestamp>,
    /// What the reviewer said.
    pub review_reason: Option<Text>,
    /// Who approved or rejected it.
    pub decided_by: Option<Text>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// What they said.
    pub decision_reason: Option<Text>,
}
record!(Approval {
    1 number, 2 subject, 3 plan, 4 ledger_key, 5 requested_by, 6 requested_at, 7 state, 8 reviewed_by, 9 reviewed_at, 10 review_reason,
    11 decided_by, 12 decided_at, 13 decision_reason,
});

impl Approval {
    /// Its image, in checkpoints, digests and stores alike.
    #[must_use]
    pub fn image(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(128 + self.plan.len());
        self.put(&mut out);
        out
    }

    /// Reads an image.
    ///
    /// # Errors
    /// [`Malformed`] when the bytes are none.
    pub fn of_image(image: &[u8]) -> Result<Approval, Malformed> {
        Approval::read(image)
    }
}

/// An approval as a store keeps it, whether decided or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalRow {
    /// The tenant.
    pub tenant: TenantId,
    /// Its id.
    pub id: ApprovalId,
    /// Everything else.
    pub approval: Approval,
}

/// An entry of a ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerRow {
    /// The sequence of the event that appended it: entries of a ledger are in this order.
    pub sequence: u64,
    /// When it was appended.
    pub at: Timestamp,
    /// The tenant.
    pub tenant: TenantId,
    /// Which ledger.
    pub key: Text,
    /// By whom.
    pub by: Text,
    /// The actor it is of, when one was named.
    pub actor: Option<ActorId>,
    /// What it says (JSON text).
    pub payload: Bytes,
}
