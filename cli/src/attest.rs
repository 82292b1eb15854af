//! `ledger` and `approval`: what is put on record, and plans that wait for others.

use mainstay_client::wire::{Approval, ApprovalBrief, ApprovalSpec, LedgerAppend, LedgerEntry};

use crate::args::{ApprovalCommand, Global, LedgerCommand};
use crate::connection::{self, SHORT_PATIENCE};
use crate::exit::{Code, Failure};
use crate::payload;
use crate::screen::Screen;
use crate::shown::show;

/// `ledger …`
pub(crate) async fn ledger(
    global: &Global,
    command: &LedgerCommand,
    screen: Screen,
) -> Result<Code, Failure> {
    let client = connection::client(global, SHORT_PATIENCE)?;
    match command {
        LedgerCommand::Append {
            ledger,
            payload,
            actor,
            idempotency_key,
        } => {
            let entry = LedgerAppend {
                ledger_key: ledger.as_str().into(),
                payload: payload::read(payload)?,
                actor_id: actor.as_deref().map(Into::into),
                tenant_id: None,
                idempotency_key: idempotency_key.as_deref().map(Into::into),
            };
            let answer = client.append_ledger(&entry).await?;
            show(screen, &answer, |screen, answer| {
                let word = if answer.created {
                    "appended"
                } else {
                    "was there"
                };
                screen.line(&format!("entry {} {word}", answer.sequence));
            });
        }
        LedgerCommand::List {
            ledger,
            after,
            limit,
        } => {
            let page = client
                .ledger(ledger.as_deref(), *after, Some(*limit))
                .await?;
            show(screen, &page, |screen, page| {
                let rows: Vec<_> = page.entries.iter().map(entry_row).collect();
                screen.table(&["sequence", "at", "ledger", "by", "payload"], &rows);
                tell_more(screen, rows.len(), *limit, page.next);
            });
        }
    }
    Ok(Code::Done)
}

fn entry_row(entry: &LedgerEntry) -> Vec<String> {
    vec![
        entry.sequence.to_string(),
        entry.at.clone(),
        entry.ledger_key.clone(),
        entry.by.clone(),
        entry.payload.to_string(),
    ]
}

fn tell_more(screen: Screen, rows: usize, limit: u32, next: u64) {
    if rows >= limit as usize {
        screen.note(&format!("there is more: --after {next}"));
    }
}

/// `approval …`
pub(crate) async fn approval(
    global: &Global,
    command: &ApprovalCommand,
    screen: Screen,
) -> Result<Code, Failure> {
    let client = connection::client(global, SHORT_PATIENCE)?;
    let brief = |answer: &ApprovalBrief| {
        show(screen, answer, |screen, answer| {
            screen.line(&format!("{} {}", answer.approval_id, answer.state));
        });
    };
    match command {
        ApprovalCommand::Request {
            subject,
            plan,
            ledger,
            reason,
        } => {
            let spec = ApprovalSpec {
                subject: subject.as_str().into(),
                plan: payload::read(plan)?,
                ledger_key: ledger.as_deref().map(Into::into),
                approval_id: None,
                reason: reason.as_deref().map(Into::into),
            };
            brief(&client.request_approval(&spec).await?);
        }
        ApprovalCommand::Decide {
            approval_id,
            decision,
            reason,
        } => brief(
            &client
                .decide_approval(approval_id, decision, reason.as_deref())
                .await?,
        ),
        ApprovalCommand::Show { approval_id } => {
            show(screen, &client.approval(approval_id).await?, show_approval);
        }
        ApprovalCommand::List {
            state,
            after,
            limit,
        } => {
            let page = client
                .approvals(state.as_deref(), *after, Some(*limit))
                .await?;
            show(screen, &page, |screen, page| {
                let rows: Vec<_> = page.approvals.iter().map(approval_row).collect();
                screen.table(
                    &["approval", "state", "requested by", "at", "subject"],
                    &rows,
                );
                tell_more(screen, rows.len(), *limit, page.next);
            });
        }
    }
    Ok(Code::Done)
}

fn approval_row(approval: &Approval) -> Vec<String> {
    vec![
        approval.approval_id.clone(),
        approval.state.clone(),
        approval.requested_by.clone(),
        approval.requested_at.clone(),
        approval.subject.clone(),
    ]
}

fn show_approval(screen: Screen, approval: &Approval) {
    let mut pairs = vec![
        ("approval", approval.approval_id.clone()),
        ("state", approval.state.clone()),
        ("subject", approval.subject.clone()),
        ("plan", approval.plan.to_string()),
        (
            "requested",
            format!("{} by {}", approval.requested_at, approval.requested_by),
        ),
    ];
    for (name, step) in [
        ("reviewed", &approval.reviewed),
        ("decided", &approval.decided),
    ] {
        if let Some(step) = step {
            let reason = step.reason.as_deref().unwrap_or("no reason given");
            pairs.push((name, format!("{} by {}: {reason}", step.at, step.by)));
        }
    }
    screen.pairs(&pairs);
}
