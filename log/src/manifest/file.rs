//! The manifest on disk: read whole, replaced in two steps.
//! Owns: the replacement protocol; a crash anywhere leaves the old or the new manifest.
//! Never: edits in place.

use std::io;

use super::codec::{Manifest, ManifestFault};
use crate::disk::{Disk, DiskFile};
use crate::fault::{ADVICE, Fault, OpenError, Sequences};
use crate::recovery::{read_whole, segment_names};
use crate::segment::{FORMAT, LOG_DIR, write_fully};

/// Name of the manifest.
pub(crate) const MANIFEST: &str = "manifest";
const MANIFEST_TEMPORARY: &str = "manifest.tmp";
const MANIFEST_BYTES_MAX: u64 = 256 << 20;

/// Reads the manifest; `None` if there is no such file.
pub(crate) fn load<D: Disk>(disk: &D) -> Result<Option<Manifest>, OpenError> {
    let file = match disk.open(MANIFEST) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Fault::at("open", MANIFEST)(error).into()),
    };
    let bytes = read_whole(&file, MANIFEST, MANIFEST_BYTES_MAX)?;
    match Manifest::decode(&bytes) {
        Ok(manifest) => Ok(Some(manifest)),
        Err(ManifestFault::Format(found)) => Err(OpenError::Format {
            file: MANIFEST.to_owned(),
            found,
            supported: FORMAT,
        }),
        Err(ManifestFault::Broken(reason)) => Err(OpenError::Damage {
            file: MANIFEST.to_owned(),
            offset: 0,
            frame: 0,
            sequences: Sequences {
                first: 1,
                last: None,
            },
            reason: reason.to_owned(),
            advice: ADVICE.to_owned(),
        }),
    }
}

/// What to say where there must be a log and is no manifest.
pub(crate) fn no_log<D: Disk>(disk: &D) -> OpenError {
    let reason = match segment_names(disk) {
        Ok(names) if names.is_empty() => String::from("there is no log here"),
        Ok(_) => format!("there are segments in {LOG_DIR}/"),
        Err(fault) => return fault.into(),
    };
    OpenError::Missing {
        file: MANIFEST.to_owned(),
        reason,
        advice: ADVICE.to_owned(),
    }
}

/// Replaces the manifest; durable when it returns.
pub(crate) fn replace<D: Disk>(disk: &D, manifest: &Manifest) -> Result<(), Fault> {
    match disk.remove(MANIFEST_TEMPORARY) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(Fault::at("remove", MANIFEST_TEMPORARY)(error)),
    }
    let file = disk
        .create(MANIFEST_TEMPORARY)
        .map_err(Fault::at("create", MANIFEST_TEMPORARY))?;
    let bytes = manifest.encode();
    write_fully(&file, 0, &mut [io::IoSlice::new(&bytes)])
        .map_err(Fault::at("write", MANIFEST_TEMPORARY))?;
    file.sync_all()
        .map_err(Fault::at("sync", MANIFEST_TEMPORARY))?;
    disk.rename(MANIFEST_TEMPORARY, MANIFEST)
        .map_err(Fault::at("rename", MANIFEST_TEMPORARY))?;
    disk.sync_dir("")
        .map_err(Fault::at("sync", "the data directory"))
}
