//! The last of the log's public facts as lines, for questions in SQL.
//! Owns: how much of the log is looked through for them.
//! Never: shows a fact that is not durable.

use std::collections::{HashMap, VecDeque};
use std::ops::ControlFlow;

use mainstay_core::codec;
use mainstay_core::{Entry, Event, RunId, TaskId, Text, Timestamp};
use mainstay_log::{Frame, RealDisk};
use mainstay_store::{EventLine, SqliteReader, file_of};

use super::verify::CACHE_KIB;
use crate::feed::stored_task;
use crate::handle::Handle;
use crate::shelf::STORE_DIRECTORY;

/// Lines that are given at most.
const LINES_MAX: usize = 10_000;
/// Events that are looked through at most for them.
const WINDOW_MAX: u64 = 4_000_000;

fn line(sequence: u64, at: Timestamp, entry: &Entry) -> Option<EventLine> {
    let kind = entry.event.public_name()?;
    let about = entry.event.about();
    Some(EventLine {
        sequence,
        at,
        kind,
        tenant: entry.tenant,
        task: about.task,
        run: about.run,
        actor: about.actor.map(Text::from),
    })
}

/// The last lines within a stretch of the log.
struct Window {
    count: usize,
    from: u64,
    durable: u64,
    lines: VecDeque<EventLine>,
    /// The tasks of runs that were made within the stretch.
    tasks: HashMap<RunId, TaskId>,
    /// The first event that was seen at all.
    first: Option<u64>,
}

impl Window {
    fn frame(&mut self, frame: &Frame<'_>) -> ControlFlow<()> {
        if frame.first_sequence > self.durable {
            return ControlFlow::Break(());
        }
        self.first.get_or_insert(frame.first_sequence);
        let at = Timestamp(frame.wall_ms);
        let mut sequence = frame.first_sequence;
        // What a later release wrote is not shown.
        let _ = codec::decode(frame.body, &mut |_, events| {
            for entry in events {
                self.event(sequence, at, entry);
                sequence += 1;
            }
        });
        ControlFlow::Continue(())
    }

    fn event(&mut self, sequence: u64, at: Timestamp, entry: &Entry) {
        if let Event::RunCreated(created) = &entry.event {
            self.tasks.insert(created.run, created.task);
        }
        if sequence < self.from || sequence > self.durable {
            return;
        }
        if let Some(line) = line(sequence, at, entry) {
            self.lines.push_back(line);
            if self.lines.len() > self.count {
                self.lines.pop_front();
            }
        }
    }
}

impl Handle {
    /// The last durable facts that are public, at most `count` and at most 10,000, in order. Blocks: they are read from the end of the
    /// log. None in a simulation, and none when the log cannot be read.
    #[must_use]
    pub fn recent_events(&self, count: usize) -> Vec<EventLine> {
        let count = count.min(LINES_MAX);
        let Some(directory) = self.shared().directory().filter(|_| count > 0) else {
            return Vec::new();
        };
        let Ok(disk) = RealDisk::open_existing(&directory) else {
            return Vec::new();
        };
        let durable = self.sequence();
        let mut wanted = count as u64 * 2;
        let window = loop {
            let mut window = Window {
                count,
                from: (durable + 1).saturating_sub(wanted),
                durable,
                lines: VecDeque::new(),
                tasks: HashMap::new(),
                first: None,
            };
            let from = window.from;
            if mainstay_log::read(&disk, from, &mut |frame| window.frame(frame)).is_err() {
                return Vec::new();
            }
            let is_all = from <= 1 || window.first.is_none_or(|first| first > from);
            if window.lines.len() >= count || is_all || wanted >= WINDOW_MAX {
                break window;
            }
            wanted *= 4;
        };
        let store = file_of(&directory.join(STORE_DIRECTORY));
        let mut reader = SqliteReader::open(&store, CACHE_KIB).ok();
        let mut known = window.tasks;
        let mut lines = Vec::from(window.lines);
        for line in &mut lines {
            if let (None, Some(run)) = (line.task, line.run) {
                let stored = || stored_task(reader.as_mut()?, line.tenant, run);
                line.task = known.get(&run).copied().or_else(stored);
                if let Some(task) = line.task {
                    known.insert(run, task);
                }
            }
        }
        lines
    }
}
