//! Streams over Unix sockets.

#![cfg(target_os = "linux")]

mod util;

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;

use torsion_reactor::{Address, CloseReason, Error};
use util::unix::{Place, connect};
use util::{Seen, World, peer};

/// More than a Unix socket takes from a peer that does not read.
const MUCH: usize = 8 << 20;

// Streams

#[test]
fn bytes_go_both_ways_and_the_end_is_told() {
    let world = World::new();
    let (stream, mut peer) = world.unix_pair();
    peer.write_all(b"hello").unwrap();
    world.until_received(stream, 5);
    world.write(stream, b"hello yourself");
    world.poll();
    let mut room = [0; 14];
    peer.read_exact(&mut room).unwrap();
    assert_eq!(&room, b"hello yourself");
    world.must_be_idle();
    drop(peer);
    assert_eq!(world.until_lost(stream), CloseReason::Done);
}

#[test]
fn much_goes_both_ways_in_order() {
    let world = World::new();
    let (stream, mut peer) = world.unix_pair();
    let bytes = peer::pattern(MUCH);
    let copy = bytes.clone();
    #[expect(clippy::disallowed_methods, reason = "a peer that blocks")]
    let thread = std::thread::spawn(move || {
        peer.write_all(&copy).unwrap();
        let mut got = vec![0; MUCH];
        peer.read_exact(&mut got).unwrap();
        got
    });
    world.until_received(stream, MUCH);
    assert!(world.received(stream) == bytes);
    world.write(stream, &bytes);
    world.until("all to be sent", |_| thread.is_finished());
    assert!(thread.join().unwrap() == bytes);
    assert!(world.leases.get() > 0, "bulk is not copied");
    assert_eq!(world.until_lost(stream), CloseReason::Done);
}

#[test]
fn halves_are_closed_one_by_one() {
    let world = World::new();
    world.keeps_eof.set(true);
    let (stream, peer) = world.unix_pair();
    peer.shutdown(std::net::Shutdown::Write).unwrap();
    world.until("the end of one", |world| world.has_seen(&Seen::Eof(stream)));
    world.write(stream, b"answer");
    world.engine.lose_write(stream);
    assert_eq!(world.until_lost(stream), CloseReason::Done);
    let mut rest = String::new();
    (&peer).read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "answer");
}

#[test]
fn what_was_sent_arrives_though_there_was_something_left_to_read() {
    let world = World::new();
    let (stream, mut peer) = world.unix_pair();
    world.engine.pause(stream);
    peer.write_all(&[0; 100_000]).unwrap();
    world.poll();
    world.write(stream, b"too long");
    world.engine.lose(stream);
    assert_eq!(world.until_lost(stream), CloseReason::Done);
    let mut rest = String::new();
    peer.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "too long");
}

#[test]
fn two_of_ours_meet_at_a_path_and_by_a_name() {
    let place = Place::new();
    let name = [b"\0", place.bytes()].concat();
    for path in [place.bytes(), &name] {
        let world = World::new();
        let listener = world.engine.listen_unix(path, 5, 0o640).unwrap();
        world.own_listener(listener);
        let address = world.engine.listener(listener, |it| it.address());
        assert_eq!(address.unwrap().unwrap(), Address::Unix(path.into()));
        let client = world.engine.connect_unix(path).unwrap();
        world.own_connector(client);
        world.until("both", |world| {
            world.has_seen(&Seen::Connected(client)) && world.accepted().len() == 1
        });
        let server = world.accepted()[0];
        let here = Address::Unix(path.into());
        assert_eq!(world.ends(client), [Address::unnamed(), here.clone()]);
        assert_eq!(world.ends(server), [here, Address::unnamed()]);
        world.write(client, b"hello");
        world.until_received(server, 5);
        world.engine.lose(client);
        assert_eq!(world.until_lost(server), CloseReason::Done);
    }
    let mode = std::fs::metadata(place.path()).unwrap().permissions();
    assert_eq!(mode.mode() & 0o777, 0o640);
}

#[test]
fn a_peer_that_is_bound_has_an_address() {
    let world = World::new();
    let (_listener, place) = world.listen_unix();
    let bound = Place::new();
    let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
    socket
        .bind(&socket2::SockAddr::unix(bound.path()).unwrap())
        .unwrap();
    socket
        .connect(&socket2::SockAddr::unix(place.path()).unwrap())
        .unwrap();
    world.until("it", |world| world.accepted().len() == 1);
    assert_eq!(
        world.ends(world.accepted()[0])[1],
        Address::Unix(bound.bytes().into())
    );
}

#[test]
fn a_slow_peer_is_waited_for_in_peace() {
    let world = World::new();
    let (stream, mut peer) = world.unix_pair();
    let bytes = peer::pattern(MUCH);
    world.write(stream, &bytes);
    world.must_be_idle();
    let mut got = vec![0; MUCH];
    for part in got.chunks_mut(300_000) {
        peer.set_nonblocking(true).unwrap();
        let mut filled = 0;
        while filled < part.len() {
            match peer.read(&mut part[filled..]) {
                Ok(count) => filled += count,
                Err(_) => world.poll(),
            }
        }
    }
    assert!(got == bytes);
    world.write(stream, b"more");
    world.poll();
    peer.read_exact(&mut got[..4]).unwrap();
    assert_eq!(&got[..4], b"more");
    world.must_be_idle();
}

// What cannot be listened on or connected to

#[test]
fn a_path_that_cannot_be_used_is_refused() {
    let world = World::new();
    let (_listener, taken) = world.listen_unix();
    let long = vec![b'x'; 108];
    let longer = [&b"\0"[..], &long].concat();
    for (path, errno) in [
        (taken.bytes(), libc::EADDRINUSE),
        (&long, libc::ENAMETOOLONG),
        (&longer, libc::ENAMETOOLONG),
        (b"/nowhere/at/all", libc::ENOENT),
        (b"/proc/self/exe/socket", libc::ENOTDIR),
        (b"a\0b", libc::EINVAL),
        (b"", libc::EINVAL),
    ] {
        let error = world.engine.listen_unix(path, 5, 0o666).unwrap_err();
        assert_eq!(error.errno(), errno, "{error}");
        assert!(matches!(error, Error::Bind { .. }));
    }
    let free = Place::new();
    for (path, errno) in [
        (free.bytes(), libc::ENOENT),
        (&long, libc::ENAMETOOLONG),
        (b"a\0b", libc::EINVAL),
        (b"", libc::EINVAL),
        (b"\0nobody listens here", libc::ECONNREFUSED),
    ] {
        let error = world.engine.connect_unix(path).unwrap_err();
        assert_eq!(error.errno(), errno, "{error}");
    }
    assert_eq!(world.engine.statistics().descriptors, 1);
}

#[test]
fn a_socket_that_nobody_listens_on_any_more_refuses() {
    let world = World::new();
    let place = Place::new();
    drop(UnixListener::bind(place.path()).unwrap());
    let error = world.engine.connect_unix(place.bytes()).unwrap_err();
    assert_eq!(error.errno(), libc::ECONNREFUSED);
}

#[test]
fn a_full_queue_is_waited_for() {
    let world = World::new();
    let place = Place::new();
    let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
    socket
        .bind(&socket2::SockAddr::unix(place.path()).unwrap())
        .unwrap();
    socket.listen(0).unwrap();
    let first = connect(&place);
    let waiting = world.engine.connect_unix(place.bytes()).unwrap();
    world.own_connector(waiting);
    let before = world.parked.get();
    for _ in 0..3 {
        world.turn();
    }
    assert!(
        world.parked.get() > before,
        "it is not waited for in a hurry"
    );
    assert!(world.take_seen().is_empty());
    drop(socket.accept().unwrap());
    drop(first);
    world.until("the connection", |world| {
        world.has_seen(&Seen::Connected(waiting))
    });
    let (mut peer, _) = socket.accept().unwrap();
    peer.write_all(b"at last").unwrap();
    world.until_received(waiting, 7);
}

#[test]
fn a_full_queue_that_is_closed_ends_the_wait() {
    let world = World::new();
    let place = Place::new();
    let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
    socket
        .bind(&socket2::SockAddr::unix(place.path()).unwrap())
        .unwrap();
    socket.listen(0).unwrap();
    let _first = connect(&place);
    let waiting = world.engine.connect_unix(place.bytes()).unwrap();
    world.own_connector(waiting);
    let given_up = world.engine.connect_unix(place.bytes()).unwrap();
    world.own_connector(given_up);
    world.turn();
    assert!(world.discard(given_up));
    drop(socket);
    world.until("the failure", |world| {
        world.has_seen(&Seen::ConnectFailed(waiting, libc::ECONNREFUSED))
    });
    world.must_be_idle();
}
