//! One frame of the log read into a machine.
//! Owns: the check that a frame continues the state.
//! Never: decides.

use mainstay_core::codec::CommandRecord;
use mainstay_core::{AuditRow, Entry, Machine, Now, Steady, Timestamp, codec};
use mainstay_log::Frame;

/// The moment a frame was written at.
pub(crate) fn moment_of(frame: &Frame<'_>) -> Now {
    Now {
        wall: Timestamp(frame.wall_ms),
        steady: Steady(frame.steady_ms),
        id_seed: frame.id_seed,
    }
}

/// Reads one frame into a machine.
///
/// # Errors
/// In words, when the frame does not continue the state or does not hold what it promises.
pub(crate) fn replay(machine: &mut Machine, frame: &Frame<'_>) -> Result<(), String> {
    replay_to(machine, frame, u64::MAX)
}

/// The same, up to and with one event.
pub(crate) fn replay_to(machine: &mut Machine, frame: &Frame<'_>, last: u64) -> Result<(), String> {
    replay_telling(machine, frame, last, &mut |_, _, _| {})
}

/// Reads one frame into a machine and gives what it holds of the audit trail.
pub(crate) fn replay_into(
    machine: &mut Machine,
    frame: &Frame<'_>,
    trail: &mut Vec<AuditRow>,
) -> Result<(), String> {
    let at = Timestamp(frame.wall_ms);
    replay_telling(machine, frame, u64::MAX, &mut |record, events, first| {
        trail.extend(AuditRow::of(record, events, first, at));
    })
}

fn replay_telling(
    machine: &mut Machine,
    frame: &Frame<'_>,
    last: u64,
    tell: &mut dyn FnMut(&CommandRecord, &[Entry], u64),
) -> Result<(), String> {
    let now = moment_of(frame);
    let expected = frame.first_sequence + u64::from(frame.event_count);
    if frame.event_count > 0 && machine.sequence() + 1 != frame.first_sequence {
        return Err(format!(
            "it starts at {}, the state stands at {}",
            frame.first_sequence,
            machine.sequence()
        ));
    }
    let mut first = frame.first_sequence;
    codec::decode(frame.body, &mut |record, events| {
        tell(record, events, first);
        first += events.len() as u64;
        for entry in events {
            if machine.sequence() < last {
                machine.replay(&now, entry);
            }
        }
    })
    .map_err(|error| error.to_string())?;
    if frame.event_count > 0 && last >= expected && machine.sequence() + 1 != expected {
        return Err(format!(
            "it promises {} events and holds others",
            frame.event_count
        ));
    }
    Ok(())
}
