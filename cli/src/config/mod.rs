//! The configuration file of `serve`, and the flags that overrule it.

mod file;
pub(crate) mod limits;
mod oidc;
mod otel;
mod settings;
mod webhooks;

pub(crate) use settings::Settings;
