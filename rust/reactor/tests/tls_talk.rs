//! Secured streams that do what they should: both roles, each version, each way of cutting what is sent.

#[path = "util/tls.rs"]
mod tls;
mod util;

use std::rc::Rc;

use rustls::ProtocolVersion;
use tls::{BOTH, House, NAME, ONLY_12, ONLY_13, pattern, self_signed};
use torsion_reactor::tls::{StartError, TlsConfig};
use torsion_reactor::{CloseReason, Wrote};
use util::{Seen, World};

/// Has a stream send back what comes.
fn echo(world: &World) {
    world.on(|world, seen| {
        if let Seen::Data(token, bytes) = seen {
            world.engine.write(*token, bytes.to_vec());
        }
    });
}

#[test]
fn a_server_talks_in_both_versions() {
    for (versions, version) in [
        (ONLY_13, ProtocolVersion::TLSv1_3),
        (ONLY_12, ProtocolVersion::TLSv1_2),
    ] {
        let (world, house) = (World::new(), House::new());
        echo(&world);
        let (stream, mut peer) = world.tls_pair(&house.server(), house.peer_client(versions));
        let told = peer.until_secured(&world, stream);
        assert_eq!(told.version, u16::from(version));
        assert_eq!(told.server_name.as_deref(), Some(NAME));
        assert!(told.certificates.is_empty() && told.protocol.is_none() && !told.resumed);
        assert!(told.cipher.starts_with("TLS_"), "{}", told.cipher);
        for size in [1, 1000, 16 * 1024, 16 * 1024 + 1, 300_000] {
            let bytes = pattern(size);
            peer.plain.clear();
            peer.say(&bytes);
            peer.until(&world, "an echo", |_, peer| peer.plain.len() >= size);
            assert!(peer.plain == bytes, "{size}");
        }
        world.must_be_idle();
        assert_eq!(world.lost(stream), None);
    }
}

#[test]
fn a_client_talks_in_both_versions() {
    for (versions, version) in [(ONLY_13, 0x0304), (ONLY_12, 0x0303)] {
        let (world, house) = (World::new(), House::new());
        echo(&world);
        let (stream, mut peer) = world.tls_client(&house.client(), house.peer_server(versions));
        let told = peer.until_secured(&world, stream);
        assert_eq!(told.version, version);
        assert_eq!(told.certificates.len(), 1, "the server's own");
        let bytes = pattern(100_000);
        peer.say(&bytes);
        peer.until(&world, "an echo", |_, peer| peer.plain.len() >= bytes.len());
        assert!(peer.plain == bytes);
    }
}

#[test]
fn every_byte_may_come_alone() {
    for server in [true, false] {
        let (world, house) = (World::new(), House::new());
        let (stream, mut peer) = if server {
            world.tls_pair(&house.server(), house.peer_client(BOTH))
        } else {
            world.tls_client(&house.client(), house.peer_server(BOTH))
        };
        peer.step.set(1);
        peer.until_secured(&world, stream);
        peer.say(b"in crumbs");
        peer.until(&world, "bytes", |world, _| {
            world.received(stream) == b"in crumbs"
        });
        world.must_be_idle();
    }
}

#[test]
fn records_of_one_read_are_one_delivery() {
    let (world, house) = (World::new(), House::new());
    let (stream, mut peer) = world.tls_pair(&house.server(), house.peer_client(BOTH));
    peer.until_secured(&world, stream);
    world.take_seen();
    for lends in [true, false] {
        world.lends.set(lends);
        for word in [&b"one "[..], b"two ", b"three"] {
            peer.say(word); // each write is a record
        }
        peer.until(&world, "bytes", |world, _| !world.seen.borrow().is_empty());
        let all: Rc<[u8]> = (*b"one two three").into();
        assert_eq!(world.take_seen(), [Seen::Data(stream, all)]);
    }
}

#[test]
fn small_writes_of_one_hook_are_one_record() {
    let (world, house) = (World::new(), House::new());
    let (stream, mut peer) = world.tls_pair(&house.server(), house.peer_client(BOTH));
    peer.until_secured(&world, stream);
    let before = world.engine.stream(stream, |stream| stream.statistics());
    for word in ["one ", "two ", "three"] {
        assert_eq!(world.write(stream, word.as_bytes()), Wrote::Queued);
    }
    assert_eq!(world.queued(stream), 13, "not sealed before it is sent");
    peer.until(&world, "bytes", |_, peer| peer.plain == b"one two three");
    let after = world.engine.stream(stream, |stream| stream.statistics());
    let (before, after) = (before.expect("open"), after.expect("open"));
    // A header, the bytes, their kind and a tag.
    assert_eq!(after.bytes_written - before.bytes_written, 5 + 13 + 1 + 16);
}

#[test]
fn what_is_written_during_the_handshake_is_sent_after_it() {
    for server in [true, false] {
        let (world, house) = (World::new(), House::new());
        let (stream, mut peer) = if server {
            world.tls_pair(&house.server(), house.peer_client(BOTH))
        } else {
            world.tls_client(&house.client(), house.peer_server(BOTH))
        };
        world.write(stream, b"early, ");
        world.poll();
        world.write(stream, b"and not sent in clear");
        peer.say(b"early as well");
        peer.until(&world, "bytes", |world, peer| {
            peer.plain == b"early, and not sent in clear"
                && world.received(stream) == b"early as well"
        });
        let seen = world.take_seen();
        let secured = seen
            .iter()
            .position(|seen| matches!(seen, Seen::Secured(..)));
        let data = seen.iter().position(|seen| matches!(seen, Seen::Data(..)));
        assert!(secured < data, "first the word that it is secure: {seen:?}");
    }
}

#[test]
fn bytes_in_clear_come_before_and_nothing_in_clear_after() {
    for server in [true, false] {
        let (world, house) = (World::new(), House::new());
        let (stream, socket, config) = if server {
            let (stream, socket) = world.pair();
            (stream, socket, house.server())
        } else {
            let (stream, socket) = world.plain_client();
            (stream, socket, house.client())
        };
        world.once(
            |seen| matches!(seen, Seen::Data(..)),
            move |world, seen| {
                let Seen::Data(token, _) = seen else { return };
                world.write(*token, b"220 go ahead\r\n");
                world
                    .engine
                    .start_tls(*token, &config, Some(NAME))
                    .expect("it may start");
                world.write(*token, b"a secret");
            },
        );
        util::peer::say(&socket, b"STARTTLS\r\n");
        world.until("the command", |world| {
            world.received(stream) == b"STARTTLS\r\n"
        });
        world.poll();
        assert_eq!(util::peer::read(&socket, 14), b"220 go ahead\r\n");
        let mut peer = if server {
            tls::TlsPeer::client(house.peer_client(BOTH), socket)
        } else {
            tls::TlsPeer::server(house.peer_server(BOTH), socket)
        };
        peer.until_secured(&world, stream);
        peer.until(&world, "the secret", |_, peer| peer.plain == b"a secret");
        peer.say(b"another one");
        peer.until(&world, "an answer", |world, _| {
            world.received(stream) == b"STARTTLS\r\nanother one"
        });
    }
}

#[test]
fn application_protocols_are_agreed_on() {
    let (world, house) = (World::new(), House::new());
    let config = house.server_with(|server| {
        server.options.alpn = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    });
    for (offered, agreed) in [
        (&[&b"http/1.1"[..], b"h2"][..], Some(&b"h2"[..])),
        (&[b"http/1.1"], Some(b"http/1.1")),
        (&[], None),
    ] {
        let mut client = house.peer_client(BOTH);
        client.alpn_protocols = offered.iter().map(|one| one.to_vec()).collect();
        let (stream, mut peer) = world.tls_pair(&config, client);
        let told = peer.until_secured(&world, stream);
        assert_eq!(told.protocol.as_deref(), agreed);
    }
    let mut server = house.peer_server(BOTH);
    server.alpn_protocols = vec![b"spam".to_vec()];
    let config = house.client_with(|client| {
        client.options.alpn = vec![b"eggs".to_vec(), b"spam".to_vec()];
    });
    let (stream, mut peer) = world.tls_client(&config, server);
    let told = peer.until_secured(&world, stream);
    assert_eq!(told.protocol.as_deref(), Some(&b"spam"[..]));
}

#[test]
fn a_server_answers_by_name() {
    let (world, house) = (World::new(), House::new());
    let config = house.server_with(|server| {
        server.identities = ["default.example", NAME, "*.many.example"]
            .iter()
            .map(|name| house.issue(&[name]))
            .collect();
        server.names = vec![(NAME.to_uppercase(), 1), ("*.many.example".into(), 2)];
    });
    for (asked, served) in [
        (NAME, true),
        ("one.many.example", true),
        ("one.two.many.example", false),
        ("default.example", true),
        ("nobody.example", false),
    ] {
        let (stream, socket) = world.pair();
        world
            .engine
            .start_tls(stream, &config, None)
            .expect("it may start");
        let mut peer = tls::TlsPeer::client(house.peer_client(BOTH), socket);
        let name = rustls::pki_types::ServerName::try_from(asked).expect("a name");
        let client = std::sync::Arc::new(house.peer_client(BOTH));
        peer.tls = rustls::ClientConnection::new(client, name)
            .expect("a configuration")
            .into();
        if served {
            let told = peer.until_secured(&world, stream);
            assert_eq!(told.server_name.as_deref(), Some(asked));
        } else {
            peer.until(&world, "a refusal", |_, peer| peer.error.is_some());
        }
    }
}

#[test]
fn clients_show_certificates() {
    let (world, house) = (World::new(), House::new());
    let identity = house.issue(&["client.example"]);
    let config = house.server_with(|server| {
        server.client_roots = Some(vec![house.root.clone()]);
        server.client_required = true;
    });
    let (stream, mut peer) = world.tls_pair(&config, house.peer_client_as(&identity));
    let told = peer.until_secured(&world, stream);
    assert_eq!(&*told.certificates[0], identity.chain[0].as_slice());

    let optional = house.server_with(|server| server.client_roots = Some(vec![house.root.clone()]));
    let (stream, mut peer) = world.tls_pair(&optional, house.peer_client(BOTH));
    assert!(peer.until_secured(&world, stream).certificates.is_empty());

    let config = house.client_with(|client| client.identity = Some(identity));
    let (stream, mut peer) = world.tls_client(&config, house.peer_server_that_asks());
    peer.until_secured(&world, stream);
    assert_eq!(peer.tls.peer_certificates().map(<[_]>::len), Some(1));
}

#[test]
fn a_certificate_is_trusted_as_itself() {
    let (world, house) = (World::new(), House::new());
    let authority = self_signed(|params| {
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    });
    for identity in [self_signed(|_| {}), authority, house.issue(&[NAME])] {
        let config = house.client_with(|client| client.roots = vec![identity.chain[0].clone()]);
        let server = house.peer_server_as(&identity);
        let (stream, mut peer) = world.tls_client(&config, server);
        peer.until_secured(&world, stream);
    }
}

#[test]
fn sessions_are_taken_up_again() {
    let (world, house) = (World::new(), House::new());
    // Our server: by tickets or by its memory, in each version.
    for (versions, tickets) in [
        (ONLY_13, true),
        (ONLY_13, false),
        (ONLY_12, true),
        (ONLY_12, false),
    ] {
        let config = house.server_with(|server| server.tickets = tickets);
        let client = house.peer_client(versions);
        for resumed in [false, true] {
            let (stream, mut peer) = world.tls_pair(&config, client.clone());
            assert_eq!(peer.until_secured(&world, stream).resumed, resumed);
            world.write(stream, b"so that the tickets are read");
            peer.until(&world, "bytes", |_, peer| !peer.plain.is_empty());
        }
    }
    let forgetful = house.server_with(|server| (server.tickets, server.sessions) = (false, false));
    let client = house.peer_client(BOTH);
    for _ in 0..2 {
        let (stream, mut peer) = world.tls_pair(&forgetful, client.clone());
        assert!(!peer.until_secured(&world, stream).resumed);
    }
    // Our client, which reads tickets after the handshake.
    for versions in [ONLY_13, ONLY_12] {
        let (config, server) = (house.client(), house.peer_server(versions));
        for resumed in [false, true] {
            let (stream, mut peer) = world.tls_client(&config, server.clone());
            assert_eq!(peer.until_secured(&world, stream).resumed, resumed);
            peer.say(b"behind the tickets");
            peer.until(&world, "bytes", |world, _| {
                world.received(stream) == b"behind the tickets"
            });
        }
    }
    let (config, server) = (
        house.client_with(|client| client.resumption = false),
        house.peer_server(BOTH),
    );
    for _ in 0..2 {
        let (stream, mut peer) = world.tls_client(&config, server.clone());
        assert!(!peer.until_secured(&world, stream).resumed);
    }
}

#[test]
fn keys_are_renewed() {
    let (world, house) = (World::new(), House::new());
    echo(&world);
    for server in [true, false] {
        let (stream, mut peer) = if server {
            world.tls_pair(&house.server(), house.peer_client(ONLY_13))
        } else {
            world.tls_client(&house.client(), house.peer_server(ONLY_13))
        };
        peer.until_secured(&world, stream);
        for round in 1..=3_usize {
            // This asks the other side to renew its own key as well.
            peer.tls.refresh_traffic_keys().expect("TLS 1.3");
            peer.say(b"with a new key");
            peer.until(&world, "an echo", |_, peer| peer.plain.len() == 14 * round);
        }
        assert_eq!(world.lost(stream), None);
    }
}

#[test]
fn tls_starts_once_on_a_stream_that_is_open_with_a_name_that_can_be() {
    let (world, house) = (World::new(), House::new());
    let (stream, _peer) = world.pair();
    let start = |config: &TlsConfig, name| world.engine.start_tls(stream, config, name);
    assert_eq!(start(&house.client(), None), Err(StartError::NoName));
    let bad = "not a name".to_owned();
    assert_eq!(
        start(&house.client(), Some(&bad)),
        Err(StartError::BadName(bad.clone()))
    );
    let nameless = house.client_with(|client| client.check_name = false);
    assert_eq!(start(&nameless, None), Ok(()));
    assert_eq!(start(&house.server(), None), Err(StartError::Secure));

    let (stream, _peer) = world.pair();
    world.engine.lose(stream);
    let late = world.engine.start_tls(stream, &house.server(), None);
    assert_eq!(late, Err(StartError::Closing));
    assert_eq!(world.until_lost(stream), CloseReason::Done);
    let late = world.engine.start_tls(stream, &house.server(), None);
    assert_eq!(late, Err(StartError::Closing));
}

#[test]
fn an_engine_lets_go_of_everything() {
    let (world, house) = (World::new(), House::new());
    let (stream, mut peer) = world.tls_pair(&house.server(), house.peer_client(BOTH));
    peer.until_secured(&world, stream);
    let (_shaking, _other) = world.tls_pair(&house.server(), house.peer_client(BOTH));
    let gone = world.engine.close();
    assert_eq!(gone.streams.len(), 2);
    drop(gone);
    assert_eq!(world.engine.next_deadline(), None);
    world.take_seen();
    assert_eq!(world.handles(), 0);
    peer.until(&world, "the farewell", |_, peer| peer.farewell);
}
