//! Keys: made, listed, revoked.

use mainstay_client::wire;
use mainstay_core::limits::LIST_LIMIT_MAX;
use mainstay_core::{
    Answer, Call, Command, Govern, KeyId, KeyView, KeysOf, NewKey, Outcome, Query, TenantId, Text,
};

use super::filters::{Given, page};
use super::tasks::reason_of;
use crate::auth::{digest, mint};
use crate::edge::{Addressed, Exchange, Failure, Placed, Reply, read_actor};
use crate::json::{Subject, Writer, read_instant};

/// What [`list`] reads, as `name type`.
pub(super) const KEY_PARAMETERS: &[&str] = &["limit limit", "offset offset", "cursor cursor"];

impl Exchange {
    /// Asks for a change of who may do what, in a tenant.
    pub(super) async fn govern_in(
        &self,
        tenant: TenantId,
        change: Govern,
    ) -> Result<Placed<Outcome>, Failure> {
        let mut call: Call = self.call_of(Command::Govern(Box::new(change)));
        call.principal.tenant = tenant;
        self.call_by(call).await
    }
}

/// `POST /api/v1/keys`.
pub(crate) async fn create(exchange: Exchange) -> Result<Reply, Failure> {
    let (tenant, mut new) = read_new(&exchange)?;
    let chosen = exchange.keyed_id("key", mainstay_core::TaskId(0), None)?;
    let (id, text) = mint(chosen).map_err(|_| Failure::internal())?;
    new.id = id;
    new.digest = digest(id, text.as_bytes());
    let of = tenant.unwrap_or(TenantId::DEFAULT);
    let told = exchange.govern_in(of, Govern::CreateKey(new.clone())).await;
    let (status, sequence, text) = match told {
        Ok(placed) => (201, placed.sequence, Some(text)),
        Err(failure) if failure.code() == "key_already_exists" => {
            (200, made_before(&exchange, tenant, &new).await?, None)
        }
        Err(failure) => return Err(failure),
    };
    let mut json = Writer::new();
    json.object().plain_field("key_id", &id);
    json.maybe("key", text, |json, text| {
        json.string(&text);
    });
    json.maybe("tenant_id", tenant, |json, tenant| {
        json.plain(&tenant);
    });
    json.end_object();
    Ok(Reply::json(json.done()).status(status).at(sequence))
}

/// The key that the same `Idempotency-Key` made before; its secret was shown then.
async fn made_before(
    exchange: &Exchange,
    tenant: Option<TenantId>,
    new: &NewKey,
) -> Result<u64, Failure> {
    let (key, sequence) = find(exchange, new.id).await?;
    let same = key.tenant == tenant
        && (&key.name, &key.role) == (&new.name, &new.role)
        && (key.actor, key.expires_at) == (new.actor, new.expires_at);
    same.then_some(sequence)
        .ok_or_else(|| exchange.key_conflict().at(sequence))
}

/// Whose the key will be, and what it will be; its id and digest are still to come.
fn read_new(exchange: &Exchange) -> Result<(Option<TenantId>, NewKey), Failure> {
    let body: wire::NewKey<'_> = exchange.read(Subject::Request)?;
    let named = exchange.tenant_of(Subject::Request, body.tenant_id.as_deref())?;
    let of_system = exchange.addressed.is_none() && body.tenant_id.is_none();
    let tenant = (!of_system).then_some(named);
    let expires_at = body.expires_at.as_deref().map(read_instant).transpose();
    let new = NewKey {
        name: Text::from(&*body.name),
        role: Text::from(&*body.role),
        system: of_system,
        actor: body.actor_id.as_deref().map(read_actor).transpose()?,
        expires_at: expires_at.map_err(|what| Subject::Request.wrong("expires_at", what))?,
        reason: body.reason.as_deref().map(Text::from),
        ..NewKey::default()
    };
    Ok((tenant, new))
}

/// A key that the caller may see: its own tenant's, or anybody's for a system key that names no tenant.
async fn find(exchange: &Exchange, id: KeyId) -> Result<(Box<KeyView>, u64), Failure> {
    let placed = exchange.ask(Query::Key(id)).await?;
    let Answer::Key(key) = placed.value else {
        return Err(Failure::internal());
    };
    let seen = key.filter(|key| match exchange.addressed {
        Some(Addressed::One(tenant)) => key.tenant == Some(tenant),
        Some(Addressed::All) | None => exchange.caller.tenant.is_none(),
    });
    let absent = || {
        let failure = Failure::new("key_not_found", "key not found");
        failure.text("key_id", id.to_string()).at(placed.sequence)
    };
    Ok((seen.ok_or_else(absent)?, placed.sequence))
}

/// `GET /api/v1/keys/{key_id}`.
pub(crate) async fn one(exchange: Exchange) -> Result<Reply, Failure> {
    let (key, sequence) = find(&exchange, exchange.key()?).await?;
    let mut json = Writer::new();
    write_key(&mut json, &key);
    Ok(Reply::json(json.done()).at(sequence))
}

/// `GET /api/v1/keys`.
pub(crate) async fn list(exchange: Exchange) -> Result<Reply, Failure> {
    let page = page(Given(&exchange.parameters))?;
    let (mut after, mut skip) = (KeyId(0), 0);
    match &page.from {
        mainstay::store::From::Offset(offset) => skip = *offset as usize,
        mainstay::store::From::Cursor(text) => {
            let read = u128::from_str_radix(text, 16).map_err(|_| Failure::invalid_cursor());
            after = KeyId(read?);
        }
    }
    let of = match exchange.addressed {
        Some(Addressed::One(_)) => KeysOf::Tenant,
        Some(Addressed::All) | None => KeysOf::All,
    };
    // One more than the page tells whether another follows.
    let wanted = page.limit as usize + 1;
    let mut rows: Vec<KeyView> = Vec::new();
    let sequence = loop {
        let limit = LIST_LIMIT_MAX;
        let asked = exchange.ask(Query::Keys { of, after, limit }).await?;
        let Answer::Keys(mut keys) = asked.value else {
            return Err(Failure::internal());
        };
        let last = keys.last().map(|key| key.id);
        let ended = keys.len() < limit as usize;
        let skipped = skip.min(keys.len());
        skip -= skipped;
        rows.extend(keys.drain(skipped..).take(wanted - rows.len()));
        match last {
            Some(last) if !ended && rows.len() < wanted => after = last,
            _ => break asked.sequence,
        }
    };
    let more = rows.len() == wanted;
    rows.truncate(page.limit as usize);
    let cursor = rows.last().filter(|_| more).map(|last| last.id);
    let mut json = Writer::with_capacity(64 + rows.len() * 384);
    json.object().name("keys").array();
    for key in &rows {
        write_key(&mut json, key);
    }
    let offset = match page.from {
        mainstay::store::From::Offset(offset) => offset,
        mainstay::store::From::Cursor(_) => 0,
    };
    json.end_array()
        .number_field("limit", page.limit)
        .number_field("offset", offset);
    json.maybe("next_cursor", cursor, |json, cursor| {
        json.string(&exchange.seal_cursor(&format!("{:032x}", cursor.0)));
    });
    json.end_object();
    Ok(Reply::json(json.done()).at(sequence))
}

/// `DELETE /api/v1/keys/{key_id}`.
pub(crate) async fn revoke(exchange: Exchange) -> Result<Reply, Failure> {
    let reason = reason_of(&exchange)?;
    let (key, _) = find(&exchange, exchange.key()?).await?;
    let change = Govern::RevokeKey {
        key: key.id,
        system: key.tenant.is_none(),
        reason,
    };
    let of = key.tenant.unwrap_or(TenantId::DEFAULT);
    let placed = exchange.govern_in(of, change).await?;
    let Outcome::AccessChanged { changed } = placed.value else {
        return Err(Failure::internal());
    };
    let status = if changed {
        "revoked"
    } else {
        "already_revoked"
    };
    let mut json = Writer::new();
    json.object()
        .plain_field("key_id", &key.id)
        .string_field("status", status)
        .end_object();
    Ok(Reply::json(json.done()).at(placed.sequence))
}

fn write_key(json: &mut Writer, key: &KeyView) {
    json.object().plain_field("key_id", &key.id);
    json.maybe("tenant_id", key.tenant, |json, tenant| {
        json.plain(&tenant);
    });
    json.string_field("name", &key.name)
        .string_field("role", &key.role);
    json.maybe("actor_id", key.actor, |json, actor| {
        json.plain(&actor);
    });
    let known = key.may.iter().map(|one| Text::from(one.name()));
    let all: Vec<Text> = known.chain(key.custom.iter().cloned()).collect();
    json.strings_field("capabilities", &all)
        .instant_field("created_at", key.created_at)
        .string_field("created_by", &key.created_by);
    json.maybe("expires_at", key.expires_at, |json, at| {
        json.instant(at);
    });
    json.maybe("revoked_at", key.revoked_at, |json, at| {
        json.instant(at);
    });
    json.maybe("revoked_by", key.revoked_by.as_ref(), |json, by| {
        json.string(by);
    });
    json.end_object();
}
