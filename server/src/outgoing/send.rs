//! One request and what came back.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST, HeaderName, HeaderValue, USER_AGENT};
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::error::OutgoingError;
use super::reach::{Reach, unwrapped};
use super::target::{Host, Target};
use super::tls::{Roots, client};
use super::way::{SystemWay, Way};

/// Addresses of one name that are tried, in the resolver's order. All are checked.
const TRIED_MAX: usize = 4;
/// Header fields of an answer.
const ANSWER_HEADERS_MAX: usize = 64;
/// Bytes of an answer's head, and of what is read ahead of its body.
const ANSWER_BUFFER_BYTES: usize = 32 << 10;

/// Sends requests to other servers: no redirect is followed, no proxy asked, no cookie kept, nothing decompressed, and every request
/// has a connection of its own that ends with it. Clones share the certificates and the resolver.
#[derive(Clone)]
pub(crate) struct Outgoing {
    tls: Arc<ClientConfig>,
    way: Arc<dyn Way>,
}

/// One request.
pub(crate) struct Ask<'a> {
    /// The method.
    pub(crate) method: Method,
    /// Where to.
    pub(crate) url: &'a Target,
    /// Header fields besides `host`, `connection`, `content-length` and, unless it is among them, `user-agent`.
    pub(crate) headers: &'a [(HeaderName, HeaderValue)],
    /// The body.
    pub(crate) body: Bytes,
    /// For everything: from the name's lookup to the last byte that is read.
    pub(crate) deadline: Duration,
    /// For the lookup, the connection and its TLS.
    pub(crate) connect: Duration,
    /// Bytes of the answer's body that are read at most; with 0 the answer is its head.
    pub(crate) answer_bytes_max: usize,
    /// Where it may go. Checked for every address of the name, before each connection.
    pub(crate) reach: &'a Reach,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status, whatever it is.
    pub(crate) status: StatusCode,
    /// The header fields.
    pub(crate) headers: HeaderMap,
    /// The body's first bytes.
    pub(crate) body: Bytes,
    /// Whether the body went on beyond the bound.
    pub(crate) cut: bool,
}

impl Outgoing {
    /// With the system's resolver.
    ///
    /// # Errors
    /// [`OutgoingError::Roots`] when there is no root certificate or one cannot be read.
    pub(crate) fn new(roots: Roots) -> Result<Outgoing, OutgoingError> {
        Outgoing::over(roots, Arc::new(SystemWay::new()))
    }

    /// With this way out.
    ///
    /// # Errors
    /// As [`Outgoing::new`].
    pub(crate) fn over(roots: Roots, way: Arc<dyn Way>) -> Result<Outgoing, OutgoingError> {
        Ok(Outgoing {
            tls: client(roots)?,
            way,
        })
    }

    /// Sends one request and reads the answer up to its bound.
    ///
    /// # Errors
    /// See [`OutgoingError`]. An answer of whatever status is none.
    pub(crate) async fn send(&self, ask: Ask<'_>) -> Result<Answer, OutgoingError> {
        timeout(ask.deadline, self.exchange(ask))
            .await
            .unwrap_or(Err(OutgoingError::Timeout))
    }

    async fn exchange(&self, ask: Ask<'_>) -> Result<Answer, OutgoingError> {
        ask.reach.check_port(ask.url.port())?;
        let mut driver = JoinSet::new();
        let answer = timeout(ask.connect, self.open(&ask))
            .await
            .map_err(|_| OutgoingError::Connect)??;
        let request = request_of(&ask)?;
        let response = match answer {
            Opened::Plain(stream) => speak(&mut driver, stream, request).await,
            Opened::Secure(stream) => speak(&mut driver, *stream, request).await,
        }?;
        let (head, body) = response.into_parts();
        let (body, cut) = read(body, ask.answer_bytes_max).await?;
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body,
            cut,
        })
    }

    /// Looks the name up once, checks every address, and connects to one of exactly those.
    async fn open(&self, ask: &Ask<'_>) -> Result<Opened, OutgoingError> {
        let port = ask.url.port();
        let found = match ask.url.host() {
            Host::Address(address) => vec![SocketAddr::new(*address, port)],
            Host::Name(name) => self
                .way
                .resolve(name, port)
                .await
                .map_err(|_| OutgoingError::Resolve)?,
        };
        if found.is_empty() {
            return Err(OutgoingError::Resolve);
        }
        for address in &found {
            ask.reach.check(address.ip(), |own| self.way.is_own(own))?;
        }
        let mut stream = Err(OutgoingError::Connect);
        for address in found.iter().take(TRIED_MAX) {
            let address = SocketAddr::new(unwrapped(address.ip()), port);
            if let Ok(connected) = self.way.connect(address).await {
                stream = Ok(connected);
                break;
            }
        }
        let stream = stream?;
        let _ = stream.set_nodelay(true);
        if !ask.url.is_secure() {
            return Ok(Opened::Plain(stream));
        }
        let name = ask.url.server_name().ok_or(OutgoingError::Tls)?;
        TlsConnector::from(Arc::clone(&self.tls))
            .connect(name, stream)
            .await
            .map(|stream| Opened::Secure(Box::new(stream)))
            .map_err(|_| OutgoingError::Tls)
    }
}

enum Opened {
    Plain(TcpStream),
    Secure(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

fn request_of(ask: &Ask<'_>) -> Result<Request<Full<Bytes>>, OutgoingError> {
    let mut request = Request::new(Full::new(ask.body.clone()));
    *request.method_mut() = ask.method.clone();
    *request.uri_mut() = ask
        .url
        .path()
        .parse()
        .map_err(|_| OutgoingError::Protocol)?;
    let host = HeaderValue::try_from(ask.url.authority()).map_err(|_| OutgoingError::Protocol)?;
    let headers = request.headers_mut();
    headers.insert(
        USER_AGENT,
        HeaderValue::from_static(concat!("mainstay/", env!("CARGO_PKG_VERSION"))),
    );
    for (name, value) in ask.headers {
        headers.insert(name.clone(), value.clone());
    }
    headers.insert(HOST, host);
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    Ok(request)
}

/// The connection is driven until the set of drivers is dropped, which is when the request is over.
async fn speak<S>(
    driver: &mut JoinSet<()>,
    stream: S,
    request: Request<Full<Bytes>>,
) -> Result<Response<Incoming>, OutgoingError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::Builder::new()
        .max_headers(ANSWER_HEADERS_MAX)
        .max_buf_size(ANSWER_BUFFER_BYTES)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|_| OutgoingError::Protocol)?;
    driver.spawn(async move {
        let _ = connection.await;
    });
    sender
        .send_request(request)
        .await
        .map_err(|_| OutgoingError::Protocol)
}

async fn read(mut body: Incoming, most: usize) -> Result<(Bytes, bool), OutgoingError> {
    if most == 0 {
        return Ok((Bytes::new(), false));
    }
    let mut kept = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| OutgoingError::Protocol)?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        let room = most - kept.len();
        kept.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() > room {
            return Ok((kept.freeze(), true));
        }
    }
    Ok((kept.freeze(), false))
}
