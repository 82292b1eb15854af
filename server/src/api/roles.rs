//! Roles of a tenant's own, and what actors are given.

use mainstay_client::wire;
use mainstay_core::{ActorId, Answer, BUILT_IN_ROLES, Govern, Query, Rejection, TenantId, Text};

use super::tasks::reason_of;
use crate::edge::{Exchange, Failure, Reply};
use crate::json::{Subject, Writer};

fn text(given: Option<&wire::Str<'_>>) -> Option<Text> {
    given.map(|given| Text::from(&**given))
}

/// `GET /api/v1/roles`.
pub(crate) async fn list(exchange: Exchange) -> Result<Reply, Failure> {
    let placed = exchange.ask(Query::Roles).await?;
    let Answer::Roles(own) = placed.value else {
        return Err(Failure::internal());
    };
    let mut json = Writer::new();
    json.object().name("roles").array();
    for (name, may) in BUILT_IN_ROLES {
        let capabilities: Vec<&str> = may.iter().map(|one| one.name()).collect();
        write_role(&mut json, name, &capabilities, true);
    }
    for (name, capabilities) in &own {
        write_role(&mut json, name, capabilities, false);
    }
    json.end_array().end_object();
    Ok(Reply::json(json.done()).at(placed.sequence))
}

fn write_role<T: AsRef<str>>(json: &mut Writer, name: &str, holds: &[T], built_in: bool) {
    json.object()
        .string_field("name", name)
        .strings_field("capabilities", holds)
        .bool_field("built_in", built_in)
        .end_object();
}

/// `PUT /api/v1/roles/{name}`.
pub(crate) async fn put(exchange: Exchange) -> Result<Reply, Failure> {
    let role = exchange.name(0);
    let (tenant, capabilities, reason) = {
        let body: wire::RoleSettings<'_> = exchange.read(Subject::Request)?;
        let tenant = exchange.tenant_of(Subject::Request, body.tenant_id.as_deref())?;
        let named = body.capabilities.iter().map(|one| Text::from(&**one));
        let named: Vec<Text> = named.collect();
        (tenant, named, text(body.reason.as_ref()))
    };
    let change = Govern::PutRole {
        role: role.clone(),
        capabilities: capabilities.clone(),
        reason,
    };
    let placed = exchange.govern_in(tenant, change).await?;
    let mut holds = capabilities;
    holds.sort_unstable();
    holds.dedup();
    let mut json = Writer::new();
    write_role(&mut json, &role, &holds, false);
    Ok(Reply::json(json.done()).at(placed.sequence))
}

/// `DELETE /api/v1/roles/{name}`.
pub(crate) async fn remove(exchange: Exchange) -> Result<Reply, Failure> {
    let (role, reason) = (exchange.name(0), reason_of(&exchange)?);
    let change = Govern::RemoveRole {
        role: role.clone(),
        reason,
    };
    let tenant = exchange.principal.tenant;
    let placed = exchange.govern_in(tenant, change).await?;
    let mut json = Writer::new();
    json.object()
        .string_field("name", &role)
        .string_field("status", "removed")
        .end_object();
    Ok(Reply::json(json.done()).at(placed.sequence))
}

/// `GET /api/v1/actors/{actor_id}/roles`.
pub(crate) async fn of_actor(exchange: Exchange) -> Result<Reply, Failure> {
    let actor = exchange.actor()?;
    let asked = exchange.ask(Query::Actor(actor)).await?;
    if !matches!(asked.value, Answer::Actor(_)) {
        return Err(Failure::from(Rejection::UnknownActor { actor }).at(asked.sequence));
    }
    granted(&exchange, exchange.principal.tenant, actor).await
}

/// `POST /api/v1/actors/{actor_id}/roles`.
pub(crate) async fn assign(exchange: Exchange) -> Result<Reply, Failure> {
    let (tenant, actor, role, reason) = read_role(&exchange)?;
    let change = Govern::AssignRole {
        actor,
        role,
        reason,
    };
    exchange.govern_in(tenant, change).await?;
    granted(&exchange, tenant, actor).await
}

/// `DELETE /api/v1/actors/{actor_id}/roles`.
pub(crate) async fn unassign(exchange: Exchange) -> Result<Reply, Failure> {
    let (tenant, actor, role, reason) = read_role(&exchange)?;
    let change = Govern::RevokeRole {
        actor,
        role,
        reason,
    };
    exchange.govern_in(tenant, change).await?;
    granted(&exchange, tenant, actor).await
}

type Named = (TenantId, ActorId, Text, Option<Text>);

fn read_role(exchange: &Exchange) -> Result<Named, Failure> {
    let actor = exchange.actor()?;
    let body: wire::RoleGrant<'_> = exchange.read(Subject::Request)?;
    let tenant = exchange.tenant_of(Subject::Request, body.tenant_id.as_deref())?;
    let role = Text::from(&*body.role);
    Ok((tenant, actor, role, text(body.reason.as_ref())))
}

/// `POST /api/v1/actors/{actor_id}/capabilities`.
pub(crate) async fn grant(exchange: Exchange) -> Result<Reply, Failure> {
    let (tenant, actor, capability, reason) = read_capability(&exchange)?;
    let change = Govern::GrantCapability {
        actor,
        capability,
        reason,
    };
    exchange.govern_in(tenant, change).await?;
    granted(&exchange, tenant, actor).await
}

/// `DELETE /api/v1/actors/{actor_id}/capabilities`.
pub(crate) async fn ungrant(exchange: Exchange) -> Result<Reply, Failure> {
    let (tenant, actor, capability, reason) = read_capability(&exchange)?;
    let change = Govern::RevokeCapability {
        actor,
        capability,
        reason,
    };
    exchange.govern_in(tenant, change).await?;
    granted(&exchange, tenant, actor).await
}

fn read_capability(exchange: &Exchange) -> Result<Named, Failure> {
    let actor = exchange.actor()?;
    let body: wire::CapabilityGrant<'_> = exchange.read(Subject::Request)?;
    let tenant = exchange.tenant_of(Subject::Request, body.tenant_id.as_deref())?;
    let capability = Text::from(&*body.capability);
    Ok((tenant, actor, capability, text(body.reason.as_ref())))
}

async fn granted(exchange: &Exchange, tenant: TenantId, actor: ActorId) -> Result<Reply, Failure> {
    let placed = exchange.ask_in(tenant, Query::Grant(actor)).await?;
    let Answer::Grant(roles, capabilities) = placed.value else {
        return Err(Failure::internal());
    };
    let mut json = Writer::new();
    json.object()
        .plain_field("actor_id", &actor)
        .strings_field("roles", &roles)
        .strings_field("capabilities", &capabilities)
        .end_object();
    Ok(Reply::json(json.done()).at(placed.sequence))
}
