//! Ledgers and approvals of a real engine: nothing is lost, nothing comes twice, and the order is kept, whatever the process goes through.

use std::path::Path;
use std::time::Duration;

use mainstay::store::{ApprovalAsk, LedgerAsk, Scope};
use mainstay::{
    AppendLedger, ApprovalId, ApprovalState, Attest, Call, Command, Decision, Engine,
    EngineOptions, LedgerRow, Outcome, Principal, Rejection, RequestApproval, TenantId, Text,
};

fn options() -> EngineOptions {
    Engine::options().low_water_bytes(0)
}

fn by(name: &str) -> Principal {
    Principal {
        name: Text::from(name),
        ..Principal::default()
    }
}

fn attest(engine: &Engine, who: &Principal, what: Attest) -> Result<Outcome, Rejection> {
    let call = Call::by(who, Command::Attest(Box::new(what)));
    engine.handle().call(call).wait().unwrap().value
}

fn append(engine: &Engine, who: &Principal, ledger: &str, number: u64) -> u64 {
    let entry = AppendLedger {
        key: Text::from(ledger),
        payload: number.to_string().as_bytes().into(),
        actor: None,
        idempotency_key: Some(Text::from(format!("{ledger}-{number}").as_str())),
    };
    match attest(engine, who, Attest::Append(entry)) {
        Ok(Outcome::LedgerAppended { sequence, .. }) => sequence,
        other => panic!("an entry came to {other:?}"),
    }
}

fn request(engine: &Engine, subject: &str) -> ApprovalId {
    let plan = RequestApproval {
        subject: Text::from(subject),
        plan: b"[1]"[..].into(),
        ..RequestApproval::default()
    };
    match attest(engine, &by("ann"), Attest::Request(plan)) {
        Ok(Outcome::ApprovalRequested(id)) => id,
        other => panic!("a plan came to {other:?}"),
    }
}

fn decide(
    engine: &Engine,
    who: &str,
    approval: ApprovalId,
    decision: Decision,
) -> Result<Outcome, Rejection> {
    let what = Attest::Decide {
        approval,
        decision,
        reason: None,
    };
    attest(engine, &by(who), what)
}

fn stored(engine: &Engine) {
    let handle = engine.handle();
    assert!(handle.wait_stored(handle.sequence(), Duration::from_secs(20)));
}

fn entries(engine: &Engine, scope: Scope, key: Option<&str>) -> Vec<LedgerRow> {
    stored(engine);
    let library = engine.handle().library().unwrap();
    let mut ask = LedgerAsk {
        scope,
        key: key.map(Text::from),
        after: 0,
        limit: 7,
    };
    let mut all = Vec::new();
    loop {
        let page = library.ledger(&ask).unwrap();
        let is_last = page.rows.len() < 7;
        all.extend(page.rows);
        ask.after = page.next;
        if is_last {
            return all;
        }
    }
}

fn lose_store(path: &Path) {
    for tail in ["", "-wal", "-shm"] {
        std::fs::remove_file(path.join(format!("store/mainstay.db{tail}"))).ok();
    }
}

#[test]
fn entries_survive_restarts_and_the_loss_of_the_store_in_order_and_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let mut expected = Vec::new();
    for life in 0..4 {
        let engine = options().open(path).unwrap();
        for number in 0..25 {
            let ledger = ["incident", "relationship"][number as usize % 2];
            expected.push(append(&engine, &by("ann"), ledger, life * 25 + number));
            // Once more: the same entry.
            let again = append(&engine, &by("ann"), ledger, life * 25 + number);
            assert_eq!(expected.last(), Some(&again));
        }
        let earlier = append(&engine, &by("ann"), "incident", 0);
        assert_eq!(earlier, expected[0], "whatever has left memory meanwhile");
        let all = entries(&engine, Scope::All, None);
        assert_eq!(
            all.iter().map(|row| row.sequence).collect::<Vec<_>>(),
            expected
        );
        for (number, row) in all.iter().enumerate() {
            assert_eq!(&*row.payload, number.to_string().as_bytes());
        }
        let incidents = entries(&engine, Scope::Tenant(TenantId::DEFAULT), Some("incident"));
        assert_eq!(incidents.len(), 13 * (life as usize + 1));
        engine.shutdown(Duration::ZERO).unwrap();
        if life == 2 {
            lose_store(path);
        }
    }
}

#[test]
fn approvals_survive_restarts_and_are_decided_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let engine = options().open(path).unwrap();
    let [open, reviewed, decided] = ["open", "reviewed", "decided"].map(|s| request(&engine, s));
    decide(&engine, "bob", reviewed, Decision::Review).unwrap();
    decide(&engine, "bob", decided, Decision::Review).unwrap();
    decide(&engine, "cid", decided, Decision::Approve).unwrap();
    engine.shutdown(Duration::ZERO).unwrap();
    for lost in [false, true] {
        if lost {
            lose_store(path);
        }
        let engine = options().open(path).unwrap();
        stored(&engine);
        let library = engine.handle().library().unwrap();
        let state = |id| {
            let (row, _) = library.approval(TenantId::DEFAULT, id).unwrap();
            row.unwrap().approval.state
        };
        assert_eq!(state(open), ApprovalState::Planned);
        assert_eq!(state(reviewed), ApprovalState::Reviewed);
        assert_eq!(state(decided), ApprovalState::Approved);
        assert_eq!(
            decide(&engine, "bob", reviewed, Decision::Approve),
            Err(Rejection::SelfApproval),
            "who reviewed is still known"
        );
        let twice = decide(&engine, "cid", decided, Decision::Reject);
        assert_eq!(twice, Err(Rejection::UnknownApproval { approval: decided }));
        let ask = ApprovalAsk {
            scope: Scope::All,
            state: None,
            after: 0,
            limit: 10,
        };
        let listed = library.approvals(&ask).unwrap().rows;
        let ids: Vec<ApprovalId> = listed.iter().map(|row| row.id).collect();
        assert_eq!(ids, [open, reviewed, decided]);
        assert_eq!(entries(&engine, Scope::All, Some("decision")).len(), 3);
        engine.shutdown(Duration::ZERO).unwrap();
    }
    let engine = options().open(path).unwrap();
    decide(&engine, "cid", reviewed, Decision::Approve).unwrap();
    decide(&engine, "cid", open, Decision::Reject).unwrap();
    assert_eq!(entries(&engine, Scope::All, Some("decision")).len(), 5);
    engine.shutdown(Duration::ZERO).unwrap();
}

#[test]
fn no_tenant_sees_or_decides_what_is_of_another() {
    let directory = tempfile::tempdir().unwrap();
    let engine = options().open(directory.path()).unwrap();
    let acme = engine.handle().create_tenant(None, "acme").unwrap();
    let of_acme = Principal {
        tenant: acme,
        ..by("zoe")
    };
    let plan = request(&engine, "ours");
    append(&engine, &by("ann"), "incident", 1);
    append(&engine, &of_acme, "incident", 1);
    let foreign = Attest::Decide {
        approval: plan,
        decision: Decision::Review,
        reason: None,
    };
    assert_eq!(
        attest(&engine, &of_acme, foreign),
        Err(Rejection::UnknownApproval { approval: plan })
    );
    for tenant in [TenantId::DEFAULT, acme] {
        let rows = entries(&engine, Scope::Tenant(tenant), None);
        assert_eq!(
            rows.iter().map(|row| row.tenant).collect::<Vec<_>>(),
            [tenant]
        );
    }
    let library = engine.handle().library().unwrap();
    assert_eq!(library.approval(acme, plan).unwrap().0, None);
    assert!(
        library
            .approval(TenantId::DEFAULT, plan)
            .unwrap()
            .0
            .is_some()
    );
    engine.shutdown(Duration::ZERO).unwrap();
}
