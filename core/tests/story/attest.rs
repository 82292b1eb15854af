//! The verbs about ledgers and approvals.

use mainstay_core::{AppendLedger, ApprovalId, Attest, Command, Decision, RequestApproval, Text};

use super::line::Line;
use super::world::World;

fn approval(line: &Line) -> Result<Option<ApprovalId>, String> {
    Ok(line.number::<u128>("id")?.map(ApprovalId))
}

impl World {
    /// `append ledger=incident says=1`, with `idem=k`.
    pub(crate) fn append(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["ledger", "says", "idem", "by"])?;
        let append = AppendLedger {
            key: Text::from(line.get("ledger")?),
            payload: line.get("says")?.as_bytes().into(),
            actor: None,
            idempotency_key: line.find("idem").map(Text::from),
        };
        Ok(self.attest(line, Attest::Append(append)))
    }

    /// `plan id=7 about=deploy`, with `ledger=release`.
    pub(crate) fn plan(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["id", "about", "ledger", "by"])?;
        let ask = RequestApproval {
            approval: approval(line)?,
            subject: Text::from(line.get("about")?),
            plan: b"{}"[..].into(),
            ledger_key: line.find("ledger").map(Text::from),
        };
        Ok(self.attest(line, Attest::Request(ask)))
    }

    /// `review id=7`, `approve id=7`, `reject id=7`, with `reason=why`, `by=ann`, `may=can_review`.
    pub(crate) fn decide(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["id", "reason", "by", "may"])?;
        let what = Attest::Decide {
            approval: approval(line)?.ok_or("`id` is missing")?,
            decision: Decision::find(&line.verb).ok_or("no decision")?,
            reason: line.find("reason").map(Text::from),
        };
        Ok(self.attest(line, what))
    }

    fn attest(&mut self, line: &Line, what: Attest) -> String {
        self.answer(line, "", Command::Attest(Box::new(what)))
    }
}
