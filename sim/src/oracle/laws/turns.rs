//! The law of tenants' turns: what claims over all tenants choose must fit one order by weight.

use std::collections::BTreeMap;

use mainstay::TenantId;

/// What one grant costs a tenant of weight 1.
const COST: i64 = 1 << 32;
/// What rounding may add up to while two tenants wait together.
const ROUNDING: i64 = COST >> 10;

/// How much further one tenant's turn may be than another's, from what was chosen so far.
#[derive(Clone, Copy, Debug)]
struct Lead {
    least: i64,
    most: i64,
}

/// Pairs of tenants that have both had work since one of them was chosen before the other.
#[derive(Clone, Debug, Default)]
pub(super) struct Turns {
    leads: BTreeMap<(TenantId, TenantId), Lead>,
    weights: BTreeMap<TenantId, u32>,
}

impl Turns {
    pub(super) fn weigh(&mut self, tenant: TenantId, weight: u32) {
        self.weights.insert(tenant, weight);
    }

    /// Nobody's turn is known any more: turns are not remembered from one life to the next.
    pub(super) fn forget(&mut self) {
        self.leads.clear();
    }

    /// A tenant has no work for a moment, or it takes its place anew.
    pub(super) fn leaves(&mut self, tenant: TenantId) {
        self.leads
            .retain(|(one, other), _| *one != tenant && *other != tenant);
    }

    /// Tenants of which something is known.
    pub(super) fn known(&self) -> Vec<TenantId> {
        let mut all: Vec<TenantId> = self.leads.keys().flat_map(|(a, b)| [*a, *b]).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// A claim over all tenants chose one while another had work for it too. True when what was chosen before left no other choice.
    pub(super) fn chosen(&mut self, tenant: TenantId, waits: TenantId) -> Result<bool, String> {
        let unknown = Lead {
            least: i64::MIN,
            most: i64::MAX,
        };
        let pair = (tenant.min(waits), tenant.max(waits));
        let lead = self.leads.entry(pair).or_insert(unknown);
        // The lead is the smaller id's; who is chosen is not ahead.
        if tenant < waits {
            lead.most = lead.most.min(0);
        } else {
            lead.least = lead.least.max(0);
        }
        if lead.least > lead.most.saturating_add(ROUNDING) {
            return Err(format!(
                "tenant {tenant} was served, and by weight it was the turn of {waits}"
            ));
        }
        Ok(lead.least > i64::MIN && lead.most < i64::MAX)
    }

    /// A tenant was granted something, by whatever claim.
    pub(super) fn pays(&mut self, tenant: TenantId) {
        let weight = self.weights.get(&tenant).copied().unwrap_or(1);
        let cost = COST / i64::from(weight);
        for ((one, other), lead) in &mut self.leads {
            let step = match (*one == tenant, *other == tenant) {
                (true, _) => cost,
                (_, true) => -cost,
                _ => continue,
            };
            // What is not known stays so.
            if lead.least > i64::MIN {
                lead.least += step;
            }
            if lead.most < i64::MAX {
                lead.most += step;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAVY: TenantId = TenantId(1);
    const LIGHT: TenantId = TenantId(2);

    fn serve(turns: &mut Turns, order: &[TenantId]) -> Result<(), String> {
        for tenant in order {
            let waits = if *tenant == HEAVY { LIGHT } else { HEAVY };
            turns.chosen(*tenant, waits)?;
            turns.pays(*tenant);
        }
        Ok(())
    }

    #[test]
    fn three_to_one_is_the_only_order_of_weights_three_and_one() {
        let mut turns = Turns::default();
        turns.weigh(HEAVY, 3);
        let (h, l) = (HEAVY, LIGHT);
        serve(&mut turns, &[h, l, h, h, h, l, h, h, h, l]).expect("by weight");
        assert!(
            serve(&mut turns, &[l]).is_err(),
            "the light one twice in a row"
        );
        let mut turns = Turns::default();
        turns.weigh(HEAVY, 3);
        assert!(serve(&mut turns, &[l, h, h, h, h, h]).is_err());
    }

    #[test]
    fn who_was_away_takes_its_place_anew() {
        let mut turns = Turns::default();
        serve(&mut turns, &[LIGHT, HEAVY]).expect("in turn");
        turns.leaves(LIGHT);
        serve(&mut turns, &[HEAVY, LIGHT, HEAVY]).expect("nothing is known of what was before");
    }
}
