//! The story verbs of queues: their settings, their pause.

use mainstay_core::{Command, QueueConfig, RateLimit, Text};

use super::line::Line;
use super::world::World;

impl World {
    /// Sets what a queue allows: `limit=` held at once, `rate=` starts per `per=`, `weight=`.
    pub(super) fn configure(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["queue", "limit", "rate", "per", "weight", "by"])?;
        let rate = line.number("rate")?.zip(line.span("per")?);
        let command = Command::ConfigureQueue {
            queue: Text::from(line.get("queue")?),
            config: QueueConfig {
                concurrency_limit: line.number("limit")?,
                rate_limit: rate.map(|(max, per_ms)| RateLimit { per_ms, max }),
                weight: line.number("weight")?,
            },
        };
        Ok(self.answer(line, line.get("queue")?, command))
    }

    pub(super) fn switch_queue(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["queue", "reason", "by"])?;
        let queue = Text::from(line.get("queue")?);
        let reason = line.find("reason").map(Text::from);
        let command = if line.verb == "pause_queue" {
            Command::PauseQueue { queue, reason }
        } else {
            Command::ResumeQueue { queue, reason }
        };
        Ok(self.answer(line, line.get("queue")?, command))
    }
}
