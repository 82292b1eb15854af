//! Where spans go, and which: what the operator has set, checked.

use std::path::PathBuf;

use hyper::header::{HeaderName, HeaderValue};

use super::context::Sampling;
use crate::outgoing::Target;

/// Spans that wait at once, unless set otherwise.
const QUEUE_SPANS_DEFAULT: usize = 16_384;
/// The path of the protocol, below the endpoint.
const PATH: &str = "/v1/traces";

/// How traces leave the server: over OTLP/HTTP to one collector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Otel {
    pub(super) endpoint: Target,
    /// Their values may be secrets: they are marked so that nothing shows them.
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) service: String,
    pub(super) sampling: Sampling,
    pub(super) queue_spans: usize,
    pub(super) cursor: Option<PathBuf>,
    pub(super) roots_pem: Option<Vec<u8>>,
}

impl Otel {
    /// Sends to this collector: `http://host:4318` or the whole address that ends in `/v1/traces`.
    ///
    /// # Errors
    /// What is wrong with the address.
    pub fn new(endpoint: &str) -> Result<Otel, String> {
        let base = endpoint.trim_end_matches('/');
        let whole = if base.ends_with(PATH) {
            base.to_owned()
        } else {
            format!("{base}{PATH}")
        };
        Ok(Otel {
            endpoint: Target::parse(&whole).map_err(|what| what.to_string())?,
            headers: Vec::new(),
            service: "mainstay".to_owned(),
            sampling: Sampling::of(1.0),
            queue_spans: QUEUE_SPANS_DEFAULT,
            cursor: None,
            roots_pem: None,
        })
    }

    /// Sends this header field too, such as `authorization`.
    ///
    /// # Errors
    /// What is wrong with it; its value is not told.
    pub fn header(mut self, name: &str, value: &str) -> Result<Otel, String> {
        let name: HeaderName = name
            .parse()
            .map_err(|_| format!("{name:?} is no name of a header field"))?;
        let mut value: HeaderValue = value
            .parse()
            .map_err(|_| format!("the value of {name} is none of a header field"))?;
        value.set_sensitive(true);
        self.headers.push((name, value));
        Ok(self)
    }

    /// The name that the spans' resource carries as `service.name`. Default `mainstay`.
    #[must_use]
    pub fn service_name(mut self, name: &str) -> Otel {
        name.clone_into(&mut self.service);
        self
    }

    /// The share of traces that is kept, 0.0 to 1.0, by trace id. Default 1.0.
    #[must_use]
    pub fn sample(mut self, ratio: f64) -> Otel {
        self.sampling = Sampling::of(ratio);
        self
    }

    /// Spans that wait for the collector at most; further ones are dropped and counted. Default 16,384.
    #[must_use]
    pub fn queue_spans(mut self, spans: usize) -> Otel {
        self.queue_spans = spans.max(1);
        self
    }

    /// Root certificates in PEM that the collector's is checked against, instead of the system's.
    #[must_use]
    pub fn roots_pem(mut self, pem: Vec<u8>) -> Otel {
        self.roots_pem = Some(pem);
        self
    }

    /// The file that remembers up to which event spans were sent, so that a start goes on there. Default none: a start begins with
    /// what happens after it.
    #[must_use]
    pub fn cursor(mut self, path: PathBuf) -> Otel {
        self.cursor = Some(path);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::Otel;

    #[test]
    fn an_endpoint_is_a_collectors_address_with_or_without_the_path() {
        for given in [
            "http://127.0.0.1:4318",
            "http://127.0.0.1:4318/",
            "http://127.0.0.1:4318/v1/traces",
        ] {
            assert!(Otel::new(given).is_ok(), "{given}");
        }
        for given in ["", "127.0.0.1:4318", "ftp://a", "http://u:p@a"] {
            assert!(Otel::new(given).is_err(), "{given}");
        }
    }

    #[test]
    fn header_values_are_shown_by_nothing() {
        let otel = Otel::new("http://127.0.0.1:4318").expect("an address");
        let otel = otel.header("authorization", "Bearer s3cret").expect("set");
        assert!(!format!("{otel:?}").contains("s3cret"));
        let refused = otel.header("x-token", "s3cret\n").expect_err("refused");
        assert!(!refused.contains("s3cret"), "{refused}");
    }
}
