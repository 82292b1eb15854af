//! The typed calls about keys, roles, what actors are given, and tenants.

use hyper::Method;

use crate::calls::reason_body;
use crate::client::segment;
use crate::retry::Repeat;
use crate::wire::{
    CapabilityGrant, Granted, Key, KeyList, KeyRevoked, MadeKey, NewKey, NewTenant, Role,
    RoleGrant, RoleList, RoleSettings, StatusBody, Tenant, TenantList, TenantSettings,
};
use crate::{Client, Error, Page};

/// Access.
impl Client {
    /// Makes a key. It is shown in this answer and never again.
    ///
    /// # Errors
    /// See [`Error`]; `forbidden` when the role holds more than the caller has.
    pub async fn create_key(&self, key: &NewKey<'_>) -> Result<MadeKey, Error> {
        self.post("/api/v1/keys".into(), key, Repeat::UnlessUncertain)
            .await
    }

    /// One page of keys, by id.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn keys(&self, page: &Page) -> Result<KeyList, Error> {
        let mut path = String::from("/api/v1/keys?");
        let number = |given: Option<u32>| given.map(|number| number.to_string());
        for (name, value) in [
            ("limit", &number(page.limit)),
            ("offset", &number(page.offset)),
            ("cursor", &page.cursor),
        ] {
            if let Some(value) = value {
                path += &format!("{name}={}&", segment(value));
            }
        }
        path.pop();
        self.get(path).await
    }

    /// One key.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn key(&self, key_id: &str) -> Result<Key, Error> {
        self.get(format!("/api/v1/keys/{}", segment(key_id))).await
    }

    /// Ends a key, at once.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn revoke_key(
        &self,
        key_id: &str,
        reason: Option<&str>,
    ) -> Result<KeyRevoked, Error> {
        let path = format!("/api/v1/keys/{}", segment(key_id));
        self.send(Method::DELETE, path, &reason_body(reason)).await
    }

    /// The roles that every tenant has, and the tenant's own.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn roles(&self) -> Result<RoleList, Error> {
        self.get("/api/v1/roles".into()).await
    }

    /// Says what a role of the tenant's own holds.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn put_role(&self, name: &str, role: &RoleSettings<'_>) -> Result<Role, Error> {
        let path = format!("/api/v1/roles/{}", segment(name));
        self.send(Method::PUT, path, role).await
    }

    /// Removes a role that nobody has.
    ///
    /// # Errors
    /// See [`Error`]; `role_in_use` while a key or an actor has it.
    pub async fn remove_role(&self, name: &str, reason: Option<&str>) -> Result<StatusBody, Error> {
        let path = format!("/api/v1/roles/{}", segment(name));
        self.send(Method::DELETE, path, &reason_body(reason)).await
    }

    /// Gives an actor a role, or takes it away.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn set_actor_role(
        &self,
        actor_id: &str,
        grant: &RoleGrant<'_>,
        has: bool,
    ) -> Result<Granted, Error> {
        let path = format!("/api/v1/actors/{}/roles", segment(actor_id));
        self.send(method_of(has), path, grant).await
    }

    /// Gives an actor one capability, or takes it away.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn set_actor_capability(
        &self,
        actor_id: &str,
        grant: &CapabilityGrant<'_>,
        has: bool,
    ) -> Result<Granted, Error> {
        let path = format!("/api/v1/actors/{}/capabilities", segment(actor_id));
        self.send(method_of(has), path, grant).await
    }

    /// Adds a tenant.
    ///
    /// # Errors
    /// See [`Error`]; `tenant_already_exists`.
    pub async fn create_tenant(&self, tenant: &NewTenant<'_>) -> Result<Tenant, Error> {
        self.post("/api/v1/tenants".into(), tenant, Repeat::UnlessUncertain)
            .await
    }

    /// Every tenant.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn tenants(&self) -> Result<TenantList, Error> {
        self.get("/api/v1/tenants".into()).await
    }

    /// Sets a tenant's share of grants.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn set_tenant(
        &self,
        tenant_id: &str,
        settings: &TenantSettings<'_>,
    ) -> Result<Tenant, Error> {
        let path = format!("/api/v1/tenants/{}", segment(tenant_id));
        self.send(Method::PUT, path, settings).await
    }
}

fn method_of(has: bool) -> Method {
    if has { Method::POST } else { Method::DELETE }
}
