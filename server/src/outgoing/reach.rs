//! Which addresses and ports a request may go to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::error::OutgoingError;
use super::network::Network;

/// Where a request may go. What a tenant asks for is `Public` or `PublicAnd`; what the operator's own configuration names is
/// `Anywhere`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Addresses of the public internet that are not this machine's own; ports 443, 80 and from 1024 on.
    Public,
    /// Those and the addresses of these networks. An address that clouds tell secrets from is reached only when an entry is exactly
    /// that address.
    PublicAnd(Vec<Network>),
    /// Every address and port.
    Anywhere,
}

impl Reach {
    /// Whether the port may be reached.
    ///
    /// # Errors
    /// [`OutgoingError::Port`].
    pub(crate) fn check_port(&self, port: u16) -> Result<(), OutgoingError> {
        match self {
            Reach::Anywhere => Ok(()),
            _ if port == 443 || port == 80 || port >= 1024 => Ok(()),
            _ => Err(OutgoingError::Port),
        }
    }

    /// Whether an address may be reached; `is_own` says whether an address is one of this machine. An IPv4 address in the clothes of
    /// IPv6 is judged as what it is.
    ///
    /// # Errors
    /// [`OutgoingError::Address`].
    pub(crate) fn check(
        &self,
        address: IpAddr,
        is_own: impl Fn(IpAddr) -> bool,
    ) -> Result<(), OutgoingError> {
        let address = unwrapped(address);
        let may = match self {
            Reach::Anywhere => true,
            Reach::Public => is_public(address) && !is_own(address),
            Reach::PublicAnd(networks) => {
                if tells_secrets(address) {
                    networks.iter().any(|network| network.is_exactly(address))
                } else {
                    networks.iter().any(|network| network.contains(address))
                        || (is_public(address) && !is_own(address))
                }
            }
        };
        may.then_some(()).ok_or(OutgoingError::Address)
    }
}

/// The IPv4 address that an IPv4-mapped one stands for; any other as it is.
pub(crate) fn unwrapped(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(six) => six.to_ipv4_mapped().map_or(IpAddr::V6(six), IpAddr::V4),
        four => four,
    }
}

const NOT_PUBLIC_4: [Network; 19] = [
    Network::v4(0, 0, 0, 0, 8),
    Network::v4(10, 0, 0, 0, 8),
    Network::v4(100, 64, 0, 0, 10),
    Network::v4(127, 0, 0, 0, 8),
    // The address that Azure's machines are told things from.
    Network::v4(168, 63, 129, 16, 32),
    Network::v4(169, 254, 0, 0, 16),
    Network::v4(172, 16, 0, 0, 12),
    Network::v4(192, 0, 0, 0, 24),
    Network::v4(192, 0, 2, 0, 24),
    Network::v4(192, 31, 196, 0, 24),
    Network::v4(192, 52, 193, 0, 24),
    Network::v4(192, 88, 99, 0, 24),
    Network::v4(192, 168, 0, 0, 16),
    Network::v4(192, 175, 48, 0, 24),
    Network::v4(198, 18, 0, 0, 15),
    Network::v4(198, 51, 100, 0, 24),
    Network::v4(203, 0, 113, 0, 24),
    Network::v4(224, 0, 0, 0, 4),
    Network::v4(240, 0, 0, 0, 4),
];

/// Public IPv6 is 2000::/3 and nothing else, so that NAT64, mapped, compatible, unique-local, site-local, link-local and multicast
/// addresses are outside without being named.
const GLOBAL_6: Network = Network::v6(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// What of 2000::/3 is not public: protocol assignments with Teredo, documentation, 6to4, AS112.
const NOT_PUBLIC_6: [Network; 5] = [
    Network::v6(Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    Network::v6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    Network::v6(Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    Network::v6(Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48),
    Network::v6(Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => !NOT_PUBLIC_4.iter().any(|one| one.contains(address)),
        IpAddr::V6(six) => {
            GLOBAL_6.contains(address)
                && !NOT_PUBLIC_6.iter().any(|one| one.contains(address))
                && !is_isatap(six)
        }
    }
}

/// An IPv4 address inside an IPv6 interface identifier.
fn is_isatap(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    parts[5] == 0x5efe && (parts[4] == 0 || parts[4] == 0x200)
}

/// Whether clouds hand credentials out at it.
fn tells_secrets(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => {
            four.is_link_local()
                || four == Ipv4Addr::new(168, 63, 129, 16)
                || four == Ipv4Addr::new(100, 100, 100, 200)
                || four == Ipv4Addr::new(192, 0, 0, 192)
        }
        IpAddr::V6(six) => {
            six.is_unicast_link_local()
                || six == Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)
                || six == Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)
                || six == Ipv6Addr::new(0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe)
        }
    }
}
