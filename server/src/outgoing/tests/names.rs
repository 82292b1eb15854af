//! Names that lead elsewhere from one lookup to the next.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::super::{OutgoingError, Reach, SystemWay, Target, Way};
use super::{PUBLIC, Stage, ask, nobody, outgoing, send};

#[tokio::test]
async fn a_name_is_looked_up_once_and_exactly_what_was_checked_is_connected_to() {
    // Public first, inward ever after: a second lookup would be seen.
    let stage = Stage::new(nobody().await, |_, count| {
        Some(vec![if count == 0 {
            PUBLIC
        } else {
            IpAddr::V4(Ipv4Addr::LOCALHOST)
        }])
    });
    assert_eq!(
        send(&stage, "https://rebinding.example/")
            .await
            .unwrap_err(),
        OutgoingError::Connect
    );
    assert_eq!((stage.lookups(), stage.connects()), (1, 1));
    assert_eq!(stage.inward.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_name_that_alternates_is_never_followed_inward() {
    let stage = Stage::new(nobody().await, |_, count| {
        let inward: IpAddr = [
            "127.0.0.1",
            "10.0.0.1",
            "169.254.169.254",
            "::1",
            "::ffff:10.0.0.1",
        ][count / 2 % 5]
            .parse()
            .unwrap();
        Some(match count % 4 {
            0 => vec![PUBLIC],
            1 => vec![inward],
            2 => vec![PUBLIC, inward],
            _ => vec![inward, PUBLIC],
        })
    });
    let outgoing = outgoing(&stage);
    let url = Target::parse("https://rebinding.example/").unwrap();
    for attempt in 0..10_000 {
        let sent = outgoing.send(ask(&url, &Reach::Public)).await.unwrap_err();
        let expected = if attempt % 4 == 0 {
            OutgoingError::Connect
        } else {
            OutgoingError::Address
        };
        assert_eq!(sent, expected, "{attempt}");
    }
    assert_eq!((stage.lookups(), stage.connects()), (10_000, 2_500));
    assert_eq!(stage.inward.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_lookup_that_fails_is_a_refusal() {
    let stage = Stage::new(nobody().await, |_, _| None);
    assert_eq!(
        send(&stage, "https://example.com/").await.unwrap_err(),
        OutgoingError::Resolve
    );
    assert_eq!(stage.connects(), 0);
}

#[tokio::test]
async fn a_lookup_that_never_ends_has_the_time_of_the_connection() {
    struct Silent;
    impl Way for Silent {
        fn resolve<'a>(
            &'a self,
            _: &'a str,
            _: u16,
        ) -> super::Pending<'a, Vec<std::net::SocketAddr>> {
            Box::pin(std::future::pending())
        }
        fn connect(&self, _: std::net::SocketAddr) -> super::Pending<'_, tokio::net::TcpStream> {
            Box::pin(std::future::pending())
        }
        fn is_own(&self, _: IpAddr) -> bool {
            false
        }
    }
    let roots = super::Roots::Pem(include_bytes!("../../../tests/data/outgoing/ca.pem").to_vec());
    let outgoing = super::Outgoing::over(roots, std::sync::Arc::new(Silent)).unwrap();
    for url in ["https://example.com/", "https://1.2.3.4/"] {
        let url = Target::parse(url).unwrap();
        let mut short = ask(&url, &Reach::Public);
        short.connect = Duration::from_millis(20);
        assert_eq!(
            outgoing.send(short).await.unwrap_err(),
            OutgoingError::Connect
        );
        let mut short = ask(&url, &Reach::Public);
        short.deadline = Duration::from_millis(20);
        assert_eq!(
            outgoing.send(short).await.unwrap_err(),
            OutgoingError::Timeout
        );
    }
}

#[test]
fn the_system_knows_its_own_addresses() {
    let way = SystemWay::new();
    assert!(way.is_own(IpAddr::V4(Ipv4Addr::LOCALHOST)));
    assert!(!way.is_own(PUBLIC));
}
