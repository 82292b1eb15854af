//! The verbs about dead letters.

use mainstay_core::Command;

use super::line::Line;
use super::verbs::{SHARED, text};
use super::world::World;

impl World {
    pub(crate) fn retry(&mut self, line: &Line) -> Result<String, String> {
        line.only(&[&["run", "reason"][..], &SHARED].concat())?;
        let command = Command::RetryRun {
            run: self.run(line)?,
            reason: text(line, "reason"),
        };
        Ok(self.answer(line, line.get("run")?, command))
    }

    pub(crate) fn clear(&mut self, line: &Line) -> Result<String, String> {
        line.only(&[&["run", "reason"][..], &SHARED].concat())?;
        let command = Command::ClearDeadLetter {
            run: self.run(line)?,
            reason: text(line, "reason"),
        };
        Ok(self.answer(line, line.get("run")?, command))
    }
}
