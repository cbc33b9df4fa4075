//! Descriptors, slots and handles after a thousand connections of every fate.

#![cfg(target_os = "linux")]

mod util;

use std::net::{Shutdown, SocketAddr};
use std::os::fd::OwnedFd;

use torsion_reactor::{CloseReason, Token};
use util::limits::{alone, open_descriptors};
use util::pipes::pipe;
use util::{Seen, World, panic_on_purpose, peer};

/// Runs `churn` with a listener and shows that nothing is left of it.
fn nothing_is_left_after(churn: impl FnOnce(&World, SocketAddr)) {
    let _alone = alone();
    let before = open_descriptors();
    let world = World::new();
    let (listener, address) = world.listen();
    let idle = open_descriptors();
    churn(&world, address);
    world.until("the last to go", |world| {
        world.engine.statistics().descriptors == 1
    });
    world.must_be_idle();
    assert_eq!(open_descriptors(), idle, "with the listener still there");
    assert_eq!(world.handles(), 1, "the listener's");
    let statistics = world.engine.statistics();
    assert_eq!(statistics.streams_opened, statistics.streams_closed);
    assert!(world.discard(listener));
    assert_eq!(world.handles(), 0);
    drop(world);
    assert_eq!(open_descriptors(), before, "without the engine");
}

/// One connection, taken to its end in a way of its own.
fn one(world: &World, address: SocketAddr, number: usize) -> CloseReason {
    let (stream, peer) = world.pair_of(address);
    match number % 8 {
        0 => drop(peer),
        1 => peer::reset(peer),
        2 => world.engine.lose(stream),
        3 => world.engine.abort(stream),
        4 => world.engine.fail(stream),
        5 => {
            peer::say(&peer, b"bytes and the end");
            drop(peer);
        }
        6 => {
            world.write(stream, &[0; 1 << 22]);
            world.poll();
            peer::reset(peer);
        }
        _ => {
            world.engine.register_producer(stream, false);
            world.engine.lose_write(stream);
            assert!(peer.shutdown(Shutdown::Write).is_ok());
        }
    }
    let reason = world.until_lost(stream);
    world.take_seen();
    reason
}

#[test]
fn a_thousand_connections_of_every_fate() {
    nothing_is_left_after(|world, address| {
        let reasons: Vec<_> = (0..1_000)
            .map(|number| one(world, address, number).code())
            .collect();
        // 0 done, 1 lost, 2 aborted, 3 raised
        assert_eq!(reasons[..8], [0, 1, 0, 2, 3, 0, 1, 0]);
        assert!(reasons.chunks(8).all(|round| round == &reasons[..8]));
    });
}

#[test]
fn hundreds_at_once() {
    nothing_is_left_after(|world, address| {
        for _ in 0..3 {
            let mut peers = Vec::new();
            for _ in 0..100 {
                peers.push(peer::connect(address));
            }
            world.until("all of them", |world| world.accepted().len() == 100);
            let streams = world.accepted();
            for (stream, peer) in streams.iter().zip(&peers) {
                peer::say(peer, b"x");
                world.write(*stream, b"y");
            }
            world.poll();
            peers.truncate(50);
            for stream in streams {
                world.engine.lose(stream);
            }
            world.until("their end", |world| {
                world.count(|seen| matches!(seen, Seen::Lost(..))) == 100
            });
            world.take_seen();
        }
    });
}

#[test]
fn connections_both_ends_of_which_are_ours() {
    nothing_is_left_after(|world, address| {
        world.on(|world, seen| match *seen {
            Seen::Connected(stream) => {
                world.write(stream, b"hello");
            }
            Seen::Data(stream, _) => world.engine.lose(stream),
            _ => {}
        });
        for _ in 0..300 {
            let client = world.connect(address).unwrap();
            world.until_lost(client);
        }
    });
}

#[test]
fn connections_that_are_refused_given_up_unwanted_or_end_in_a_panic() {
    nothing_is_left_after(|world, address| {
        let (closed, deaf) = world.listen();
        assert!(world.discard(closed));
        for round in 0..50 {
            if world.connect(deaf).is_ok() {
                world.until("the refusal", |world| {
                    world.count(|seen| matches!(seen, Seen::ConnectFailed(..))) == 1
                });
            }
            let given_up = world.connect(address).unwrap();
            if round % 2 == 0 {
                world.poll();
            }
            drop(world.engine.discard(given_up));
            world.engine.abort(given_up); // it may have become a stream
            world.adopts.set(false);
            drop(peer::connect(address));
            (0..3).for_each(|_| world.poll());
            world.adopts.set(true);
            world.once(
                |seen| matches!(seen, Seen::Accepted(..)),
                |_, _| panic_on_purpose(),
            );
            let _peer = peer::connect(address);
            world.until("the panic", |world| !world.panics().is_empty());
            world.adopting_panics.set(true);
            let _peer = peer::connect(address);
            world.until("another", |world| world.panics().len() == 2);
            world.take_seen();
        }
    });
}

#[test]
fn an_engine_that_is_dropped_in_full_use() {
    let _alone = alone();
    let before = open_descriptors();
    let alive = {
        let world = World::new();
        let (_, address) = world.listen();
        let streams: Vec<(Token, _)> = (0..10).map(|_| world.pair_of(address)).collect();
        for (stream, _) in &streams {
            world.write(*stream, &[0; 1 << 20]);
        }
        world.connect(address).unwrap();
        world.soon(|_| ());
        world.call(|_| ());
        assert_eq!(world.engine.statistics().descriptors, 12);
        world.engine.waker()
    };
    assert_eq!(open_descriptors(), before + 1, "what the last waker needs");
    drop(alive);
    assert_eq!(open_descriptors(), before);
}

#[test]
fn a_pipe_that_nobody_wants_is_closed() {
    let _alone = alone();
    let world = World::new();
    let before = open_descriptors();
    let (reader, writer) = pipe();
    let stream = world.engine.open_pipe(reader.into(), true, false).unwrap();
    world.engine.disown(stream);
    drop(writer);
    assert_eq!(open_descriptors(), before);
    world.must_be_idle();
}

#[test]
fn a_thousand_pipes_of_every_fate_leave_nothing() {
    let _alone = alone();
    let world = World::new();
    let before = open_descriptors();
    for number in 0..1_000 {
        let (reader, writer) = pipe();
        let (near, far): (OwnedFd, OwnedFd) = match number % 2 {
            0 => (reader.into(), writer.into()),
            _ => (writer.into(), reader.into()),
        };
        let stream = world.open_pipe(near, number % 2 == 0, number % 2 == 1);
        let _far = (number % 3 != 0).then_some(far);
        match number % 5 {
            0 => world.engine.lose(stream),
            1 => world.engine.abort(stream),
            2 => world.engine.fail(stream),
            _ => {
                world.write(stream, b"x");
                world.poll();
                world.engine.lose(stream);
            }
        }
        world.until_lost(stream);
        world.take_seen();
    }
    assert_eq!(open_descriptors(), before);
    assert_eq!(world.handles(), 0);
    let statistics = world.engine.statistics();
    assert_eq!(statistics.streams_opened, statistics.streams_closed);
}
