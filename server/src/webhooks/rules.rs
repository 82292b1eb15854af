//! Where webhooks may lead: what the operator's configuration says.

use std::path::PathBuf;

use crate::outgoing::{Network, OutgoingError, Reach, Roots, SystemWay, Target, Way};

/// What the operator allows webhooks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookRules {
    /// The data directory, for the root key of signing secrets (`webhook.key`, made at first need). Default none: then secrets end with
    /// the process.
    pub directory: Option<PathBuf>,
    /// Networks besides the public internet that webhooks may lead to, such as `10.0.0.0/8`. Default none.
    pub allow_networks: Vec<String>,
    /// Whether webhooks may lead to `http://` too. Default `false`.
    pub allow_http: bool,
    /// Root certificates in PEM instead of the system's.
    pub ca_file: Option<PathBuf>,
}

impl WebhookRules {
    /// Whether every network is one; the error begins with the configuration's key.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self) -> Result<(), String> {
        self.networks().map(drop)
    }

    fn networks(&self) -> Result<Vec<Network>, String> {
        let networks = self.allow_networks.iter().map(|text| {
            let read = text.parse();
            read.map_err(|what| format!("webhooks.allow_networks: {text}: {what}"))
        });
        networks.collect()
    }
}

/// The same, read.
pub(crate) struct Rules {
    pub(super) reach: Reach,
    allow_http: bool,
    ca_file: Option<PathBuf>,
}

impl Rules {
    /// Reads the networks.
    ///
    /// # Errors
    /// When one is none.
    pub(crate) fn read(rules: &WebhookRules) -> std::io::Result<Rules> {
        let networks = rules.networks().map_err(std::io::Error::other)?;
        Ok(Rules {
            reach: if networks.is_empty() {
                Reach::Public
            } else {
                Reach::PublicAnd(networks)
            },
            allow_http: rules.allow_http,
            ca_file: rules.ca_file.clone(),
        })
    }

    /// Whom TLS connections trust. Blocks: it reads a file.
    pub(super) fn roots(&self) -> std::io::Result<Roots> {
        Ok(match &self.ca_file {
            None => Roots::System,
            Some(path) => Roots::Pem(std::fs::read(path)?),
        })
    }

    /// Judges a URL by its spelling alone; where a name leads is judged at each connection.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub(crate) fn check(&self, url: &str) -> Result<Target, String> {
        let target = Target::parse(url).map_err(|error| error.to_string())?;
        if !target.is_secure() && !self.allow_http {
            return Err("must begin with https://".to_owned());
        }
        let told = |error: OutgoingError| error.to_string();
        self.reach.check_port(target.port()).map_err(told)?;
        if let Some(address) = target.address() {
            let way = SystemWay::new();
            self.reach
                .check(address, |own| way.is_own(own))
                .map_err(told)?;
        }
        Ok(target)
    }
}
