//! How much is sent at the same time: over all, of one tenant, to one host.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use mainstay_core::TenantId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Requests at once.
const ALL_MAX: usize = 256;
/// Requests at once of one tenant.
const TENANT_MAX: usize = 32;
/// Requests at once to one host.
const HOST_MAX: usize = 16;
/// Names that are remembered before those that nobody uses are forgotten.
const KNOWN_MAX: usize = 1024;

type Places<K> = Mutex<HashMap<K, Arc<Semaphore>>>;

/// Places of requests.
pub(super) struct Room {
    all: Arc<Semaphore>,
    tenants: Places<TenantId>,
    hosts: Places<String>,
}

/// A place of one request, until it is dropped.
pub(super) struct Place {
    _held: [OwnedSemaphorePermit; 3],
}

impl Room {
    pub(super) fn new() -> Room {
        Room {
            all: Arc::new(Semaphore::new(ALL_MAX)),
            tenants: Mutex::default(),
            hosts: Mutex::default(),
        }
    }

    /// A place for a request. The narrowest comes first, so that who waits for a host takes no place of others.
    pub(super) async fn enter(&self, tenant: TenantId, host: &str) -> Option<Place> {
        let host = of(&self.hosts, host.to_owned(), HOST_MAX);
        let host = host.acquire_owned().await.ok()?;
        let tenant = of(&self.tenants, tenant, TENANT_MAX);
        let tenant = tenant.acquire_owned().await.ok()?;
        let all = Arc::clone(&self.all).acquire_owned().await.ok()?;
        Some(Place {
            _held: [host, tenant, all],
        })
    }
}

fn of<K: Hash + Eq>(places: &Places<K>, key: K, most: usize) -> Arc<Semaphore> {
    let mut places = places.lock().unwrap_or_else(PoisonError::into_inner);
    if places.len() >= KNOWN_MAX {
        places.retain(|_, place| place.available_permits() < most);
    }
    let place = places
        .entry(key)
        .or_insert_with(|| Arc::new(Semaphore::new(most)));
    Arc::clone(place)
}
