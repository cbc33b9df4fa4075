//! A descriptor's number and a slot are used again at once; what was meant for the one before never reaches the next.

#![cfg(target_os = "linux")]

mod util;

use std::cell::Cell;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;

use torsion_reactor::{CloseReason, Token, Wrote};
use util::limits::alone;
use util::{Seen, TICK, World, peer};

/// Two streams, of each of which the poller will speak in its next word.
fn two_ready(world: &World, address: SocketAddr) -> [(Token, TcpStream); 2] {
    let pairs = [world.pair_of(address), world.pair_of(address)];
    world.must_be_idle();
    for (stream, peer) in &pairs {
        peer::say(peer, b"old");
        world.until_arrived(*stream, 3);
    }
    world.take_seen();
    pairs
}

/// The other of two.
fn other(streams: [Token; 2], one: Token) -> Token {
    streams[usize::from(streams[0] == one)]
}

#[test]
fn a_stream_closed_in_anothers_upcall_is_not_served_in_the_same_batch() {
    let _alone = alone();
    type Way = (fn(&World, Token), CloseReason);
    let ways: [Way; 2] = [
        (
            |world, stream| world.engine.abort(stream),
            CloseReason::Aborted,
        ),
        (
            |world, stream| world.engine.fail(stream),
            CloseReason::Raised,
        ),
    ];
    for (close, reason) in ways {
        let world = World::new();
        let (_, address) = world.listen();
        let [(first, _first_peer), (second, _second_peer)] = two_ready(&world, address);
        let streams = [first, second];
        world.once(
            |seen| matches!(seen, Seen::Data(..)),
            move |world, seen| {
                if let Seen::Data(stream, _) = *seen {
                    close(world, other(streams, stream));
                }
            },
        );
        // In one turn: the first of the two is served, the second is gone.
        world.poll();
        world.poll();
        let seen = world.take_seen();
        let [Seen::Data(served, _), Seen::Lost(lost, why)] = seen[..] else {
            panic!("{seen:?}")
        };
        assert_eq!((other(streams, served), why), (lost, reason));
        world.must_be_idle();
    }
}

#[test]
fn a_stream_lost_in_anothers_upcall_delivers_no_more() {
    let _alone = alone();
    let world = World::new();
    let (_, address) = world.listen();
    let [(first, _first_peer), (second, _second_peer)] = two_ready(&world, address);
    let streams = [first, second];
    world.once(
        |seen| matches!(seen, Seen::Data(..)),
        move |world, seen| {
            if let Seen::Data(stream, _) = *seen {
                world.engine.lose(other(streams, stream));
            }
        },
    );
    world.until("the loss", |world| {
        world.count(|seen| matches!(seen, Seen::Lost(_, CloseReason::Done))) == 1
    });
    world.must_be_idle();
    assert_eq!(world.count(|seen| matches!(seen, Seen::Data(..))), 1);
}

#[test]
fn whoever_moves_in_at_once_gets_no_word_that_was_for_the_one_before() {
    let _alone = alone();
    use std::os::fd::AsRawFd;
    let world = World::new();
    let (listener, address) = world.listen();
    let [(first, first_peer), (second, second_peer)] = two_ready(&world, address);
    let streams = [first, second];
    let moved_in = Rc::new(Cell::new(None));
    let moved = Rc::clone(&moved_in);
    let number = Cell::new(-1);
    world.on(move |world, seen| match *seen {
        // The other one's word is in the same batch.  It goes, and a connection takes its number and its slot at once.
        Seen::Data(stream, _) if moved.get().is_none() => {
            number.set(raw(world, other(streams, stream)));
            world.engine.fail(other(streams, stream));
        }
        Seen::Lost(victim, CloseReason::Raised) => {
            let heir = world.connect(address).unwrap();
            let of_heir = world
                .engine
                .connector(heir, |connector| connector.socket().as_raw_fd());
            assert_eq!((heir.slot(), of_heir), (victim.slot(), Some(number.get())));
            moved.set(Some((victim, heir)));
        }
        _ => {}
    });
    world.poll();
    assert_eq!(world.panics(), [], "else this shows nothing");
    let (victim, heir) = moved_in.get().expect("one was served, the other not");
    assert_ne!(victim, heir);
    assert!(!world.has_seen(&Seen::Connected(heir)), "not by that word");
    world.until("the connection", |world| {
        world.has_seen(&Seen::Connected(heir))
    });
    world.must_be_idle();
    assert_eq!(world.received(heir), b"");
    assert_eq!(world.lost(heir), None);
    assert_eq!(world.received(victim), b"", "its word came too late");
    drop((first_peer, second_peer));
    assert!(world.discard(listener));
}

fn raw(world: &World, stream: Token) -> i32 {
    use std::os::fd::AsRawFd;
    let descriptor = world.engine.stream(stream, |stream| {
        stream.socket().map(|socket| socket.as_raw_fd())
    });
    descriptor.flatten().unwrap_or(-1)
}

#[test]
fn the_same_number_and_the_same_slot_make_a_different_token() {
    let _alone = alone();
    let world = World::new();
    let (_, address) = world.listen();
    let mut reused = (0, 0);
    let (mut before, mut peer) = world.pair_of(address);
    let mut old = Vec::new();
    for round in 0..50_u8 {
        let number = raw(&world, before);
        world.engine.abort(before);
        world.until_lost(before);
        old.push(before);
        let (stream, new_peer) = world.pair_of(address);
        reused.0 += u32::from(raw(&world, stream) == number);
        reused.1 += u32::from(stream.slot() == before.slot());
        assert!(!old.contains(&stream));
        // The old names are nobody's.
        for gone in &old {
            assert_eq!(world.write(*gone, b"for another"), Wrote::Ignored);
            world.engine.abort(*gone);
            assert!(!world.discard(*gone));
        }
        (before, peer) = (stream, new_peer);
        peer.write_all(&[round]).unwrap();
        world.until_received(stream, 1);
        assert_eq!(world.received(stream), [round]);
        assert_eq!(world.lost(stream), None);
    }
    assert!(
        reused.0 > 0 && reused.1 > 0,
        "else this shows nothing: {reused:?}"
    );
    drop(peer);
}

#[test]
fn a_write_to_a_stream_that_was_replaced_in_the_same_turn_goes_nowhere() {
    let _alone = alone();
    let world = World::new();
    let (_, address) = world.listen();
    let (old, _old_peer) = world.pair_of(address);
    world.write(old, b"for the old one");
    world.engine.fail(old);
    let new_peer = peer::connect(address);
    world.until("the next", |world| world.accepted().len() == 2);
    let new = world.accepted()[1];
    assert_eq!(world.write(old, b"late"), Wrote::Ignored);
    world.write(new, b"for the new one");
    world.engine.lose(new);
    world.until_lost(new);
    assert_eq!(peer::read(&new_peer, 15), b"for the new one");
    assert_eq!(peer::end_of(&new_peer), Ok(()));
}

#[test]
fn a_stream_closed_and_its_listener_too_in_one_upcall_leave_an_idle_loop() {
    let _alone = alone();
    let world = World::new();
    let (listener, address) = world.listen();
    let (stream, mut peer) = world.pair_of(address);
    let _waiting = peer::connect(address);
    peer.write_all(b"x").unwrap();
    world.until_arrived(stream, 1);
    world.on(move |world, seen| match seen {
        Seen::Data(..) | Seen::Accepted(..) => {
            world.engine.abort(stream);
            drop(world.engine.discard(listener));
        }
        _ => {}
    });
    assert_eq!(world.until_lost(stream), CloseReason::Aborted);
    world.must_be_idle();
    world.engine.turn(&world, Some(TICK)).unwrap();
}
