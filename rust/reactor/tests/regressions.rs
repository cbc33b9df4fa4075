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
