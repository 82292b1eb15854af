//! What a route needs of who asks. It is decided from the route alone, before anything is looked up.

use mainstay_core::Capability;

/// What a route needs. Every route names it: one that does not is no route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Nothing: everybody may ask.
    Open,
    /// A system key that may read, or nothing when the operator opened the metrics.
    Metrics,
    /// Any key.
    Key,
    /// A key that may do this.
    May(Capability),
    /// A key that may do one of these; the request says which it takes.
    Either(Capability, Capability),
    /// A key that may do this, and is of no tenant: it concerns all of them.
    System(Capability),
}

impl Needs {
    pub(crate) const SUBMIT: Needs = Needs::May(Capability::Submit);
    pub(crate) const EXECUTE: Needs = Needs::May(Capability::Execute);
    pub(crate) const READ: Needs = Needs::May(Capability::Read);
    /// Cancel, retry, suspend, resume, set queues and budgets.
    pub(crate) const CONTROL: Needs = Needs::May(Capability::Cancel);
    pub(crate) const ADMIN: Needs = Needs::May(Capability::Admin);

    /// Whether nobody is asked who they are.
    pub(crate) fn is_open(self, open_metrics: bool) -> bool {
        match self {
            Needs::Open => true,
            Needs::Metrics => open_metrics,
            Needs::Key | Needs::May(_) | Needs::Either(..) | Needs::System(_) => false,
        }
    }

    /// The capability, if one is needed.
    pub(crate) fn capability(self) -> Option<Capability> {
        match self {
            Needs::Open | Needs::Key => None,
            Needs::Metrics => Some(Capability::Read),
            Needs::May(capability) | Needs::Either(capability, _) | Needs::System(capability) => {
                Some(capability)
            }
        }
    }

    /// The capability that is as good.
    pub(crate) fn alternative(self) -> Option<Capability> {
        match self {
            Needs::Either(_, other) => Some(other),
            Needs::Open | Needs::Key | Needs::Metrics | Needs::May(_) | Needs::System(_) => None,
        }
    }

    /// Whether a tenant's key is not enough.
    pub(crate) fn is_of_system(self) -> bool {
        matches!(self, Needs::Metrics | Needs::System(_))
    }
}
