//! Actors: registering, being there, draining, leaving, and the list of them.

use mainstay::store::{From, Scope};
use mainstay_client::wire;
use mainstay_core::limits::{CAPABILITY_BYTES_MAX, IDENTITY_BYTES_MAX, LIST_LIMIT_MAX};
use mainstay_core::{
    ActorId, ActorView, Answer, Command, Outcome, Query, Registration, TenantId, Text,
};

use super::filters::{Given, page};
use super::tasks::reason_of;
use crate::edge::{Exchange, Failure, Placed, Reply, read_actor};
use crate::json::{Subject, Writer};

/// What the list is asked by, as `name type`.
pub(crate) const PARAMETERS: &[&str] = &[
    "limit limit",
    "offset offset",
    "cursor cursor",
    "department name",
    "capability capability",
    "state active|draining",
    "identity identity",
];

/// How often an actor promises to be heard of when it says nothing of that.
const HEARTBEAT_INTERVAL_MS: u64 = 10_000;
/// Actors that one page looks at; beyond them it ends short, with a cursor.
const LOOKS_MAX: usize = 10_000;

/// `POST /api/v1/actors`.
pub(crate) async fn register(exchange: Exchange) -> Result<Reply, Failure> {
    let (told, tenant, keyed) = read_registration(&exchange)?;
    let mut call = exchange.call_of(Command::RegisterActor(Box::new(told.clone())));
    call.principal.tenant = tenant;
    let (actor, sequence, status) = match (exchange.call_by(call).await, keyed) {
        (Ok(placed), _) => {
            let Outcome::ActorRegistered(actor) = placed.value else {
                return Err(Failure::internal());
            };
            (actor, placed.sequence, 201)
        }
        (Err(failure), Some(actor)) if failure.code() == "actor_already_registered" => {
            let found = find(&exchange, tenant, actor).await?;
            if !is_same(&told, &found.value) {
                return Err(exchange.key_conflict().at(found.sequence));
            }
            (actor, found.sequence, 200)
        }
        (Err(failure), _) => return Err(failure),
    };
    let mut json = Writer::new();
    json.object().plain_field("actor_id", &actor).end_object();
    Ok(Reply::json(json.done()).status(status).at(sequence))
}

fn read_registration(
    exchange: &Exchange,
) -> Result<(Registration, TenantId, Option<ActorId>), Failure> {
    let body: wire::RegisterActor<'_> = exchange.read(Subject::Request)?;
    let chosen = body.actor_id.as_deref().map(read_actor).transpose()?;
    let of_no_task = mainstay_core::TaskId::default();
    let keyed = exchange.keyed_id("actor", of_no_task, chosen.map(|_| "actor_id"))?;
    let keyed = keyed.map(ActorId);
    let tenant = exchange.tenant_of(Subject::Request, body.tenant_id.as_deref())?;
    let capabilities = body.capabilities.iter().map(|one| Text::from(&**one));
    let told = Registration {
        actor: chosen.or(keyed),
        identity: Text::from(&*body.identity),
        capabilities: capabilities.collect(),
        department: body.department.as_deref().map(Text::from),
        heartbeat_interval_ms: body.heartbeat_interval_ms.unwrap_or(HEARTBEAT_INTERVAL_MS),
    };
    Ok((told, tenant, keyed))
}

fn is_same(told: &Registration, known: &ActorView) -> bool {
    let mut capabilities = told.capabilities.clone();
    capabilities.sort_unstable();
    capabilities.dedup();
    capabilities == known.capabilities
        && told.identity == known.identity
        && told.department == known.department
        && told.heartbeat_interval_ms == known.heartbeat_interval_ms
}

async fn find(
    exchange: &Exchange,
    tenant: TenantId,
    actor: ActorId,
) -> Result<Placed<ActorView>, Failure> {
    let placed = exchange.ask_in(tenant, Query::Actor(actor)).await?;
    let sequence = placed.sequence;
    let Answer::Actor(view) = placed.value else {
        let missing = mainstay_core::Rejection::UnknownActor { actor };
        return Err(Failure::from(missing).at(sequence));
    };
    Ok(Placed {
        value: *view,
        sequence,
        durable: placed.durable,
    })
}

/// `GET /api/v1/actors/{actor_id}`.
pub(crate) async fn get(exchange: Exchange) -> Result<Reply, Failure> {
    let found = find(&exchange, exchange.principal.tenant, exchange.actor()?).await?;
    let mut json = Writer::new();
    write_actor(&mut json, &found.value);
    Ok(Reply::json(json.done()).at(found.sequence))
}

/// `POST /api/v1/actors/{actor_id}/heartbeat`.
pub(crate) async fn beat(exchange: Exchange) -> Result<Reply, Failure> {
    let actor = exchange.actor()?;
    let _: wire::EmptyBody = exchange.read(Subject::Request)?;
    let placed = exchange.call(Command::BeatActor { actor }).await?;
    let Outcome::ActorBeat(beat) = placed.value else {
        return Err(Failure::internal());
    };
    let mut json = Writer::new();
    json.object()
        .plain_field("actor_id", &actor)
        .instant_field("expires_at", beat.expires_at)
        .string_field("directive", beat.directive.name())
        .end_object();
    Ok(Reply::json(json.done()).at(placed.sequence))
}

/// `POST /api/v1/actors/{actor_id}/drain`.
pub(crate) async fn drain(exchange: Exchange) -> Result<Reply, Failure> {
    let (actor, reason) = (exchange.actor()?, reason_of(&exchange)?);
    let placed = exchange.call(Command::DrainActor { actor, reason }).await?;
    let Outcome::ActorDraining(drain) = placed.value else {
        return Err(Failure::internal());
    };
    let status = match drain.already {
        true => "already_draining",
        false => "draining",
    };
    Ok(changed(actor, status, drain.leases).at(placed.sequence))
}

/// `DELETE /api/v1/actors/{actor_id}`.
pub(crate) async fn deregister(exchange: Exchange) -> Result<Reply, Failure> {
    let (actor, reason) = (exchange.actor()?, reason_of(&exchange)?);
    let command = Command::DeregisterActor { actor, reason };
    let placed = exchange.call(command).await?;
    let Outcome::ActorDeregistered { leases } = placed.value else {
        return Err(Failure::internal());
    };
    Ok(changed(actor, "deregistered", leases).at(placed.sequence))
}

fn changed(actor: ActorId, status: &str, leases: u64) -> Reply {
    let mut json = Writer::new();
    json.object()
        .plain_field("actor_id", &actor)
        .string_field("status", status)
        .number_field("leases", leases)
        .end_object();
    Reply::json(json.done())
}

/// Which actors are asked for.
struct Wanted {
    department: Option<Text>,
    capability: Option<Text>,
    identity: Option<Text>,
    draining: Option<bool>,
}

impl Wanted {
    fn read(given: Given<'_>) -> Result<Wanted, Failure> {
        let states = [false, true];
        Ok(Wanted {
            department: given.word("department")?,
            capability: given.text("capability", CAPABILITY_BYTES_MAX)?,
            identity: given.text("identity", IDENTITY_BYTES_MAX)?,
            draining: given.choice("state", &states, state_name)?,
        })
    }

    fn has(&self, actor: &ActorView) -> bool {
        let capability = self.capability.as_ref();
        let draining = self.draining;
        self.department
            .as_ref()
            .is_none_or(|one| actor.department.as_ref() == Some(one))
            && capability.is_none_or(|one| actor.capabilities.contains(one))
            && self
                .identity
                .as_ref()
                .is_none_or(|one| actor.identity == *one)
            && draining.is_none_or(|draining| actor.draining_since.is_some() == draining)
    }
}

fn state_name(draining: bool) -> &'static str {
    if draining { "draining" } else { "active" }
}

/// Where a page ended: the last actor that it looked at.
fn read_cursor(text: &str) -> Result<(TenantId, ActorId), Failure> {
    let read = |part: &str| u128::from_str_radix(part, 16).ok();
    let parts = (text.len() == 64)
        .then(|| text.split_at_checked(32))
        .flatten();
    let parts = parts.and_then(|(tenant, actor)| read(tenant).zip(read(actor)));
    let (tenant, actor) = parts.ok_or_else(Failure::invalid_cursor)?;
    Ok((TenantId(tenant), ActorId(actor)))
}

/// `GET /api/v1/actors`.
pub(crate) async fn list(exchange: Exchange) -> Result<Reply, Failure> {
    let given = Given(&exchange.parameters);
    let (wanted, page) = (Wanted::read(given)?, page(given)?);
    let (mut after, mut skip) = match &page.from {
        From::Cursor(cursor) => (Some(read_cursor(cursor)?), 0),
        From::Offset(offset) => (None, *offset),
    };
    let all = !matches!(exchange.scope, Scope::Tenant(_));
    let (mut rows, mut looked) = (Vec::new(), 0);
    let (more, sequence) = 'pages: loop {
        let limit = LIST_LIMIT_MAX;
        let placed = exchange.ask(Query::Actors { all, after, limit }).await?;
        let sequence = placed.sequence;
        let Answer::Actors(found) = placed.value else {
            return Err(Failure::internal());
        };
        let is_last = found.len() < limit as usize;
        for actor in found {
            if rows.len() == page.limit as usize || looked == LOOKS_MAX + skip as usize {
                break 'pages (true, sequence);
            }
            looked += 1;
            after = Some((actor.tenant, actor.id));
            match wanted.has(&actor) {
                true if skip > 0 => skip -= 1,
                true => rows.push(actor),
                false => {}
            }
        }
        if is_last {
            break (false, sequence);
        }
    };
    let mut json = Writer::with_capacity(128 + rows.len() * 512);
    json.object().name("actors").array();
    rows.iter().for_each(|actor| write_actor(&mut json, actor));
    let offset = match page.from {
        From::Offset(offset) => offset,
        From::Cursor(_) => 0,
    };
    json.end_array()
        .number_field("limit", page.limit)
        .number_field("offset", offset);
    json.maybe(
        "next_cursor",
        after.filter(|_| more),
        |json, (tenant, actor)| {
            let place = format!("{:032x}{:032x}", tenant.0, actor.0);
            json.string(&exchange.seal_cursor(&place));
        },
    );
    json.end_object();
    Ok(Reply::json(json.done()).at(sequence))
}

fn write_actor(json: &mut Writer, actor: &ActorView) {
    json.object()
        .plain_field("actor_id", &actor.id)
        .plain_field("tenant_id", &actor.tenant)
        .string_field("identity", &actor.identity)
        .strings_field("capabilities", &actor.capabilities);
    json.maybe("department", actor.department.as_ref(), |json, name| {
        json.string(name);
    });
    let draining = actor.draining_since;
    json.string_field("state", state_name(draining.is_some()));
    if let Some(at) = draining {
        json.instant_field("draining_since", at);
    }
    json.number_field("heartbeat_interval_ms", actor.heartbeat_interval_ms)
        .instant_field("registered_at", actor.registered_at)
        .string_field("registered_by", &actor.registered_by)
        .instant_field("last_heard_at", actor.last_heard_at)
        .number_field("leases", actor.leases)
        .end_object();
}
