//! Who a log is, and where its randomness comes from.
//! Owns: log id, incarnation, secret, the derived random stream.
//! Never: asks the operating system for randomness; shows a secret.

use std::fmt;
use std::str::FromStr;

/// Identity of one log, made when its data directory is made. Displays as UUID text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogId(pub u128);

impl fmt::Display for LogId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = format!("{:032x}", self.0);
        write!(
            out,
            "{}-{}-{}-{}-{}",
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..]
        )
    }
}

impl fmt::Debug for LogId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "LogId({self})")
    }
}

/// The text is not a UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a log id: expected UUID text")]
pub struct ParseLogIdError;

impl FromStr for LogId {
    type Err = ParseLogIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let dashes_fit = text.len() == 36
            && text.bytes().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            });
        if !dashes_fit {
            return Err(ParseLogIdError);
        }
        u128::from_str_radix(&text.replace('-', ""), 16)
            .map(LogId)
            .map_err(|_| ParseLogIdError)
    }
}

/// What distinguishes this life of this data directory from every other.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// Id of the log.
    pub log_id: LogId,
    /// Number of this life: 1 for the first open, larger by at least one at each open.
    pub incarnation: u64,
    /// Secret of the data directory, for the MACs of fencing tokens. Must be in no answer.
    pub secret: [u8; 32],
}

impl fmt::Debug for Identity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Identity")
            .field("log_id", &self.log_id)
            .field("incarnation", &self.incarnation)
            .finish_non_exhaustive()
    }
}

/// Randomness as an input: 64 random bytes, from which ids, secrets and salts are derived.
#[derive(Clone)]
pub struct Entropy(pub [u8; 64]);

impl fmt::Debug for Entropy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Entropy(..)")
    }
}

/// A secret number that keys the header checksums of one segment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Salt(pub(crate) u64);

impl fmt::Debug for Salt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Salt(..)")
    }
}

/// Deterministic stream of random bytes for one purpose.
pub(crate) struct RandomStream(blake3::OutputReader);

impl RandomStream {
    /// Draws from `entropy`; another purpose, log or incarnation gives another stream, so that a caller that
    /// brings the same entropy twice still gets fresh salts in each life.
    pub(crate) fn new(entropy: &Entropy, purpose: &str, log_id: LogId, incarnation: u64) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("mainstay log 1 randomness");
        hasher.update(&entropy.0);
        hasher.update(&log_id.0.to_le_bytes());
        hasher.update(&incarnation.to_le_bytes());
        hasher.update(purpose.as_bytes());
        RandomStream(hasher.finalize_xof())
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        self.0.fill(&mut out);
        out
    }

    /// A fresh salt; never 0, which stands for "none".
    pub(crate) fn salt(&mut self) -> Salt {
        loop {
            let salt = u64::from_le_bytes(self.bytes());
            if salt != 0 {
                return Salt(salt);
            }
        }
    }

    /// A fresh log id with the version and variant bits of a random UUID.
    pub(crate) fn log_id(&mut self) -> LogId {
        let mut bytes: [u8; 16] = self.bytes();
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        LogId(u128::from_be_bytes(bytes))
    }
}

/// Log id and secret of a data directory that is being made.
pub(crate) fn fresh(entropy: &Entropy) -> (LogId, [u8; 32]) {
    let mut stream = RandomStream::new(entropy, "fresh data directory", LogId(0), 0);
    (stream.log_id(), stream.bytes())
}

#[cfg(test)]
mod tests;
