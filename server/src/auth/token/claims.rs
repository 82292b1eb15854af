//! What a token whose signature holds says: for whom, how long, who, where, as what.

use mainstay_core::{TenantId, Text};

use super::issuer::{Issuer, IssuerTenant};
use super::node::{Node, Object, at};
use super::refusal::Refusal;
use super::verifier::Vouched;

/// Bytes of a subject.
const SUBJECT_BYTES_MAX: usize = 255;
/// The end of time as tokens may put it: the year 9999.
const SECONDS_MAX: f64 = 253_402_300_800.0;

/// Whom the claims are about, at this time.
pub(super) fn judge(claims: &Object, issuer: &Issuer, now_ms: u64) -> Result<Vouched, Refusal> {
    let audiences = claims.0.get("aud").and_then(Node::texts);
    let is_ours = |one: &&str| issuer.audiences.iter().any(|own| own == one);
    if !audiences.is_some_and(|all| all.iter().any(is_ours)) {
        return Err(Refusal::Audience);
    }
    let leeway_ms = u64::try_from(issuer.leeway.as_millis()).unwrap_or(u64::MAX);
    let ends_ms = time(claims, "exp")?.ok_or(Refusal::Expired)?;
    let ends_ms = ends_ms.saturating_add(leeway_ms);
    if now_ms >= ends_ms {
        return Err(Refusal::Expired);
    }
    for name in ["nbf", "iat"] {
        if time(claims, name)?.is_some_and(|from| from > now_ms.saturating_add(leeway_ms)) {
            return Err(Refusal::Early);
        }
    }
    let subject = claims.0.get("sub").and_then(Node::text);
    let subject = subject.ok_or(Refusal::Subject)?;
    let is_word = !subject.is_empty() && !subject.chars().any(char::is_control);
    if !is_word || subject.len() > SUBJECT_BYTES_MAX {
        return Err(Refusal::Subject);
    }
    Ok(Vouched {
        // No key's id looks like this, so nobody whom an issuer names can be taken for a key.
        name: Text::from(format!("{}#{subject}", issuer.issuer).as_str()),
        tenant: tenant(claims, issuer)?,
        roles: roles(claims, issuer)?,
        ends_ms,
    })
}

/// A claim that is a date, in milliseconds; an error when it is there and is none.
fn time(claims: &Object, name: &str) -> Result<Option<u64>, Refusal> {
    let Some(node) = claims.0.get(name) else {
        return Ok(None);
    };
    let seconds = node.number().ok_or(Refusal::Malformed)?;
    if !(0.0..=SECONDS_MAX).contains(&seconds) {
        return Err(Refusal::Malformed);
    }
    Ok(Some((seconds * 1000.0) as u64))
}

fn tenant(claims: &Object, issuer: &Issuer) -> Result<Option<TenantId>, Refusal> {
    match &issuer.tenant {
        IssuerTenant::System => Ok(None),
        IssuerTenant::Fixed(tenant) => Ok(Some(*tenant)),
        IssuerTenant::Claim { path, names } => {
            let word = at(claims, path).and_then(Node::text);
            let word = word.ok_or(Refusal::Tenant)?;
            match names.get(word) {
                Some(tenant) => Ok(Some(*tenant)),
                None => word.parse().map(Some).map_err(|_| Refusal::Tenant),
            }
        }
    }
}

/// The roles that the table gives; at least one.
fn roles(claims: &Object, issuer: &Issuer) -> Result<Vec<Text>, Refusal> {
    let values = at(claims, &issuer.role_claim).and_then(Node::texts);
    let values = values.ok_or(Refusal::Role)?;
    let given = values.iter().filter_map(|value| issuer.roles.get(*value));
    let mut roles: Vec<Text> = given.map(|role| Text::from(role.as_str())).collect();
    roles.sort_unstable();
    roles.dedup();
    if roles.is_empty() {
        return Err(Refusal::Role);
    }
    Ok(roles)
}
