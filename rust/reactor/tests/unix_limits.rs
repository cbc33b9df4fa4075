//! Unix sockets when descriptors have run out, and what is left of them.

#![cfg(target_os = "linux")]

mod util;

use std::io::Read;
use std::os::unix::net::UnixStream;

use torsion_reactor::CloseReason;
use util::limits::{Famine, alone, open_descriptors};
use util::unix::{borrowed, files, owned, send};
use util::{Seen, World};

#[test]
fn connections_that_find_no_descriptor_are_shed() {
    let _alone = alone();
    let world = World::new();
    let (_listener, place) = world.listen_unix();
    let sockets: Vec<_> = (0..3)
        .map(|_| socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap())
        .collect();
    let famine = Famine::begin();
    let address = socket2::SockAddr::unix(place.path()).unwrap();
    for socket in &sockets {
        socket.connect(&address).unwrap();
    }
    world.until("the complaint", |world| {
        world.count(|seen| matches!(seen, Seen::AcceptFailed(_, libc::EMFILE))) == 1
    });
    for mut socket in &sockets {
        assert_eq!(socket.read(&mut [0]).unwrap(), 0, "it is turned away");
    }
    drop(famine);
    world.unix_pair_of(&place);
}

#[test]
fn descriptors_that_there_is_no_room_for_cost_the_connection() {
    let _alone = alone();
    let world = World::new();
    let (stream, peer) = world.unix_pair();
    world.engine.want_descriptors(stream, true);
    let files = files(3);
    send(&peer, b"x", &borrowed(&files));
    let mut famine = Famine::begin();
    famine.spare(1);
    assert_eq!(world.until_lost(stream), CloseReason::Lost(libc::EMFILE));
    assert!(world.received(stream).is_empty());
    assert!(world.passed.borrow().is_empty());
    famine.starve();
    drop(famine);
}

/// One connection with descriptors under way in both directions, taken to its end in a way of its own.
fn one(world: &World, place: &util::unix::Place, number: usize) {
    let (stream, peer): (_, UnixStream) = world.unix_pair_of(place);
    let files = files(3);
    world.engine.want_descriptors(stream, number % 2 == 0);
    send(&peer, b"xy", &borrowed(&files));
    world.engine.pass(stream, owned(&files[0]));
    if number % 3 != 0 {
        world.write(stream, b"x");
    }
    if number % 5 != 0 {
        world.until_received(stream, 2);
    }
    world.engine.pass(stream, owned(&files[1]));
    match number % 7 {
        0 => drop(peer),
        1 => world.engine.lose(stream),
        2 => world.engine.abort(stream),
        3 => world.engine.fail(stream),
        4 => {
            world.on(|_, seen| {
                if matches!(seen, Seen::Passed(..)) {
                    util::panic_on_purpose();
                }
            });
            send(&peer, b"z", &borrowed(&files));
            world.until_lost(stream);
            world.on(|_, _| ());
        }
        5 => world.engine.lose_write(stream),
        _ => assert!(peer.shutdown(std::net::Shutdown::Both).is_ok()),
    }
    if number % 7 == 5 {
        world.poll();
        world.engine.lose(stream);
    }
    world.until_lost(stream);
    world.take_seen();
    world.passed.borrow_mut().clear();
}

#[test]
fn no_descriptor_is_left_by_hundreds_of_connections_that_pass_some() {
    let _alone = alone();
    let before = open_descriptors();
    let world = World::new();
    let (listener, place) = world.listen_unix();
    let idle = open_descriptors();
    for number in 0..420 {
        one(&world, &place, number);
    }
    assert_eq!(open_descriptors(), idle);
    assert!(world.discard(listener));
    assert_eq!(world.handles(), 0);
    drop(world);
    assert_eq!(open_descriptors(), before);
}
