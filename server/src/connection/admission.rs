//! Who may connect: a bound on all connections and, when set, on those of one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Debug, Default)]
struct Counts {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// Counts connections and refuses those beyond the bounds.
#[derive(Clone, Debug)]
pub(crate) struct Admission {
    counts: Arc<Mutex<Counts>>,
    total_max: usize,
    per_address_max: Option<usize>,
}

/// One connection's place, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    admission: Admission,
    address: Option<IpAddr>,
}

impl Admission {
    pub(crate) fn new(total_max: usize, per_address_max: Option<usize>) -> Admission {
        Admission {
            counts: Arc::default(),
            total_max,
            per_address_max,
        }
    }

    /// Connections at the moment.
    pub(crate) fn count(&self) -> usize {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.total
    }

    /// A place for a connection from this address, or the name of the bound that is reached.
    pub(crate) fn enter(&self, address: IpAddr) -> Result<Place, &'static str> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.total >= self.total_max {
            return Err("connections");
        }
        // Addresses are only counted when they are bounded: nobody fills a table that is not used.
        let counted = match self.per_address_max {
            Some(max) => {
                let count = counts.by_address.entry(address).or_insert(0);
                if *count >= max {
                    return Err("connections_per_ip");
                }
                *count += 1;
                Some(address)
            }
            None => None,
        };
        counts.total += 1;
        Ok(Place {
            admission: self.clone(),
            address: counted,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self
            .admission
            .counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        counts.total -= 1;
        if let Some(address) = self.address
            && let Some(count) = counts.by_address.get_mut(&address)
        {
            *count -= 1;
            if *count == 0 {
                counts.by_address.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Admission;
    use std::net::{IpAddr, Ipv4Addr};

    #[test]
    fn a_place_left_is_a_place_free() {
        let (one, two) = (
            IpAddr::from(Ipv4Addr::new(10, 0, 0, 1)),
            IpAddr::from(Ipv4Addr::new(10, 0, 0, 2)),
        );
        let admission = Admission::new(3, Some(2));
        let first = admission.enter(one).expect("free");
        let second = admission.enter(one).expect("free");
        assert_eq!(
            admission.enter(one).expect_err("full"),
            "connections_per_ip"
        );
        let third = admission.enter(two).expect("free");
        assert_eq!(admission.enter(two).expect_err("full"), "connections");
        drop((first, third));
        assert!(admission.enter(one).is_ok());
        drop(second);
        let counts = admission.counts.lock().expect("no panic");
        assert_eq!((counts.total, counts.by_address.len()), (0, 0));
    }
}
