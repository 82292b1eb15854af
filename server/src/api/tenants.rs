//! Tenants: added, listed, weighed. All of it is for system keys.

use mainstay_client::wire;
use mainstay_core::{Answer, Call, Command, Outcome, Query, TaskId, TenantId, TenantView, Text};

use crate::edge::{Exchange, Failure, Reply, read_tenant};
use crate::json::{Subject, Writer};

/// `POST /api/v1/tenants`.
pub(crate) async fn create(exchange: Exchange) -> Result<Reply, Failure> {
    let (name, chosen, keyed, reason) = {
        let body: wire::NewTenant<'_> = exchange.read(Subject::Request)?;
        let chosen = body.tenant_id.as_deref().map(|text| {
            let wrong =
                |_| Subject::Request.wrong("tenant_id", "must be a UUID, and not the nil one");
            text.parse::<TenantId>().map_err(wrong)
        });
        let chosen = chosen.transpose()?;
        let keyed = exchange.keyed_id("tenant", TaskId(0), chosen.map(|_| "tenant_id"))?;
        let reason = body.reason.as_deref().map(Text::from);
        (Text::from(&*body.name), chosen, keyed.map(TenantId), reason)
    };
    let command = Command::CreateTenant {
        tenant: chosen.or(keyed),
        name: name.clone(),
    };
    let (tenant, sequence, status) = match (exchange.call_because(command, reason).await, keyed) {
        (Ok(placed), _) => {
            let Outcome::TenantCreated(id) = placed.value else {
                return Err(Failure::internal());
            };
            let weight = 1;
            (TenantView { id, name, weight }, placed.sequence, 201)
        }
        (Err(failure), Some(id)) if failure.code() == "tenant_already_exists" => {
            let (all, sequence) = every(&exchange).await?;
            let made = all.into_iter().find(|known| known.id == id);
            match made {
                Some(made) if made.name == name => (made, sequence, 200),
                Some(_) => return Err(exchange.key_conflict().at(sequence)),
                None => return Err(failure),
            }
        }
        (Err(failure), _) => return Err(failure),
    };
    let mut json = Writer::new();
    write_tenant(&mut json, &tenant);
    Ok(Reply::json(json.done()).status(status).at(sequence))
}

async fn every(exchange: &Exchange) -> Result<(Vec<TenantView>, u64), Failure> {
    let placed = exchange.ask(Query::Tenants).await?;
    let Answer::Tenants(all) = placed.value else {
        return Err(Failure::internal());
    };
    Ok((all, placed.sequence))
}

/// `GET /api/v1/tenants`.
pub(crate) async fn list(exchange: Exchange) -> Result<Reply, Failure> {
    let (all, sequence) = every(&exchange).await?;
    let mut json = Writer::with_capacity(32 + all.len() * 128);
    json.object().name("tenants").array();
    for tenant in &all {
        write_tenant(&mut json, tenant);
    }
    json.end_array().end_object();
    Ok(Reply::json(json.done()).at(sequence))
}

/// `PUT /api/v1/tenants/{tenant_id}`.
pub(crate) async fn put(exchange: Exchange) -> Result<Reply, Failure> {
    let tenant = read_tenant(&exchange.name(0))?;
    let (weight, reason) = {
        let body: wire::TenantSettings<'_> = exchange.read(Subject::Request)?;
        (body.weight, body.reason.as_deref().map(Text::from))
    };
    let mut call: Call = exchange.call_of(Command::WeighTenant { weight });
    call.reason = reason;
    call.principal.tenant = tenant;
    let placed = exchange.call_by(call).await?;
    let (all, _) = every(&exchange).await?;
    let found = all.iter().find(|known| known.id == tenant);
    let found = found.ok_or_else(Failure::internal)?;
    let mut json = Writer::new();
    write_tenant(&mut json, found);
    Ok(Reply::json(json.done()).at(placed.sequence))
}

fn write_tenant(json: &mut Writer, tenant: &TenantView) {
    json.object()
        .plain_field("tenant_id", &tenant.id)
        .string_field("name", &tenant.name)
        .number_field("weight", tenant.weight)
        .end_object();
}
