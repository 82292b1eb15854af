//! Names of files in a data directory.
//! Owns: how segments, spares and directories are called.
//! Never: touches them.

/// Directory of the segments.
pub(crate) const LOG_DIR: &str = "log";
/// Directory of what recovery cut off.
pub(crate) const QUARANTINE_DIR: &str = "quarantine";
/// The tail while it is being rewritten.
pub(crate) const TAIL_TEMPORARY: &str = "log/tail.tmp";

/// Name of the segment whose first event has this sequence.
pub(crate) fn segment_name(first_sequence: u64) -> String {
    format!("{LOG_DIR}/{first_sequence:020}.log")
}

/// Name of a prepared segment.
pub(crate) fn spare_name(number: u64) -> String {
    format!("{LOG_DIR}/spare-{number}")
}

/// The sequence in a segment's name, given without its directory; `None` for any other file.
pub(crate) fn first_sequence_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".log")?;
    (digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| digits.parse().ok())?
}

/// Whether a name in the log directory is that of a prepared segment.
pub(crate) fn is_spare(name: &str) -> bool {
    name.strip_prefix("spare-")
        .is_some_and(|rest| rest.parse::<u64>().is_ok())
}
