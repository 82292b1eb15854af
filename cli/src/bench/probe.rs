//! What the machine itself gives: the raw speed of a sync, and this process's memory.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Instant;

use super::measure::{percentile, sample};

/// Writes of the probe.
const WRITES: u64 = 300;
/// Bytes of one write.
const BLOCK: usize = 4096;

/// The median duration in microseconds of one preallocated 4 KiB write with its `fdatasync`, in this directory.
pub(crate) fn raw_fdatasync_p50_us(directory: &Path) -> io::Result<f64> {
    let path = directory.join("fdatasync-probe");
    let result = sync_loop(&path);
    std::fs::remove_file(&path)?;
    result
}

fn sync_loop(path: &Path) -> io::Result<f64> {
    let file = OpenOptions::new().write(true).create_new(true).open(path)?;
    // Written once before, so that the loop changes data alone and no file system metadata.
    file.write_all_at(&vec![0; BLOCK * WRITES as usize], 0)?;
    file.sync_all()?;
    let mut samples = Vec::new();
    for number in 0..WRITES {
        let start = Instant::now();
        file.write_all_at(&[number as u8; BLOCK], number * BLOCK as u64)?;
        file.sync_data()?;
        samples.push(sample(start));
    }
    samples.sort_unstable();
    Ok(percentile(&samples, 50))
}

/// Resident bytes now (`VmRSS`) or at most so far (`VmHWM`).
pub(crate) fn memory(field: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory() {
        assert!(memory("VmRSS").is_some_and(|bytes| bytes > 0));
        assert!(memory("VmHWM") >= memory("VmRSS"));
        assert_eq!(memory("NoSuchField"), None);
    }

    #[test]
    fn the_probe_leaves_nothing_behind() {
        let directory = tempfile::tempdir().expect("a directory");
        assert!(raw_fdatasync_p50_us(directory.path()).expect("a disk") >= 0.0);
        assert_eq!(
            std::fs::read_dir(directory.path()).expect("a list").count(),
            0
        );
    }
}
