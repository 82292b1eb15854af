//! Reading a segment: one step gives the next intact frame, the end, or the place where it breaks.
//! Owns: what *intact* means, and the search for later headers that prove durability.
//! Never: decides between damage and torn tail; touches a disk.

use crate::frame::{
    FRAME_HEADER_BYTES, Frame, Hash, Header, HeaderFault, MAGIC, body_crc, chain_hash,
};
use crate::identity::{LogId, Salt};
use crate::options::Plant;
use crate::segment::bytes;
use crate::segment::group::{FRAME_ALIGN, align_up};

/// Where a scan stands: after frame `frame`, with `hash` as its chain hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) frame: u64,
    pub(crate) sequence: u64,
    pub(crate) hash: Hash,
    pub(crate) incarnation: u64,
    pub(crate) wall_ms: u64,
    pub(crate) steady_ms: u64,
    pub(crate) rules_version: u32,
    /// Whether the last frame is a seal, or there is none.
    pub(crate) sealed: bool,
    /// Whether the last frame is the seal of a clean stop.
    pub(crate) clean: bool,
}

impl Position {
    /// Before frame `first_frame`.
    pub(crate) fn before(first_frame: u64, first_sequence: u64, previous_hash: Hash) -> Position {
        Position {
            frame: first_frame.saturating_sub(1),
            sequence: first_sequence.saturating_sub(1),
            hash: previous_hash,
            incarnation: 0,
            wall_ms: 0,
            steady_ms: 0,
            rules_version: 0,
            sealed: true,
            clean: false,
        }
    }
}

/// The bytes of one segment with what is needed to read them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Image<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) sector: u64,
    pub(crate) log_id: LogId,
    pub(crate) salt: Salt,
    pub(crate) plant: Plant,
}

/// An intact frame and the place after it.
pub(crate) struct Visited<'a> {
    pub(crate) header: Header,
    pub(crate) frame: Frame<'a>,
    pub(crate) offset: usize,
    pub(crate) end: usize,
}

/// Where and why a scan stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Nothing but zeros from here on.
    End { offset: usize },
    /// Bytes that are no intact next frame. Damage if frame `proof_frame` is known to have been durable.
    Broken {
        offset: usize,
        proof_frame: u64,
        reason: &'static str,
    },
    /// An intact header of a format that is not understood.
    Format { offset: usize, found: String },
}

/// A header found after the place where a scan broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Later {
    pub(crate) offset: usize,
    pub(crate) number: u64,
    pub(crate) durable_upto: u64,
    pub(crate) first_sequence: u64,
}

impl<'a> Image<'a> {
    /// Reads the frame after `at`, expected at `offset` or, if its sector holds nothing more, in the next one.
    pub(crate) fn step(&self, offset: usize, at: &Position) -> Result<Visited<'a>, Stop> {
        let next_sector = (align_up(offset as u64, self.sector) as usize).min(self.bytes.len());
        let start = match self.bytes.get(offset..next_sector) {
            Some(rest) if bytes::all_zero(rest) => next_sector,
            _ => offset,
        };
        let rest = self.bytes.get(start..).unwrap_or_default();
        match self.frame_at(start, rest, at) {
            Ok(visited) => Ok(visited),
            Err(_) if bytes::all_zero(rest) => Err(Stop::End { offset: start }),
            Err(HeaderFault::Format(found)) => Err(Stop::Format {
                offset: start,
                found,
            }),
            Err(HeaderFault::Broken(reason)) => {
                // Inside a sector, bytes that are no frame may be spoilt padding of the group before: then it is that
                // group which must be proved durable for this to be damage.
                let inside = !(start as u64).is_multiple_of(self.sector);
                let proof_frame = if inside {
                    at.frame
                } else {
                    at.frame.saturating_add(1)
                };
                Err(Stop::Broken {
                    offset: start,
                    proof_frame,
                    reason,
                })
            }
        }
    }

    fn frame_at(
        &self,
        start: usize,
        rest: &'a [u8],
        at: &Position,
    ) -> Result<Visited<'a>, HeaderFault> {
        let broken = |reason| Err(HeaderFault::Broken(reason));
        let header = Header::decode(rest, self.log_id, self.salt, self.plant)?;
        let body_end = FRAME_HEADER_BYTES.saturating_add(header.body_bytes as usize);
        let span = align_up(body_end as u64, FRAME_ALIGN) as usize;
        let (Some(body), Some(padding)) = (
            rest.get(FRAME_HEADER_BYTES..body_end),
            rest.get(body_end..span),
        ) else {
            return broken("the body reaches past the end of the segment");
        };
        if body_crc(body, self.plant) != header.body_crc {
            return broken("the body checksum does not hold");
        }
        if !bytes::all_zero(padding) {
            return broken("the padding after the body is not zero");
        }
        if Some(header.number) != at.frame.checked_add(1) {
            return broken("the frame number does not follow");
        }
        if Some(header.first_sequence) != at.sequence.checked_add(1)
            || header.last_sequence().is_none()
        {
            return broken("the sequence does not follow");
        }
        if header.previous_hash != at.hash {
            return broken("the hash chain does not follow");
        }
        if header.incarnation < at.incarnation {
            return broken("the incarnation goes back");
        }
        let frame = header.frame(chain_hash(&header, body), body);
        Ok(Visited {
            header,
            frame,
            offset: start,
            end: start + span,
        })
    }

    /// The first intact header at or after `from` that says frame `proof_frame` is durable. Headers in the middle
    /// of a group are found too: every frame starts at a multiple of eight.
    pub(crate) fn later(&self, from: usize, proof_frame: u64) -> Option<Later> {
        let magic = MAGIC.to_le_bytes();
        let mut offset = align_up(from as u64, FRAME_ALIGN) as usize;
        while let Some(rest) = self
            .bytes
            .get(offset..)
            .filter(|rest| rest.len() >= FRAME_HEADER_BYTES)
        {
            if rest[..4] == magic
                && let Ok(header) = Header::decode(rest, self.log_id, self.salt, self.plant)
                && header.durable_upto >= proof_frame
            {
                return Some(Later {
                    offset,
                    number: header.number,
                    durable_upto: header.durable_upto,
                    first_sequence: header.first_sequence,
                });
            }
            offset += FRAME_ALIGN as usize;
        }
        None
    }

    /// Steps from `offset` to the end or break, moving `at`; `each` sees every intact frame.
    pub(crate) fn walk<E>(
        &self,
        mut offset: usize,
        at: &mut Position,
        each: &mut dyn FnMut(&Visited<'a>) -> Result<(), E>,
    ) -> Result<Stop, E> {
        loop {
            match self.step(offset, at) {
                Err(stop) => return Ok(stop),
                Ok(visited) => {
                    each(&visited)?;
                    at.advance(&visited);
                    offset = visited.end;
                }
            }
        }
    }
}

impl Position {
    /// Moves over an intact frame.
    pub(crate) fn advance(&mut self, visited: &Visited<'_>) {
        let header = &visited.header;
        self.frame = header.number;
        self.sequence = header.last_sequence().unwrap_or(self.sequence);
        self.hash = visited.frame.hash;
        self.incarnation = header.incarnation;
        self.wall_ms = header.wall_ms;
        self.steady_ms = header.steady_ms;
        self.rules_version = header.rules_version;
        self.sealed = visited.frame.is_seal();
        self.clean = self.sealed && visited.frame.flags.has(crate::frame::Flags::CLEAN);
    }
}
