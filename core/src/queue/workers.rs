//! What workers asked for lately, in memory only: who could take what.
//! Owns: the recent claims, each kind of claim once.
//! Never: decides: it lets explain say that nobody seems to be there.

use alloc::vec::Vec;

use crate::command::Claim;
use crate::time::Steady;
use crate::{Text, limits};

/// Claims that ask for the same.
#[derive(Clone, Debug)]
struct Asked {
    /// Absent: over all tenants.
    tenant: Option<u32>,
    queues: Vec<Text>,
    kinds: Vec<Text>,
    capabilities: Vec<Text>,
    seen: Steady,
}

impl Asked {
    fn is(&self, tenant: Option<u32>, claim: &Claim) -> bool {
        self.tenant == tenant
            && self.queues == claim.queues
            && self.kinds == claim.kinds
            && self.capabilities == claim.capabilities
    }
}

/// Recent claims.
#[derive(Clone, Debug, Default)]
pub(crate) struct Workers {
    asked: Vec<Asked>,
    /// The one seen last: the next claim is probably the same.
    last: usize,
    /// When the process began: before it has run for a while, nobody need have come.
    began: Option<Steady>,
}

impl Workers {
    /// The process begins.
    pub(crate) fn begin(&mut self, now: Steady) {
        self.began = Some(now);
    }

    /// Whether workers of every sort had the time to come.
    pub(crate) fn had_time(&self, now: Steady) -> bool {
        let since = |began: Steady| now.since_ms(began) > limits::WORKERS_KNOWN_MS;
        self.began.is_some_and(since)
    }

    /// Somebody claims.
    pub(crate) fn saw(&mut self, tenant: u32, claim: &Claim, now: Steady) {
        let tenant = (!claim.all_tenants).then_some(tenant);
        let is_last = self
            .asked
            .get(self.last)
            .is_some_and(|last| last.is(tenant, claim));
        if !is_last {
            self.last = self.find(tenant, claim);
        }
        self.asked[self.last].seen = now;
    }

    fn find(&mut self, tenant: Option<u32>, claim: &Claim) -> usize {
        if let Some(at) = self.asked.iter().position(|asked| asked.is(tenant, claim)) {
            return at;
        }
        let fresh = Asked {
            tenant,
            queues: claim.queues.clone(),
            kinds: claim.kinds.clone(),
            capabilities: claim.capabilities.clone(),
            seen: Steady(0),
        };
        if self.asked.len() < limits::WORKERS_KNOWN_MAX {
            self.asked.push(fresh);
            return self.asked.len() - 1;
        }
        let oldest = self
            .asked
            .iter()
            .enumerate()
            .min_by_key(|(_, asked)| asked.seen);
        let at = oldest.map_or(0, |(at, _)| at);
        self.asked[at] = fresh;
        at
    }

    /// Whether somebody who could take such work claimed lately.
    pub(crate) fn could_take(
        &self,
        now: Steady,
        tenant: u32,
        (queue, kind): (&Text, &Text),
        required: &[Text],
    ) -> bool {
        self.asked.iter().any(|asked| {
            now.since_ms(asked.seen) <= limits::WORKERS_KNOWN_MS
                && asked.tenant.is_none_or(|own| own == tenant)
                && asked.queues.contains(queue)
                && (asked.kinds.is_empty() || asked.kinds.contains(kind))
                && required.iter().all(|one| asked.capabilities.contains(one))
        })
    }
}
