//! A range of addresses, as configuration spells it: `10.0.0.0/8`, `fd00::/8`, or one address.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Addresses that share their first bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    pub(super) const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Network {
        Network {
            address: IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
            prefix,
        }
    }

    pub(super) const fn v6(address: Ipv6Addr, prefix: u8) -> Network {
        Network {
            address: IpAddr::V6(address),
            prefix,
        }
    }

    /// Whether the address lies within. An IPv4 address is never within a range of IPv6, nor the other way round.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let shift = 32 - u32::from(self.prefix);
                own.to_bits().checked_shr(shift).unwrap_or(0)
                    == other.to_bits().checked_shr(shift).unwrap_or(0)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let shift = 128 - u32::from(self.prefix);
                own.to_bits().checked_shr(shift).unwrap_or(0)
                    == other.to_bits().checked_shr(shift).unwrap_or(0)
            }
            _ => false,
        }
    }

    /// Whether it is this one address and no other.
    pub(crate) fn is_exactly(&self, address: IpAddr) -> bool {
        self.prefix == width(self.address) && self.address == address
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl FromStr for Network {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Network, &'static str> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address
            .parse()
            .map_err(|_| "not an address or a network like 10.0.0.0/8")?;
        let prefix = match prefix {
            None => width(address),
            Some(digits) => digits
                .parse()
                .ok()
                .filter(|prefix| *prefix <= width(address) && !digits.starts_with('+'))
                .ok_or("the prefix length must be 0 to 32, or 0 to 128 for IPv6")?,
        };
        if let IpAddr::V6(six) = address
            && six.to_ipv4_mapped().is_some()
        {
            return Err("write an IPv4 network as such, not mapped into IPv6");
        }
        let network = Network { address, prefix };
        if network.first() == address {
            Ok(network)
        } else {
            Err("bits are set beyond the prefix length")
        }
    }
}

impl Network {
    fn first(&self) -> IpAddr {
        match self.address {
            IpAddr::V4(own) => {
                let kept = u32::MAX.checked_shl(32 - u32::from(self.prefix));
                IpAddr::V4(Ipv4Addr::from_bits(own.to_bits() & kept.unwrap_or(0)))
            }
            IpAddr::V6(own) => {
                let kept = u128::MAX.checked_shl(128 - u32::from(self.prefix));
                IpAddr::V6(Ipv6Addr::from_bits(own.to_bits() & kept.unwrap_or(0)))
            }
        }
    }
}
