//! Reads `[oidc.NAME]`: an issuer whose tokens the server accepts in place of keys.

use std::collections::BTreeMap;
use std::time::Duration;

use mainstay_core::TenantId;
use mainstay_server::{Issuer, IssuerTenant, TokenAlgorithm};
use toml::{Table, Value};

use super::limits::LEEWAY;

/// Every key there is.
const KEYS: [&str; 13] = [
    "issuer",
    "audience",
    "jwks_url",
    "algorithms",
    "tenant",
    "tenant_claim",
    "tenants",
    "role_claim",
    "roles",
    "leeway",
    "ca_file",
    "networks",
    "allow_plaintext",
];
/// The leeway unless it is set.
const LEEWAY_DEFAULT: Duration = Duration::from_secs(60);

/// All issuers of `[oidc]`, in the order of their names. The error begins with the key's path.
pub(super) fn read(value: &Value) -> Result<Vec<Issuer>, String> {
    let Value::Table(sections) = value else {
        return Err("oidc: expected sections [oidc.NAME]".into());
    };
    let mut issuers: Vec<Issuer> = Vec::new();
    for (name, value) in sections {
        let path = format!("oidc.{name}");
        let Value::Table(keys) = value else {
            return Err(format!("{path}: expected a section [{path}]"));
        };
        if let Some(key) = keys.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(format!(
                "there is no key {path}.{key}; in [{path}] there are {}",
                KEYS.join(", ")
            ));
        }
        let issuer = issuer(keys).map_err(|(key, what)| format!("{path}.{key}: {what}"))?;
        if issuers.iter().any(|other| other.issuer == issuer.issuer) {
            return Err(format!("{path}.issuer: described twice"));
        }
        issuers.push(issuer);
    }
    Ok(issuers)
}

type Wrong = (&'static str, String);

fn issuer(keys: &Table) -> Result<Issuer, Wrong> {
    let names = required(keys, "algorithms", strings)?;
    let mut algorithms = Vec::new();
    for name in names {
        let known = TokenAlgorithm::find(&name);
        let known = known.ok_or_else(|| {
            let all = TokenAlgorithm::ALL.map(TokenAlgorithm::name).join(", ");
            ("algorithms", format!("{name} is none of {all}"))
        })?;
        algorithms.push(known);
    }
    let roots_pem = match optional(keys, "ca_file", string)? {
        None => None,
        Some(path) => {
            let read = std::fs::read(&path);
            Some(read.map_err(|error| ("ca_file", format!("{path}: {error}")))?)
        }
    };
    let issuer = Issuer {
        issuer: required(keys, "issuer", string)?,
        audiences: required(keys, "audience", strings)?,
        jwks_url: optional(keys, "jwks_url", string)?,
        algorithms,
        tenant: tenant(keys)?,
        role_claim: required(keys, "role_claim", strings)?,
        roles: required(keys, "roles", words)?,
        leeway: optional(keys, "leeway", span)?.unwrap_or(LEEWAY_DEFAULT),
        roots_pem,
        networks: optional(keys, "networks", strings)?.unwrap_or_default(),
        allows_plaintext: optional(keys, "allow_plaintext", flag)?.unwrap_or_default(),
    };
    issuer.check()?;
    Ok(issuer)
}

/// One tenant, or the claim that names it.
fn tenant(keys: &Table) -> Result<IssuerTenant, Wrong> {
    let claim = optional(keys, "tenant_claim", strings)?;
    let names = optional(keys, "tenants", words)?;
    match (optional(keys, "tenant", string)?, claim) {
        (Some(_), Some(_)) => Err(("tenant", "and tenant_claim exclude each other".into())),
        (None, None) => Err(("tenant", "expected it or tenant_claim".into())),
        (Some(_), None) if names.is_some() => Err(("tenants", "is for tenant_claim alone".into())),
        (Some(word), None) if word == "*" => Ok(IssuerTenant::System),
        (Some(word), None) => Ok(IssuerTenant::Fixed(tenant_id("tenant", &word)?)),
        (None, Some(path)) => {
            let mut known = BTreeMap::new();
            for (word, id) in names.unwrap_or_default() {
                known.insert(word, tenant_id("tenants", &id)?);
            }
            Ok(IssuerTenant::Claim { path, names: known })
        }
    }
}

fn tenant_id(key: &'static str, text: &str) -> Result<TenantId, Wrong> {
    if text == "default" {
        return Ok(TenantId::DEFAULT);
    }
    text.parse()
        .map_err(|_| (key, format!("{text} is not the id of a tenant")))
}

/// What a value is read as; nothing when it is something else, which is then told in words.
type Reader<T> = fn(&Value) -> Result<T, &'static str>;

fn optional<T>(keys: &Table, key: &'static str, read: Reader<T>) -> Result<Option<T>, Wrong> {
    let value = keys.get(key).map(read).transpose();
    value.map_err(|expected| (key, format!("expected {expected}")))
}

fn required<T>(keys: &Table, key: &'static str, read: Reader<T>) -> Result<T, Wrong> {
    optional(keys, key, read)?.ok_or_else(|| (key, "must be set".into()))
}

fn string(value: &Value) -> Result<String, &'static str> {
    let text = value.as_str().filter(|text| !text.is_empty());
    text.map(str::to_owned).ok_or("a text")
}

/// A text, or a list of texts.
fn strings(value: &Value) -> Result<Vec<String>, &'static str> {
    let texts = match value {
        Value::Array(list) => list.iter().map(string).collect(),
        one => string(one).map(|text| vec![text]),
    };
    texts
        .ok()
        .filter(|texts| !texts.is_empty())
        .ok_or("a text, or a list of texts")
}

/// A section of texts.
fn words(value: &Value) -> Result<BTreeMap<String, String>, &'static str> {
    const EXPECTED: &str = "a section of lines such as ops = \"operator\"";
    let table = value.as_table().ok_or(EXPECTED)?;
    let lines = table
        .iter()
        .map(|(word, value)| Ok((word.clone(), string(value).map_err(|_| EXPECTED)?)));
    lines.collect()
}

fn span(value: &Value) -> Result<Duration, &'static str> {
    let read = LEEWAY.read(value.as_str().unwrap_or_default());
    read.map(Duration::from_millis)
        .map_err(|_| "a span from 0ms to 5m, such as \"60s\"")
}

fn flag(value: &Value) -> Result<bool, &'static str> {
    value.as_bool().ok_or("true or false")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mainstay_core::TenantId;
    use mainstay_server::{Issuer, IssuerTenant, TokenAlgorithm};

    use crate::config::file::read;

    const GOOD: &str = r#"
        [oidc.corp]
        issuer = "https://id.example.org/realm"
        audience = "mainstay"
        algorithms = ["RS256", "ES256"]
        tenant = "default"
        role_claim = ["realm_access", "roles"]
        [oidc.corp.roles]
        ops = "operator"
        "#;

    fn one(text: &str) -> Issuer {
        let settings = read(text).unwrap_or_else(|what| panic!("{what}"));
        let [issuer] = &settings.issuers[..] else {
            panic!("one issuer")
        };
        issuer.clone()
    }

    #[test]
    fn an_issuer_is_read_whole() {
        let issuer = one(GOOD);
        assert_eq!(issuer.issuer, "https://id.example.org/realm");
        assert_eq!(issuer.audiences, ["mainstay"]);
        assert_eq!(
            issuer.algorithms,
            [TokenAlgorithm::Rs256, TokenAlgorithm::Es256]
        );
        assert_eq!(issuer.tenant, IssuerTenant::Fixed(TenantId::DEFAULT));
        assert_eq!(issuer.role_claim, ["realm_access", "roles"]);
        assert_eq!(issuer.roles["ops"], "operator");
        assert_eq!(issuer.leeway, Duration::from_secs(60));
        assert!(issuer.networks.is_empty() && !issuer.allows_plaintext);
        let all = GOOD.replace(
            "tenant = \"default\"",
            "tenant_claim = \"org\"\nleeway = \"5s\"\nnetworks = [\"10.0.0.0/8\"]\nallow_plaintext = true\n\
             jwks_url = \"http://10.0.0.1/keys\"\n[oidc.corp.tenants]\nacme = \"0123456789ab4def812345670000cafe\"\n[oidc.corp]",
        );
        // TOML lets a section begin once: what follows the inner section stands before it.
        assert!(read(&all).is_err());
        let all = GOOD.replace("tenant = \"default\"", "tenant_claim = \"org\"")
            + "[oidc.corp.tenants]\nacme = \"01234567-89ab-4def-8123-45670000cafe\"\n";
        let IssuerTenant::Claim { path, names } = one(&all).tenant else {
            panic!("a claim")
        };
        assert_eq!(path, ["org"]);
        assert_eq!(names.len(), 1);
        let system = GOOD.replace("\"default\"", "\"*\"");
        assert_eq!(one(&system).tenant, IssuerTenant::System);
    }

    #[test]
    fn the_example_of_the_guide_is_read() {
        let page = include_str!("../../../docs/guide/security.md");
        let (_, rest) = page.split_once("```toml\n").expect("an example");
        let (example, _) = rest.split_once("```").expect("its end");
        let issuer = one(example);
        assert_eq!(issuer.roles.len(), 3);
        // What is commented out is right as well.
        let all = example
            .replace("# jwks_url", "jwks_url")
            .replace("# networks", "networks")
            .replace("# allow_plaintext", "allow_plaintext");
        assert!(one(&all).jwks_url.is_some());
    }

    #[test]
    fn what_cannot_work_is_refused_by_name() {
        for (from, to, part) in [
            (
                "audience = \"mainstay\"",
                "",
                "oidc.corp.audience: must be set",
            ),
            (
                "audience =",
                "audiense =",
                "there is no key oidc.corp.audiense",
            ),
            (
                "RS256",
                "HS256",
                "oidc.corp.algorithms: HS256 is none of RS256, PS256, ES256, EdDSA",
            ),
            ("RS256", "none", "oidc.corp.algorithms: none is none of"),
            (
                "\"default\"",
                "\"acme\"",
                "oidc.corp.tenant: acme is not the id",
            ),
            (
                "tenant = \"default\"",
                "",
                "oidc.corp.tenant: expected it or tenant_claim",
            ),
            (
                "tenant = \"default\"",
                "tenant = \"default\"\ntenant_claim = \"t\"",
                "exclude each other",
            ),
            (
                "https://",
                "http://",
                "oidc.corp.issuer: must begin with https://",
            ),
            ("\"operator\"", "7", "oidc.corp.roles: expected a section"),
            (
                "tenant =",
                "leeway = \"1h\"\ntenant =",
                "oidc.corp.leeway: expected a span",
            ),
            (
                "tenant =",
                "networks = [\"10.0.0.0/40\"]\ntenant =",
                "oidc.corp.networks",
            ),
            (
                "tenant =",
                "ca_file = \"/nowhere\"\ntenant =",
                "oidc.corp.ca_file: /nowhere: ",
            ),
            (
                "tenant =",
                "ca_file = \"/dev/null\"\ntenant =",
                "oidc.corp.ca_file: ",
            ),
            (
                "[oidc.corp]",
                "[oidc]\nx = 1\n[oidc.corp]",
                "oidc.x: expected a section [oidc.x]",
            ),
        ] {
            let text = GOOD.replace(from, to);
            let refused = read(&text).expect_err(part);
            assert!(refused.contains(part), "{part}: {refused}");
        }
        let twice = format!("{GOOD}\n{}", GOOD.replace("corp", "other"));
        assert!(read(&twice).expect_err("twice").contains("described twice"));
    }
}
