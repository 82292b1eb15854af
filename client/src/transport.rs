//! One HTTP exchange: sends a request, reads the whole answer, tells certain failures from uncertain ones.

use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request, Response, Uri};
use hyper_util::client::legacy::Client as Legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::connect::Connector;
use crate::{Error, Refusal};

/// Bytes of the largest answer that is read.
const ANSWER_BYTES_MAX: usize = 128 << 20;
/// Which log a cursor or an answer is of.
const LOG: &str = "mainstay-log";

/// The pooled connections to one server.
#[derive(Clone, Debug)]
pub(crate) struct Transport {
    pool: Legacy<Connector, Full<Bytes>>,
    base: String,
    key: Option<HeaderValue>,
}

/// What to send.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) body: Option<Bytes>,
    /// The log that the request's cursor is of.
    pub(crate) log: Option<HeaderValue>,
    pub(crate) timeout: Duration,
}

/// A successful answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) body: Bytes,
    /// The log that it reflects.
    pub(crate) log: Option<HeaderValue>,
}

/// A successful answer that is read in pieces.
#[derive(Debug)]
pub(crate) struct Download {
    body: Incoming,
    length: u64,
    sequence: Option<u64>,
    timeout: Duration,
    base: String,
}

impl Download {
    /// Bytes of all pieces together.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The log position that it reflects.
    pub(crate) fn sequence(&self) -> Option<u64> {
        self.sequence
    }

    /// The next piece; `None` after the last.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let broken = |what: String| Error::Transport {
            message: format!("the answer of {} broke off: {what}", self.base),
            definite: false,
        };
        loop {
            let frame = tokio::time::timeout(self.timeout, self.body.frame()).await;
            match frame {
                Ok(None) => return Ok(None),
                Ok(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
                Ok(Some(Err(error))) => return Err(broken(error.to_string())),
                Err(_) => return Err(broken("nothing came".into())),
            }
        }
    }
}

impl Transport {
    /// Prepares connections to `url`, which is `http://host:port` or `https://host:port`, with the PEM text of the roots to trust instead of
    /// the system's.
    pub(crate) fn new(
        url: &str,
        key: Option<&str>,
        roots_pem: Option<&[u8]>,
    ) -> Result<Transport, Error> {
        let base = url.trim().trim_end_matches('/').to_owned();
        let uri: Uri = base
            .parse()
            .map_err(|error| Error::Setup(format!("server address {url:?}: {error}")))?;
        let is_secure = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => {
                return Err(Error::Setup(format!(
                    "server address {url:?}: expected http://HOST:PORT or https://HOST:PORT"
                )));
            }
        };
        if uri.path() != "/" || uri.query().is_some() {
            return Err(Error::Setup(format!(
                "server address {url:?}: expected no path after HOST:PORT"
            )));
        }
        let key = key
            .map(str::trim)
            .filter(|key| !key.is_empty())
            .map(bearer)
            .transpose()?;
        let connector = if is_secure {
            Connector::secure(roots_pem)?
        } else {
            Connector::plain()
        };
        let pool = Legacy::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .build(connector);
        Ok(Transport { pool, base, key })
    }

    /// Where the server is.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Sends once and reads the answer.
    pub(crate) async fn send(&self, ask: &Ask) -> Result<Reply, Error> {
        let request = self.request(ask)?;
        match tokio::time::timeout(ask.timeout, self.exchange(request)).await {
            Ok(result) => result,
            Err(_) => Err(Error::Transport {
                message: format!(
                    "no answer from {} within {} s",
                    self.base,
                    ask.timeout.as_secs()
                ),
                definite: false,
            }),
        }
    }

    fn request(&self, ask: &Ask) -> Result<Request<Full<Bytes>>, Error> {
        let mut request = Request::builder()
            .method(ask.method.clone())
            .uri(format!("{}{}", self.base, ask.path));
        if let Some(key) = &self.key {
            request = request.header(AUTHORIZATION, key);
        }
        if let Some(log) = &ask.log {
            request = request.header(LOG, log);
        }
        if ask.body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        request
            .body(Full::new(ask.body.clone().unwrap_or_default()))
            .map_err(|error| Error::Setup(format!("{} {}: {error}", ask.method, ask.path)))
    }

    /// Sends once and reads the head of an answer. However long the server makes it, what is made arrives steadily: each piece has
    /// the ask's time.
    pub(crate) async fn open(&self, ask: &Ask) -> Result<Download, Error> {
        let response = self.request_head(self.request(ask)?).await?;
        if !response.status().is_success() {
            return Err(match self.read(response).await {
                Ok(_) => Error::Answer("a refusal that is none".into()),
                Err(error) => error,
            });
        }
        let sequence = response
            .headers()
            .get("mainstay-sequence")
            .and_then(|value| value.to_str().ok()?.parse().ok());
        let body = response.into_body();
        Ok(Download {
            length: body.size_hint().lower(),
            body,
            sequence,
            timeout: ask.timeout,
            base: self.base.clone(),
        })
    }

    async fn request_head(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, Error> {
        let response = self.pool.request(request).await;
        response.map_err(|error| Error::Transport {
            message: format!("{} is not reachable: {}", self.base, deepest(&error)),
            definite: error.is_connect(),
        })
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Reply, Error> {
        let response = self.request_head(request).await?;
        self.read(response).await
    }

    async fn read(&self, response: Response<Incoming>) -> Result<Reply, Error> {
        let status = response.status();
        let retry_after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let retry_after = retry_after.map(Duration::from_secs);
        let log = response.headers().get(LOG).cloned();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX)
            .collect()
            .await;
        let body = body.map_err(|error| Error::Transport {
            message: format!("the answer of {} broke off: {error}", self.base),
            definite: false,
        })?;
        let body = body.to_bytes();
        if status.is_success() {
            return Ok(Reply { body, log });
        }
        Err(Error::Refused(Box::new(Refusal::read(
            status.as_u16(),
            retry_after,
            &body,
        ))))
    }
}

fn bearer(key: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::try_from(format!("Bearer {key}"))
        .map_err(|_| Error::Setup("the API key has characters that no key has".into()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The innermost cause says what happened; the outer layers only say where.
fn deepest(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setup(url: &str) -> String {
        match Transport::new(url, None, None) {
            Ok(transport) => transport.base().to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn only_addresses_of_http_servers_are_accepted() {
        assert_eq!(setup("http://127.0.0.1:7420/"), "http://127.0.0.1:7420");
        assert_eq!(setup("https://example.org"), "https://example.org");
        assert!(setup("localhost:7420").contains("expected http://"));
        assert!(setup("ftp://localhost").contains("expected http://"));
        assert!(setup("http://localhost:7420/api").contains("no path"));
    }

    #[test]
    fn a_key_with_control_characters_is_refused_before_anything_is_sent() {
        assert!(Transport::new("http://localhost:1", Some("a\nb"), None).is_err());
    }

    #[test]
    fn roots_that_are_none_are_refused_and_only_looked_at_for_https() {
        let roots = |url: &str, pem: &[u8]| Transport::new(url, None, Some(pem)).map(drop);
        assert!(roots("http://localhost:1", b"").is_ok());
        for pem in [
            &b""[..],
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ] {
            let error = roots("https://localhost:1", pem).expect_err("refused");
            assert!(error.to_string().contains("root certificates"), "{error}");
        }
    }
}
