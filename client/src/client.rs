//! The client: where the server is, with which key, and how patiently calls are repeated while it is away.

use std::time::Duration;

use hyper::Method;
use hyper::body::Bytes;
use hyper::header::HeaderValue;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Error;
use crate::retry::{Repeat, Tries};
use crate::transport::{Ask, Download, Reply, Transport};

/// How long a call may take unless set otherwise.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long calls are repeated while the server is away unless set otherwise.
const PATIENCE: Duration = Duration::from_secs(10);

/// A client of one server. Cheap to clone; clones share their connections.
///
/// Calls that certainly had no effect (connection refused, `busy`, `not_ready`) are repeated with growing, jittered delays for as
/// long as the patience lasts. Calls whose effect is uncertain are repeated only where twice is the same as once.
///
/// ```no_run
/// use mainstay_client::{Client, wire::TaskSpec};
///
/// # async fn submit() -> Result<(), mainstay_client::Error> {
/// let client = Client::new("http://127.0.0.1:7420", Some("msk_..."))?;
/// let task = TaskSpec { kind: "mail.send".into(), ..TaskSpec::default() };
/// let answer = client.submit(&task).await?;
/// assert!(answer.created);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    transport: Transport,
    timeout: Duration,
    patience: Duration,
}

impl Client {
    /// A client of the server at `url` (`http://HOST:PORT` or `https://HOST:PORT`), with an API key or another bearer token for everything
    /// but health. A certificate must come from one of the system's roots.
    ///
    /// # Errors
    /// When the address is none of these, the key cannot be a key, or the system has no roots.
    pub fn new(url: &str, key: Option<&str>) -> Result<Client, Error> {
        Client::of(Transport::new(url, key, None)?)
    }

    /// The same for a server whose certificate comes from one of these roots, in PEM, and from no others. They are not looked at unless the
    /// address is `https://`.
    ///
    /// # Errors
    /// As [`Client::new`], and when there is no root in the text or one that cannot be read.
    pub fn with_roots(url: &str, key: Option<&str>, roots_pem: &[u8]) -> Result<Client, Error> {
        Client::of(Transport::new(url, key, Some(roots_pem))?)
    }

    fn of(transport: Transport) -> Result<Client, Error> {
        Ok(Client {
            transport,
            timeout: TIMEOUT,
            patience: PATIENCE,
        })
    }

    /// The same client with another time limit per try; waiting for work comes on top.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Client {
        Client {
            timeout,
            ..self.clone()
        }
    }

    /// The same client that repeats calls for this long while the server is away; zero for a single try.
    #[must_use]
    pub fn with_patience(&self, patience: Duration) -> Client {
        Client {
            patience,
            ..self.clone()
        }
    }

    /// Where the server is.
    #[must_use]
    pub fn url(&self) -> &str {
        self.transport.base()
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: String) -> Result<T, Error> {
        Ok(self.get_of_log(path, Duration::ZERO, None).await?.0)
    }

    /// A read that the server may hold back for `wait`, about a cursor of a log. Gives the answer and the log that it is of.
    pub(crate) async fn get_of_log<T: DeserializeOwned>(
        &self,
        path: String,
        wait: Duration,
        log: Option<HeaderValue>,
    ) -> Result<(T, Option<HeaderValue>), Error> {
        let ask = Ask {
            method: Method::GET,
            path,
            body: None,
            log,
            timeout: self.timeout.saturating_add(wait),
        };
        let reply = self.call(ask, Repeat::Safe).await?;
        Ok((read(&reply)?, reply.log))
    }

    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: String,
        body: &impl Serialize,
        repeat: Repeat,
    ) -> Result<T, Error> {
        self.post_waiting(path, body, repeat, Duration::ZERO).await
    }

    /// A call that puts something in the place of what was there, or changes it.
    pub(crate) async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: String,
        body: &impl Serialize,
    ) -> Result<T, Error> {
        let ask = Ask {
            method,
            path,
            body: Some(written(body)?),
            log: None,
            timeout: self.timeout,
        };
        read(&self.call(ask, Repeat::Safe).await?)
    }

    /// A call that the server may hold back for `wait`.
    pub(crate) async fn post_waiting<T: DeserializeOwned>(
        &self,
        path: String,
        body: &impl Serialize,
        repeat: Repeat,
        wait: Duration,
    ) -> Result<T, Error> {
        let ask = Ask {
            method: Method::POST,
            path,
            body: Some(written(body)?),
            log: None,
            timeout: self.timeout.saturating_add(wait),
        };
        read(&self.call(ask, repeat).await?)
    }

    /// Opens an answer that is read in pieces. A single try.
    pub(crate) async fn download(
        &self,
        path: String,
        body: &impl Serialize,
    ) -> Result<Download, Error> {
        let ask = Ask {
            method: Method::POST,
            path,
            body: Some(written(body)?),
            log: None,
            timeout: self.timeout,
        };
        self.transport.open(&ask).await
    }

    async fn call(&self, ask: Ask, repeat: Repeat) -> Result<Reply, Error> {
        let mut tries = Tries::new(repeat, self.patience);
        loop {
            match self.transport.send(&ask).await {
                Ok(reply) => return Ok(reply),
                Err(error) => match tries.after(&error) {
                    Some(delay) => tokio::time::sleep(delay).await,
                    None => return Err(error),
                },
            }
        }
    }
}

fn written(body: &impl Serialize) -> Result<Bytes, Error> {
    let bytes = serde_json::to_vec(body);
    bytes
        .map(Bytes::from)
        .map_err(|error| Error::Setup(format!("the request: {error}")))
}

fn read<T: DeserializeOwned>(reply: &Reply) -> Result<T, Error> {
    serde_json::from_slice(&reply.body).map_err(|error| Error::Answer(error.to_string()))
}

/// One segment of a path; whatever an id is not made of is escaped.
pub(crate) fn segment(id: &str) -> String {
    let mut escaped = String::with_capacity(id.len());
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') {
            escaped.push(byte as char);
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_cannot_leave_its_place_in_the_path() {
        assert_eq!(segment("0197-ab_C"), "0197-ab_C");
        assert_eq!(segment("../x?y#z"), "%2E%2E%2Fx%3Fy%23z");
    }
}
