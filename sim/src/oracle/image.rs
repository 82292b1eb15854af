//! The durable image: every frame of a log, read back by a second, separate recovery on a copy of the disk.

use mainstay::{Entry, Machine, Now, Steady, Timestamp, codec, codec::CommandRecord};
use mainstay_log::{Entropy, Options};

use crate::disk::SimDisk;

/// One command as the log holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) record: CommandRecord,
    pub(crate) first_sequence: u64,
    pub(crate) events: Vec<Entry>,
    pub(crate) wall: u64,
    pub(crate) steady: u64,
    pub(crate) incarnation: u64,
}

impl Written {
    pub(crate) fn last_sequence(&self) -> u64 {
        self.first_sequence + self.events.len() as u64 - 1
    }
}

/// A whole log, and a machine that has replayed it.
pub(crate) struct Image {
    pub(crate) commands: Vec<Written>,
    pub(crate) machine: Machine,
    pub(crate) last_wall: u64,
    pub(crate) last_steady: u64,
}

/// Reads the log of a disk; the disk itself is not touched.
pub(crate) fn read(disk: &SimDisk, options: &Options) -> Result<Image, String> {
    let mut image = Image {
        commands: Vec::new(),
        machine: Machine::new(99),
        last_wall: 0,
        last_steady: 0,
    };
    let mut wrong = None;
    let visit = &mut mainstay_log::FromStart(|frame| {
        if let Err(error) = image.take(frame) {
            wrong.get_or_insert(error);
        }
        Ok(())
    });
    let opened = mainstay_log::open(disk.fork(), options.clone(), Entropy([7; 64]), visit);
    let opened = opened.map_err(|error| format!("a second recovery refuses: {error}"))?;
    if let Some(error) = wrong {
        return Err(error);
    }
    let last = image.machine.sequence();
    if opened.recovery.last_sequence != last {
        return Err(format!(
            "recovery counts {} events, replay {last}",
            opened.recovery.last_sequence
        ));
    }
    image.last_wall = opened.recovery.last_wall_ms;
    image.last_steady = opened.recovery.last_steady_ms;
    Ok(image)
}

impl Image {
    fn take(&mut self, frame: &mainstay_log::Frame<'_>) -> Result<(), String> {
        let now = Now {
            wall: Timestamp(frame.wall_ms),
            steady: Steady(frame.steady_ms),
            id_seed: frame.id_seed,
        };
        let mut sequence = frame.first_sequence;
        if sequence != self.machine.sequence() + 1 {
            return Err(format!(
                "frame {} begins at {sequence}, the one before ends at {}",
                frame.number,
                self.machine.sequence()
            ));
        }
        let (commands, machine) = (&mut self.commands, &mut self.machine);
        let mut counted = 0;
        codec::decode(frame.body, &mut |record, events| {
            events.iter().for_each(|entry| machine.replay(&now, entry));
            commands.push(Written {
                record: record.clone(),
                first_sequence: sequence,
                events: events.to_vec(),
                wall: frame.wall_ms,
                steady: frame.steady_ms,
                incarnation: frame.incarnation,
            });
            sequence += events.len() as u64;
            counted += 1;
        })
        .map_err(|error| format!("frame {}: {error}", frame.number))?;
        let events = sequence - frame.first_sequence;
        if events != u64::from(frame.event_count) || counted != frame.command_count {
            return Err(format!(
                "frame {} promises {} events of {} commands and holds {events} of {counted}",
                frame.number, frame.event_count, frame.command_count
            ));
        }
        Ok(())
    }
}
