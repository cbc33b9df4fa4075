//! Peers that are not who they should be, speak something else, or break the rules; and that each is told apart.

#[path = "util/tls.rs"]
mod tls;
mod util;

use std::io::Write;
use std::sync::Arc;

use rustls::{AlertDescription, Error};
use tls::{BOTH, House, NAME, ONLY_12, ONLY_13, TlsPeer, expired, not_yet_valid, self_signed};
use torsion_reactor::security::{Details, Kind};
use torsion_reactor::tls::{ClientOptions, ConfigError, Identity, ServerOptions, TlsConfig};
use torsion_reactor::{Failure, Token};
use util::World;

/// The failure of our client with a server that shows `identity`.
fn refusal(house: &House, identity: &Identity) -> (Failure, Option<Error>) {
    World::new().refusal(&house.client(), house.peer_server_as(identity))
}

#[test]
fn what_is_wrong_with_a_certificate_is_said() {
    let house = House::new();
    let (failure, alert) = refusal(&house, &house.issue_with(&[NAME], expired));
    assert_eq!(failure.kind, Kind::Expired);
    assert_eq!(failure.details, Details::Since(1_009_843_200));
    assert!(
        failure.message.contains("2002-01-01 00:00:00 UTC"),
        "{failure}"
    );
    assert_eq!(
        alert,
        Some(Error::AlertReceived(AlertDescription::CertificateExpired))
    );

    let (failure, _) = refusal(&house, &house.issue_with(&[NAME], not_yet_valid));
    assert_eq!(failure.kind, Kind::NotYetValid);
    assert!(matches!(failure.details, Details::Until(_)));

    let (failure, _) = refusal(&house, &house.issue(&["other.example", "127.0.0.1"]));
    assert_eq!(failure.kind, Kind::WrongName);
    let Details::Names { wanted, names } = &failure.details else {
        panic!("{failure:?}")
    };
    assert_eq!(wanted, NAME);
    assert_eq!(names, &["other.example", "127.0.0.1"]);

    let (failure, alert) = refusal(&house, &House::new().issue(&[NAME]));
    assert_eq!(failure.kind, Kind::UnknownIssuer);
    assert_eq!(
        alert,
        Some(Error::AlertReceived(AlertDescription::UnknownCA))
    );

    let (failure, _) = refusal(&house, &self_signed(|_| {}));
    assert_eq!(failure.kind, Kind::UnknownIssuer);
    let authority = self_signed(|params| {
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    });
    assert_eq!(refusal(&house, &authority).0.kind, Kind::UnknownIssuer);

    let for_clients = house.issue_with(&[NAME], |params| {
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    });
    assert_eq!(refusal(&house, &for_clients).0.kind, Kind::Unusable);
}

#[test]
fn a_certificate_that_is_trusted_as_itself_is_still_looked_at() {
    for (change, kind) in [
        (expired as fn(&mut rcgen::CertificateParams), Kind::Expired),
        (not_yet_valid, Kind::NotYetValid),
    ] {
        let identity = self_signed(change);
        let mut house = House::new();
        house.root = identity.chain[0].clone();
        assert_eq!(refusal(&house, &identity).0.kind, kind);
    }
    let (world, house) = (World::new(), House::new());
    let identity = self_signed(|_| {});
    let config = house.client_with(|client| client.roots = vec![identity.chain[0].clone()]);
    let (stream, socket) = world.plain_client();
    world
        .engine
        .start_tls(stream, &config, Some("other.example"))
        .expect("it may start");
    let server = house.peer_server_as(&identity);
    let mut peer = TlsPeer::server(server, socket);
    peer.until_lost(&world, stream);
    world.must_have_failed(stream, Kind::WrongName);
}

#[test]
fn a_trusted_leaf_vouches_for_nobody() {
    // It signs another certificate as an authority would; but it says of itself that it is none.
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["leaf.example".to_owned()]).unwrap();
    params.is_ca = rcgen::IsCa::ExplicitNoCa;
    let leaf = params.self_signed(&key).unwrap();
    let forged_key = rcgen::KeyPair::generate().unwrap();
    let forged = rcgen::CertificateParams::new(vec![NAME.to_owned()])
        .unwrap()
        .signed_by(&forged_key, &rcgen::Issuer::from_params(&params, &key))
        .unwrap();
    let mut house = House::new();
    house.root = leaf.der().to_vec();
    let identity = Identity {
        chain: vec![forged.der().to_vec()],
        key: forged_key.serialize_der(),
    };
    assert_eq!(refusal(&house, &identity).0.kind, Kind::UnknownIssuer);
}

#[test]
fn clients_without_the_right_certificate_are_refused() {
    let (world, house) = (World::new(), House::new());
    let config = house.server_with(|server| {
        server.client_roots = Some(vec![house.root.clone()]);
        server.client_required = true;
    });
    let (stream, mut peer) = world.tls_pair(&config, house.peer_client(BOTH));
    peer.until_lost(&world, stream);
    world.must_have_failed(stream, Kind::NoCertificate);
    peer.until(&world, "our alert", |_, peer| {
        peer.error == Some(Error::AlertReceived(AlertDescription::CertificateRequired))
    });
    for (identity, kind) in [
        (House::new().issue(&["client.example"]), Kind::UnknownIssuer),
        (
            house.issue_with(&["client.example"], expired),
            Kind::Expired,
        ),
    ] {
        let (stream, mut peer) = world.tls_pair(&config, house.peer_client_as(&identity));
        peer.until_lost(&world, stream);
        world.must_have_failed(stream, kind);
    }
}

#[test]
fn what_there_is_none_of_in_common_is_said() {
    let (world, house) = (World::new(), House::new());
    let modern = house.server_with(|server| server.options.versions = (0x0304, 0x0304));
    let (stream, mut peer) = world.tls_pair(&modern, house.peer_client(ONLY_12));
    peer.until_lost(&world, stream);
    world.must_have_failed(stream, Kind::Version);

    let old = house.client_with(|client| client.options.versions = (0x0303, 0x0303));
    let (stream, mut peer) = world.tls_client(&old, house.peer_server(ONLY_13));
    peer.until_lost(&world, stream);
    let failure = world.must_have_failed(stream, Kind::Alert);
    assert_eq!(failure.details, Details::Alert(70));

    let picky = house.server_with(|server| {
        server.options.suites = Some(vec!["TLS_AES_256_GCM_SHA384".into()]);
    });
    let mut provider = rustls::crypto::ring::default_provider();
    provider
        .cipher_suites
        .retain(|suite| suite.suite() == rustls::CipherSuite::TLS13_AES_128_GCM_SHA256);
    let client = rustls::ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .expect("a suite")
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let (stream, mut peer) = world.tls_pair(&picky, client);
    peer.until_lost(&world, stream);
    let failure = world.must_have_failed(stream, Kind::NoSharedCipher);
    assert_eq!(failure.details, Details::What("suite"));

    let choosy = house.server_with(|server| server.options.alpn = vec![b"h2".to_vec()]);
    let mut client = house.peer_client(BOTH);
    client.alpn_protocols = vec![b"spam".to_vec(), b"eggs".to_vec()];
    let (stream, mut peer) = world.tls_pair(&choosy, client);
    peer.until_lost(&world, stream);
    let failure = world.must_have_failed(stream, Kind::NoProtocol);
    assert_eq!(
        failure.details,
        Details::Offered(vec![b"spam".to_vec(), b"eggs".to_vec()])
    );
}

#[test]
fn a_peers_alert_is_told_by_name() {
    let (world, house) = (World::new(), House::new());
    let stranger = House::new();
    let (stream, mut peer) = world.tls_pair(&house.server(), stranger.peer_client(BOTH));
    peer.until_lost(&world, stream);
    let failure = world.must_have_failed(stream, Kind::Alert);
    assert_eq!(failure.details, Details::Alert(48));
    assert!(failure.message.contains("UnknownCA"), "{failure}");
}

#[test]
fn what_is_no_tls_is_called_what_it_looks_like() {
    let house = House::new();
    for (bytes, looks) in [
        (&b"GET / HTTP/1.1\r\n\r\n"[..], "HTTP"),
        (b"POST /", "HTTP"),
        (b"PRI * HTTP/2.0\r\n", "HTTP"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH"),
        (b"220 mail.example ESMTP\r\n", "SMTP"),
        (b"\x80\x2e\x01\x00\x02", "SSL 2.0"),
        (b"\x00\x01\x02\x03", "no protocol that is known"),
        (b"\x16\x02\x00", "no protocol that is known"),
        (b"?", "no protocol that is known"),
    ] {
        let failure = World::new().greeted_with(&house, bytes);
        assert_eq!(failure.kind, Kind::NotTls, "{failure}");
        assert!(failure.message.contains(looks), "{failure}");
        assert_eq!(failure.details, Details::Received(bytes.to_vec()));
    }
}

#[test]
fn a_server_that_greets_in_clear_is_called_that() {
    let (world, house) = (World::new(), House::new());
    let (stream, socket) = world.plain_client();
    world
        .engine
        .start_tls(stream, &house.client(), Some(NAME))
        .expect("it may start");
    util::peer::say(&socket, b"HTTP/1.1 400 Bad Request\r\n\r\n");
    world.until_lost(stream);
    let failure = world.must_have_failed(stream, Kind::NotTls);
    assert!(failure.message.contains("HTTP"), "{failure}");
}

#[test]
fn records_that_break_the_rules_end_the_connection() {
    let house = House::new();
    for (bytes, kind) in [
        (&b"\x16\x03\x01\xff\xff"[..], Kind::Oversized),
        (b"\x16\x03\x01\x48\x01", Kind::Oversized),
        (b"\x16\x03\x01\x00\x00", Kind::Malformed),
        (b"\x16\x03\x01\x00\x04\x01\xff\xff\xff", Kind::Oversized),
        (b"\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00", Kind::Malformed),
        (
            b"\x16\x03\x01\x00\x01\x01\x63\x03\x03\x00\x01",
            Kind::Malformed,
        ),
        (b"\x16\x03\x01\x00\x01", Kind::Eof),
        (b"\x15\x03\x01\x00\x02\x02\x28", Kind::Alert),
        (b"\x15\x03\x01\x00\x02\x01\x00", Kind::Eof),
    ] {
        let failure = World::new().greeted_with(&house, bytes);
        assert_eq!(failure.kind, kind, "{bytes:x?}: {failure:?}");
    }
}

/// A secured pair, our side the server.
fn secured(world: &World, house: &House, versions: tls::Versions) -> (Token, TlsPeer) {
    let (stream, mut peer) = world.tls_pair(&house.server(), house.peer_client(versions));
    peer.until_secured(world, stream);
    (stream, peer)
}

#[test]
fn records_after_the_handshake_that_break_the_rules_end_it_as_well() {
    for (bytes, kind) in [
        (
            &b"\x17\x03\x03\x00\x14aaaaaaaaaaaaaaaaaaaa"[..],
            Kind::Decrypt,
        ),
        (b"\x17\x03\x03\x00\x01a", Kind::Decrypt),
        (b"\x17\x03\x03\xff\xff", Kind::Oversized),
        (b"\x16\x03\x03\x00\x01a", Kind::Malformed),
        (b"\x14\x03\x03\x00\x01\x01", Kind::Malformed),
        (b"GET / HTTP/1.1\r\n", Kind::Malformed),
    ] {
        let (world, house) = (World::new(), House::new());
        let (stream, mut peer) = secured(&world, &house, ONLY_13);
        peer.socket.write_all(bytes).unwrap();
        peer.until_lost(&world, stream);
        world.must_have_failed(stream, kind);
        peer.until(&world, "our alert", |_, peer| peer.error.is_some());
    }
}

#[test]
fn a_record_that_was_tampered_with_is_found_and_what_came_before_is_delivered() {
    for versions in [ONLY_13, ONLY_12] {
        let (world, house) = (World::new(), House::new());
        let (stream, mut peer) = secured(&world, &house, versions);
        peer.say(b"as it was said");
        let mut records = Vec::new();
        peer.tls.write_tls(&mut records).unwrap();
        peer.say(b"not as it was said");
        peer.tls.write_tls(&mut records).unwrap();
        *records.last_mut().unwrap() ^= 1;
        peer.socket.write_all(&records).unwrap();
        peer.until_lost(&world, stream);
        world.must_have_failed(stream, Kind::Decrypt);
        assert_eq!(world.received(stream), b"as it was said");
        peer.until(&world, "our alert", |_, peer| {
            peer.error == Some(Error::AlertReceived(AlertDescription::BadRecordMac))
        });
    }
}

#[test]
fn too_many_key_updates_in_a_row_are_refused() {
    let (world, house) = (World::new(), House::new());
    let (stream, mut peer) = secured(&world, &house, ONLY_13);
    for _ in 0..40 {
        peer.tls.refresh_traffic_keys().unwrap();
    }
    peer.until_lost(&world, stream);
    world.must_have_failed(stream, Kind::Malformed);
}

#[test]
fn a_handshake_in_crumbs_is_not_kept_without_end() {
    let (world, house) = (World::new(), House::new());
    let (stream, socket) = world.pair();
    world
        .engine
        .start_tls(stream, &house.server(), None)
        .expect("it may start");
    let mut bytes = b"\x16\x03\x01\x00\x04\x01\x00\xff\xff".to_vec();
    for _ in 0..60_000 {
        bytes.extend(b"\x16\x03\x01\x00\x01a");
    }
    util::peer::write_all(&world, &socket, &bytes);
    world.until_lost(stream);
    world.must_have_failed(stream, Kind::Oversized);
}

#[test]
fn what_cannot_be_used_is_refused_when_the_context_is_made() {
    let house = House::new();
    let server = |change: &dyn Fn(&mut ServerOptions)| {
        let mut options = ServerOptions {
            identities: vec![house.issue(&[NAME])],
            ..ServerOptions::default()
        };
        change(&mut options);
        TlsConfig::server(options).expect_err("it cannot be used")
    };
    assert!(matches!(
        server(&|options| options.identities.clear()),
        ConfigError::NoCertificate
    ));
    assert!(matches!(
        server(&|options| options.identities[0].chain.clear()),
        ConfigError::NoCertificate
    ));
    assert!(matches!(
        server(&|options| options.identities[0].key = b"no key".to_vec()),
        ConfigError::Key(_)
    ));
    assert!(matches!(
        server(&|options| options.identities[0].key = house.issue(&[NAME]).key),
        ConfigError::KeyMismatch
    ));
    assert!(matches!(
        server(&|options| options.names = vec![("a".into(), 1)]),
        ConfigError::Name(name) if name == "a"
    ));
    let error = server(&|options| options.options.suites = Some(vec!["TLS_ROT13".into()]));
    assert!(
        error.to_string().contains("TLS_AES_128_GCM_SHA256"),
        "{error}"
    );
    let error = server(&|options| options.options.groups = Some(vec!["P-12".into()]));
    assert!(error.to_string().contains("X25519"), "{error}");
    assert!(matches!(
        server(&|options| options.options.groups = Some(Vec::new())),
        ConfigError::Group(_)
    ));
    assert!(matches!(
        server(&|options| options.options.versions = (0x0300, 0x0302)),
        ConfigError::Versions(_)
    ));
    assert!(matches!(
        server(&|options| options.options.key_log = Some("/nowhere/at/all".into())),
        ConfigError::KeyLog(..)
    ));
    let only_13 = Some(vec!["TLS_AES_128_GCM_SHA256".to_owned()]);
    let options = ClientOptions {
        options: torsion_reactor::tls::Options {
            suites: only_13,
            versions: (0x0303, 0x0303),
            ..Default::default()
        },
        ..ClientOptions::default()
    };
    assert!(matches!(
        TlsConfig::client(options),
        Err(ConfigError::Versions(_))
    ));
}

#[test]
fn keys_are_logged_where_that_is_wanted() {
    let path = std::env::temp_dir().join(format!("torsion-keys-{}", std::process::id()));
    let (world, house) = (World::new(), House::new());
    let config = house.server_with(|server| server.options.key_log = Some(path.clone()));
    let (stream, mut peer) = world.tls_pair(&config, house.peer_client(ONLY_13));
    peer.until_secured(&world, stream);
    let log = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    for label in ["CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_TRAFFIC_SECRET_0"] {
        let line = log.lines().find(|line| line.starts_with(label));
        assert_eq!(line.map(|line| line.split(' ').count()), Some(3), "{log}");
    }
}
