//! The verbs about access: keys, roles, and what actors are given.

use mainstay_core::{
    ActorId, Answer, Capabilities, Capability, Command, Govern, KeyDigest, KeyId, KeysOf, NewKey,
    Query, Text,
};

use super::line::Line;
use super::verbs::text;
use super::world::World;

/// The key, role or actor that a line is about.
fn id(line: &Line, name: &str) -> Result<u128, String> {
    let found = line.number::<u128>(name)?;
    found.ok_or(format!("`{name}` is missing"))
}

fn words(line: &Line, name: &str) -> Vec<Text> {
    let found = line.find(name).unwrap_or_default().split('+');
    found
        .filter(|one| !one.is_empty())
        .map(Text::from)
        .collect()
}

/// What whoever asks may do: `may=can_admin+can_read`; everything unless written.
pub(super) fn may(line: &Line) -> Capabilities {
    let Some(list) = line.find("may") else {
        return Capabilities::ALL;
    };
    let known: Vec<_> = list.split('+').filter_map(Capability::find).collect();
    Capabilities::of(&known)
}

impl World {
    /// `key id=7 name=ci role=worker`, with `system=true`, `actor=9`, `expires=1h`.
    pub(crate) fn make_key(&mut self, line: &Line) -> Result<String, String> {
        line.only(&[
            "id", "name", "role", "system", "actor", "expires", "may", "by",
        ])?;
        let name = line.get("name")?.to_owned();
        let new = NewKey {
            id: KeyId(id(line, "id")?),
            name: Text::from(name.as_str()),
            role: Text::from(line.get("role")?),
            system: line.find("system") == Some("true"),
            actor: line.number::<u128>("actor")?.map(ActorId),
            expires_at: self.instant(line, "expires")?,
            digest: KeyDigest([1; 32]),
            reason: None,
        };
        Ok(self.govern(line, &name, Govern::CreateKey(new)))
    }

    /// Every other change of access, by the word it begins with.
    pub(crate) fn change_access(&mut self, line: &Line) -> Result<String, String> {
        line.only(&[
            "id",
            "system",
            "reason",
            "name",
            "holds",
            "actor",
            "role",
            "capability",
            "may",
            "by",
        ])?;
        let reason = text(line, "reason");
        let named = |name: &str| line.get(name).map(Text::from);
        let actor = || id(line, "actor").map(ActorId);
        let (about, change) = match line.verb.as_str() {
            "revoke_key" => {
                let key = KeyId(id(line, "id")?);
                let system = line.find("system") == Some("true");
                let change = Govern::RevokeKey {
                    key,
                    system,
                    reason,
                };
                (format!("{}", key.0), change)
            }
            "role" => {
                let (role, capabilities) = (named("name")?, words(line, "holds"));
                let change = Govern::PutRole {
                    role: role.clone(),
                    capabilities,
                    reason,
                };
                (role.to_string(), change)
            }
            "remove_role" => {
                let role = named("name")?;
                let about = role.to_string();
                (about, Govern::RemoveRole { role, reason })
            }
            "assign" | "unassign" => {
                let (actor, role) = (actor()?, named("role")?);
                let about = role.to_string();
                let change = if line.verb == "assign" {
                    Govern::AssignRole {
                        actor,
                        role,
                        reason,
                    }
                } else {
                    Govern::RevokeRole {
                        actor,
                        role,
                        reason,
                    }
                };
                (about, change)
            }
            _ => {
                let (actor, capability) = (actor()?, named("capability")?);
                let about = capability.to_string();
                let change = if line.verb == "grant" {
                    Govern::GrantCapability {
                        actor,
                        capability,
                        reason,
                    }
                } else {
                    Govern::RevokeCapability {
                        actor,
                        capability,
                        reason,
                    }
                };
                (about, change)
            }
        };
        Ok(self.govern(line, &about, change))
    }

    fn govern(&mut self, line: &Line, about: &str, change: Govern) -> String {
        self.answer(line, about, Command::Govern(Box::new(change)))
    }

    /// `may id=7`: what a key may do.
    pub(crate) fn show_key(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["id"])?;
        let query = Query::Key(KeyId(id(line, "id")?));
        Ok(
            match self
                .machine
                .answer(&self.now, mainstay_core::TenantId::DEFAULT, &query)
            {
                Answer::Key(Some(key)) => {
                    let known = key.may.iter().map(|one| one.name().to_owned());
                    let all = known.chain(key.custom.iter().map(|one| one.to_string()));
                    let all: Vec<String> = all.collect();
                    let ended = if key.revoked_at.is_some() {
                        "revoked"
                    } else {
                        "live"
                    };
                    format!("{ended} {} may={}", key.name, all.join("+"))
                }
                _ => "nothing".into(),
            },
        )
    }

    /// `keys`: the tenant's own, by id; `of=all`: of everybody.
    pub(crate) fn show_keys(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["of"])?;
        let of = match line.find("of") {
            Some("all") => KeysOf::All,
            _ => KeysOf::Tenant,
        };
        let query = Query::Keys {
            of,
            after: KeyId(0),
            limit: 1000,
        };
        let tenant = mainstay_core::TenantId::DEFAULT;
        let Answer::Keys(keys) = self.machine.answer(&self.now, tenant, &query) else {
            return Err("no keys".into());
        };
        let names: Vec<&str> = keys.iter().map(|key| &*key.name).collect();
        Ok(if names.is_empty() {
            "nothing".into()
        } else {
            names.join("; ")
        })
    }
}
