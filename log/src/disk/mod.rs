//! The disk seam: a trait, the real disk, and a disk in memory for tests.
//! Owns: re-exports only.
//! Never: anything else.

mod ram;
mod real;
mod seam;

pub use ram::{RamDisk, RamFile};
pub use real::{RealDisk, RealFile, RealLock};
pub use seam::{Disk, DiskFile, LockError};
