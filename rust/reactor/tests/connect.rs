//! Connections in the making: made, refused, given up.

mod util;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use torsion_reactor::{CloseReason, Error, Token};
use util::peer::{busy_listener, deaf_address};
use util::{PATIENCE, Seen, World, peer};

#[test]
fn a_refusal_is_told_once_with_its_number_and_leaves_nothing() {
    let world = World::new();
    let address = deaf_address();
    // At once or in a later turn, as the system likes.
    let errno = match world.connect(address) {
        Ok(connector) => {
            let told =
                |seen: &Seen| matches!(seen, Seen::ConnectFailed(token, _) if *token == connector);
            world.until("the refusal", |world| world.count(told) == 1);
            let Some(Seen::ConnectFailed(_, errno)) = world.take_seen().pop() else {
                panic!("nothing behind it")
            };
            errno
        }
        Err(Error::Connect {
            address: named,
            source,
        }) => {
            assert_eq!(named, address.into());
            source.raw_os_error().unwrap()
        }
        Err(error) => panic!("{error}"),
    };
    let kind = std::io::Error::from_raw_os_error(errno).kind();
    assert_eq!(kind, std::io::ErrorKind::ConnectionRefused);
    let statistics = world.engine.statistics();
    assert_eq!((statistics.descriptors, world.handles()), (0, 0));
    assert_eq!(
        (statistics.streams_opened, statistics.streams_closed),
        (0, 0)
    );
    world.must_be_idle();
}

#[test]
fn what_comes_with_the_connection_is_delivered_after_connected() {
    let world = World::new();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let connector = world.connect(listener.local_addr().unwrap()).unwrap();
    // Everything is there before the loop looks: the connection, bytes and the end.
    let (mut peer, _) = listener.accept().unwrap();
    std::io::Write::write_all(&mut peer, b"220 ready\r\n").unwrap();
    drop(peer);
    world.on(|world, seen| {
        if let Seen::Connected(stream) = *seen {
            world.write(stream, b"never read");
        }
    });
    assert_eq!(world.until_lost(connector), CloseReason::Done);
    assert_eq!(
        world.take_seen(),
        [
            Seen::Connected(connector),
            Seen::Data(connector, (*b"220 ready\r\n").into()),
            Seen::Eof(connector),
            Seen::Lost(connector, CloseReason::Done),
        ]
    );
    assert_eq!(world.handles(), 0);
}

#[test]
fn what_connected_writes_and_closes_reaches_the_peer() {
    let world = World::new();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let connector = world.connect(listener.local_addr().unwrap()).unwrap();
    world.on(|world, seen| {
        if let Seen::Connected(stream) = *seen {
            world.write(stream, b"hello");
            world.engine.lose(stream);
        }
    });
    assert_eq!(world.until_lost(connector), CloseReason::Done);
    let (peer, _) = listener.accept().unwrap();
    peer.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(peer::read(&peer, 5), b"hello");
    assert_eq!(peer::end_of(&peer), Ok(()));
}

#[test]
fn two_engines_ends_meet_in_one_loop() {
    let world = World::new();
    let (_, address) = world.listen();
    world.on(|world, seen| match seen {
        Seen::Connected(stream) => {
            world.write(*stream, b"ping");
        }
        Seen::Data(stream, bytes) if **bytes == *b"ping" => {
            world.write(*stream, b"pong");
            world.engine.lose(*stream);
        }
        _ => {}
    });
    let client = world.connect(address).unwrap();
    assert_eq!(world.until_lost(client), CloseReason::Done);
    assert_eq!(world.received(client), b"pong");
    assert_eq!(world.lost(world.accepted()[0]), Some(CloseReason::Done));
    let statistics = world.engine.statistics();
    assert_eq!(
        (statistics.streams_opened, statistics.streams_closed),
        (2, 2)
    );
}

#[test]
fn a_connection_that_was_given_up_is_never_heard_of() {
    let world = World::new();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    // Given up before the loop looked, and with the outcome already in its queue.
    let early = world.connect(address).unwrap();
    assert!(world.discard(early));
    assert!(!world.discard(early));
    world.must_be_idle();
    let refused = world.connect(deaf_address());
    let noticed = world.connect(address).unwrap();
    world.soon(move |world| {
        assert!(world.discard(noticed));
        if let Ok(refused) = refused {
            assert!(world.discard(refused));
        }
    });
    world.must_be_idle();
    assert_eq!(world.take_seen(), []);
    assert_eq!(
        (world.handles(), world.engine.statistics().descriptors),
        (0, 0)
    );
}

#[test]
#[cfg(target_os = "linux")]
fn one_that_takes_its_time_keeps_nobody_busy_and_can_be_given_up() {
    let world = World::new();
    let (listener, _fill) = busy_listener();
    let connector = world.connect(listener.local_addr().unwrap()).unwrap();
    world.must_be_idle();
    assert!(
        world.engine.connector(connector, |_| ()).is_some(),
        "not yet"
    );
    assert!(world.engine.stream(connector, |_| ()).is_none());
    assert!(world.discard(connector));
    assert!(world.engine.connector(connector, |_| ()).is_none());
    world.must_be_idle();
    assert_eq!(world.take_seen(), []);
}

#[test]
fn what_is_asked_of_a_connector_as_if_it_were_a_stream_is_passed_over() {
    let world = World::new();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let connector = world.connect(listener.local_addr().unwrap()).unwrap();
    assert_eq!(
        world.write(connector, b"x"),
        torsion_reactor::Wrote::Ignored
    );
    world.engine.lose(connector);
    world.engine.abort(connector);
    world.engine.fail(connector);
    world.engine.pause(connector);
    world.engine.resume(connector);
    world.engine.pause_listener(connector, true);
    assert!(!world.engine.register_producer(connector, true));
    world.until("the connection", |world| {
        world.has_seen(&Seen::Connected(connector))
    });
    assert!(!world.discard(connector), "a stream is not given up");
    assert_eq!(world.lost(connector), None);
}

#[test]
fn the_local_end_is_where_it_was_asked_to_be() {
    let world = World::new();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let bind = SocketAddr::from(([127, 0, 0, 1], 0));
    let connector = world.engine.connect(address, Some(bind)).unwrap();
    world.own_connector(connector);
    world.until("the connection", |world| {
        world.has_seen(&Seen::Connected(connector))
    });
    let local = |token: Token| {
        let address = world.engine.stream(token, |stream| {
            stream.socket().unwrap().local_addr().unwrap().as_socket()
        });
        address.flatten().unwrap()
    };
    let (_, seen_by_peer) = listener.accept().unwrap();
    assert_eq!(local(connector), seen_by_peer);
    assert_eq!(seen_by_peer.ip(), bind.ip());
}

#[test]
fn a_local_end_that_is_not_ours_or_taken_is_refused_at_once() {
    let world = World::new();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    for bind in [SocketAddr::from(([192, 0, 2, 1], 0)), address] {
        match world.engine.connect(address, Some(bind)) {
            Err(Error::Bind {
                address: named,
                source,
            }) => {
                assert_eq!(named, bind.into());
                assert!(source.raw_os_error().is_some());
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(world.engine.statistics().descriptors, 0);
}

#[test]
fn a_connection_that_nobody_wants_any_more_is_closed() {
    let world = World::new();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    world.adopts.set(false);
    let connector = world.connect(listener.local_addr().unwrap()).unwrap();
    let (peer, _) = listener.accept().unwrap();
    world.until("the end", |world| {
        world.engine.connector(connector, |_| ()).is_none()
    });
    assert_eq!(peer::end_of(&peer), Ok(()));
    assert_eq!(
        (world.handles(), world.engine.statistics().descriptors),
        (0, 0)
    );
    assert_eq!(world.take_seen(), []);
}

#[test]
fn connecting_again_from_within_a_failure_works_for_ever() {
    let world = World::new();
    let address = deaf_address();
    if world.connect(address).is_err() {
        return; // this system refuses at once
    }
    world.on(move |world, seen| {
        if matches!(seen, Seen::ConnectFailed(..)) {
            world.connect(address).unwrap();
        }
    });
    world.until("a hundred refusals", |world| {
        world.count(|seen| matches!(seen, Seen::ConnectFailed(..))) >= 100
    });
    assert_eq!(
        (world.handles(), world.engine.statistics().descriptors),
        (1, 1)
    );
}
