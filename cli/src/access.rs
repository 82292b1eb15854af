//! `key …`, `role …`, `tenant …`: who may do what.

use mainstay_client::Page;
use mainstay_client::wire::{
    CapabilityGrant, Granted, Key, MadeKey, NewKey, NewTenant, Role, RoleGrant, RoleSettings,
    Tenant, TenantSettings,
};

use crate::args::{Global, GrantArgs, KeyCommand, RoleCommand, TenantCommand};
use crate::connection::{self, SHORT_PATIENCE};
use crate::exit::{Code, Failure};
use crate::lists::{show_rows, tell_more};
use crate::screen::Screen;
use crate::shown::{show, words};
use crate::workflow;

const KEY_HEAD: [&str; 6] = ["key", "name", "role", "tenant", "expires", "revoked"];
const ROLE_HEAD: [&str; 3] = ["role", "built in", "capabilities"];
const TENANT_HEAD: [&str; 3] = ["tenant", "name", "weight"];

/// `key …`
pub(crate) async fn key(
    global: &Global,
    command: &KeyCommand,
    screen: Screen,
) -> Result<Code, Failure> {
    let client = connection::client(global, SHORT_PATIENCE)?;
    match command {
        KeyCommand::Create {
            name,
            role,
            tenant,
            actor,
            expires_at,
            reason,
        } => {
            let new = NewKey {
                name: name.as_str().into(),
                role: role.as_str().into(),
                tenant_id: tenant.as_deref().map(Into::into),
                actor_id: actor.as_deref().map(Into::into),
                expires_at: expires_at.as_deref().map(Into::into),
                reason: reason.as_deref().map(Into::into),
            };
            show(screen, &client.create_key(&new).await?, show_made);
        }
        KeyCommand::List => {
            let page = Page {
                limit: Some(1000),
                ..Page::default()
            };
            show(screen, &client.keys(&page).await?, |screen, list| {
                show_rows(screen, &mut &KEY_HEAD[..], &list.keys, key_row);
                tell_more(screen, list.next_cursor.as_deref());
            });
        }
        KeyCommand::Revoke { key_id, reason } => {
            let answer = client.revoke_key(key_id, reason.as_deref()).await?;
            show(screen, &answer, |screen, answer| {
                screen.line(&format!("key {}: {}", answer.key_id, words(&answer.status)));
            });
        }
    }
    Ok(Code::Done)
}

fn show_made(screen: Screen, made: &MadeKey) {
    let mut pairs = vec![("key id", made.key_id.clone())];
    pairs.extend(made.key.clone().map(|key| ("key", key)));
    let tenant = made.tenant_id.clone();
    pairs.push(("tenant", tenant.unwrap_or_else(|| "every".to_owned())));
    screen.pairs(&pairs);
}

fn key_row(key: &Key) -> Vec<String> {
    vec![
        key.key_id.clone(),
        key.name.clone(),
        key.role.clone(),
        key.tenant_id.clone().unwrap_or_else(|| "every".to_owned()),
        key.expires_at.clone().unwrap_or_default(),
        key.revoked_at.clone().unwrap_or_default(),
    ]
}

/// `role …`
pub(crate) async fn role(
    global: &Global,
    command: &RoleCommand,
    screen: Screen,
) -> Result<Code, Failure> {
    let client = connection::client(global, SHORT_PATIENCE)?;
    match command {
        RoleCommand::List => show(screen, &client.roles().await?, |screen, list| {
            show_rows(screen, &mut &ROLE_HEAD[..], &list.roles, role_row);
        }),
        RoleCommand::Put {
            name,
            capability,
            reason,
        } => {
            let settings = RoleSettings {
                capabilities: capability.iter().map(|one| one.as_str().into()).collect(),
                tenant_id: None,
                reason: reason.as_deref().map(Into::into),
            };
            let role = client.put_role(name, &settings).await?;
            show(screen, &role, |screen, role| {
                screen.line(&format!("{}: {}", role.name, role.capabilities.join(", ")));
            });
        }
        RoleCommand::Remove { name, reason } => {
            let answer = client.remove_role(name, reason.as_deref()).await?;
            show(screen, &answer, |screen, answer| {
                screen.line(&format!("role {name}: {}", words(&answer.status)));
            });
        }
        RoleCommand::Assign(args) | RoleCommand::Revoke(args) => {
            let grant = RoleGrant {
                role: args.name.as_str().into(),
                tenant_id: None,
                reason: args.reason.as_deref().map(Into::into),
            };
            let has = matches!(command, RoleCommand::Assign(_));
            let told = client.set_actor_role(&args.actor_id, &grant, has).await?;
            show(screen, &told, show_granted);
        }
        RoleCommand::Grant(args) => capability(&client, args, true, screen).await?,
        RoleCommand::Ungrant(args) => capability(&client, args, false, screen).await?,
    }
    Ok(Code::Done)
}

async fn capability(
    client: &mainstay_client::Client,
    args: &GrantArgs,
    has: bool,
    screen: Screen,
) -> Result<(), Failure> {
    let grant = CapabilityGrant {
        capability: args.name.as_str().into(),
        tenant_id: None,
        reason: args.reason.as_deref().map(Into::into),
    };
    let told = client
        .set_actor_capability(&args.actor_id, &grant, has)
        .await?;
    show(screen, &told, show_granted);
    Ok(())
}

fn role_row(role: &Role) -> Vec<String> {
    let built_in = if role.built_in { "yes" } else { "no" };
    vec![
        role.name.clone(),
        built_in.to_owned(),
        role.capabilities.join(", "),
    ]
}

fn show_granted(screen: Screen, granted: &Granted) {
    screen.pairs(&[
        ("actor", granted.actor_id.clone()),
        ("roles", granted.roles.join(", ")),
        ("capabilities", granted.capabilities.join(", ")),
    ]);
}

/// `tenant …`
pub(crate) async fn tenant(
    global: &Global,
    command: &TenantCommand,
    screen: Screen,
) -> Result<Code, Failure> {
    let client = connection::client(global, SHORT_PATIENCE)?;
    match command {
        TenantCommand::Create { name, id, reason } => {
            let new = NewTenant {
                name: name.as_str().into(),
                tenant_id: id.as_deref().map(Into::into),
                reason: reason.as_deref().map(Into::into),
            };
            show(screen, &client.create_tenant(&new).await?, show_tenant);
        }
        TenantCommand::List => show(screen, &client.tenants().await?, |screen, list| {
            show_rows(screen, &mut &TENANT_HEAD[..], &list.tenants, tenant_row);
        }),
        TenantCommand::Set {
            tenant_id,
            weight,
            reason,
        } => {
            let settings = TenantSettings {
                weight: *weight,
                reason: reason.as_deref().map(Into::into),
            };
            let tenant = client.set_tenant(tenant_id, &settings).await?;
            show(screen, &tenant, show_tenant);
        }
        TenantCommand::Budget(command) => {
            workflow::tenant_budget(&client, command, screen).await?;
        }
    }
    Ok(Code::Done)
}

fn tenant_row(tenant: &Tenant) -> Vec<String> {
    vec![
        tenant.tenant_id.clone(),
        tenant.name.clone(),
        tenant.weight.to_string(),
    ]
}

fn show_tenant(screen: Screen, tenant: &Tenant) {
    screen.pairs(&[
        ("tenant", tenant.tenant_id.clone()),
        ("name", tenant.name.clone()),
        ("weight", tenant.weight.to_string()),
    ]);
}
