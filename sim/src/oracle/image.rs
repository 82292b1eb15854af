//! The durable image: every frame that a log holds, read back by a second, separate recovery on a copy of the disk.

use mainstay::{Entry, Machine, Now, Steady, Timestamp, codec, codec::CommandRecord};
use mainstay_log::{Entropy, Frame, FromOldest, Options};

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

/// One frame as the log holds it, seals left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) number: u64,
    first_sequence: u64,
    event_count: u32,
    command_count: u32,
    incarnation: u64,
    now: Now,
    body: Vec<u8>,
}

/// What a log holds.
pub(crate) struct Image {
    pub(crate) frames: Vec<Kept>,
    pub(crate) last_sequence: u64,
    pub(crate) last_wall: u64,
    pub(crate) last_steady: u64,
}

/// Reads the log of a disk; the disk itself is not touched.
pub(crate) fn read(disk: &SimDisk, options: &Options) -> Result<Image, String> {
    let mut frames = Vec::new();
    let visit = &mut FromOldest(|frame| {
        frames.push(Kept::of(frame));
        Ok(())
    });
    let opened = mainstay_log::open(disk.fork(), options.clone(), Entropy([7; 64]), visit);
    let opened = opened.map_err(|error| format!("a second recovery refuses: {error}"))?;
    Ok(Image {
        frames,
        last_sequence: opened.recovery.last_sequence,
        last_wall: opened.recovery.last_wall_ms,
        last_steady: opened.recovery.last_steady_ms,
    })
}

/// Frames up to this event, as a log that is open holds them: what is about to be trimmed.
pub(crate) fn witness(
    disk: &SimDisk,
    options: &Options,
    last_sequence: u64,
) -> Result<Vec<Kept>, String> {
    let mut frames = read(disk, options)?.frames;
    frames.retain(|kept| kept.first_sequence <= last_sequence);
    Ok(frames)
}

impl Kept {
    fn of(frame: &Frame<'_>) -> Kept {
        Kept {
            number: frame.number,
            first_sequence: frame.first_sequence,
            event_count: frame.event_count,
            command_count: frame.command_count,
            incarnation: frame.incarnation,
            now: Now {
                wall: Timestamp(frame.wall_ms),
                steady: Steady(frame.steady_ms),
                id_seed: frame.id_seed,
            },
            body: frame.body.to_vec(),
        }
    }

    /// Its commands, replayed into a machine that has replayed everything before.
    pub(crate) fn commands(&self, machine: &mut Machine) -> Result<Vec<Written>, String> {
        let mut sequence = self.first_sequence;
        if sequence != machine.sequence() + 1 {
            return Err(format!(
                "frame {} begins at {sequence}, the one before ends at {}",
                self.number,
                machine.sequence()
            ));
        }
        let mut commands = Vec::new();
        codec::decode(&self.body, &mut |record, events| {
            let replayed = events.iter();
            replayed.for_each(|entry| machine.replay(&self.now, entry));
            commands.push(Written {
                record: record.clone(),
                first_sequence: sequence,
                events: events.to_vec(),
                wall: self.now.wall.0,
                steady: self.now.steady.0,
                incarnation: self.incarnation,
            });
            sequence += events.len() as u64;
        })
        .map_err(|error| format!("frame {}: {error}", self.number))?;
        let (events, counted) = (sequence - self.first_sequence, commands.len());
        if events != u64::from(self.event_count) || counted != self.command_count as usize {
            return Err(format!(
                "frame {} promises {} events of {} commands and holds {events} of {counted}",
                self.number, self.event_count, self.command_count
            ));
        }
        Ok(commands)
    }
}
