//! The HTTP server of Mainstay: the API of one engine over HTTP/1.1. It holds no rules about tasks; those are the machine's.
//!
//! ```no_run
//! # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
//! let directory = std::path::Path::new("mainstay-data");
//! let engine = mainstay::Engine::open(directory)?;
//! let (key, created) = mainstay_server::AdminKey::open_or_create(directory)?;
//! if created {
//!     eprintln!("admin key: {}", key.reveal());
//! }
//! let server = mainstay_server::Server::bind(mainstay_server::Config::default(), engine.handle(), key)?;
//! server.run(std::future::pending()).await;
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod api;
mod archive;
mod auth;
mod config;
mod connection;
mod edge;
mod journal;
mod json;
mod key;
mod metrics;
mod openapi;
mod outgoing;
mod server;
mod traces;
mod webhooks;

pub use auth::{Issuer, IssuerTenant, TokenAlgorithm};
pub use config::Config;
pub use connection::{Tls, TlsError};
pub use key::AdminKey;
pub use server::{Ended, Server};
pub use traces::Otel;
pub use webhooks::WebhookRules;
