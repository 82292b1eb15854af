//! Reads the configuration file: every key is known, every value in its range, or the file is refused.

use toml::{Table, Value};

use super::limits::{
    HISTORY, KEEP, LOW_WATER, PAYLOAD_CACHE, RETAIN, RETAIN_AGE, SEGMENT, Size, Span,
};
use super::oidc;
use super::otel;
use super::settings::Settings;
use super::webhooks;

/// The settings in a text; the error names the key and what was expected.
pub(super) fn read(text: &str) -> Result<Settings, String> {
    let document: Table = text
        .parse()
        .map_err(|error: toml::de::Error| error.to_string().trim_end().to_owned())?;
    let mut settings = Settings::default();
    for (section, value) in &document {
        if section == "oidc" {
            settings.issuers = oidc::read(value)?;
            continue;
        }
        if section == "otel" {
            settings.otel = Some(otel::read(value)?);
            continue;
        }
        if section == "webhooks" {
            settings.webhooks = webhooks::read(value)?;
            continue;
        }
        let known: &[&str] = match section.as_str() {
            "log" => &["retain_bytes", "retain_age", "segment_bytes"],
            "history" => &["keep", "max_bytes", "queues", "audit"],
            "search" => &["off"],
            "memory" => &["payload_cache_bytes"],
            "disk" => &["low_water_bytes"],
            _ => {
                return Err(format!(
                    "there is no section [{section}]; there are [log], [history], [search], [memory], [disk], [otel], [webhooks] and [oidc.NAME]"
                ));
            }
        };
        let Value::Table(keys) = value else {
            return Err(format!("{section}: expected a section [{section}]"));
        };
        for (key, value) in keys {
            let path = format!("{section}.{key}");
            if !known.contains(&key.as_str()) {
                return Err(format!(
                    "there is no key {path}; in [{section}] there are {}",
                    known.join(", ")
                ));
            }
            set(&mut settings, &path, value).map_err(|what| format!("{path}{what}"))?;
        }
    }
    Ok(settings)
}

/// Sets one known key. The error is what follows its path.
fn set(settings: &mut Settings, path: &str, value: &Value) -> Result<(), String> {
    let target = match path {
        "log.segment_bytes" => (&mut settings.segment_bytes, SEGMENT),
        "log.retain_bytes" => (&mut settings.log_retain_bytes, RETAIN),
        "history.max_bytes" => (&mut settings.history_max_bytes, HISTORY),
        "memory.payload_cache_bytes" => (&mut settings.payload_cache_bytes, PAYLOAD_CACHE),
        "disk.low_water_bytes" => (&mut settings.low_water_bytes, LOW_WATER),
        "log.retain_age" => {
            settings.log_retain_age_ms = Some(span(value, &RETAIN_AGE)?);
            return Ok(());
        }
        "history.keep" => {
            settings.history_keep_ms = Some(span(value, &KEEP)?);
            return Ok(());
        }
        "history.audit" => {
            settings.audit_keep_ms = Some(span(value, &KEEP)?);
            return Ok(());
        }
        "history.queues" => return set_queues(settings, value),
        _ => return set_search(settings, value),
    };
    *target.0 = Some(size(value, &target.1)?);
    Ok(())
}

fn size(value: &Value, range: &Size) -> Result<u64, String> {
    let read = match value {
        Value::Integer(number) => u64::try_from(*number)
            .map_err(|_| String::new())
            .and_then(|number| range.check(number))
            .or_else(|_| range.read("")),
        Value::String(text) => range.read(text),
        _ => range.read(""),
    };
    read.map_err(|what| format!(": {what}"))
}

fn span(value: &Value, range: &Span) -> Result<u64, String> {
    let read = range.read(value.as_str().unwrap_or_default());
    read.map_err(|what| format!(": {what}"))
}

fn set_queues(settings: &mut Settings, value: &Value) -> Result<(), String> {
    let Value::Table(queues) = value else {
        return Err(
            ": expected a section [history.queues] with lines such as mail = \"7d\"".into(),
        );
    };
    for (queue, value) in queues {
        let name = queue_name(queue).map_err(|what| format!(".{queue}: {what}"))?;
        let keep = span(value, &KEEP).map_err(|what| format!(".{queue}{what}"))?;
        settings.history_queues_ms.insert(name, keep);
    }
    Ok(())
}

fn set_search(settings: &mut Settings, value: &Value) -> Result<(), String> {
    const EXPECTED: &str = ": expected a list of queues, such as [\"mail\"]";
    let queues = value.as_array().ok_or(EXPECTED)?;
    for queue in queues {
        let name = queue.as_str().ok_or(EXPECTED)?;
        settings
            .search_off
            .insert(queue_name(name).map_err(|what| format!(": {name}: {what}"))?);
    }
    Ok(())
}

fn queue_name(name: &str) -> Result<String, &'static str> {
    let fits = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-')
    };
    if (1..=128).contains(&name.len()) && name.bytes().all(fits) {
        Ok(name.to_owned())
    } else {
        Err("a queue's name is 1 to 128 of a-z, 0-9, dot, underscore and dash")
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    const DAY_MS: u64 = 86_400_000;

    #[test]
    fn every_key_is_read() {
        let settings = read(
            r#"
            [log]
            retain_bytes = "2GiB"
            retain_age = "14d"
            segment_bytes = 67108864
            [history]
            keep = "30d"
            max_bytes = "50GiB"
            audit = "700d"
            [history.queues]
            mail = "7d"
            "a.b" = "1h"
            [search]
            off = ["noise", "mail"]
            [memory]
            payload_cache_bytes = "256MiB"
            [disk]
            low_water_bytes = 0
            "#,
        )
        .expect("read");
        assert_eq!(settings.log_retain_bytes, Some(2 << 30));
        assert_eq!(settings.log_retain_age_ms, Some(14 * DAY_MS));
        assert_eq!(settings.segment_bytes, Some(64 << 20));
        assert_eq!(settings.history_keep_ms, Some(30 * DAY_MS));
        assert_eq!(settings.history_max_bytes, Some(50 << 30));
        assert_eq!(settings.audit_keep_ms, Some(700 * DAY_MS));
        let queues: Vec<_> = settings.history_queues_ms.into_iter().collect();
        assert_eq!(
            queues,
            [("a.b".into(), 3_600_000), ("mail".into(), 7 * DAY_MS)]
        );
        assert_eq!(settings.search_off.len(), 2);
        assert_eq!(settings.payload_cache_bytes, Some(256 << 20));
        assert_eq!(settings.low_water_bytes, Some(0));
    }

    #[test]
    fn an_empty_file_sets_nothing() {
        assert_eq!(read("# nothing\n"), Ok(super::Settings::default()));
    }

    #[test]
    fn what_is_not_known_or_out_of_range_is_refused_by_name() {
        for (text, part) in [
            (
                "[log]\nretain = 1",
                "no key log.retain; in [log] there are retain_bytes",
            ),
            ("[logs]\n", "no section [logs]"),
            ("log = 1", "expected a section [log]"),
            ("x = 1", "no section [x]"),
            (
                "[log]\nsegment_bytes = 1",
                "log.segment_bytes: expected bytes from 64KiB to 1GiB",
            ),
            (
                "[log]\nsegment_bytes = -1",
                "log.segment_bytes: expected bytes",
            ),
            (
                "[log]\nsegment_bytes = true",
                "log.segment_bytes: expected bytes",
            ),
            ("[log]\nretain_age = 5", "log.retain_age: expected a span"),
            (
                "[history]\nkeep = \"0s\"",
                "history.keep: expected a span from 1m to 3650d",
            ),
            (
                "[history]\nqueues = 1",
                "history.queues: expected a section",
            ),
            (
                "[history.queues]\nMail = \"1d\"",
                "history.queues.Mail: a queue's name",
            ),
            (
                "[history.queues]\nmail = \"soon\"",
                "history.queues.mail: expected a span",
            ),
            ("[search]\noff = \"mail\"", "search.off: expected a list"),
            ("[search]\noff = [\"A\"]", "search.off: A: a queue's name"),
            ("[log]\nretain_bytes = 1\nretain_bytes = 2", "duplicate key"),
            ("[log", "line 1"),
        ] {
            let refused = read(text).expect_err(text);
            assert!(refused.contains(part), "{text}: {refused}");
        }
    }
}
