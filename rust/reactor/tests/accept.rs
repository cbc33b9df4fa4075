//! Listeners: a fair share, pauses, closing in the middle, and the end of descriptors.

#![cfg(target_os = "linux")]

mod util;

use std::io::{ErrorKind, Write};
use std::net::TcpStream;

use torsion_reactor::CloseReason;
use torsion_reactor::listener::ACCEPTS_PER_TURN;
use util::limits::{Famine, alone};
use util::peer::is_shed;
use util::{Seen, World, panic_on_purpose, peer};

const EMFILE: i32 = 24;

fn failures(world: &World) -> usize {
    world.count(|seen| matches!(seen, Seen::AcceptFailed(_, EMFILE)))
}

#[test]
fn the_end_of_descriptors_is_told_once_and_lived_through() {
    let _alone = alone();
    let world = World::new();
    let (listener, address) = world.listen();
    let (served, mut served_peer) = world.pair_of(address);
    let waiting = [(); 3].map(|()| peer::connect(address));
    let mut famine = Famine::begin();
    world.until("the complaint", |world| failures(world) > 0);
    world.must_be_idle();
    assert_eq!(
        world.take_seen()[1..],
        [Seen::AcceptFailed(listener, EMFILE)]
    );
    assert!(waiting.iter().all(is_shed), "an end instead of silence");
    served_peer.write_all(b"still here").unwrap();
    world.until_received(served, 10);

    famine.spare(2);
    let (second, mut second_peer) = world.pair_of(address);
    second_peer.write_all(b"x").unwrap();
    world.until_received(second, 1);

    famine.spare(2);
    let waiting = [(); 2].map(|()| peer::connect(address));
    world.until("another complaint", |world| failures(world) > 0);
    assert!(is_shed(&waiting[0]) && is_shed(&waiting[1]));
    assert_eq!(failures(&world), 1, "once for each time");
    drop(famine);
    world.pair_of(address);
    world.must_be_idle();
}

#[test]
fn a_listener_without_a_reserve_keeps_who_waits_and_tries_again() {
    let _alone = alone();
    let world = World::new();
    let (ours, _ours_peer) = world.pair();
    let mut famine = Famine::begin();
    famine.spare(1);
    let (listener, address) = world.listen();
    famine.spare(2);
    let (first, second) = (peer::connect(address), peer::connect(address));
    world.take_seen();
    world.until("the complaint", |world| failures(world) > 0);
    world.must_be_idle();
    assert_eq!(world.take_seen(), [Seen::AcceptFailed(listener, EMFILE)]);
    assert!(!is_shed(&first) && !is_shed(&second));

    // One of ours goes: the listener need not be told.
    world.engine.abort(ours);
    world.until("the first", |world| world.accepted().len() == 1);
    // Something else goes: the listener has to look.
    famine.spare(1);
    world.until("the second", |world| world.accepted().len() == 2);
    let streams = world.accepted();
    (&first).write_all(b"1").unwrap();
    (&second).write_all(b"2").unwrap();
    world.until_received(streams[0], 1);
    world.until_received(streams[1], 1);

    // With descriptors to be had again, it keeps one for the next time.
    famine.spare(8);
    let (_, third) = world.pair_of(address);
    let fourth = peer::connect(address);
    famine.starve();
    world.take_seen();
    world.until("the next complaint", |world| failures(world) > 0);
    assert!(is_shed(&fourth));
    assert!(!is_shed(&third));
    world.must_be_idle();
}

#[test]
fn a_panic_in_the_complaint_does_not_end_the_listening() {
    let _alone = alone();
    let world = World::new();
    let mut famine = Famine::begin();
    famine.spare(1);
    let (_, address) = world.listen();
    famine.spare(1);
    let waiting = peer::connect(address);
    world.on(|_, seen| {
        if matches!(seen, Seen::AcceptFailed(..)) {
            panic_on_purpose();
        }
    });
    world.until("the complaint", |world| failures(world) > 0);
    assert_eq!(world.panics(), [(None, "on purpose".into())]);
    drop(famine);
    world.until("a connection", |world| world.accepted().len() == 1);
    let stream = world.accepted()[0];
    (&waiting).write_all(b"x").unwrap();
    world.until_received(stream, 1);
}

#[test]
fn a_listener_that_is_starved_can_be_closed_or_paused() {
    let _alone = alone();
    let world = World::new();
    let mut famine = Famine::begin();
    famine.spare(2);
    let (closed, closed_address) = world.listen();
    famine.starve(); // what would have been its reserve
    famine.spare(1);
    let (paused, address) = world.listen();
    famine.spare(2);
    let _waiting = [peer::connect(closed_address), peer::connect(address)];
    world.until("the complaints", |world| failures(world) == 2);
    assert!(world.discard(closed));
    world.engine.pause_listener(paused, true);
    drop(famine);
    world.must_be_idle();
    world.engine.pause_listener(paused, false);
    world.until("the connection", |world| world.accepted().len() == 1);
    world.must_be_idle();
}

#[test]
fn a_burst_is_taken_in_shares_and_to_the_end() {
    let _alone = alone();
    let world = World::new();
    let (_, address) = world.listen_with_backlog(1024);
    let (other, mut other_peer) = world.pair();
    world.take_seen();
    let peers: Vec<_> = (0..ACCEPTS_PER_TURN * 2 + 10)
        .map(|_| peer::connect(address))
        .collect();
    other_peer.write_all(b"in between").unwrap();
    world.until_arrived(other, 10);
    for turn in 1..=3 {
        world.poll();
        let most = ACCEPTS_PER_TURN * turn;
        assert_eq!(world.accepted().len(), peers.len().min(most));
        assert_eq!(world.received(other), b"in between", "in the first turn");
    }
    world.must_be_idle();
}

#[test]
fn a_paused_listener_lets_them_wait_and_then_needs_no_reminder() {
    let _alone = alone();
    let world = World::new();
    let (listener, address) = world.listen();
    world.engine.pause_listener(listener, true);
    let _early = peer::connect(address);
    world.must_be_idle();
    assert_eq!(world.accepted(), []);
    world.engine.pause_listener(listener, false);
    world.until("the first", |world| world.accepted().len() == 1);

    let _late = [(); 3].map(|()| peer::connect(address));
    world.once(
        |seen| matches!(seen, Seen::Accepted(..)),
        move |world, _| world.engine.pause_listener(listener, true),
    );
    world.until("the second", |world| world.accepted().len() == 2);
    world.must_be_idle();
    assert_eq!(world.accepted().len(), 2, "no more after the pause");
    world.engine.pause_listener(listener, false);
    world.until("the others", |world| world.accepted().len() == 4);
}

#[test]
fn a_listener_closed_in_its_own_upcall_accepts_no_more() {
    let _alone = alone();
    let world = World::new();
    let (listener, address) = world.listen();
    let peers = [(); 3].map(|()| peer::connect(address));
    world.once(
        |seen| matches!(seen, Seen::Accepted(..)),
        move |world, _| assert!(world.discard(listener)),
    );
    world.until("the first", |world| !world.accepted().is_empty());
    world.must_be_idle();
    let [stream] = world.accepted()[..] else {
        panic!("one only: {:?}", world.accepted())
    };
    assert!(is_shed(&peers[1]) && is_shed(&peers[2]));
    (&peers[0]).write_all(b"x").unwrap();
    world.until_received(stream, 1);
    assert!(!world.discard(listener), "it is gone");
    assert_eq!(world.handles(), 1);
    assert!(TcpStream::connect(address).is_err(), "and the port is free");
}

#[test]
fn a_connection_that_nobody_wants_is_closed() {
    let _alone = alone();
    let world = World::new();
    let (_, address) = world.listen();
    world.adopts.set(false);
    let unwanted = peer::connect(address);
    let start = world.real_time();
    unwanted.set_nonblocking(true).unwrap();
    while peer::end_of(&unwanted) == Err(ErrorKind::WouldBlock) {
        world.check_patience(start, "the end");
        world.turn();
    }
    assert_eq!(world.take_seen(), []);
    assert_eq!(world.engine.statistics().descriptors, 1);
    world.adopts.set(true);
    world.pair_of(address);
}

#[test]
fn a_connection_that_is_gone_before_it_is_accepted_ends_in_order() {
    let _alone = alone();
    let world = World::new();
    let (listener, address) = world.listen();
    peer::reset(peer::connect(address));
    drop(peer::connect(address));
    let alive = peer::connect(address);
    world.until("the third", |world| {
        world.accepted().iter().any(|stream| {
            let peer_port = world.engine.stream(*stream, |stream| {
                let peer = stream.socket()?.peer_addr().ok()?;
                Some(peer.as_socket()?.port())
            });
            peer_port.flatten() == Some(alive.local_addr().unwrap().port())
        })
    });
    world.until("the others to end", |world| {
        world.engine.statistics().descriptors == 2
    });
    assert!(world.discard(listener));
    assert_eq!(world.handles(), 1);
    world.must_be_idle();
}

#[test]
fn a_greeting_and_a_farewell_in_accepted_reach_the_peer() {
    let _alone = alone();
    let world = World::new();
    let (_, address) = world.listen();
    world.on(|world, seen| {
        if let Seen::Accepted(_, stream) = *seen {
            world.write(stream, b"busy, ");
            world.write(stream, b"come again\n");
            world.engine.lose(stream);
        }
    });
    let peer = peer::connect(address);
    world.until("the end", |world| {
        world.count(|seen| matches!(seen, Seen::Lost(_, CloseReason::Done))) == 1
    });
    assert_eq!(peer::read(&peer, 17), b"busy, come again\n");
    assert_eq!(peer::end_of(&peer), Ok(()));
}
