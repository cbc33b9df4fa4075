//! Two ends of one connection, without sockets: what a peer may do to us that rustls' own connections never would.

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::ServerName;

use super::*;
use crate::security::Details;
use crate::tls::config::{ClientOptions, Identity, Options, ServerOptions, TlsConfig};
use crate::tls::handshake::{Handshake, Step};

const TLS12: u16 = 0x0303;
const TLS13: u16 = 0x0304;

/// Goes on with what has come; returns whether the handshake is over.
fn go_on(side: &mut Handshake, incoming: &mut Vec<u8>, outgoing: &mut Vec<u8>) -> bool {
    if incoming.is_empty() {
        return false;
    }
    let (used, step) = side.feed(incoming, outgoing);
    incoming.drain(..used);
    match step {
        Step::Done => true,
        Step::More => false,
        step => panic!("{step:?}"),
    }
}

/// A client and a server that have shaken hands.
fn pair(version: u16) -> (Traffic, Traffic) {
    let key = KeyPair::generate().unwrap();
    let names = vec!["server.example".to_owned()];
    let certificate = CertificateParams::new(names)
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let options = Options {
        versions: (version, version),
        ..Options::default()
    };
    let server = TlsConfig::server(ServerOptions {
        identities: vec![Identity {
            chain: vec![certificate.der().to_vec()],
            key: key.serialize_der(),
        }],
        options: options.clone(),
        ..ServerOptions::default()
    });
    let client = TlsConfig::client(ClientOptions {
        options,
        ..ClientOptions::default()
    });
    let name = ServerName::try_from("server.example").unwrap();
    let mut client = Handshake::new(&client.unwrap(), name.clone()).unwrap();
    let mut server = Handshake::new(&server.unwrap(), name).unwrap();
    let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
    client.feed(&mut [], &mut to_server);
    let (mut client_done, mut server_done) = (false, false);
    while !(client_done && server_done) {
        server_done |= go_on(&mut server, &mut to_server, &mut to_client);
        client_done |= go_on(&mut client, &mut to_client, &mut to_server);
    }
    (client.finish().unwrap().0, server.finish().unwrap().0)
}

/// What `to` makes of a record of this kind that `from` sends, and what it owes for it.
fn send(
    from: &mut Traffic,
    to: &mut Traffic,
    typ: ContentType,
    bytes: &[u8],
) -> Result<(Opened, Vec<u8>), Failure> {
    let (mut record, mut owed) = (Vec::new(), Vec::new());
    from.seal_into(typ, bytes, &mut record).unwrap();
    to.open(&mut record, &mut owed).map(|opened| (opened, owed))
}

fn send_data(from: &mut Traffic, to: &mut Traffic, bytes: &[u8]) -> Vec<u8> {
    let mut owed = Vec::new();
    let mut record = from.seal(OutboundChunks::Single(bytes), &mut owed).unwrap();
    let mut answer = Vec::new();
    if !owed.is_empty() {
        assert_eq!(to.open(&mut owed, &mut answer), Ok(Opened::Nothing));
    }
    match to.open(&mut record, &mut answer) {
        Ok(Opened::Data(start, size)) => record[start..start + size].to_vec(),
        other => panic!("{other:?}"),
    }
}

fn kind<T: std::fmt::Debug>(result: Result<T, Failure>) -> Kind {
    result.expect_err("it breaks a rule").kind
}

#[test]
fn a_key_that_is_worn_out_is_renewed() {
    let (mut client, mut server) = pair(TLS13);
    for _ in 0..3 {
        client.limit = client.sealed;
        assert_eq!(send_data(&mut client, &mut server, b"data"), b"data");
        assert_eq!(client.sealed, 1, "counted anew");
        client.limit = limit(client.suite);
        assert_eq!(send_data(&mut client, &mut server, b"more"), b"more");
        assert_eq!(send_data(&mut server, &mut client, b"answer"), b"answer");
    }
    let (mut client, _server) = pair(TLS12);
    client.limit = client.sealed;
    let sealed = client.seal(OutboundChunks::Single(b"data"), &mut Vec::new());
    assert_eq!(kind(sealed), Kind::Internal);
}

/// Asks for the other's next key, as `update_sealer` does not.
fn ask(from: &mut Traffic, to: &mut Traffic) {
    let asking = [KEY_UPDATE, 0, 0, 1, 1];
    let (opened, owed) = send(from, to, ContentType::Handshake, &asking).unwrap();
    assert_eq!((opened, owed.len()), (Opened::Nothing, 0));
    let renewed = match &mut from.kernel {
        Kernel::Client(kernel) => kernel.update_tx_secret(),
        _ => panic!("a client"),
    };
    let (sealed, secrets) = renewed.unwrap();
    (from.sealed, from.sealer) = (sealed, sealer(from.suite, secrets).unwrap());
}

#[test]
fn a_peer_that_asks_for_our_next_key_gets_it_before_our_next_data() {
    let (mut client, mut server) = pair(TLS13);
    ask(&mut client, &mut server);
    assert_eq!(send_data(&mut client, &mut server, b"new"), b"new");
    let mut owed = Vec::new();
    let data = server
        .seal(OutboundChunks::Single(b"new"), &mut owed)
        .unwrap();
    assert!(!data.is_empty());
    assert_eq!(client.open(&mut owed, &mut Vec::new()), Ok(Opened::Nothing));
    let mut data = data;
    let opened = client.open(&mut data, &mut Vec::new()).unwrap();
    assert!(matches!(opened, Opened::Data(_, 3)));
    assert_eq!(send_data(&mut server, &mut client, b"and on"), b"and on");
}

/// A peer that asks again and again, says a byte in between, and never reads.
#[test]
fn a_peer_that_asks_often_is_owed_one_key() {
    let (mut client, mut server) = pair(TLS13);
    for _ in 0..1000 {
        ask(&mut client, &mut server);
        assert_eq!(send_data(&mut client, &mut server, b"x"), b"x");
    }
    let (mut once, mut then) = (Vec::new(), Vec::new());
    server
        .seal(OutboundChunks::Single(b"x"), &mut once)
        .unwrap();
    server
        .seal(OutboundChunks::Single(b"x"), &mut then)
        .unwrap();
    assert!(!once.is_empty() && then.is_empty());
}

#[test]
fn a_renegotiation_is_refused_once_in_words_and_then_by_the_end() {
    for hello in [HELLO_REQUEST, CLIENT_HELLO] {
        let (mut client, mut server) = pair(TLS12);
        let message = [hello, 0, 0, 0];
        let (from, to) = match hello {
            HELLO_REQUEST => (&mut server, &mut client),
            _ => (&mut client, &mut server),
        };
        let (opened, mut owed) = send(from, to, ContentType::Handshake, &message).unwrap();
        assert_eq!(opened, Opened::Nothing);
        assert_eq!(
            from.open(&mut owed, &mut Vec::new()),
            Ok(Opened::Nothing),
            "a warning"
        );
        assert_eq!(send_data(from, to, b"going on"), b"going on");
        let again = send(from, to, ContentType::Handshake, &message);
        assert_eq!(kind(again), Kind::Renegotiation);
    }
}

#[test]
fn messages_that_have_no_place_after_the_handshake_are_refused() {
    for (version, message) in [
        (TLS13, &[CLIENT_HELLO, 0, 0, 0][..]),
        (TLS13, &[NEW_SESSION_TICKET, 0, 0, 0]),
        (TLS13, &[KEY_UPDATE, 0, 0, 1, 2]),
        (TLS13, &[KEY_UPDATE, 0, 0, 0]),
        (TLS13, &[KEY_UPDATE, 0, 0, 1, 0, KEY_UPDATE]),
        (TLS12, &[KEY_UPDATE, 0, 0, 1, 0]),
        (TLS12, &[20, 0, 0, 0]),
    ] {
        let (mut client, mut server) = pair(version);
        let sent = send(&mut client, &mut server, ContentType::Handshake, message);
        assert_eq!(kind(sent), Kind::Malformed, "{message:?}");
    }
    let (mut client, mut server) = pair(TLS13);
    let long = [KEY_UPDATE, 2, 0, 0];
    let sent = send(&mut client, &mut server, ContentType::Handshake, &long);
    assert_eq!(kind(sent), Kind::Oversized);
    let sent = send(&mut client, &mut server, ContentType::Heartbeat, b"beat");
    assert_eq!(kind(sent), Kind::Malformed);
}

#[test]
fn a_message_may_come_in_parts_but_not_with_other_things_between() {
    let (mut client, mut server) = pair(TLS13);
    for part in [&[KEY_UPDATE, 0][..], &[0, 1]] {
        let sent = send(&mut client, &mut server, ContentType::Handshake, part);
        assert_eq!(sent.unwrap().0, Opened::Nothing);
    }
    let data = send(
        &mut client,
        &mut server,
        ContentType::ApplicationData,
        b"data",
    );
    assert_eq!(kind(data), Kind::Malformed);
}

#[test]
fn empty_records_are_taken_but_not_without_end() {
    let (mut client, mut server) = pair(TLS12);
    for _ in 0..2 {
        for _ in 0..EMPTY_RECORDS {
            let sent = send(&mut client, &mut server, ContentType::ApplicationData, b"");
            assert_eq!(sent.unwrap().0, Opened::Nothing);
        }
        assert_eq!(send_data(&mut client, &mut server, b"data"), b"data");
    }
    for _ in 0..EMPTY_RECORDS {
        send(&mut client, &mut server, ContentType::ApplicationData, b"").unwrap();
    }
    let one_more = send(&mut client, &mut server, ContentType::ApplicationData, b"");
    assert_eq!(kind(one_more), Kind::Malformed);
}

#[test]
fn alerts_are_told_apart() {
    let alert = |version, bytes: &[u8]| {
        let (mut client, mut server) = pair(version);
        send(&mut client, &mut server, ContentType::Alert, bytes).map(|(opened, _)| opened)
    };
    for version in [TLS12, TLS13] {
        assert_eq!(alert(version, &[1, 0]), Ok(Opened::Closed));
        assert_eq!(
            alert(version, &[1, 90]),
            Ok(Opened::Nothing),
            "a user cancelled"
        );
        let fatal = alert(version, &[2, 40]).expect_err("fatal");
        assert_eq!(
            (fatal.kind, fatal.details),
            (Kind::Alert, Details::Alert(40))
        );
        assert_eq!(kind(alert(version, &[2])), Kind::Malformed);
        assert_eq!(kind(alert(version, &[2, 40, 1])), Kind::Malformed);
    }
    assert_eq!(alert(TLS12, &[1, 100]), Ok(Opened::Nothing), "a warning");
    assert_eq!(
        kind(alert(TLS13, &[1, 100])),
        Kind::Alert,
        "there are no warnings in TLS 1.3"
    );
    let (mut client, mut server) = pair(TLS12);
    for _ in 0..WARNINGS {
        send(&mut client, &mut server, ContentType::Alert, &[1, 100]).unwrap();
    }
    let one_more = send(&mut client, &mut server, ContentType::Alert, &[1, 100]);
    assert_eq!(kind(one_more), Kind::Malformed);
}

/// There may be any number of parts, but each has to have something (RFC 8446, 5.1; RFC 5246, 6.2.1).
#[test]
fn an_empty_part_of_a_handshake_message_is_refused() {
    for version in [TLS12, TLS13] {
        let (mut client, mut server) = pair(version);
        let refused = send(&mut client, &mut server, ContentType::Handshake, b"").unwrap_err();
        assert_eq!(refused.kind, Kind::Malformed);
    }
}
