//! The certificate that connections are encrypted with: read from files, checked before it is used, and read again when the files change.

use std::fmt;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};
use rustls::server::ResolvesServerCert;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{InconsistentKeys, ServerConfig};
use tokio::task::spawn_blocking;
use tokio_rustls::TlsAcceptor;

/// How often the files are looked at, at most; nobody looks while nobody connects.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
/// Bytes of a file: beyond them it is not what was meant.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Why a certificate cannot be used: the file, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsError {
    /// The file.
    pub file: PathBuf,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file.display(), self.what)
    }
}

impl std::error::Error for TlsError {}

/// What tells a changed file from the same one: its inode, its length, and when it was changed.
type Stamp = [(u64, u64, i64, i64); 2];

struct State {
    acceptor: TlsAcceptor,
    stamp: Stamp,
    looked: Instant,
}

/// A certificate with its key, as TLS 1.2 and 1.3 servers use it, for HTTP/1.1 alone. Clones are the same certificate.
///
/// The files are looked at again when somebody connects, at most every 10 s. New contents are used from then on when they can be;
/// else those that were good stay, and the log says why.
#[derive(Clone)]
pub struct Tls(Arc<Inner>);

struct Inner {
    certificate: PathBuf,
    key: PathBuf,
    look_again: Duration,
    state: Mutex<State>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("certificate", &self.0.certificate)
            .field("key", &self.0.key)
            .finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads a certificate with those it was signed by, and its key, both PEM.
    ///
    /// # Errors
    /// When a file cannot be read or does not hold what it should, or the key is another certificate's.
    pub fn open(certificate: &Path, key: &Path) -> Result<Tls, TlsError> {
        Tls::looking(certificate, key, LOOK_AGAIN)
    }

    /// The same, with another time between two looks at the files.
    ///
    /// # Errors
    /// As [`Tls::open`].
    pub fn looking(certificate: &Path, key: &Path, look_again: Duration) -> Result<Tls, TlsError> {
        let (acceptor, stamp) = load(certificate, key)?;
        Ok(Tls(Arc::new(Inner {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            look_again,
            state: Mutex::new(State {
                acceptor,
                stamp,
                looked: Instant::now(),
            }),
        })))
    }

    /// What accepts connections now.
    pub(super) async fn acceptor(&self) -> TlsAcceptor {
        {
            let mut state = self.state();
            if state.looked.elapsed() < self.0.look_again {
                return state.acceptor.clone();
            }
            // Whoever comes meanwhile gets what there is.
            state.looked = Instant::now();
        }
        let this = self.clone();
        // The disk may be slow; only this connection waits for it.
        let _ = spawn_blocking(move || this.look()).await;
        self.state().acceptor.clone()
    }

    fn look(&self) {
        let (certificate, key) = (&self.0.certificate, &self.0.key);
        let now = stamp(certificate, key);
        if now.as_ref().is_ok_and(|now| *now == self.state().stamp) {
            return;
        }
        match now.and_then(|_| load(certificate, key)) {
            Ok((acceptor, stamp)) => {
                let mut state = self.state();
                state.acceptor = acceptor;
                state.stamp = stamp;
                drop(state);
                tracing::info!(file = %certificate.display(), "the certificate was read again");
            }
            // The two files change one after the other: what does not fit now may fit at the next look.
            Err(error) => tracing::warn!(%error, "the certificate in use stays"),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds this lock.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn load(certificate: &Path, key: &Path) -> Result<(TlsAcceptor, Stamp), TlsError> {
    // Before the contents: what is changed meanwhile is seen at the next look.
    let stamp = stamp(certificate, key)?;
    let of = |file: &Path, what: &str| TlsError {
        file: file.to_owned(),
        what: what.to_owned(),
    };
    let chain = read(certificate)?;
    let chain: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(&chain).collect();
    let chain = chain.map_err(|error| of(certificate, &format!("is not PEM: {error}")))?;
    if chain.is_empty() {
        return Err(of(certificate, "holds no certificate (BEGIN CERTIFICATE)"));
    }
    let secret = read(key)?;
    if secret
        .windows(19)
        .any(|word| word == b"ENCRYPTED PRIVATE K")
    {
        return Err(of(
            key,
            "is encrypted; nobody is there to give its passphrase",
        ));
    }
    let secret = PrivateKeyDer::from_pem_slice(&secret).map_err(|error| match error {
        pem::Error::NoItemsFound => of(key, "holds no private key (BEGIN PRIVATE KEY)"),
        error => of(key, &format!("is not PEM: {error}")),
    })?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let secret = provider.key_provider.load_private_key(secret);
    let secret = secret.map_err(|_| of(key, "is not a key of RSA, ECDSA or Ed25519"))?;
    let pair = CertifiedKey::new(chain, secret);
    match pair.keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => {}
        Err(rustls::Error::InconsistentKeys(_)) => {
            let what = format!(
                "is not the key of the certificate in {}",
                certificate.display()
            );
            return Err(of(key, &what));
        }
        Err(error) => return Err(of(certificate, &format!("is not a certificate: {error}"))),
    }
    let resolver: Arc<dyn ResolvesServerCert> = Arc::new(SingleCertAndKey::from(pair));
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| of(certificate, &error.to_string()))?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((TlsAcceptor::from(Arc::new(config)), stamp))
}

fn read(file: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(file).map_err(|error| unreadable(file, &error))
}

fn stamp(certificate: &Path, key: &Path) -> Result<Stamp, TlsError> {
    let of = |file: &Path| {
        let told: Metadata = std::fs::metadata(file).map_err(|error| unreadable(file, &error))?;
        if !told.is_file() || told.len() > FILE_BYTES_MAX {
            return Err(TlsError {
                file: file.to_owned(),
                what: "is not a file of at most 1 MiB".into(),
            });
        }
        Ok((told.ino(), told.len(), told.mtime(), told.mtime_nsec()))
    };
    Ok([of(certificate)?, of(key)?])
}

fn unreadable(file: &Path, error: &io::Error) -> TlsError {
    TlsError {
        file: file.to_owned(),
        what: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::Tls;
    use std::path::{Path, PathBuf};

    fn data(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/data")
            .join(name)
    }

    #[test]
    fn what_is_wrong_is_told_with_the_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let made = |name: &str, text: &str| {
            let path = directory.path().join(name);
            std::fs::write(&path, text).expect("written");
            path
        };
        let (good, key) = (data("tls-first.pem"), data("tls-first.key"));
        assert!(Tls::open(&good, &key).is_ok());
        let absent = directory.path().join("absent");
        let empty = made("empty", "");
        let broken = made(
            "broken",
            "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
        );
        let nonsense = made(
            "nonsense",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        );
        let sealed = made(
            "sealed",
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
        );
        for (certificate, secret, wrong, part) in [
            (&absent, &key, &absent, "No such file"),
            (&good, &absent, &absent, "No such file"),
            (
                &good,
                &directory.path().to_owned(),
                &directory.path().to_owned(),
                "not a file",
            ),
            (&empty, &key, &empty, "no certificate"),
            (&key, &key, &key, "no certificate"),
            (&broken, &key, &broken, "not PEM"),
            (&nonsense, &key, &nonsense, "not a certificate"),
            (&good, &good, &good, "no private key"),
            (&good, &sealed, &sealed, "encrypted"),
            (
                &good,
                &data("tls-second.key"),
                &data("tls-second.key"),
                "not the key of the certificate in",
            ),
        ] {
            let error = Tls::open(certificate, secret).expect_err(part);
            assert_eq!(&error.file, wrong, "{error}");
            assert!(error.to_string().contains(part), "{error}");
        }
    }
}
