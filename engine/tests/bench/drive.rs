//! An engine without threads on a disk in memory: tests take its turns and flushes by hand.
#![allow(dead_code)] // each test binary uses its own part of it

use std::time::Duration;

use mainstay::{
    Answer, Call, CallError, Claim, ClaimGrant, Command, Finish, FinishOutcome, Handle, Keeper,
    Opening, Outcome, Pending, Principal, Query, Raw, Reads, Rejection, Replied, RunId, RunView,
    Settings, Snapper, TaskSpec, TenantId, Text, Turn, Writer, store::MemoryShelf,
};
use mainstay_log::{FileFlusher, FileLog, Flush, Flushed, Options, RamDisk, Stopped};

/// What one command comes to.
pub(crate) type Decided = Result<Outcome, Rejection>;
/// What a call comes to.
pub(crate) type Told = Result<Replied<Decided>, CallError>;

/// One process life, driven by hand.
pub(crate) struct Bench {
    pub(crate) writer: Writer<FileLog<RamDisk>>,
    pub(crate) flusher: FileFlusher<RamDisk>,
    pub(crate) keeper: Keeper,
    pub(crate) reads: Reads,
    pub(crate) snapper: Snapper<RamDisk>,
    pub(crate) shelf: MemoryShelf,
    pub(crate) handle: Handle,
    pub(crate) disk: RamDisk,
    pub(crate) raw: Raw,
    seed: u64,
}

impl Bench {
    /// Opens a new directory and makes its start durable.
    pub(crate) fn new() -> Bench {
        Bench::open(RamDisk::default(), Options::default(), 1_000_000_000)
    }

    /// Opens a directory at this wall time and makes the start durable.
    pub(crate) fn open(disk: RamDisk, options: Options, wall_ms: u64) -> Bench {
        let raw = Raw {
            wall_ms,
            steady_ms: 7,
        };
        let entropy = [(wall_ms % 251) as u8; 64];
        Bench::open_with(disk, MemoryShelf::default(), options, raw, entropy)
    }

    /// Opens a directory with this store beside it.
    pub(crate) fn open_with(
        disk: RamDisk,
        shelf: MemoryShelf,
        options: Options,
        raw: Raw,
        entropy: [u8; 64],
    ) -> Bench {
        let opening = try_open(disk.clone(), &shelf, options, raw, entropy).unwrap();
        let Opening {
            writer,
            flusher,
            keeper,
            reads,
            snapper,
            handle,
            ..
        } = opening;
        let mut bench = Bench {
            writer,
            flusher,
            keeper,
            reads,
            snapper,
            shelf,
            handle,
            disk,
            raw,
            seed: 0,
        };
        bench.round();
        bench
    }

    /// Both clocks go on.
    pub(crate) fn pass(&mut self, ms: u64) {
        self.raw.wall_ms += ms;
        self.raw.steady_ms += ms;
    }

    /// One turn of the writer.
    pub(crate) fn turn(&mut self) -> Turn {
        self.try_turn().unwrap()
    }

    pub(crate) fn try_turn(&mut self) -> Result<Turn, Stopped> {
        self.seed += 1;
        self.writer.turn(self.raw, self.seed)
    }

    /// Makes durable what is queued, and lets out what that settles.
    pub(crate) fn flush(&mut self) -> Result<Flushed, Stopped> {
        let flushed = self.flusher.flush();
        self.handle.settle(&flushed);
        self.keeper.commit().unwrap();
        while self.reads.step().unwrap() {}
        flushed
    }

    /// A turn and a flush.
    pub(crate) fn round(&mut self) -> Turn {
        let turn = self.turn();
        self.flush().unwrap();
        turn
    }

    /// Asks for a command, and sees it through.
    pub(crate) fn call(&mut self, command: Command) -> Decided {
        let pending = self.handle.call(Call::new(command));
        self.round();
        pending.wait().unwrap().value
    }

    pub(crate) fn submit(&mut self, spec: TaskSpec) -> RunId {
        match self.call(Command::Submit(Box::new(spec))) {
            Ok(Outcome::Submitted(submitted)) => submitted.run.run,
            other => panic!("a submit came to {other:?}"),
        }
    }

    /// A claim on its way.
    pub(crate) fn claim(&self, wait_ms: u64) -> Pending<Decided> {
        let wait = Duration::from_millis(wait_ms);
        self.handle.claim(Principal::default(), claim(1), wait)
    }

    /// A claim of one run, seen through.
    pub(crate) fn grant(&mut self) -> ClaimGrant {
        let pending = self.claim(0);
        self.round();
        grants(pending.wait()).remove(0)
    }

    pub(crate) fn finish(&mut self, grant: &ClaimGrant, outcome: FinishOutcome) -> Decided {
        self.call(Command::Finish(Box::new(Finish {
            outcome,
            ..Finish::success(grant.run, grant.fence, None)
        })))
    }

    pub(crate) fn view(&mut self, run: RunId) -> Box<RunView> {
        let pending = self.handle.ask(TenantId::DEFAULT, Query::Run(run));
        self.round();
        match pending.wait().unwrap().value {
            Answer::Run(view) => view,
            other => panic!("a run came to {other:?}"),
        }
    }

    /// Stops in order and closes the log. The next life may open the directory.
    pub(crate) fn close(mut self) -> RamDisk {
        self.handle.stop();
        assert!(self.turn().done);
        drop(self.writer);
        let closed = self.flusher.close();
        self.handle.settle_close(&closed);
        closed.unwrap();
        self.disk
    }
}

/// Opens an engine without threads.
pub(crate) fn try_open(
    disk: RamDisk,
    shelf: &MemoryShelf,
    options: Options,
    raw: Raw,
    entropy: [u8; 64],
) -> Result<Opening<RamDisk>, mainstay_log::OpenError> {
    let settings = Settings {
        low_water_bytes: 0,
        cut_ms: 0,
        ..Settings::default()
    };
    let shelf = &mut shelf.clone();
    mainstay::open(disk, options, &settings, shelf, &mut |_| {}, raw, entropy)
}

/// A claim on queue `default` for up to this many runs.
pub(crate) fn claim(max: u32) -> Claim {
    Claim {
        worker: Text::from("w"),
        queues: vec![Text::from("default")],
        kinds: Vec::new(),
        max,
        lease_ms: None,
        idempotency_key: None,
        ..Claim::default()
    }
}

/// The leases that a claim was answered with.
pub(crate) fn grants(told: Told) -> Vec<ClaimGrant> {
    match told.unwrap().value {
        Ok(Outcome::Claimed(grants)) => grants,
        other => panic!("a claim came to {other:?}"),
    }
}

/// A submit of this kind.
pub(crate) fn submit(kind: &str) -> Call {
    Call::new(Command::Submit(Box::new(TaskSpec::new(kind))))
}

/// A submit with so many bytes of payload.
pub(crate) fn large(bytes: usize) -> Call {
    let mut spec = TaskSpec::new("large");
    spec.payload.bytes = vec![b'1'; bytes].into();
    Call::new(Command::Submit(Box::new(spec)))
}
