//! Who asks, once it is known.

use std::sync::Arc;

use mainstay_core::{ActorId, Capabilities, KeyId, TenantId, Text};

use super::needs::Needs;
use super::token::Vouched;
use crate::edge::Failure;

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The key's id, or the issuer and its subject: the name in histories.
    pub(crate) name: Text,
    /// The key, unless it is the admin key's file, a token or nobody.
    pub(crate) key: Option<KeyId>,
    /// What a token's issuer vouches for.
    pub(crate) token: Option<Arc<Vouched>>,
    /// The only tenant it may reach; nothing for a system key.
    pub(crate) tenant: Option<TenantId>,
    pub(crate) may: Capabilities,
    /// The actor it acts for.
    pub(crate) actor: Option<ActorId>,
}

impl Caller {
    /// Who asks an open route.
    pub(crate) fn anonymous() -> Caller {
        Caller {
            name: Text::from("anonymous"),
            key: None,
            token: None,
            tenant: None,
            may: Capabilities::NONE,
            actor: None,
        }
    }

    /// A system key that may do everything.
    pub(crate) fn administrator(name: Text) -> Caller {
        Caller {
            name,
            key: None,
            token: None,
            tenant: None,
            may: Capabilities::ALL,
            actor: None,
        }
    }

    /// Refuses what the caller may not, saying what it takes. The answer depends on the caller and the route, on nothing else.
    pub(crate) fn check(&self, needs: Needs) -> Result<(), Failure> {
        let has_other = needs.alternative().is_some_and(|one| self.may.has(one));
        let lacks = needs.capability();
        let lacks = lacks.filter(|one| !self.may.has(*one) && !has_other);
        let required = match lacks {
            Some(capability) => capability.name(),
            None if needs.is_of_system() && self.tenant.is_some() => SYSTEM_KEY,
            None => return Ok(()),
        };
        Err(forbidden(required))
    }

    /// Refuses a tenant's key.
    pub(crate) fn check_system(&self) -> Result<(), Failure> {
        match self.tenant {
            None => Ok(()),
            Some(_) => Err(forbidden(SYSTEM_KEY)),
        }
    }
}

/// What it takes to reach more than one tenant.
const SYSTEM_KEY: &str = "system_key";

fn forbidden(required: &'static str) -> Failure {
    let message = "this key is not allowed to do this";
    Failure::new("forbidden", message).text("required", required)
}

#[cfg(test)]
mod tests {
    use super::Caller;
    use crate::auth::Needs;
    use mainstay_core::{Capabilities, Capability, TenantId, Text};

    #[test]
    fn a_caller_may_what_its_capabilities_say_and_a_tenants_never_what_is_the_systems() {
        let mut caller = Caller::administrator(Text::from("k"));
        let system = Needs::System(Capability::Admin);
        for needs in [Needs::READ, Needs::Key, Needs::Metrics, system] {
            assert!(caller.check(needs).is_ok(), "{needs:?}");
        }
        caller.tenant = Some(TenantId::DEFAULT);
        assert!(caller.check(Needs::ADMIN).is_ok());
        for needs in [Needs::Metrics, system] {
            let refused = caller.check(needs).expect_err("refused");
            assert_eq!((refused.code(), refused.status()), ("forbidden", 403));
        }
        caller.may = Capabilities::of(&[Capability::Read]);
        assert!(caller.check(Needs::READ).is_ok());
        assert!(caller.check(Needs::Key).is_ok());
        let refused = caller.check(Needs::EXECUTE).expect_err("refused");
        let body = String::from_utf8(refused.body()).expect("text");
        assert!(
            body.contains(r#""details":{"required":"can_execute"}"#),
            "{body}"
        );
    }
}
