//! Tests of requests to other servers, in a world whose names and connections the tests decide.

mod addresses;
mod exchange;
mod names;

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use hyper::Method;
use tokio::net::{TcpListener, TcpStream};

use super::send::Answer;
use super::way::Pending;
use super::{Ask, Outgoing, OutgoingError, Reach, Roots, Target, Way};

/// An address of the public internet; connections to it end at the stage's receiver.
const PUBLIC: IpAddr = IpAddr::V4(Ipv4Addr::new(93, 184, 215, 14));

type Names = Box<dyn Fn(&str, usize) -> Option<Vec<IpAddr>> + Send + Sync>;

/// A way out that resolves by a function of name and count of lookups, and counts whom it connects to.
struct Stage {
    names: Names,
    receiver: SocketAddr,
    lookups: AtomicUsize,
    connects: AtomicUsize,
    inward: AtomicUsize,
}

impl Stage {
    fn new(
        receiver: SocketAddr,
        names: impl Fn(&str, usize) -> Option<Vec<IpAddr>> + Send + Sync + 'static,
    ) -> Arc<Stage> {
        Arc::new(Stage {
            names: Box::new(names),
            receiver,
            lookups: AtomicUsize::new(0),
            connects: AtomicUsize::new(0),
            inward: AtomicUsize::new(0),
        })
    }

    fn connects(&self) -> usize {
        self.connects.load(Ordering::SeqCst)
    }

    fn lookups(&self) -> usize {
        self.lookups.load(Ordering::SeqCst)
    }
}

impl Way for Stage {
    fn resolve<'a>(&'a self, name: &'a str, port: u16) -> Pending<'a, Vec<SocketAddr>> {
        let count = self.lookups.fetch_add(1, Ordering::SeqCst);
        let found = (self.names)(name, count);
        Box::pin(async move {
            let found = found.ok_or_else(|| io::Error::other("no such name"))?;
            Ok(found
                .into_iter()
                .map(|one| SocketAddr::new(one, port))
                .collect())
        })
    }

    fn connect(&self, address: SocketAddr) -> Pending<'_, TcpStream> {
        self.connects.fetch_add(1, Ordering::SeqCst);
        if address.ip() != PUBLIC {
            self.inward.fetch_add(1, Ordering::SeqCst);
        }
        Box::pin(TcpStream::connect(self.receiver))
    }

    fn is_own(&self, address: IpAddr) -> bool {
        address == IpAddr::V4(Ipv4Addr::new(93, 184, 215, 99))
    }
}

fn outgoing(stage: &Arc<Stage>) -> Outgoing {
    let roots = Roots::Pem(include_bytes!("../../tests/data/outgoing/ca.pem").to_vec());
    let way: Arc<dyn Way> = Arc::clone(stage) as Arc<dyn Way>;
    Outgoing::over(roots, way).unwrap()
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// An address where nobody listens: a connection to it fails at once.
async fn nobody() -> SocketAddr {
    listen().await.1
}

/// A request with room enough for a healthy receiver.
fn ask<'a>(url: &'a Target, reach: &'a Reach) -> Ask<'a> {
    Ask {
        method: Method::POST,
        url,
        headers: &[],
        body: Bytes::from_static(b"{}"),
        deadline: Duration::from_secs(20),
        connect: Duration::from_secs(10),
        answer_bytes_max: 1024,
        reach,
    }
}

async fn send(stage: &Arc<Stage>, url: &str) -> Result<Answer, OutgoingError> {
    let url = Target::parse(url).unwrap();
    outgoing(stage).send(ask(&url, &Reach::Public)).await
}
