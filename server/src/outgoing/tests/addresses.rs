//! Spellings of addresses that lead inward: none leads to a connection.

use std::net::IpAddr;

use super::super::{Network, OutgoingError, Reach, Target};
use super::{PUBLIC, Stage, ask, nobody, outgoing};

/// Hosts as a tenant may write them. Most are refused as spelled; the others lead to an address that is.
const HOSTS: &[&str] = &[
    // Loopback and the unspecified address: decimal, short, octal, hex, mixed, overflowing, padded.
    "127.0.0.1",
    "127.0.0.2",
    "127.1.1.1",
    "127.255.255.254",
    "127.1",
    "127.0.1",
    "127",
    "2130706433",
    "2130706434",
    "0x7f000001",
    "0x7f.0.0.1",
    "0x7f.1",
    "0x7f.0x0.0x0.0x1",
    "0X7F.0.0.1",
    "0x7F000001",
    "0x000000007f000001",
    "017700000001",
    "0177.0.0.1",
    "0177.1",
    "0177.0.1",
    "00177.0.0.1",
    "0000177.0.0.01",
    "127.0.0.01",
    "127.000.000.001",
    "127.0.0.0x1",
    "127.0x0.1",
    "0x7f.0.0.01",
    "4294967296",
    "127.0.0.1.",
    "127.0.0.1..",
    "127..0.1",
    "127.0.0.1.0",
    ".127.0.0.1",
    "0.0.0.0",
    "0",
    "0.0",
    "0.0.0",
    "00",
    "0x0",
    "0x00000000",
    "0.1.2.3",
    "0.255.255.255",
    "00.0.0.0",
    "383.0.0.1",
    "256.0.0.1",
    "127.0.0.257",
    "127.0.0.-1",
    "+127.0.0.1",
    "127.0.0.1e0",
    "1.27.0.0.1.",
    // Private, shared, link-local, reserved, documentation, benchmark, multicast, broadcast.
    "10.0.0.0",
    "10.0.0.1",
    "10.255.255.255",
    "10.1",
    "012.0.0.1",
    "0xa.0.0.1",
    "167772161",
    "0x0a000001",
    "172.16.0.1",
    "172.31.255.255",
    "172.20.0.1",
    "2886729729",
    "0xac100001",
    "172.16.1",
    "192.168.0.1",
    "192.168.1.1",
    "192.168.255.255",
    "3232235521",
    "0xc0a80001",
    "0300.0250.0.1",
    "192.168.1",
    "192.11010049",
    "100.64.0.1",
    "100.100.0.1",
    "100.127.255.255",
    "1681915905",
    "100.100.100.200",
    "169.254.0.1",
    "169.254.255.255",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.31.196.1",
    "192.52.193.1",
    "192.175.48.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "4294967295",
    "0xffffffff",
    "037777777777",
    "168.63.129.16",
    // Where clouds hand credentials out.
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "0xa9.0xfe.0xa9.0xfe",
    "0251.0376.0251.0376",
    "025177524776",
    "169.254.43518",
    "169.16689662",
    "169.254.169.0376",
    "169.254.0xa9fe",
    "169.254.169.254.",
    "0xA9.254.0251.254",
    "169.254.170.2",
    "169.254.169.253",
    "metadata",
    "metadata.google.internal",
    "metadata.google.internal.",
    "METADATA.GOOGLE.INTERNAL",
    "instance-data",
    "metadata.tencentyun.com",
    "[fd00:ec2::254]",
    "[fd20:ce::254]",
    "[fd00:c1::a9fe:a9fe]",
    "[fe80::a9fe:a9fe]",
    // IPv6: loopback, unspecified, link-local, unique-local, site-local, multicast, discard, documentation.
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[0:0:0:0:0:0:0:0]",
    "[0000:0000:0000:0000:0000:0000:0000:0001]",
    "[::0001]",
    "[0::1]",
    "[fe80::1]",
    "[fe80::1%25eth0]",
    "[fe80::1%eth0]",
    "[febf::1]",
    "[fec0::1]",
    "[feff::1]",
    "[fc00::1]",
    "[fd00::1]",
    "[fdff:ffff::1]",
    "[ff02::1]",
    "[ff0e::1]",
    "[100::1]",
    "[2001:db8::1]",
    "[3fff::1]",
    "[5f00::1]",
    "[2001::1]",
    "[2001:2::1]",
    "[2001:10::1]",
    "[2001:20::1]",
    "[2620:4f:8000::1]",
    "[4000::1]",
    "[::1%lo]",
    "[::1%251]",
    // IPv4 in the clothes of IPv6: mapped, compatible, translated, NAT64, 6to4, Teredo, ISATAP.
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:7f00:0001]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[0:0:0:0:0:ffff:7f00:1]",
    "[0000:0000:0000:0000:0000:FFFF:7F00:0001]",
    "[::FFFF:127.0.0.1]",
    "[::ffff:0.0.0.0]",
    "[::ffff:10.0.0.1]",
    "[::ffff:a00:1]",
    "[::ffff:172.16.0.1]",
    "[::ffff:192.168.0.1]",
    "[::ffff:c0a8:1]",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[::ffff:100.64.0.1]",
    "[::ffff:224.0.0.1]",
    "[::ffff:255.255.255.255]",
    "[::127.0.0.1]",
    "[::7f00:1]",
    "[::10.0.0.1]",
    "[::169.254.169.254]",
    "[::a9fe:a9fe]",
    "[::ffff:0:127.0.0.1]",
    "[::ffff:0:7f00:1]",
    "[::ffff:0:169.254.169.254]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::10.0.0.1]",
    "[64:ff9b::169.254.169.254]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::127.0.0.1]",
    "[64:ff9b:1::a9fe:a9fe]",
    "[2002:7f00:1::]",
    "[2002:7f00:1::1]",
    "[2002:a9fe:a9fe::]",
    "[2002:a00:1::]",
    "[2002:c0a8:1::1]",
    "[2001:0:7f00:1::]",
    "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
    "[2a00:1450::5efe:7f00:1]",
    "[2a00:1450::200:5efe:a00:1]",
    // Brackets and colons out of place.
    "[127.0.0.1]",
    "[localhost]",
    "[::1",
    "::1",
    "::1]",
    "[[::1]]",
    "[]",
    "[:::1]",
    "[::1]x",
    "[::1].example",
    "[::1]:",
    "[v1.::1]",
    "[::ffff:127.1]",
    "[::ffff:0177.0.0.1]",
    "[::ffff:2130706433]",
    "[1::2::3]",
    "[12345::1]",
    "[::1 ]",
    ":",
    // Userinfo, and what some take for the end of the host.
    "example.com@127.0.0.1",
    "example.com:80@127.0.0.1",
    "user:pass@127.0.0.1",
    "@127.0.0.1",
    "127.0.0.1@example.com",
    "a@b@127.0.0.1",
    "example.com%40127.0.0.1",
    "example.com\\@127.0.0.1",
    "127.0.0.1\\.example.com",
    "example.com\\",
    "127.0.0.1#@example.com",
    "example.com#@127.0.0.1",
    "127.0.0.1%23.example.com",
    "127.0.0.1%2f.example.com",
    "127.0.0.1%00.example.com",
    "127.0.0.1\u{0}.example.com",
    "127.0.0.1\t",
    "127.0.0.1 ",
    " 127.0.0.1",
    "127.0.0.1\r\nx: y",
    "example.com\n127.0.0.1",
    "127。0。0。1",
    "127.0.0。1",
    "127．0．0．1",
    "127｡0｡0｡1",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
    "%6c%6f%63%61%6c%68%6f%73%74",
    "loc%61lhost",
    "",
    // Digits and letters that are folded to others; international names.
    "①②⑦.⓪.⓪.①",
    "１２７.0.0.1",
    "𝟏𝟐𝟕.0.0.1",
    "ⓛocalhost",
    "ｌocalhost",
    "locaⅼhost",
    "localhoſt",
    "ⓔxample.internal",
    "bücher.example",
    "xn--.internal",
    "127.0.0.1\u{200b}",
    "local\u{ad}host",
    "\u{202e}1.0.0.721",
    "xn--l-7ga.internal",
    // Names that lead inward.
    "localhost",
    "LOCALHOST",
    "LocalHost",
    "localhost.",
    "localhost.localdomain",
    "ip6-localhost",
    "loopback.internal",
    "router.internal",
    "printer.local",
    "db.corp.internal",
    "localtest.me",
    "127.0.0.1.nip.io",
    "7f000001.nip.io",
    "169.254.169.254.sslip.io",
    "mapped.internal",
    "compatible.internal",
    "nat64.internal",
    "sixtofour.internal",
    "mixed.internal",
    "mixed-last.internal",
    "own.example",
    "empty.internal",
    "failing.internal",
    "kubernetes.default.svc",
    "host.docker.internal",
    "-localhost",
    "localhost-",
    "local..host",
    ".localhost",
    "a_.-internal",
];

/// What the names above lead to; every other name leads to a public address, so that a spelling let through is a connection.
fn address_of(name: &str, _: usize) -> Option<Vec<IpAddr>> {
    let inward = |text: &str| vec![text.parse::<IpAddr>().unwrap()];
    Some(match name {
        "metadata"
        | "metadata.google.internal"
        | "instance-data"
        | "metadata.tencentyun.com"
        | "169.254.169.254.sslip.io" => inward("169.254.169.254"),
        "mapped.internal" => inward("::ffff:127.0.0.1"),
        "compatible.internal" => inward("::127.0.0.1"),
        "nat64.internal" => inward("64:ff9b::a9fe:a9fe"),
        "sixtofour.internal" => inward("2002:7f00:1::"),
        "mixed.internal" => vec!["10.0.0.1".parse().unwrap(), PUBLIC],
        "mixed-last.internal" => vec![
            PUBLIC,
            PUBLIC,
            PUBLIC,
            PUBLIC,
            PUBLIC,
            "::1".parse().unwrap(),
        ],
        "own.example" => inward("93.184.215.99"),
        "empty.internal" => Vec::new(),
        "failing.internal" => return None,
        "ip6-localhost" => inward("::1"),
        name if name.ends_with("internal")
            || name.ends_with(".local")
            || name.ends_with(".svc") =>
        {
            inward("10.0.0.7")
        }
        name if name.starts_with("localhost")
            || name.ends_with("nip.io")
            || name == "localtest.me" =>
        {
            inward("127.0.0.1")
        }
        _ => vec![PUBLIC],
    })
}

#[tokio::test]
async fn no_spelling_of_an_inward_address_leads_to_a_connection() {
    let stage = Stage::new(nobody().await, address_of);
    let outgoing = outgoing(&stage);
    let everywhere_else = Reach::PublicAnd(vec!["10.200.0.0/16".parse().unwrap()]);
    let mut spellings = 0;
    for host in HOSTS {
        for url in [
            format!("https://{host}/hook"),
            format!("http://{host}:8080"),
            format!("https://{host}?x=1"),
        ] {
            spellings += 1;
            let Ok(target) = Target::parse(&url) else {
                continue;
            };
            for reach in [&Reach::Public, &everywhere_else] {
                let sent = outgoing.send(ask(&target, reach)).await;
                assert!(
                    matches!(sent, Err(OutgoingError::Address | OutgoingError::Resolve)),
                    "{url}: {sent:?}"
                );
            }
        }
    }
    assert!(HOSTS.len() >= 200, "{} hosts", HOSTS.len());
    assert_eq!(stage.connects(), 0, "of {spellings} spellings");
    // The stage does lead outward when the name does.
    let url = Target::parse("https://example.com/hook").unwrap();
    let sent = outgoing.send(ask(&url, &Reach::Public)).await;
    assert_eq!(sent.unwrap_err(), OutgoingError::Connect);
    assert_eq!(stage.connects(), 1);
}

#[test]
fn a_url_has_one_spelling() {
    for url in [
        "",
        "https",
        "https:",
        "https:/",
        "https://",
        "https:///",
        "https:///hook",
        "https:example.com",
        "//example.com",
        "HTTPS://example.com",
        "hTTps://example.com",
        "ftp://example.com",
        "file:///etc/passwd",
        "gopher://example.com",
        "dict://example.com",
        "javascript:alert(1)",
        "data:,x",
        "https//example.com",
        "https://example.com:0",
        "https://example.com:00443",
        "https://example.com:65536",
        "https://example.com:+443",
        "https://example.com:",
        "https://example.com:443:443",
        "https://example.com:8o8o",
        "https://example.com/a b",
        "https://example.com/\u{e9}",
        "https://example.com/#a",
        "https://example.com/\\a",
        "https://example.com/<a>",
        "\thttps://example.com",
        "https://example.com/\r\nhost: a",
    ] {
        assert!(Target::parse(url).is_err(), "{url:?}");
    }
    let long = format!("https://example.com/{}", "a".repeat(2048 - 20));
    assert!(Target::parse(&long).is_ok());
    assert!(Target::parse(&format!("{long}a")).is_err());
    for (url, authority, path, port) in [
        ("https://Example.COM", "example.com", "/", 443),
        (
            "https://example.com:443/a?b=c%20d",
            "example.com",
            "/a?b=c%20d",
            443,
        ),
        ("http://example.com:443?x", "example.com:443", "/?x", 443),
        ("http://1.2.3.4", "1.2.3.4", "/", 80),
        (
            "https://[2A00:1450::1]:8443/",
            "[2a00:1450::1]:8443",
            "/",
            8443,
        ),
        (
            "https://xn--bcher-kva.example/",
            "xn--bcher-kva.example",
            "/",
            443,
        ),
    ] {
        let target = Target::parse(url).unwrap();
        assert_eq!(target.authority(), authority);
        assert_eq!(target.path(), path);
        assert_eq!(target.port(), port);
    }
    let shown = format!(
        "{:?}",
        Target::parse("https://example.com/secret?token=secret").unwrap()
    );
    assert!(!shown.contains("secret"), "{shown}");
}

#[test]
fn what_the_operator_names_is_reached_and_nothing_beside_it() {
    let networks: Vec<Network> = [
        "10.1.0.0/16",
        "127.0.0.1",
        "fd12::/16",
        "169.254.0.0/16",
        "0.0.0.0/0",
    ]
    .iter()
    .map(|text| text.parse().unwrap())
    .collect();
    let own = |_: IpAddr| false;
    let check = |networks: &[Network], address: &str| {
        Reach::PublicAnd(networks.to_vec())
            .check(address.parse().unwrap(), own)
            .is_ok()
    };
    for (address, with_few, with_all) in [
        ("10.1.2.3", true, true),
        ("10.2.0.1", false, true),
        ("::ffff:10.1.2.3", true, true),
        ("::10.1.2.3", false, false),
        ("127.0.0.1", true, true),
        ("127.0.0.2", false, true),
        ("fd12::1", true, true),
        ("fd13::1", false, false),
        ("8.8.8.8", true, true),
        // A wide network does not open what hands credentials out.
        ("169.254.169.254", false, false),
        ("168.63.129.16", false, false),
        ("::ffff:169.254.169.254", false, false),
    ] {
        assert_eq!(check(&networks[..4], address), with_few, "{address}");
        assert_eq!(check(&networks, address), with_all, "{address}");
    }
    let named: Network = "169.254.169.254".parse().unwrap();
    assert!(check(&[named], "169.254.169.254"));
    for wrong in [
        "",
        "10.0.0.0/33",
        "10.0.0.1/8",
        "10.0.0.0/",
        "10.0.0.0/+8",
        "10/8",
        "::ffff:10.0.0.0/104",
        "fd00::/129",
        "x",
    ] {
        assert!(wrong.parse::<Network>().is_err(), "{wrong}");
    }
    assert_eq!(
        "fd12::/16".parse::<Network>().unwrap().to_string(),
        "fd12::/16"
    );
}

#[test]
fn ports_of_other_services_are_not_reached() {
    for (port, may) in [
        (443, true),
        (80, true),
        (1024, true),
        (8443, true),
        (65535, true),
        (22, false),
        (25, false),
        (1023, false),
        (0, false),
    ] {
        assert_eq!(Reach::Public.check_port(port).is_ok(), may, "{port}");
        assert_eq!(
            Reach::PublicAnd(Vec::new()).check_port(port).is_ok(),
            may,
            "{port}"
        );
        assert!(Reach::Anywhere.check_port(port).is_ok());
    }
}
