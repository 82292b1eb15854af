//! What each event about budgets does to the rows: the only writer of budgets.
//! Owns: budgets and what attempts used.
//! Never: fails or decides.

use crate::event::{
    BudgetAllocated, BudgetConsumed, BudgetExhausted, BudgetReplenished, BudgetThresholdPassed,
};
use crate::machine::Apply;
use crate::state::{At, State};

impl Apply for BudgetAllocated {
    fn apply(&self, _state: &mut State, _at: &At) {}
}

impl Apply for BudgetConsumed {
    fn apply(&self, _state: &mut State, _at: &At) {}
}

impl Apply for BudgetExhausted {
    fn apply(&self, _state: &mut State, _at: &At) {}
}

impl Apply for BudgetReplenished {
    fn apply(&self, _state: &mut State, _at: &At) {}
}

impl Apply for BudgetThresholdPassed {
    fn apply(&self, _state: &mut State, _at: &At) {}
}
