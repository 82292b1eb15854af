//! Reads `[webhooks]`: where webhooks may lead.

use mainstay_server::WebhookRules;
use toml::{Table, Value};

/// Every key there is.
const KEYS: [&str; 3] = ["allow_networks", "allow_http", "ca_file"];

/// The section. The error begins with the key's path.
pub(super) fn read(value: &Value) -> Result<WebhookRules, String> {
    let Value::Table(keys) = value else {
        return Err("webhooks: expected a section [webhooks]".into());
    };
    if let Some(key) = keys.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(format!(
            "there is no key webhooks.{key}; in [webhooks] there are {}",
            KEYS.join(", ")
        ));
    }
    let rules = WebhookRules {
        directory: None,
        allow_networks: networks(keys)?,
        allow_http: match keys.get("allow_http") {
            None => false,
            Some(Value::Boolean(flag)) => *flag,
            Some(_) => return Err("webhooks.allow_http: expected true or false".into()),
        },
        ca_file: match keys.get("ca_file") {
            None => None,
            Some(Value::String(path)) => Some(path.into()),
            Some(_) => return Err("webhooks.ca_file: expected the path of a PEM file".into()),
        },
    };
    rules.check()?;
    Ok(rules)
}

fn networks(keys: &Table) -> Result<Vec<String>, String> {
    const EXPECTED: &str =
        "webhooks.allow_networks: expected a list of networks, such as [\"10.0.0.0/8\"]";
    let Some(value) = keys.get("allow_networks") else {
        return Ok(Vec::new());
    };
    let list = value.as_array().ok_or(EXPECTED)?.iter();
    list.map(|one| Ok(one.as_str().ok_or(EXPECTED)?.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::file::read;

    #[test]
    fn what_webhooks_are_allowed_is_read_or_refused_by_name() {
        let text = "[webhooks]\nallow_networks = [\"10.0.0.0/8\", \"fd00::/8\"]\nallow_http = true\nca_file = \"ca.pem\"\n";
        let settings = read(text).expect("read").webhooks;
        assert_eq!(settings.allow_networks, ["10.0.0.0/8", "fd00::/8"]);
        assert!(settings.allow_http && settings.ca_file.is_some());
        for (text, part) in [
            ("[webhooks]\nallow = 1", "no key webhooks.allow;"),
            ("[webhooks]\nallow_http = 1", "expected true or false"),
            ("[webhooks]\nallow_networks = \"10.0.0.0/8\"", "a list"),
            (
                "[webhooks]\nallow_networks = [\"10.0.0.1/8\"]",
                "allow_networks: 10.0.0.1/8: bits",
            ),
            ("[webhooks]\nca_file = 1", "path of a PEM file"),
            ("webhooks = 1", "a section [webhooks]"),
        ] {
            let refused = read(text).expect_err(text);
            assert!(refused.contains(part), "{text}: {refused}");
        }
    }
}
