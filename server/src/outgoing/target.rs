//! Where a request goes: a URL in the one spelling that everybody reads alike.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rustls::pki_types::ServerName;

/// Bytes of a URL.
const URL_BYTES_MAX: usize = 2048;
/// Bytes of a host's name.
const NAME_BYTES_MAX: usize = 253;

/// A URL that was taken apart. Only its host and port are shown: a path can hold a secret.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Target {
    secure: bool,
    host: Host,
    port: u16,
    path: String,
}

/// Whom to ask.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Host {
    Address(IpAddr),
    Name(String),
}

/// Why a URL is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TargetError(pub(crate) &'static str);

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for TargetError {}

impl Target {
    /// Reads a URL: `https://` or `http://` in lower case, a host that is a name, an IPv4 address of four decimal numbers or an IPv6
    /// address in brackets, a port if it is not the scheme's own, a path and a query. Everything that parsers are known to read
    /// differently is refused: userinfo, backslashes, numbers in other bases, percent signs in the host, a trailing dot, letters
    /// beyond ASCII (an international name is written in its `xn--` form), fragments, blanks.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(url: &str) -> Result<Target, TargetError> {
        if url.len() > URL_BYTES_MAX {
            return Err(TargetError("the URL is longer than 2,048 bytes"));
        }
        if !url.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TargetError(
                "only visible ASCII; an international name is written in its xn-- form, others percent-encoded",
            ));
        }
        if url.contains(['\\', '#', '"', '<', '>', '^', '`', '{', '|', '}']) {
            return Err(TargetError("a character that no URL holds, or a fragment"));
        }
        let (secure, rest) = if let Some(rest) = url.strip_prefix("https://") {
            (true, rest)
        } else if let Some(rest) = url.strip_prefix("http://") {
            (false, rest)
        } else {
            return Err(TargetError("must begin with https:// (or http://)"));
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if authority.contains('@') {
            return Err(TargetError("no user or password in a URL"));
        }
        let (host, port) = authority_of(authority)?;
        let port = match port {
            None => {
                if secure {
                    443
                } else {
                    80
                }
            }
            Some(digits) => port_of(digits)?,
        };
        let path = match path.as_bytes().first() {
            None => "/".to_owned(),
            Some(b'?') => format!("/{path}"),
            Some(_) => path.to_owned(),
        };
        if path.parse::<hyper::http::uri::PathAndQuery>().is_err() {
            return Err(TargetError("the path or query is none"));
        }
        Ok(Target {
            secure,
            host,
            port,
            path,
        })
    }

    /// Whether it is `https`.
    pub(crate) fn is_secure(&self) -> bool {
        self.secure
    }

    /// The port, the scheme's own if none was written.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The address, when the host is one.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        match &self.host {
            Host::Address(address) => Some(*address),
            Host::Name(_) => None,
        }
    }

    /// Host and port, as the `host` header has them: the port only when it is not the scheme's own.
    pub(crate) fn authority(&self) -> String {
        let host = match &self.host {
            Host::Address(IpAddr::V6(six)) => format!("[{six}]"),
            Host::Address(IpAddr::V4(four)) => four.to_string(),
            Host::Name(name) => name.clone(),
        };
        match (self.secure, self.port) {
            (true, 443) | (false, 80) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }

    pub(super) fn host(&self) -> &Host {
        &self.host
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn server_name(&self) -> Option<ServerName<'static>> {
        match &self.host {
            Host::Address(address) => Some(ServerName::from(*address)),
            Host::Name(name) => ServerName::try_from(name.clone()).ok(),
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(f, "{scheme}://{}/…", self.authority())
    }
}

/// The host, and the digits of the port if there are any.
fn authority_of(authority: &str) -> Result<(Host, Option<&str>), TargetError> {
    if let Some(rest) = authority.strip_prefix('[') {
        let Some((inside, after)) = rest.split_once(']') else {
            return Err(TargetError("the bracket of the address is not closed"));
        };
        let six: Ipv6Addr = inside
            .parse()
            .map_err(|_| TargetError("what stands in brackets is no IPv6 address"))?;
        let port = match after.strip_prefix(':') {
            None if after.is_empty() => None,
            None => return Err(TargetError("only a port may follow the bracket")),
            Some(digits) => Some(digits),
        };
        return Ok((Host::Address(IpAddr::V6(six)), port));
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, digits)) => (host, Some(digits)),
        None => (authority, None),
    };
    if let Ok(four) = host.parse::<Ipv4Addr>() {
        return Ok((Host::Address(IpAddr::V4(four)), port));
    }
    Ok((Host::Name(name_of(host)?), port))
}

fn name_of(host: &str) -> Result<String, TargetError> {
    if host.is_empty() || host.len() > NAME_BYTES_MAX {
        return Err(TargetError("the host has 1 to 253 characters"));
    }
    for label in host.split('.') {
        let fits = (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-');
        if !fits {
            return Err(TargetError(
                "the host is a name of letters, digits and hyphens between dots, without a dot at its end, or an address",
            ));
        }
    }
    // What ends in a number is read as an IPv4 address by some, in some base and with some parts left out; no public name's last part
    // begins with a digit.
    let last = host.rsplit('.').next().unwrap_or(host);
    if !last.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return Err(TargetError(
            "an IPv4 address is four decimal numbers without leading zeros, and no name's last part begins with a digit",
        ));
    }
    Ok(host.to_ascii_lowercase())
}

fn port_of(digits: &str) -> Result<u16, TargetError> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    digits
        .parse()
        .ok()
        .filter(|_| plain)
        .ok_or(TargetError("the port is a number from 1 to 65535"))
}
