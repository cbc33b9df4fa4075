//! What once went wrong, and must not again.  Each test says what was seen from outside.

mod util;

use std::cell::Cell;
use std::io::Write;
use std::rc::Rc;

use torsion_reactor::CloseReason;
use util::{Seen, TICK, World, peer};

/// A turn within a hook found the stream whose hook it was in the queue of those that are ready, passed it over, and took
/// that for a reason not to wait.
#[test]
fn a_nested_turn_waits_although_the_stream_that_is_being_served_has_more() {
    let world = World::new();
    let (stream, mut peer) = world.pair();
    peer.write_all(b"one").unwrap();
    let took = Rc::new(Cell::new(None));
    let noted = Rc::clone(&took);
    let late = peer.try_clone().unwrap();
    world.once(
        |seen| matches!(seen, Seen::Data(..)),
        move |world, _| {
            (&late).write_all(b"two").unwrap();
            world.until_arrived(stream, 3);
            world.poll();
            world.poll();
            let start = world.real_time();
            world.turn();
            noted.set(Some(world.real_time().since(start)));
        },
    );
    world.until_received(stream, 6);
    let took = took.get().expect("the nested turn");
    assert!(took >= TICK, "it waited for {took:?} only");
}

/// The same for a stream that was closed while its hook is on the stack.
#[test]
fn a_nested_turn_waits_although_the_stream_that_is_being_served_has_failed() {
    let world = World::new();
    let (stream, mut peer) = world.pair();
    peer.write_all(b"one").unwrap();
    let took = Rc::new(Cell::new(None));
    let noted = Rc::clone(&took);
    world.once(
        |seen| matches!(seen, Seen::Data(..)),
        move |world, _| {
            world.engine.fail(stream);
            world.poll();
            let start = world.real_time();
            world.turn();
            noted.set(Some(world.real_time().since(start)));
        },
    );
    assert_eq!(world.until_lost(stream), CloseReason::Raised);
    let took = took.get().expect("the nested turn");
    assert!(took >= TICK, "it waited for {took:?} only");
}

/// A turn within a producer's hook left alone what other streams had written in the same turn.
#[test]
fn a_nested_turn_sends_what_was_written_before_it() {
    let world = World::new();
    let (asked, _asked_peer) = world.pair();
    let (other, other_peer) = world.pair();
    world.must_be_idle();
    world.engine.register_producer(asked, false);
    world.once(
        |seen| matches!(seen, Seen::Resume(_)),
        move |world, _| {
            world.poll();
            let sent = world
                .engine
                .stream(other, |stream| stream.statistics().bytes_written);
            assert_eq!(sent, Some(4), "what the nested turn was to send");
            world.note("sent");
        },
    );
    world.soon(move |world| {
        world.write(asked, b"piece");
        world.write(other, b"late");
    });
    world.poll();
    assert_eq!(world.panics(), []);
    assert!(world.has_seen(&Seen::Note("sent")));
    assert_eq!(peer::read(&other_peer, 4), b"late");
}
