//! The contract suite on the log in memory, on files in memory, and on real files.
//! Owns: the factories.
//! Never: adds cases of its own.

use mainstay_log::contract::{self, Factory};
use mainstay_log::{
    Entropy, FileFlusher, FileLog, MemoryFlusher, MemoryLog, OpenError, Opened, Options, RamDisk,
    RealDisk, Recover, memory, open,
};

const ENTROPY: Entropy = Entropy([7; 64]);

fn options() -> Options {
    Options {
        segment_bytes: 16 << 10,
        group_bytes_max: 4 << 10,
        ..Options::default()
    }
}

struct InMemory {
    handle: Option<MemoryLog>,
}

impl Factory for InMemory {
    type Log = MemoryLog;
    type Flush = MemoryFlusher;

    fn open(
        &mut self,
        recover: &mut dyn Recover,
    ) -> Result<Opened<MemoryLog, MemoryFlusher>, OpenError> {
        let opened = match &self.handle {
            None => memory(ENTROPY),
            Some(handle) => handle.reopen(recover)?,
        };
        self.handle = Some(opened.log.another());
        Ok(opened)
    }
}

struct OnRam {
    disk: RamDisk,
}

impl Factory for OnRam {
    type Log = FileLog<RamDisk>;
    type Flush = FileFlusher<RamDisk>;

    fn open(
        &mut self,
        recover: &mut dyn Recover,
    ) -> Result<Opened<Self::Log, Self::Flush>, OpenError> {
        open(self.disk.clone(), options(), ENTROPY, recover)
    }
}

struct OnFiles {
    dir: tempfile::TempDir,
}

impl Factory for OnFiles {
    type Log = FileLog<RealDisk>;
    type Flush = FileFlusher<RealDisk>;

    fn open(
        &mut self,
        recover: &mut dyn Recover,
    ) -> Result<Opened<Self::Log, Self::Flush>, OpenError> {
        open(
            RealDisk::open(self.dir.path().join("data")).expect("disk"),
            options(),
            ENTROPY,
            recover,
        )
    }
}

#[test]
fn the_memory_log_keeps_the_contract() {
    contract::all(|| InMemory { handle: None });
}

#[test]
fn the_file_log_keeps_the_contract_on_a_disk_in_memory() {
    contract::all(|| OnRam {
        disk: RamDisk::new(512),
    });
    contract::all(|| OnRam {
        disk: RamDisk::new(4096),
    });
}

#[test]
fn the_file_log_keeps_the_contract_on_real_files() {
    contract::all(|| OnFiles {
        dir: tempfile::tempdir().expect("directory"),
    });
}
