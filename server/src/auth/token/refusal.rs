//! Why a token was not accepted: for the operator's log, never for whoever sent it.

/// Why a token was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Not three parts of base64url and JSON objects in which no name comes twice; or a header that must be understood and is not.
    Malformed,
    /// Of no issuer that is configured.
    Issuer,
    /// Signed in a way that the issuer does not use.
    Algorithm,
    /// The issuer has no key of this name for this algorithm.
    Key,
    /// The signature is not the key's.
    Signature,
    /// For somebody else.
    Audience,
    /// Over.
    Expired,
    /// Not yet valid, or of the future.
    Early,
    /// Without a usable subject.
    Subject,
    /// Of no tenant.
    Tenant,
    /// No value of the claim for roles stands in the table.
    Role,
}

impl Refusal {
    /// One word for logs.
    pub(super) fn name(self) -> &'static str {
        match self {
            Refusal::Malformed => "malformed",
            Refusal::Issuer => "issuer",
            Refusal::Algorithm => "algorithm",
            Refusal::Key => "key",
            Refusal::Signature => "signature",
            Refusal::Audience => "audience",
            Refusal::Expired => "expired",
            Refusal::Early => "not_yet_valid",
            Refusal::Subject => "subject",
            Refusal::Tenant => "tenant",
            Refusal::Role => "role",
        }
    }
}
