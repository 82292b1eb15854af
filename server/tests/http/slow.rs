//! A thousand connections that send slowly, or do not read: the healthy ones are answered beside them, and each slow one is closed.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::harness::World;

const HELD: usize = 1000;

/// Room for both ends of every connection, where the system's default has none.
fn raise_files() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = 4 * HELD as u64;
    if limit.current.is_some_and(|current| current < wanted) {
        let raised = Rlimit {
            current: Some(limit.maximum.map_or(wanted, |most| most.min(wanted))),
            maximum: limit.maximum,
        };
        setrlimit(Resource::Nofile, raised).expect("files enough");
    }
}

/// What the slow ones send, and then no more: half a head, half a body, or requests for more than their sockets hold.
fn slow_requests(world: &World) -> [Vec<u8>; 3] {
    let half_a_head = b"GET /api/v1/stats HTTP/1.1\r\nhost: t\r\nx-".to_vec();
    let declared = [
        ("content-type", "application/json"),
        ("content-length", "60000"),
    ];
    let mut half_a_body = world.request("POST", "/api/v1/tasks", &declared, b"");
    half_a_body.extend_from_slice(b"{\"kind\":");
    let document = world.request("GET", "/api/v1/openapi.json", &[], b"");
    [half_a_head, half_a_body, document.repeat(40)]
}

/// Whether the server has closed a connection, reading what it sent before.
fn is_closed(stream: &mut TcpStream) -> bool {
    let mut chunk = [0; 65536];
    loop {
        match stream.read(&mut chunk) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() != ErrorKind::WouldBlock,
        }
    }
}

#[test]
fn beside_a_thousand_slow_connections_every_healthy_request_is_answered_and_each_slow_one_is_closed()
 {
    raise_files();
    let world = World::with(|config| {
        let time = Duration::from_secs(5);
        config.header_time_max = time;
        config.first_byte_time_max = time;
        config.body_pause_max = time;
        config.write_stall_max = time;
        config.idle_time_max = time;
    });
    let requests = slow_requests(&world);
    let hold = |at: usize| {
        let mut stream = TcpStream::connect(world.address).expect("the server accepts");
        stream.set_nonblocking(true).expect("a socket");
        // One that is not read fills up: then it has been slow enough.
        match stream.write(&requests[at % requests.len()]) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
        stream
    };
    let held: Vec<TcpStream> = (0..HELD).map(hold).collect();
    for number in 0..100 {
        let (task, run) = world.submit(&format!(r#"{{"kind":"healthy","payload":{number}}}"#));
        assert_eq!(world.task(&task)["runs"][0]["run_id"], run.as_str());
    }
    assert_eq!(world.claim(r#"{"worker":"w","max":1000}"#).len(), 100);
    // Those that do not read are read at last, when all others were closed.
    let (unread, others): (Vec<_>, Vec<_>) = (0..).zip(held).partition(|(at, _)| at % 3 == 2);
    for mut group in [others, unread] {
        while !group.is_empty() {
            group.retain_mut(|(_, stream)| !is_closed(stream));
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    world.submit(r#"{"kind":"healthy"}"#);
}
