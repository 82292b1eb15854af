//! The server's limits and switches, each with its default.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use mainstay_core::limits::{PAYLOAD_BYTES_DEFAULT, PAYLOAD_BYTES_MAX};

use crate::auth::Issuer;
use crate::connection::Tls;
use crate::traces::Otel;
use crate::webhooks::WebhookRules;

/// How a server listens and what it bears with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen. Default `127.0.0.1:7420`.
    pub listen: SocketAddr,
    /// The certificate when connections are encrypted. Default none.
    pub tls: Option<Tls>,
    /// Whether `/metrics` answers without a key. Default `false`.
    pub open_metrics: bool,
    /// Connections at once; one more is answered `busy` and closed. Default 10,000.
    pub connections_max: usize,
    /// Connections at once from one address. Default none.
    pub connections_per_ip_max: Option<usize>,
    /// From a request's first byte to the end of its head. Default 10 s.
    pub header_time_max: Duration,
    /// From the connection to its first byte. Default 10 s.
    pub first_byte_time_max: Duration,
    /// How long a connection may idle between requests. Default 60 s.
    pub idle_time_max: Duration,
    /// How long a peer may refuse to read while an answer waits for it. Default 30 s.
    pub write_stall_max: Duration,
    /// How long a body may pause. Default 10 s.
    pub body_pause_max: Duration,
    /// How long a body may take besides what `body_rate_min` grants it. Default 20 s.
    pub body_grace: Duration,
    /// Bytes per second that a long body must bring on average. Default 64 KiB.
    pub body_rate_min: usize,
    /// Bytes of request bodies held by all requests together; beyond them requests are answered `busy`. Default 1 GiB.
    pub bodies_bytes_max: usize,
    /// Bytes of a payload or an output. Default 1 MiB; the machine's own bound is 16 MiB.
    pub payload_bytes_max: usize,
    /// Header fields of a request. Default 64.
    pub headers_max: usize,
    /// Bytes of a request's head. Default 16 KiB.
    pub head_bytes_max: usize,
    /// Bytes of a request's target. Default 8 KiB.
    pub uri_bytes_max: usize,
    /// The server's own directory where backups are made before they are sent; what is left in it is removed at start. Default none:
    /// then there are no backups over the API.
    pub outgoing: Option<PathBuf>,
    /// Requests without a valid key a minute, from one address or with one key's name; beyond them they are answered `rate_limited`.
    /// Good keys are never held up. Default 300; 0 for no bound.
    pub auth_failures_per_minute_max: u32,
    /// Whose tokens are accepted where a key is. Default none.
    pub issuers: Vec<Issuer>,
    /// Where traces are sent. Default nowhere.
    pub otel: Option<Otel>,
    /// What webhooks are allowed. Default: the public internet over `https`, and secrets that end with the process.
    pub webhooks: WebhookRules,
    /// How long requests may take to finish once the server is told to end. Default 5 s.
    pub drain_time_max: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7420)),
            tls: None,
            open_metrics: false,
            connections_max: 10_000,
            connections_per_ip_max: None,
            header_time_max: Duration::from_secs(10),
            first_byte_time_max: Duration::from_secs(10),
            idle_time_max: Duration::from_secs(60),
            write_stall_max: Duration::from_secs(30),
            body_pause_max: Duration::from_secs(10),
            body_grace: Duration::from_secs(20),
            body_rate_min: 64 << 10,
            bodies_bytes_max: 1 << 30,
            payload_bytes_max: PAYLOAD_BYTES_DEFAULT,
            headers_max: 64,
            head_bytes_max: 16 << 10,
            uri_bytes_max: 8 << 10,
            outgoing: None,
            auth_failures_per_minute_max: 300,
            issuers: Vec::new(),
            otel: None,
            webhooks: WebhookRules::default(),
            drain_time_max: Duration::from_secs(5),
        }
    }
}

impl Config {
    /// The payload bound in force.
    pub(crate) fn payload_max(&self) -> usize {
        self.payload_bytes_max.min(PAYLOAD_BYTES_MAX)
    }

    /// The bound of a body that carries one payload, given its bound for payloads of the default size.
    pub(crate) fn scaled(&self, limit: usize) -> usize {
        limit * self.payload_max().div_ceil(PAYLOAD_BYTES_DEFAULT).max(1)
    }
}
