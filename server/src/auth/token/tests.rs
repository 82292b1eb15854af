//! Tokens that are good, and a table of those that are not; keys that come, change, and stay away.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use mainstay_core::{TenantId, Text};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::cache::KeyCache;
use super::compact::is_like_token;
use super::fetch::{Fetched, Source};
use super::issuer::{Issuer, IssuerTenant, TokenAlgorithm};
use super::keyset::KeySet;
use super::refusal::Refusal;
use super::verifier::Verifier;

const RSA: &[u8] = include_bytes!("../../../tests/data/token-rsa.pem");
const RSA_PUBLIC: &[u8] = include_bytes!("../../../tests/data/token-rsa.pub.pem");
const RSA_OTHER: &[u8] = include_bytes!("../../../tests/data/token-rsa-other.pem");
const EC: &[u8] = include_bytes!("../../../tests/data/token-ec.pem");
const ED: &[u8] = include_bytes!("../../../tests/data/token-ed.pem");

const ISSUER: &str = "https://id.example.org/realm";
/// 2033-05-18T03:33:20Z.
const NOW: u64 = 2_000_000_000;

fn encoding(algorithm: Algorithm, pem: &[u8]) -> EncodingKey {
    let key = match algorithm {
        Algorithm::ES256 => EncodingKey::from_ec_pem(pem),
        Algorithm::EdDSA => EncodingKey::from_ed_pem(pem),
        _ => EncodingKey::from_rsa_pem(pem),
    };
    key.expect("a key")
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn sealed(header: &str, claims: &str, algorithm: Algorithm, key: &EncodingKey) -> String {
    let message = format!("{header}.{claims}");
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm);
    format!("{message}.{}", signature.expect("signed"))
}

fn header(algorithm: &str, kid: &str) -> Value {
    json!({"alg": algorithm, "kid": kid, "typ": "JWT"})
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": "mainstay", "sub": "ann", "exp": NOW + 600, "iat": NOW - 5, "nbf": NOW - 5,
        "roles": ["ops", "else"], "org": {"id": "acme"},
    })
}

/// A claim in another way than [`claims`] has it.
fn but(name: &str, value: Value) -> Value {
    let mut all = claims();
    all[name] = value;
    all
}

fn token(header: &Value, claims: &Value, algorithm: Algorithm, pem: &[u8]) -> String {
    let key = encoding(algorithm, pem);
    sealed(&part(header), &part(claims), algorithm, &key)
}

fn rs256(claims: &Value) -> String {
    token(&header("RS256", "r1"), claims, Algorithm::RS256, RSA)
}

fn published(kid: &str, algorithm: Algorithm, pem: &[u8]) -> Value {
    let jwk = Jwk::from_encoding_key(&encoding(algorithm, pem), algorithm).expect("a jwk");
    let mut jwk = serde_json::to_value(jwk).expect("json");
    jwk["kid"] = json!(kid);
    jwk.as_object_mut().expect("an object").remove("alg");
    jwk
}

fn all_keys() -> Value {
    json!({"keys": [
        published("r1", Algorithm::RS256, RSA),
        published("e1", Algorithm::ES256, EC),
        published("d1", Algorithm::EdDSA, ED),
        // A name that two keys of different kinds share.
        published("both", Algorithm::RS256, RSA_OTHER),
        published("both", Algorithm::ES256, EC),
        {"kty": "oct", "kid": "h1", "k": "c2VjcmV0"},
        {"kty": "RSA", "kid": "enc", "use": "enc", "n": "AQAB", "e": "AQAB"},
        7,
    ]})
}

fn issuer() -> Issuer {
    Issuer {
        issuer: ISSUER.into(),
        audiences: vec!["mainstay".into(), "other".into()],
        jwks_url: None,
        algorithms: TokenAlgorithm::ALL.to_vec(),
        tenant: IssuerTenant::Fixed(TenantId(7)),
        role_claim: vec!["roles".into()],
        roles: BTreeMap::from([
            ("ops".into(), "operator".into()),
            ("read".into(), "auditor".into()),
        ]),
        leeway: Duration::from_secs(60),
        roots_pem: None,
        networks: Vec::new(),
        allows_plaintext: false,
    }
}

/// Keys that a test hands out.
struct Stub {
    keys: Mutex<Result<Value, String>>,
    fetches: AtomicUsize,
    gate: Semaphore,
}

impl Stub {
    fn new(keys: Result<Value, String>, open: bool) -> Arc<Stub> {
        Arc::new(Stub {
            keys: Mutex::new(keys),
            fetches: AtomicUsize::new(0),
            gate: Semaphore::new(if open { 1000 } else { 0 }),
        })
    }

    fn set(&self, keys: Result<Value, String>) {
        *self.keys.lock().expect("no panic") = keys;
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
}

impl Source for Stub {
    fn fetch(&self) -> Fetched<'_> {
        Box::pin(async {
            self.fetches.fetch_add(1, Ordering::SeqCst);
            self.gate.acquire().await.expect("open").forget();
            let keys = self.keys.lock().expect("no panic").clone()?;
            Ok(KeySet::read(
                keys.to_string().as_bytes(),
                &TokenAlgorithm::ALL,
            )?)
        })
    }
}

fn verifier(issuer: Issuer) -> Verifier {
    Verifier::of(vec![(Arc::new(issuer), Stub::new(Ok(all_keys()), true))])
}

async fn refusal(verifier: &Verifier, token: &str) -> Option<Refusal> {
    let judged = verifier.judge(token.as_bytes(), NOW * 1000, true).await;
    judged.err()
}

#[tokio::test]
async fn whom_an_issuer_vouches_for_has_a_name_a_tenant_roles_and_an_end() {
    let verifier = verifier(issuer());
    for (algorithm, kid, pem) in [
        (Algorithm::RS256, "r1", RSA),
        (Algorithm::PS256, "r1", RSA),
        (Algorithm::ES256, "e1", EC),
        (Algorithm::EdDSA, "d1", ED),
        // Of two keys of one name it is the one that fits the algorithm.
        (Algorithm::RS256, "both", RSA_OTHER),
        (Algorithm::ES256, "both", EC),
    ] {
        let name = serde_json::to_value(algorithm).expect("json");
        let name = name.as_str().expect("a name");
        let token = token(&header(name, kid), &claims(), algorithm, pem);
        assert!(is_like_token(token.as_bytes()));
        let judged = verifier.judge(token.as_bytes(), NOW * 1000, true).await;
        let vouched = judged.unwrap_or_else(|refusal| panic!("{name} {kid}: {refusal:?}"));
        assert_eq!(&*vouched.name, "https://id.example.org/realm#ann");
        assert_eq!(vouched.tenant, Some(TenantId(7)));
        assert_eq!(vouched.roles, [Text::from("operator")]);
        assert_eq!(vouched.ends_ms, (NOW + 660) * 1000);
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_token_keeps_it_out() {
    let verifier = verifier(issuer());
    let good = rs256(&claims());
    assert_eq!(refusal(&verifier, &good).await, None);
    let secret = EncodingKey::from_secret(RSA_PUBLIC);
    let by_public_key = |name: &str, kid: &str| {
        sealed(
            &part(&header(name, kid)),
            &part(&claims()),
            Algorithm::HS256,
            &secret,
        )
    };
    let (signed, signature) = good.rsplit_once('.').expect("three parts");
    let unsigned = |algorithm: &str| {
        let header = part(&header(algorithm, "r1"));
        format!("{header}.{}.{signature}", part(&claims()))
    };
    let headed = |header: Value| token(&header, &claims(), Algorithm::RS256, RSA);
    let twice = r#"{"iss":"https://id.example.org/realm","aud":"mainstay","sub":"eve","sub":"ann","exp":2000000600,"roles":"ops"}"#;
    let twice_within = r#"{"iss":"https://id.example.org/realm","aud":"mainstay","sub":"ann","exp":2000000600,"roles":"ops","x":[{"a":1,"a":1}]}"#;
    let raw = |header: &str, claims: &str| {
        let parts = (
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(claims),
        );
        sealed(
            &parts.0,
            &parts.1,
            Algorithm::RS256,
            &encoding(Algorithm::RS256, RSA),
        )
    };
    let plain_claims = claims().to_string();
    let table = [
        // The header says how: it may not say anything else than what is pinned.
        ("alg none", unsigned("none"), Refusal::Algorithm),
        ("alg None", unsigned("NONE"), Refusal::Algorithm),
        (
            "no signature",
            format!("{}.", unsigned("none").rsplit_once('.').expect("parts").0),
            Refusal::Malformed,
        ),
        (
            "HS256 by the public key",
            by_public_key("HS256", "r1"),
            Refusal::Algorithm,
        ),
        (
            "HS256 that says RS256",
            by_public_key("RS256", "r1"),
            Refusal::Signature,
        ),
        (
            "HS256 by a published secret",
            by_public_key("HS256", "h1"),
            Refusal::Algorithm,
        ),
        (
            "RS512",
            token(&header("RS512", "r1"), &claims(), Algorithm::RS512, RSA),
            Refusal::Algorithm,
        ),
        (
            "PS256 that says RS256",
            token(&header("RS256", "r1"), &claims(), Algorithm::PS256, RSA),
            Refusal::Signature,
        ),
        ("no alg", headed(json!({"kid": "r1"})), Refusal::Malformed),
        (
            "alg that is no text",
            headed(json!({"alg": ["RS256"], "kid": "r1"})),
            Refusal::Malformed,
        ),
        // The key is the issuer's, and of the kind that the algorithm takes.
        (
            "another's key",
            token(
                &header("RS256", "r1"),
                &claims(),
                Algorithm::RS256,
                RSA_OTHER,
            ),
            Refusal::Signature,
        ),
        ("unknown kid", headed(header("RS256", "r9")), Refusal::Key),
        (
            "no kid",
            headed(json!({"alg": "RS256"})),
            Refusal::Malformed,
        ),
        (
            "kid of a key of another kind",
            headed(header("RS256", "e1")),
            Refusal::Key,
        ),
        (
            "ES256 by an RSA kid",
            token(&header("ES256", "r1"), &claims(), Algorithm::ES256, EC),
            Refusal::Key,
        ),
        (
            "kid of a key for encryption",
            headed(header("RS256", "enc")),
            Refusal::Key,
        ),
        (
            "a key of its own in jku",
            headed(
                json!({"alg": "RS256", "kid": "r9", "jku": "https://evil.example/k", "x5u": "https://evil.example/c"}),
            ),
            Refusal::Key,
        ),
        (
            "a key of its own in jwk",
            token(
                &json!({"alg": "RS256", "kid": "r1", "jwk": published("r1", Algorithm::RS256, RSA_OTHER)}),
                &claims(),
                Algorithm::RS256,
                RSA_OTHER,
            ),
            Refusal::Signature,
        ),
        (
            "crit",
            headed(json!({"alg": "RS256", "kid": "r1", "crit": ["b64"], "b64": false})),
            Refusal::Malformed,
        ),
        (
            "another purpose",
            headed(json!({"alg": "RS256", "kid": "r1", "typ": "logout+jwt"})),
            Refusal::Malformed,
        ),
        (
            "a name twice in the header",
            raw(r#"{"alg":"none","kid":"r1","alg":"RS256"}"#, &plain_claims),
            Refusal::Malformed,
        ),
        // The text.
        ("cut", good[..good.len() - 1].to_owned(), Refusal::Malformed),
        (
            "cut by ten",
            good[..good.len() - 10].to_owned(),
            Refusal::Signature,
        ),
        ("two parts", signed.to_owned(), Refusal::Malformed),
        ("four parts", format!("{good}.a"), Refusal::Malformed),
        ("padded", format!("{good}="), Refusal::Malformed),
        (
            "too long",
            rs256(&but("pad", json!("x".repeat(8 << 10)))),
            Refusal::Malformed,
        ),
        (
            "claims that are a list",
            sealed(
                &part(&header("RS256", "r1")),
                &part(&json!([claims()])),
                Algorithm::RS256,
                &encoding(Algorithm::RS256, RSA),
            ),
            Refusal::Malformed,
        ),
        (
            "a claim twice",
            raw(&header("RS256", "r1").to_string(), twice),
            Refusal::Malformed,
        ),
        (
            "a name twice deep within",
            raw(&header("RS256", "r1").to_string(), twice_within),
            Refusal::Malformed,
        ),
        (
            "other claims, same signature",
            format!(
                "{}.{}.{signature}",
                part(&header("RS256", "r1")),
                part(&but("sub", json!("eve")))
            ),
            Refusal::Signature,
        ),
        // The claims.
        (
            "another issuer",
            rs256(&but("iss", json!("https://evil.example"))),
            Refusal::Issuer,
        ),
        (
            "almost this issuer",
            rs256(&but("iss", json!(format!("{ISSUER}/")))),
            Refusal::Issuer,
        ),
        (
            "no issuer",
            rs256(&but("iss", Value::Null)),
            Refusal::Issuer,
        ),
        (
            "another audience",
            rs256(&but("aud", json!("billing"))),
            Refusal::Audience,
        ),
        (
            "no audience",
            rs256(&but("aud", Value::Null)),
            Refusal::Audience,
        ),
        (
            "audiences that are not texts",
            rs256(&but("aud", json!(["mainstay", 7]))),
            Refusal::Audience,
        ),
        (
            "over",
            rs256(&but("exp", json!(NOW - 60))),
            Refusal::Expired,
        ),
        (
            "without end",
            rs256(&but("exp", Value::Null)),
            Refusal::Malformed,
        ),
        (
            "an end that is a text",
            rs256(&but("exp", json!("2000000600"))),
            Refusal::Malformed,
        ),
        (
            "an end beyond time",
            rs256(&but("exp", json!(1e300))),
            Refusal::Malformed,
        ),
        (
            "a negative end",
            rs256(&but("exp", json!(-1))),
            Refusal::Malformed,
        ),
        (
            "not yet",
            rs256(&but("nbf", json!(NOW + 61))),
            Refusal::Early,
        ),
        (
            "of the future",
            rs256(&but("iat", json!(NOW + 61))),
            Refusal::Early,
        ),
        ("nobody", rs256(&but("sub", json!(""))), Refusal::Subject),
        (
            "a subject of several lines",
            rs256(&but("sub", json!("a\nb"))),
            Refusal::Subject,
        ),
        (
            "a subject that is too long",
            rs256(&but("sub", json!("x".repeat(256)))),
            Refusal::Subject,
        ),
        (
            "a subject that is a number",
            rs256(&but("sub", json!(7))),
            Refusal::Subject,
        ),
        ("no role", rs256(&but("roles", json!([]))), Refusal::Role),
        (
            "a role that is mapped to nothing",
            rs256(&but("roles", json!(["operator", "admin"]))),
            Refusal::Role,
        ),
        (
            "roles that are no texts",
            rs256(&but("roles", json!({"ops": true}))),
            Refusal::Role,
        ),
    ];
    for (what, token, expected) in table {
        assert_eq!(refusal(&verifier, &token).await, Some(expected), "{what}");
    }
}

#[tokio::test]
async fn an_algorithm_that_the_issuer_does_not_use_is_refused_before_a_key_is_asked_for() {
    let stub = Stub::new(Ok(all_keys()), true);
    let only = Issuer {
        algorithms: vec![TokenAlgorithm::Es256],
        ..issuer()
    };
    let verifier = Verifier::of(vec![(Arc::new(only), Arc::clone(&stub) as Arc<dyn Source>)]);
    let good = rs256(&claims());
    assert_eq!(refusal(&verifier, &good).await, Some(Refusal::Algorithm));
    assert_eq!(stub.fetches(), 0);
}

#[tokio::test]
async fn clocks_may_differ_by_the_leeway_and_dates_may_have_fractions() {
    let verifier = verifier(issuer());
    for claims in [
        but("exp", json!(NOW - 59)),
        but("nbf", json!(NOW + 60)),
        but("iat", json!(NOW + 60)),
        but("exp", json!(NOW as f64 + 0.5)),
        but("aud", json!(["x", "other"])),
    ] {
        assert_eq!(refusal(&verifier, &rs256(&claims)).await, None, "{claims}");
    }
}

#[tokio::test]
async fn the_tenant_is_one_or_a_claims_or_all() {
    let by_claim = |path: &[&str], names: &[(&str, u128)]| Issuer {
        tenant: IssuerTenant::Claim {
            path: path.iter().map(|&name| name.to_owned()).collect(),
            names: names
                .iter()
                .map(|(name, id)| ((*name).to_owned(), TenantId(*id)))
                .collect(),
        },
        ..issuer()
    };
    let id = TenantId(0x0123_4567_89ab_4def_8123_4567_89ab_cdef);
    let own = but("tenant", json!(id.to_string()));
    for (issuer, claims, expected) in [
        (
            by_claim(&["org", "id"], &[("acme", 9)]),
            claims(),
            Ok(Some(TenantId(9))),
        ),
        (by_claim(&["tenant"], &[]), own.clone(), Ok(Some(id))),
        (
            by_claim(&["org", "id"], &[]),
            claims(),
            Err(Refusal::Tenant),
        ),
        (by_claim(&["nowhere"], &[]), claims(), Err(Refusal::Tenant)),
        (by_claim(&["org"], &[]), claims(), Err(Refusal::Tenant)),
        (
            by_claim(&["tenant"], &[]),
            but("tenant", json!("*")),
            Err(Refusal::Tenant),
        ),
        (
            Issuer {
                tenant: IssuerTenant::System,
                ..issuer()
            },
            claims(),
            Ok(None),
        ),
    ] {
        let verifier = verifier(issuer);
        let judged = verifier
            .judge(rs256(&claims).as_bytes(), NOW * 1000, true)
            .await;
        assert_eq!(judged.map(|vouched| vouched.tenant), expected);
    }
}

#[test]
fn keys_are_not_tokens_and_tokens_are_three_words() {
    for (text, expected) in [
        ("a.b.c", true),
        ("msk_0_a", false),
        ("msk_a.b.c", false),
        ("a.b", false),
        ("a.b.c.d", false),
        ("a b.c.d", false),
        ("", false),
    ] {
        assert_eq!(is_like_token(text.as_bytes()), expected, "{text}");
    }
}

#[test]
fn a_set_of_keys_is_strict_where_it_matters_and_passes_over_what_is_of_no_use() {
    let pinned = [TokenAlgorithm::Rs256];
    let read = |text: &str| KeySet::read(text.as_bytes(), &pinned).map(drop);
    assert_eq!(read(&all_keys().to_string()), Ok(()));
    let one = published("r1", Algorithm::RS256, RSA);
    for (text, expected) in [
        (
            "[]".to_owned(),
            "not a JSON object in which no name comes twice",
        ),
        (
            r#"{"keys":[],"keys":[]}"#.to_owned(),
            "not a JSON object in which no name comes twice",
        ),
        ("{}".to_owned(), "no list of keys"),
        (
            r#"{"keys":[]}"#.to_owned(),
            "no key for the configured algorithms",
        ),
        (
            json!({"keys": [published("e1", Algorithm::ES256, EC)]}).to_string(),
            "no key for the configured algorithms",
        ),
        (
            json!({"keys": vec![&one; 101]}).to_string(),
            "more than 100 keys",
        ),
    ] {
        assert_eq!(read(&text), Err(expected), "{text:.80}");
    }
    // A key that says what it is for is for nothing else.
    let mut meant = one;
    meant["alg"] = json!("PS256");
    let keys = json!({"keys": [meant]}).to_string();
    let keys = KeySet::read(keys.as_bytes(), &TokenAlgorithm::ALL).expect("keys");
    assert!(keys.find("r1", TokenAlgorithm::Ps256).is_some());
    assert!(keys.find("r1", TokenAlgorithm::Rs256).is_none());
}

fn cache(stub: &Arc<Stub>) -> Arc<KeyCache> {
    Arc::new(KeyCache::new(ISSUER, Arc::clone(stub) as Arc<dyn Source>))
}

/// Lets what was spawned go on until it waits for something.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

const R1: (&str, TokenAlgorithm) = ("r1", TokenAlgorithm::Rs256);
const R2: (&str, TokenAlgorithm) = ("r2", TokenAlgorithm::Rs256);

#[tokio::test]
async fn a_stampede_makes_one_fetch_and_all_get_the_key() {
    let stub = Stub::new(Ok(all_keys()), false);
    let cache = cache(&stub);
    let asking: Vec<_> = (0..200)
        .map(|_| {
            let cache = Arc::clone(&cache);
            tokio::spawn(async move { cache.find(R1.0, R1.1, true).await.is_some() })
        })
        .collect();
    settle().await;
    assert_eq!(stub.fetches(), 1);
    // Who may not wait does not.
    assert!(cache.find(R1.0, R1.1, false).await.is_none());
    stub.gate.add_permits(1000);
    for one in asking {
        assert!(one.await.expect("no panic"));
    }
    assert_eq!(stub.fetches(), 1);
}

#[tokio::test]
async fn a_new_key_is_found_after_a_minute_at_most_and_unknown_names_bring_one_fetch_a_minute() {
    let stub = Stub::new(Ok(all_keys()), true);
    let cache = cache(&stub);
    let begun = Instant::now();
    assert!(cache.find(R1.0, R1.1, true).await.is_some());
    stub.set(Ok(
        json!({"keys": [published("r2", Algorithm::RS256, RSA_OTHER)]}),
    ));
    let second = Duration::from_secs(1);
    for at in 1..59 {
        assert!(cache.look(R2.0, R2.1, begun + second * at).0.is_none());
        settle().await;
    }
    assert_eq!(stub.fetches(), 1);
    let (found, is_coming) = cache.look(R2.0, R2.1, begun + second * 61);
    assert!(found.is_none() && is_coming);
    settle().await;
    assert_eq!(stub.fetches(), 2);
    assert!(cache.look(R2.0, R2.1, begun + second * 62).0.is_some());
    // What the issuer does not publish any more is no key any more.
    assert!(cache.look(R1.0, R1.1, begun + second * 62).0.is_none());
}

#[tokio::test]
async fn keys_are_good_for_a_day_while_the_issuer_is_away() {
    let stub = Stub::new(Ok(all_keys()), true);
    let cache = cache(&stub);
    let begun = Instant::now();
    assert!(cache.find(R1.0, R1.1, true).await.is_some());
    stub.set(Err("away".into()));
    let minute = Duration::from_secs(60);
    // Fresh for ten minutes; then asked for again in the background, which fails, and again not at once.
    assert!(cache.look(R1.0, R1.1, begun + minute * 9).0.is_some());
    settle().await;
    assert_eq!(stub.fetches(), 1);
    for seconds in [0, 1, 9, 11] {
        let at = begun + minute * 11 + Duration::from_secs(seconds);
        assert!(cache.look(R1.0, R1.1, at).0.is_some());
        settle().await;
    }
    assert_eq!(stub.fetches(), 3);
    assert!(cache.look(R1.0, R1.1, begun + minute * 1439).0.is_some());
    settle().await;
    assert!(cache.look(R1.0, R1.1, begun + minute * 1441).0.is_none());
    settle().await;
    stub.set(Ok(all_keys()));
    assert!(cache.look(R1.0, R1.1, begun + minute * 1442).0.is_none());
    settle().await;
    assert!(cache.look(R1.0, R1.1, begun + minute * 1442).0.is_some());
}

#[tokio::test]
async fn an_issuer_that_does_not_answer_holds_nobody_whose_key_is_at_hand() {
    let stub = Stub::new(Ok(all_keys()), true);
    let cache = cache(&stub);
    let begun = Instant::now();
    assert!(cache.find(R1.0, R1.1, true).await.is_some());
    stub.gate.forget_permits(1000);
    let later = begun + Duration::from_secs(700);
    for _ in 0..10 {
        let (found, is_coming) = cache.look(R1.0, R1.1, later);
        assert!(found.is_some() && is_coming);
        settle().await;
    }
    assert_eq!(stub.fetches(), 2);
}

#[test]
fn an_issuer_that_cannot_work_is_refused_by_name() {
    assert_eq!(issuer().check(), Ok(()));
    type Change = fn(&mut Issuer);
    let table: [(&str, Change); 12] = [
        ("issuer", |one| one.issuer = String::new()),
        ("issuer", |one| one.issuer = "https://a.example/#b".into()),
        ("issuer", |one| one.issuer = "http://a.example".into()),
        ("issuer", |one| one.issuer = "a".into()),
        ("audience", |one| one.audiences.clear()),
        ("algorithms", |one| one.algorithms.clear()),
        ("role_claim", |one| one.role_claim.clear()),
        ("roles", |one| one.roles.clear()),
        ("leeway", |one| one.leeway = Duration::from_secs(301)),
        ("networks", |one| one.networks = vec!["10.0.0.0/33".into()]),
        ("jwks_url", |one| {
            one.jwks_url = Some("http://a.example/k".into())
        }),
        ("ca_file", |one| one.roots_pem = Some(b"nothing".to_vec())),
    ];
    for (key, change) in table {
        let mut wrong = issuer();
        change(&mut wrong);
        assert_eq!(wrong.check().expect_err(key).0, key);
    }
}
