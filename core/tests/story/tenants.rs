//! The verbs of tenants.

use mainstay_core::{Command, TenantId, Text};

use super::line::Line;
use super::world::World;

impl World {
    /// `tenant name=acme id=7`: adds one.
    pub(crate) fn tenant(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["name", "id"])?;
        let name = line.get("name")?.to_owned();
        let command = Command::CreateTenant {
            tenant: line.number::<u128>("id")?.map(TenantId),
            name: Text::from(name.as_str()),
        };
        Ok(self.answer(line, &name, command))
    }

    /// `weigh weight=3`: the share of the tenant that stories act in.
    pub(crate) fn weigh(&mut self, line: &Line) -> Result<String, String> {
        line.only(&["weight"])?;
        let weight = line.number("weight")?.unwrap_or(1);
        Ok(self.answer(line, "default", Command::WeighTenant { weight }))
    }
}
