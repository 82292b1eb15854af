//! The verbs about operations: acts on many runs, with the pieces that an engine would ask for.

use mainstay_core::{
    Action, Answer, BeginOperation, Command, Operate, OperationId, OperationPiece, Query, RunState,
    Selection, TenantId, Text, Timestamp,
};

use super::line::Line;
use super::world::World;

impl World {
    /// `operate id=7 action=retry matched=3`, with `through=N`, `reason=why`, `by=ann`, `state=failed`, `queue=q`.
    pub(crate) fn operate(&mut self, line: &Line) -> Result<String, String> {
        line.only(&[
            "id", "action", "matched", "through", "reason", "by", "state", "queue", "deps",
        ])?;
        let state = line.find("state").map(|name| {
            let all = RunState::ALL.iter();
            all.copied().find(|state| state.name() == name)
        });
        let filter = Selection {
            state: state.map(|state| state.ok_or("no state")).transpose()?,
            queue: line.find("queue").map(Text::from),
            ..Selection::default()
        };
        let begin = BeginOperation {
            operation: line.number::<u128>("id")?.map(OperationId),
            action: Action::find(line.get("action")?).ok_or("no action")?,
            filter: Box::new(filter),
            with_dependents: line.find("deps").is_some(),
            matched: line.number("matched")?.unwrap_or(0),
            through: line.number("through")?.unwrap_or(self.machine.sequence()),
            until: Timestamp(u64::MAX >> 1),
            reason: line.find("reason").map(Text::from),
        };
        Ok(self.ask_operation(line, Operate::Begin(begin)))
    }

    /// `piece id=7 runs=a,b`, with `last=1`, `after=N`: the numbers are the runs' places in it.
    pub(crate) fn piece(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["id", "runs", "last", "after", "by", "count"])?;
        let operation = OperationId(line.number("id")?.ok_or("`id` is missing")?);
        let known = self.look_at(operation);
        let stands = match known {
            Answer::Operation(view) => view.operation.cursor,
            _ => 0,
        };
        let after = line.number("after")?.unwrap_or(stands);
        let mut runs = Vec::new();
        for name in line.find("runs").unwrap_or_default().split(',') {
            if name.is_empty() {
                continue;
            }
            let known = self.names.runs.iter();
            let mut found = known
                .filter(|(_, called)| *called == name)
                .map(|(id, _)| *id);
            let id = found.next_back().ok_or("no such run")?;
            runs.push((after + 1 + runs.len() as u64, id));
        }
        let cursor = after + runs.len() as u64;
        let piece = OperationPiece {
            operation,
            after,
            runs,
            cursor,
            last: line.find("last").is_some(),
        };
        Ok(self.ask_operation(line, Operate::Advance(piece)))
    }

    /// `stop id=7`, with `reason=why`, `by=ann`.
    pub(crate) fn stop_operation(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["id", "reason", "by"])?;
        let operation = OperationId(line.number("id")?.ok_or("`id` is missing")?);
        let reason = line.find("reason").map(Text::from);
        Ok(self.ask_operation(line, Operate::Cancel { operation, reason }))
    }

    /// `operation id=7`: where it stands.
    pub(crate) fn show_operation(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["id"])?;
        let operation = OperationId(line.number("id")?.ok_or("`id` is missing")?);
        let Answer::Operation(view) = self.look_at(operation) else {
            return Ok("absent".into());
        };
        let row = &view.operation;
        let codes: Vec<&str> = row.refused.iter().map(|refused| &*refused.code).collect();
        Ok(format!(
            "{} {} done={} refused={} of={} codes={}",
            row.action.name(),
            row.state.name(),
            row.done,
            row.refused_total,
            row.matched,
            if codes.is_empty() {
                "-".into()
            } else {
                codes.join(",")
            },
        ))
    }

    fn look_at(&self, operation: OperationId) -> Answer {
        let query = Query::Operation(operation);
        self.machine.answer(&self.now, TenantId::DEFAULT, &query)
    }

    fn ask_operation(&mut self, line: &Line, what: Operate) -> String {
        self.answer(line, "", Command::Operate(Box::new(what)))
    }
}
