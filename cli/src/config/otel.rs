//! Reads `[otel]`: where traces are sent, and which.

use mainstay_server::Otel;
use toml::Value;

/// Every key there is.
const KEYS: [&str; 6] = [
    "endpoint",
    "headers",
    "service_name",
    "sample",
    "queue_spans",
    "ca_file",
];
/// Spans that may wait.
const QUEUE_SPANS: std::ops::RangeInclusive<i64> = 64..=1_000_000;

/// The section. The error begins with the key's path; it never holds a header's value.
pub(super) fn read(value: &Value) -> Result<Otel, String> {
    let Value::Table(keys) = value else {
        return Err("otel: expected a section [otel]".into());
    };
    if let Some(key) = keys.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(format!(
            "there is no key otel.{key}; in [otel] there are {}",
            KEYS.join(", ")
        ));
    }
    let endpoint = keys.get("endpoint").and_then(Value::as_str);
    let endpoint =
        endpoint.ok_or("otel.endpoint: expected an address such as \"http://127.0.0.1:4318\"")?;
    let mut otel = Otel::new(endpoint).map_err(|what| format!("otel.endpoint: {what}"))?;
    if let Some(value) = keys.get("headers") {
        let headers = value.as_table().ok_or("otel.headers: expected a section")?;
        for (name, value) in headers {
            let value = value
                .as_str()
                .ok_or_else(|| format!("otel.headers.{name}: expected a text"))?;
            otel = otel
                .header(name, value)
                .map_err(|what| format!("otel.headers: {what}"))?;
        }
    }
    if let Some(value) = keys.get("service_name") {
        let name = value.as_str().filter(|name| !name.is_empty());
        otel = otel.service_name(name.ok_or("otel.service_name: expected a text")?);
    }
    if let Some(value) = keys.get("sample") {
        let ratio = match value {
            Value::Float(ratio) => Some(*ratio),
            Value::Integer(whole) => Some(*whole as f64),
            _ => None,
        };
        let ratio = ratio.filter(|ratio| (0.0..=1.0).contains(ratio));
        otel = otel.sample(ratio.ok_or("otel.sample: expected a share from 0.0 to 1.0")?);
    }
    if let Some(value) = keys.get("queue_spans") {
        let spans = value
            .as_integer()
            .filter(|spans| QUEUE_SPANS.contains(spans))
            .and_then(|spans| usize::try_from(spans).ok());
        let expected = || {
            let (from, to) = (QUEUE_SPANS.start(), QUEUE_SPANS.end());
            format!("otel.queue_spans: expected a number from {from} to {to}")
        };
        otel = otel.queue_spans(spans.ok_or_else(expected)?);
    }
    if let Some(value) = keys.get("ca_file") {
        let path = value.as_str().ok_or("otel.ca_file: expected a path")?;
        let pem = std::fs::read(path).map_err(|error| format!("otel.ca_file: {path}: {error}"))?;
        otel = otel.roots_pem(pem);
    }
    Ok(otel)
}

#[cfg(test)]
mod tests {
    use super::read;

    fn of(text: &str) -> Result<mainstay_server::Otel, String> {
        let document: toml::Table = text.parse().expect("TOML");
        read(&document["otel"])
    }

    #[test]
    fn every_key_is_read() {
        let directory = tempfile::tempdir().expect("a directory");
        let ca = directory.path().join("ca.pem");
        std::fs::write(&ca, "x").expect("written");
        let text = format!(
            "[otel]\nendpoint = \"http://127.0.0.1:4318\"\nservice_name = \"shop\"\nsample = 0.25\nqueue_spans = 100\nca_file = {ca:?}\n\
             [otel.headers]\nauthorization = \"Bearer x\"\n"
        );
        let expected = mainstay_server::Otel::new("http://127.0.0.1:4318")
            .and_then(|otel| otel.header("authorization", "Bearer x"))
            .expect("good")
            .service_name("shop")
            .sample(0.25)
            .queue_spans(100)
            .roots_pem(b"x".to_vec());
        assert_eq!(of(&text).expect("read"), expected);
    }

    #[test]
    fn what_is_wrong_is_told_by_its_key_and_no_secret_with_it() {
        let good = "endpoint = \"http://127.0.0.1:4318\"\n";
        for (rest, part) in [
            ("", "otel.endpoint: expected an address"),
            ("endpoint = \"x\"", "otel.endpoint: must begin with"),
            (
                &format!("{good}a = 1"),
                "there is no key otel.a; in [otel] there are endpoint",
            ),
            (
                &format!("{good}sample = 1.5"),
                "otel.sample: expected a share",
            ),
            (
                &format!("{good}sample = \"1\""),
                "otel.sample: expected a share",
            ),
            (
                &format!("{good}queue_spans = 1"),
                "otel.queue_spans: expected a number from 64",
            ),
            (
                &format!("{good}ca_file = \"/nowhere\""),
                "otel.ca_file: /nowhere",
            ),
            (
                &format!("{good}headers = 1"),
                "otel.headers: expected a section",
            ),
            (
                &format!("{good}[otel.headers]\nx = \"s3cret\\n\""),
                "otel.headers: the value of x is none of a header field",
            ),
        ] {
            let refused = of(&format!("[otel]\n{rest}")).expect_err(rest);
            assert!(refused.starts_with(part), "{rest}: {refused}");
            assert!(!refused.contains("s3cret"));
        }
    }
}
