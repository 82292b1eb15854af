//! What the operator has set, from the file and from the flags; the rest is the engine's defaults.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use mainstay_server::{Issuer, Otel, WebhookRules};

use crate::args::StorageArgs;
use crate::exit::{Code, Failure};

use super::file;

/// What the operator has set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) segment_bytes: Option<u64>,
    pub(crate) log_retain_bytes: Option<u64>,
    pub(crate) log_retain_age_ms: Option<u64>,
    pub(crate) history_keep_ms: Option<u64>,
    pub(crate) history_max_bytes: Option<u64>,
    /// How long entries of the audit trail are kept.
    pub(crate) audit_keep_ms: Option<u64>,
    /// By queue, how long its finished work is kept.
    pub(crate) history_queues_ms: BTreeMap<String, u64>,
    /// Queues whose work is not found by its text.
    pub(crate) search_off: BTreeSet<String>,
    pub(crate) payload_cache_bytes: Option<u64>,
    pub(crate) low_water_bytes: Option<u64>,
    /// Whose tokens are accepted in place of keys.
    pub(crate) issuers: Vec<Issuer>,
    /// Where traces are sent.
    pub(crate) otel: Option<Otel>,
    /// Where webhooks may lead.
    pub(crate) webhooks: WebhookRules,
}

impl Settings {
    /// Reads the file, if there is one, and lets the flags overrule it.
    pub(crate) fn read(config: Option<&Path>, flags: &StorageArgs) -> Result<Settings, Failure> {
        let mut settings = match config {
            None => Settings::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|error| refuse(path, &error.to_string()))?;
                file::read(&text).map_err(|what| refuse(path, &what))?
            }
        };
        let overrule = |setting: &mut Option<u64>, flag: Option<u64>| *setting = flag.or(*setting);
        overrule(&mut settings.segment_bytes, flags.segment_bytes);
        overrule(&mut settings.log_retain_bytes, flags.log_retain_bytes);
        overrule(&mut settings.log_retain_age_ms, flags.log_retain_age);
        overrule(&mut settings.history_keep_ms, flags.history_keep);
        overrule(&mut settings.history_max_bytes, flags.history_max_bytes);
        overrule(&mut settings.payload_cache_bytes, flags.payload_cache_bytes);
        overrule(&mut settings.low_water_bytes, flags.low_water_bytes);
        Ok(settings)
    }
}

fn refuse(path: &Path, what: &str) -> Failure {
    let message = format!("{}: {what}", path.display());
    Failure::new(Code::NotUnderstood, "configuration", message)
}

#[cfg(test)]
mod tests {
    use super::Settings;
    use crate::args::StorageArgs;

    #[test]
    fn a_flag_overrules_the_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("c.toml");
        std::fs::write(&path, "[history]\nkeep = \"1d\"\nmax_bytes = \"1GiB\"\n").expect("written");
        let flags = StorageArgs {
            history_keep: Some(60_000),
            ..StorageArgs::default()
        };
        let settings = Settings::read(Some(&path), &flags).expect("read");
        assert_eq!(settings.history_keep_ms, Some(60_000));
        assert_eq!(settings.history_max_bytes, Some(1 << 30));
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told_with_its_name_and_ends_with_78() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("c.toml");
        let flags = StorageArgs::default();
        let absent = Settings::read(Some(&path), &flags).expect_err("absent");
        assert!(absent.message.contains("c.toml"), "{}", absent.message);
        std::fs::write(&path, "[log]\nsegment_bytes = 1\n").expect("written");
        let small = Settings::read(Some(&path), &flags).expect_err("small");
        assert_eq!(small.code as u8, 78);
        assert!(
            small
                .message
                .contains("c.toml: log.segment_bytes: expected bytes from 64KiB")
        );
    }
}
