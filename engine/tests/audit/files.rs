//! A data directory in the hands of somebody who wants to change what happened, and knows the format.

use std::path::{Path, PathBuf};

const HEADER: usize = 152;

/// A segment's bytes, with its frames as (offset, length of the body).
pub(crate) struct Segment {
    path: PathBuf,
    pub(crate) bytes: Vec<u8>,
    pub(crate) frames: Vec<(usize, usize)>,
}

fn number(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

fn short(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// The log's segments, oldest first.
pub(crate) fn segments(directory: &Path) -> Vec<Segment> {
    let files = std::fs::read_dir(directory.join("log")).unwrap();
    let files = files.map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = files
        .filter(|path| path.extension().is_some_and(|ext| ext == "log"))
        .collect();
    paths.sort();
    paths.into_iter().map(Segment::read).collect()
}

impl Segment {
    fn read(path: PathBuf) -> Segment {
        let bytes = std::fs::read(&path).unwrap();
        let mut frames = Vec::new();
        let mut at = short(&bytes, 12) as usize;
        while at + HEADER <= bytes.len() {
            if bytes[at..at + 4] == *b"MSFr" {
                let body = short(&bytes, at + 136) as usize;
                frames.push((at, body));
                at += (HEADER + body).next_multiple_of(8);
            } else {
                at += 8;
            }
        }
        Segment {
            path,
            bytes,
            frames,
        }
    }

    pub(crate) fn write(&self) {
        std::fs::write(&self.path, &self.bytes).unwrap();
    }

    pub(crate) fn remove(&self) {
        std::fs::remove_file(&self.path).unwrap();
    }

    pub(crate) fn name(&self) -> String {
        format!("log/{}", self.path.file_name().unwrap().to_str().unwrap())
    }

    /// Frames that hold events, by their places among all.
    pub(crate) fn with_events(&self) -> Vec<usize> {
        let events = |frame: &usize| short(&self.bytes, self.frames[*frame].0 + 96) > 0;
        (0..self.frames.len()).filter(events).collect()
    }

    pub(crate) fn first_sequence(&self, frame: usize) -> u64 {
        number(&self.bytes, self.frames[frame].0 + 64)
    }

    /// Writes text over other text of the same length in a frame's body, with sums that hold. False when it is not there.
    pub(crate) fn replace(&mut self, frame: usize, from: &str, to: &str) -> bool {
        assert_eq!(from.len(), to.len());
        let (at, body) = self.frames[frame];
        let body = at + HEADER..at + HEADER + body;
        let places = self.bytes[body.clone()].windows(from.len());
        let Some(found) = places.clone().position(|place| place == from.as_bytes()) else {
            return false;
        };
        let found = body.start + found;
        self.bytes[found..found + to.len()].copy_from_slice(to.as_bytes());
        self.sum(frame);
        true
    }

    /// Makes the sums of a frame hold.
    fn sum(&mut self, frame: usize) {
        let (at, body) = self.frames[frame];
        let crc = crc32c::crc32c(&self.bytes[at + HEADER..at + HEADER + body]);
        self.bytes[at + 140..at + 144].copy_from_slice(&crc.to_le_bytes());
        let crc = crc32c::crc32c(&self.bytes[32..40]);
        let crc = crc32c::crc32c_append(crc, &self.bytes[at..at + 148]);
        self.bytes[at + 148..at + 152].copy_from_slice(&crc.to_le_bytes());
    }

    /// Makes every frame from this one on follow the one before it: a change that only somebody else's knowledge betrays.
    pub(crate) fn chain_from(&mut self, frame: usize) {
        for next in frame + 1..self.frames.len() {
            let hash = self.hash(next - 1);
            let at = self.frames[next].0;
            self.bytes[at + 104..at + 136].copy_from_slice(&hash);
            self.sum(next);
        }
    }

    fn hash(&self, frame: usize) -> [u8; 32] {
        let (at, body) = self.frames[frame];
        let field = |from: usize, to: usize| &self.bytes[at + from..at + to];
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"mainstay frame 1");
        hasher.update(field(104, 136)).update(field(16, 32));
        hasher.update(field(48, 56)).update(field(64, 72));
        hasher.update(field(96, 104)).update(field(72, 88));
        hasher.update(field(12, 16)).update(field(88, 96));
        hasher.update(&(body as u64).to_le_bytes());
        hasher.update(&self.bytes[at + HEADER..at + HEADER + body]);
        *hasher.finalize().as_bytes()
    }

    /// Takes a frame out; what follows moves up.
    pub(crate) fn drop_frame(&mut self, frame: usize) {
        let (from, to) = (self.frames[frame].0, self.frames[frame + 1].0);
        let length = self.bytes.len();
        self.bytes.drain(from..to);
        self.bytes.resize(length, 0);
    }

    /// Puts a frame after the one that follows it.
    pub(crate) fn swap(&mut self, frame: usize) {
        let [one, two, end] = [0, 1, 2].map(|next| self.frames[frame + next].0);
        self.bytes[one..end].rotate_left(two - one);
    }
}

/// Writes text over other text of the same length in the store's file. The engine must have ended.
pub(crate) fn edit_store(directory: &Path, from: &str, to: &str) {
    assert_eq!(from.len(), to.len());
    let path = directory.join("store/mainstay.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let mut places = bytes.windows(from.len());
    let at = places.position(|place| place == from.as_bytes()).unwrap();
    bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    std::fs::write(&path, &bytes).unwrap();
}
