//! Fetches an issuer's keys: where it says they are, or where the operator says.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::Method;
use hyper::header::{ACCEPT, HeaderName, HeaderValue};

use super::issuer::Issuer;
use super::keyset::KeySet;
use super::node::{Node, read};
use crate::outgoing::{Ask, Outgoing, Reach, Roots};

/// Bytes of an answer.
const ANSWER_BYTES_MAX: usize = 256 << 10;
/// One request, from the name's lookup to the last byte.
const DEADLINE: Duration = Duration::from_secs(10);
/// To the connection.
const CONNECT: Duration = Duration::from_secs(3);

/// Keys, or why there are none.
pub(super) type Fetched<'a> = Pin<Box<dyn Future<Output = Result<KeySet, String>> + Send + 'a>>;

/// Where keys come from.
pub(super) trait Source: Send + Sync {
    /// The keys as they are now.
    fn fetch(&self) -> Fetched<'_>;
}

/// The issuer's server.
pub(super) struct Published {
    issuer: Arc<Issuer>,
    outgoing: Outgoing,
    reach: Reach,
}

impl Published {
    pub(super) fn new(issuer: Arc<Issuer>) -> Result<Published, String> {
        let roots = match &issuer.roots_pem {
            Some(pem) => Roots::Pem(pem.clone()),
            None => Roots::System,
        };
        Ok(Published {
            outgoing: Outgoing::new(roots).map_err(|error| error.to_string())?,
            reach: issuer.reach()?,
            issuer,
        })
    }

    async fn read(&self, url: &str) -> Result<Bytes, String> {
        let target = self.issuer.target(url)?;
        let headers: [(HeaderName, HeaderValue); 1] =
            [(ACCEPT, HeaderValue::from_static("application/json"))];
        let ask = Ask {
            method: Method::GET,
            url: &target,
            headers: &headers,
            body: Bytes::new(),
            deadline: DEADLINE,
            connect: CONNECT,
            answer_bytes_max: ANSWER_BYTES_MAX,
            reach: &self.reach,
        };
        let answer = self.outgoing.send(ask).await;
        let answer = answer.map_err(|error| error.to_string())?;
        if !answer.status.is_success() {
            return Err(format!("status {}", answer.status.as_u16()));
        }
        if answer.cut {
            return Err("the answer is longer than 256 KiB".into());
        }
        Ok(answer.body)
    }

    /// Where the issuer says its keys are. It must be the one we mean (OpenID Connect Discovery §4.3).
    async fn discover(&self) -> Result<String, String> {
        let body = self.read(&self.issuer.discovery()).await?;
        let document = read(&body).ok_or("its description is not a JSON object")?;
        let text = |name: &str| document.0.get(name).and_then(Node::text);
        if text("issuer") != Some(&self.issuer.issuer) {
            return Err("its description is of another issuer".into());
        }
        let url = text("jwks_uri").ok_or("its description has no jwks_uri")?;
        Ok(url.to_owned())
    }
}

impl Source for Published {
    fn fetch(&self) -> Fetched<'_> {
        Box::pin(async {
            let url = match &self.issuer.jwks_url {
                Some(url) => url.clone(),
                None => self.discover().await?,
            };
            let body = self.read(&url).await?;
            Ok(KeySet::read(&body, &self.issuer.algorithms)?)
        })
    }
}
