//! Whom a TLS connection trusts.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::error::OutgoingError;

/// Where the root certificates come from.
#[derive(Clone)]
pub(crate) enum Roots {
    /// The system's.
    System,
    /// These, in PEM, and no others.
    Pem(Vec<u8>),
}

/// The configuration of all connections: TLS 1.2 and 1.3, HTTP/1.1, no client certificate.
pub(super) fn client(roots: Roots) -> Result<Arc<ClientConfig>, OutgoingError> {
    let mut store = RootCertStore::empty();
    match roots {
        Roots::System => {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        Roots::Pem(pem) => {
            for certificate in CertificateDer::pem_slice_iter(&pem) {
                let certificate = certificate.map_err(|_| OutgoingError::Roots)?;
                store.add(certificate).map_err(|_| OutgoingError::Roots)?;
            }
        }
    }
    if store.is_empty() {
        return Err(OutgoingError::Roots);
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| OutgoingError::Roots)?
        .with_root_certificates(store)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
