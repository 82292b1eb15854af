//! Why a request to another server came to nothing, without a word of what the other side said.

use std::fmt;

/// Why nothing usable came back. No text of it names an address that was resolved or shows bytes that were received: who may see
/// the error may not be who may see those.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutgoingError {
    /// No root certificate could be read.
    Roots,
    /// The name has no address, or whoever knows did not answer.
    Resolve,
    /// An address of the name may not be reached.
    Address,
    /// The port may not be reached.
    Port,
    /// Nobody accepted the connection in time.
    Connect,
    /// The other side's certificate does not hold, or it speaks no TLS that we speak.
    Tls,
    /// The other side closed, or does not speak HTTP/1.1.
    Protocol,
    /// It was not done within its deadline.
    Timeout,
}

impl OutgoingError {
    /// The class as documents show it.
    pub(crate) fn class(self) -> &'static str {
        match self {
            OutgoingError::Roots => "no_roots",
            OutgoingError::Resolve => "resolve",
            OutgoingError::Address => "address_refused",
            OutgoingError::Port => "port_refused",
            OutgoingError::Connect => "connect",
            OutgoingError::Tls => "tls",
            OutgoingError::Protocol => "protocol",
            OutgoingError::Timeout => "timeout",
        }
    }
}

impl fmt::Display for OutgoingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            OutgoingError::Roots => "no root certificates could be read",
            OutgoingError::Resolve => "the host's name could not be resolved",
            OutgoingError::Address => "the host has an address that may not be reached",
            OutgoingError::Port => "the port may not be reached",
            OutgoingError::Connect => "no connection within the time for it",
            OutgoingError::Tls => {
                "no TLS connection: the certificate does not hold or no common version"
            }
            OutgoingError::Protocol => "the other side closed or does not speak HTTP/1.1",
            OutgoingError::Timeout => "not done within its deadline",
        })
    }
}

impl std::error::Error for OutgoingError {}
