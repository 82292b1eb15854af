//! Identifiers: UUIDs as 128-bit numbers, minted strictly increasing from inputs alone.
//! Owns: the text form, the minting rule, the derivation of attempt ids.
//! Never: draws randomness; the seed of a batch is an input.

use core::fmt;
use core::str::FromStr;

use crate::time::Timestamp;

/// Why a text is not an id: it is not a UUID, or it is the nil UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseIdError;

impl fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a UUID, or the nil UUID")
    }
}

fn write_uuid(value: u128, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [b'-'; 36];
    let mut at = 0;
    for (index, byte) in value.to_be_bytes().into_iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            at += 1;
        }
        text[at] = DIGITS[usize::from(byte >> 4)];
        text[at + 1] = DIGITS[usize::from(byte & 15)];
        at += 2;
    }
    f.write_str(core::str::from_utf8(&text).map_err(|_| fmt::Error)?)
}

fn read_uuid(text: &str) -> Result<u128, ParseIdError> {
    let bytes = text.as_bytes();
    if bytes.len() != 36 {
        return Err(ParseIdError);
    }
    let mut value = 0u128;
    for (index, byte) in bytes.iter().copied().enumerate() {
        if matches!(index, 8 | 13 | 18 | 23) {
            if byte != b'-' {
                return Err(ParseIdError);
            }
            continue;
        }
        let digit = char::from(byte).to_digit(16).ok_or(ParseIdError)?;
        value = value << 4 | u128::from(digit);
    }
    if value == 0 {
        Err(ParseIdError)
    } else {
        Ok(value)
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u128);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_uuid(self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_uuid(self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;
            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                read_uuid(text).map($name)
            }
        }
    )+};
}

ids! {
    /// A task's id, unique within its tenant.
    TaskId,
    /// A run's id, unique within its tenant.
    RunId,
    /// A tenant's id.
    TenantId,
    /// An attempt's id, derived from its run's id and its number.
    AttemptId,
    /// A subscription's id, unique within its tenant.
    SubscriptionId,
    // Webhooks.
    /// A webhook's id, unique within its tenant.
    WebhookId,
    // Ledgers.
    /// An approval's id, unique within its tenant.
    ApprovalId,
    /// An actor's id, unique within its tenant.
    ActorId,
    /// A key's id, unique within the data directory.
    KeyId,
    // Operations.
    /// An operation's id, unique within its tenant.
    OperationId,
}

impl TenantId {
    /// The tenant named `default`, which every data directory has from the start.
    pub const DEFAULT: TenantId = TenantId(0x0000_0000_0000_8000_8000_0000_0000_0001);
}

impl AttemptId {
    /// The id of attempt `number` (1-based) of a run: the run's time part, and a mix of both in the rest (UUID version 8).
    #[must_use]
    pub fn derive(run: RunId, number: u32) -> AttemptId {
        let low = mix(run.0 as u64 ^ mix(u64::from(number)));
        let high = mix((run.0 >> 64) as u64 ^ low);
        let value = (run.0 >> 80) << 80 | u128::from(high & 0xfff) << 64 | u128::from(low);
        AttemptId(stamp(value, 8))
    }
}

fn stamp(value: u128, version: u128) -> u128 {
    value & !(0xf << 76) & !(0x3 << 62) | version << 76 | 0x2 << 62
}

/// A bijective 64-bit mix (the finalizer of SplitMix64, Steele, Lea and Flood 2014): spreads seeds, keeps determinism.
#[must_use]
pub(crate) fn mix(mut value: u64) -> u64 {
    value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}

/// The last id minted in a data directory: (milliseconds, counter within them). Ids minted after it are greater than it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Minted {
    ms: u64,
    counter: u64,
}

const COUNTER_BITS: u32 = 34;

impl Minted {
    /// The next position at recorded time `now`: the counter restarts with each millisecond and spills into the next one.
    pub(crate) fn next(self, now: Timestamp) -> Minted {
        if now.0 > self.ms {
            Minted {
                ms: now.0,
                counter: 0,
            }
        } else if self.counter + 1 < 1 << COUNTER_BITS {
            Minted {
                ms: self.ms,
                counter: self.counter + 1,
            }
        } else {
            Minted {
                ms: self.ms + 1,
                counter: 0,
            }
        }
    }

    /// UUID version 7 (RFC 9562 §5.7): 48 bits of milliseconds, 34 of counter, 40 of the batch's seed.
    pub(crate) fn id(self, seed: u64) -> u128 {
        let random = u128::from(mix(seed ^ mix(self.counter ^ self.ms << 20)) >> 24);
        let counter = u128::from(self.counter);
        let value = u128::from(self.ms & 0xffff_ffff_ffff) << 80
            | (counter >> 22) << 64
            | (counter & 0x3f_ffff) << 40
            | random;
        stamp(value, 7)
    }

    /// The position that an id minted here stands for. Ids from elsewhere give a meaningless one.
    pub(crate) fn of(id: u128) -> Minted {
        let counter = (id >> 64 & 0xfff) << 22 | id >> 40 & 0x3f_ffff;
        Minted {
            ms: (id >> 80) as u64,
            counter: counter as u64,
        }
    }
}

#[cfg(test)]
mod tests;
