//! The way out: names to addresses, addresses to connections. A seam, so that tests have a world of their own.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::pin::Pin;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// What a way out gives back later.
pub(crate) type Pending<'a, T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send + 'a>>;

/// How names become addresses and addresses connections.
pub(crate) trait Way: Send + Sync {
    /// All addresses of a name.
    fn resolve<'a>(&'a self, name: &'a str, port: u16) -> Pending<'a, Vec<SocketAddr>>;
    /// A connection to exactly this address.
    fn connect(&self, address: SocketAddr) -> Pending<'_, TcpStream>;
    /// Whether the address is one of this machine.
    fn is_own(&self, address: IpAddr) -> bool;
}

/// Names looked up at once. The system's resolver holds a thread for as long as it waits, even when nobody waits for it any more.
const LOOKUPS_MAX: usize = 32;

/// The system's resolver and sockets.
pub(crate) struct SystemWay {
    lookups: Arc<Semaphore>,
}

impl SystemWay {
    /// A way out with no lookup under way.
    pub(crate) fn new() -> SystemWay {
        SystemWay {
            lookups: Arc::new(Semaphore::new(LOOKUPS_MAX)),
        }
    }
}

impl Way for SystemWay {
    fn resolve<'a>(&'a self, name: &'a str, port: u16) -> Pending<'a, Vec<SocketAddr>> {
        Box::pin(async move {
            let place = Arc::clone(&self.lookups)
                .acquire_owned()
                .await
                .map_err(io::Error::other)?;
            let name = name.to_owned();
            tokio::task::spawn_blocking(move || {
                let found = (name.as_str(), port).to_socket_addrs();
                drop(place);
                found.map(Iterator::collect)
            })
            .await
            .map_err(io::Error::other)?
        })
    }

    fn connect(&self, address: SocketAddr) -> Pending<'_, TcpStream> {
        Box::pin(TcpStream::connect(address))
    }

    fn is_own(&self, address: IpAddr) -> bool {
        // A socket that sends nothing: the system would send to its own address from that address.
        let any = match address {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        let source = || {
            let socket = UdpSocket::bind((any, 0))?;
            socket.connect((address, 9))?;
            socket.local_addr()
        };
        source().is_ok_and(|source| source.ip() == address)
    }
}
