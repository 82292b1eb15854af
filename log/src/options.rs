//! How a file log is set up, and the planted bugs that tests turn on.
//! Owns: options, their defaults and ranges.
//! Never: reads an environment or a configuration file.

use crate::fault::OpenError;

/// Options of a file log.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes preallocated per segment; 4 KiB to 1 GiB, default 64 MiB. One huge frame may exceed it.
    pub segment_bytes: u64,
    /// Most bytes of frames that one write and one sync carry; default 4 MiB. A larger frame goes alone.
    pub group_bytes_max: u64,
    /// Most bytes of one body; at most 1 GiB, default 64 MiB.
    pub frame_bytes_max: u64,
    /// Sector in bytes: a power of two from 512 to 65536. `None` asks the disk.
    pub sector: Option<u32>,
    /// Segments prepared ahead; default 1.
    pub spares: u32,
    /// Who opens the directory; shown to whoever finds it held.
    pub holder: String,
    /// Test power: planted bugs. Leave at its default.
    #[doc(hidden)]
    pub plant: Plant,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            segment_bytes: 64 << 20,
            group_bytes_max: 4 << 20,
            frame_bytes_max: 64 << 20,
            sector: None,
            spares: 1,
            holder: String::from("mainstay"),
            plant: Plant::default(),
        }
    }
}

impl Options {
    pub(crate) fn check(&self) -> Result<(), OpenError> {
        let refuse = |option, reason: &str| {
            Err(OpenError::Option {
                option,
                reason: reason.to_owned(),
            })
        };
        if !(4096..=1 << 30).contains(&self.segment_bytes) {
            return refuse("segment_bytes", "must be from 4 KiB to 1 GiB");
        }
        if self.group_bytes_max == 0 || self.group_bytes_max > 1 << 30 {
            return refuse("group_bytes_max", "must be from 1 byte to 1 GiB");
        }
        if self.frame_bytes_max == 0 || self.frame_bytes_max > 1 << 30 {
            return refuse("frame_bytes_max", "must be from 1 byte to 1 GiB");
        }
        match self.sector {
            Some(bytes) if !sector_is_valid(bytes) => {
                refuse("sector", "must be a power of two from 512 to 65536 bytes")
            }
            _ => Ok(()),
        }
    }
}

pub(crate) fn sector_is_valid(bytes: u32) -> bool {
    bytes.is_power_of_two() && (512..=65536).contains(&bytes)
}

/// Bugs that the simulator plants to prove that its checkers see them. Test power: every one loses data.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plant {
    /// Reports a group durable before its sync.
    pub ack_before_sync: bool,
    /// Skips every n-th sync of a group; 0 skips none.
    pub skip_sync_every_n: u32,
    /// Syncs another file than the one that was written.
    pub sync_wrong_file: bool,
    /// Gives a new or rewritten segment its name before its content is synced.
    pub rename_before_content_sync: bool,
    /// Takes a failed sync for a good one.
    pub ignore_sync_error: bool,
    /// Syncs again after a failed sync and believes the second answer.
    pub retry_failed_sync: bool,
    /// Goes on with the next group after a short write that ended in an error.
    pub continue_after_short_write: bool,
    /// Does not sync the directory when a segment gets its name.
    pub skip_dir_sync_on_segment_create: bool,
    /// Does not check the CRC of headers.
    pub crc_skips_header: bool,
    /// Leaves the last byte of a body out of its CRC.
    pub crc_skips_last_byte: bool,
    /// Takes every broken frame for a torn tail.
    pub truncate_at_first_bad: bool,
    /// Takes an unreadable block for the end of the log.
    pub eio_is_end_of_log: bool,
    /// Takes a missing segment for the end of the log.
    pub missing_segment_is_end: bool,
    /// Goes on in the old tail instead of rewriting it.
    pub serve_before_tail_rewrite: bool,
}
