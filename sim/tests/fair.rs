//! A party with a hundred times the work gets its share and no more, through the whole engine and its crashes.

use mainstay_sim::{Contest, run_contest};

fn fair(contest: Contest) {
    let shares = run_contest(1, contest);
    assert_eq!(shares.failure, None, "{shares:?}");
    let [greedy, modest] = shares.submitted;
    assert!(greedy >= 99 * modest, "{shares:?}");
}

#[test]
fn a_tenant_of_weight_three_gets_three_of_four_grants() {
    fair(Contest::Tenants(3, 1));
}

#[test]
fn two_fairness_keys_take_turns() {
    fair(Contest::Keys);
}
