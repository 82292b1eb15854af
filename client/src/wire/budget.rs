//! Bodies about budgets: what was used, what may be spent, how it stands.

use serde::{Deserialize, Serialize};

use super::object;
use super::text::Str;
use super::words::Directive;

/// How much of one dimension was used.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amount<'a> {
    /// Of what.
    #[serde(borrow)]
    pub dimension: Str<'a>,
    /// How much.
    pub amount: u64,
}

/// How much of one dimension an attempt has used, as shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AmountView {
    /// Of what.
    pub dimension: String,
    /// How much.
    pub amount: u64,
}

/// One budget, as shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetView {
    /// Of what.
    pub dimension: String,
    /// How much may be spent in this period.
    pub limit: u64,
    /// Spent in this period.
    pub consumed: u64,
    /// Held by running attempts.
    pub reserved: u64,
    /// Whether nothing more may be started on it.
    pub exhausted: bool,
    /// What each attempt holds from its claim to its finish.
    #[serde(default)]
    pub reserve: u64,
    /// Spent in all periods together.
    #[serde(default)]
    pub consumed_total: u64,
    /// Whose it is: `task` or `tenant`.
    #[serde(default)]
    pub scope: String,
}

/// Body of `POST /api/v1/tasks/{task_id}/budgets/{dimension}/replenish`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replenish<'a> {
    /// How much may be spent in the new period, at least 1.
    pub new_limit: u64,
    /// Why; kept in the audit trail.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Str<'a>>,
}

/// Body of `POST /api/v1/tasks/{task_id}/budgets`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllocateBudget<'a> {
    /// `token`, `cost_cents`, `time_secs` or a name of one's own.
    #[serde(borrow)]
    pub dimension: Str<'a>,
    /// How much may be spent in a period, at least 1.
    pub limit: u64,
    /// How much each attempt holds from its claim to its finish, at most the limit; as it was when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserve: Option<u64>,
    /// Why; kept in the audit trail.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Str<'a>>,
}

/// Body of `POST /api/v1/runs/{run_id}/consume`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consume<'a> {
    /// The lease's token.
    #[serde(borrow)]
    pub token: Str<'a>,
    /// What the attempt used since it last reported.
    #[serde(borrow, deserialize_with = "object::list")]
    pub consumption: Vec<Amount<'a>>,
    /// The run's tenant, as a claim over all tenants told it; for system keys.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<Str<'a>>,
}

/// Answer of `POST /api/v1/runs/{run_id}/consume`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consumed {
    /// The budgets that cover the run.
    pub budgets: Vec<BudgetView>,
    /// What to do.
    pub directive: Directive,
}
