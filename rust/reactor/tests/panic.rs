//! A sink that panics: it is told, it costs the stream it was called for, and the loop goes on.

mod util;

use std::cell::Cell;
use std::io::Write;
use std::rc::Rc;

use torsion_reactor::CloseReason;
use util::{Seen, World, panic_on_purpose, peer};

/// What is told of a panic.
fn told(token: Option<torsion_reactor::Token>) -> (Option<torsion_reactor::Token>, String) {
    (token, "on purpose".into())
}

#[test]
fn a_panic_in_data_loses_that_stream_alone_and_the_peer_sees_a_reset() {
    let world = World::new();
    let (bad, mut bad_peer) = world.pair();
    let (good, mut good_peer) = world.pair();
    world.on(move |world, seen| match seen {
        Seen::Data(stream, _) if *stream == bad => panic_on_purpose(),
        Seen::Data(stream, bytes) => {
            world.write(*stream, bytes);
        }
        _ => {}
    });
    bad_peer.write_all(b"x").unwrap();
    good_peer.write_all(b"y").unwrap();
    assert_eq!(world.until_lost(bad), CloseReason::Raised);
    assert_eq!(world.panics(), [told(Some(bad))]);
    world.until_received(good, 1);
    assert_eq!(peer::read(&good_peer, 1), b"y");
    assert_eq!(
        peer::end_of(&bad_peer),
        Err(std::io::ErrorKind::ConnectionReset)
    );
    assert_eq!(world.lost(good), None);
    world.must_be_idle();
}

#[test]
fn a_panic_in_eof_and_in_write_closed_and_in_resume_loses_the_stream() {
    type Provoke = fn(&World, torsion_reactor::Token, &std::net::TcpStream);
    type Hook = (Provoke, fn(&Seen) -> bool);
    let hooks: [Hook; 3] = [
        (
            |_, _, peer| peer.shutdown(std::net::Shutdown::Write).unwrap(),
            |seen| matches!(seen, Seen::Eof(_)),
        ),
        (
            |world, stream, _| world.engine.lose_write(stream),
            |seen| matches!(seen, Seen::WriteClosed(_)),
        ),
        (
            |world, stream, _| {
                world.engine.register_producer(stream, false);
                world.write(stream, b"piece");
            },
            |seen| matches!(seen, Seen::Resume(_)),
        ),
    ];
    for (provoke, matches) in hooks {
        let world = World::new();
        world.keeps_eof.set(true);
        let (stream, peer) = world.pair();
        world.once(matches, |_, _| panic_on_purpose());
        provoke(&world, stream, &peer);
        assert_eq!(world.until_lost(stream), CloseReason::Raised);
        assert_eq!(world.panics(), [told(Some(stream))]);
        assert_eq!(world.handles(), 0);
        world.must_be_idle();
    }
}

#[test]
fn a_panic_in_accepted_loses_the_new_stream_and_not_those_behind_it() {
    let world = World::new();
    let (_, address) = world.listen();
    // All three wait when the first is accepted: the poller speaks of them once.
    let peers = [(); 3].map(|()| peer::connect(address));
    world.once(
        |seen| matches!(seen, Seen::Accepted(..)),
        |_, _| panic_on_purpose(),
    );
    world.until("three connections", |world| world.accepted().len() == 3);
    let born = world.accepted();
    assert_eq!(world.until_lost(born[0]), CloseReason::Raised);
    assert_eq!(world.panics(), [told(Some(born[0]))]);
    assert_eq!(
        peer::end_of(&peers[0]),
        Err(std::io::ErrorKind::ConnectionReset)
    );
    assert_eq!(world.engine.statistics().descriptors, 3, "no more");
    assert_eq!(world.handles(), 3);
    (&peers[2]).write_all(b"alive").unwrap();
    world.until_received(born[2], 5);
    world.must_be_idle();
}

#[test]
fn a_panic_in_connected_loses_the_new_stream() {
    let world = World::new();
    let (_, address) = world.listen();
    world.once(
        |seen| matches!(seen, Seen::Connected(_)),
        |_, _| panic_on_purpose(),
    );
    let connector = world.connect(address).unwrap();
    assert_eq!(world.until_lost(connector), CloseReason::Raised);
    assert_eq!(world.panics(), [told(Some(connector))]);
}

#[test]
fn a_panic_before_the_binding_has_taken_a_connection_costs_that_connection() {
    let world = World::new();
    let (listener, address) = world.listen();
    world.adopting_panics.set(true);
    let (refused, second) = (peer::connect(address), peer::connect(address));
    world.until("the second connection", |world| world.accepted().len() == 1);
    assert_eq!(world.panics(), [told(None)]);
    assert!(peer::end_of(&refused).is_ok() || cfg!(not(target_os = "linux")));
    let stream = world.accepted()[0];
    (&second).write_all(b"alive").unwrap();
    world.until_received(stream, 5);
    assert!(world.discard(listener));
    assert_eq!(world.engine.statistics().descriptors, 1);

    world.take_seen();
    let (listener, address) = world.listen();
    world.once(
        |seen| matches!(seen, Seen::Accepted(..)),
        |world, _| world.adopting_panics.set(true),
    );
    world.connect(address).unwrap();
    world.until("the panic", |world| !world.panics().is_empty());
    assert_eq!(world.panics(), [told(None)]);
    let accepted = world.accepted()[0];
    world.until_lost(accepted);
    assert!(world.discard(listener));
    assert_eq!(
        world.engine.statistics().descriptors,
        1,
        "the connector is gone"
    );
    assert_eq!(world.handles(), 1);
}

#[test]
fn a_panic_in_what_follows_accepted_at_once_loses_the_new_stream_alone() {
    let world = World::new();
    let (_, address) = world.listen();
    let _peers = [(); 2].map(|()| peer::connect(address));
    world.on(|world, seen| match seen {
        Seen::Accepted(_, stream) if world.accepted().len() == 1 => {
            world.engine.lose_write(*stream);
        }
        Seen::WriteClosed(_) => panic_on_purpose(),
        _ => {}
    });
    world.until("both connections", |world| world.accepted().len() == 2);
    let born = world.accepted();
    assert_eq!(world.until_lost(born[0]), CloseReason::Raised);
    assert_eq!(world.panics(), [told(Some(born[0]))]);
    assert_eq!(world.engine.statistics().descriptors, 2);
    assert_eq!(world.lost(born[1]), None);
    world.must_be_idle();
}

#[test]
fn a_panic_in_connect_failed_is_told() {
    let world = World::new();
    let (listener, address) = world.listen();
    assert!(world.discard(listener));
    world.on(|_, seen| {
        if matches!(seen, Seen::ConnectFailed(..)) {
            panic_on_purpose();
        }
    });
    if world.connect(address).is_ok() {
        world.until("the refusal", |world| !world.panics().is_empty());
        assert_eq!(world.panics(), [told(None)]);
        assert_eq!(world.engine.statistics().descriptors, 0);
    }
    assert_eq!(world.handles(), 0);
}

#[test]
fn a_panic_in_lost_is_told_and_the_others_are_lost_all_the_same() {
    let world = World::new();
    let (first, _peer) = world.pair();
    let (second, _other) = world.pair();
    world.once(
        move |seen| matches!(seen, Seen::Lost(stream, _) if *stream == first),
        |_, _| panic_on_purpose(),
    );
    world.engine.abort(first);
    world.engine.abort(second);
    world.until_lost(second);
    assert_eq!(world.lost(first), Some(CloseReason::Aborted));
    assert_eq!(world.panics(), [told(None)]);
    assert_eq!(
        (world.handles(), world.engine.statistics().descriptors),
        (0, 0)
    );
    world.must_be_idle();
}

#[test]
fn a_panic_in_a_timer_and_in_a_call_does_not_keep_the_next_from_running() {
    let world = World::new();
    world.call(|_| panic_on_purpose());
    world.call(|world| world.note("call"));
    world.soon(|_| panic_on_purpose());
    world.soon(|world| world.note("timer"));
    world.poll();
    assert_eq!(
        world.take_seen(),
        [
            Seen::Panicked(None, "on purpose".into()),
            Seen::Note("call"),
            Seen::Panicked(None, "on purpose".into()),
            Seen::Note("timer"),
        ]
    );
    assert_eq!(world.engine.statistics().timers, 0);
}

#[test]
fn a_panic_in_the_telling_of_a_panic_is_the_end_of_that() {
    let world = World::new();
    world.on(|_, seen| {
        if matches!(seen, Seen::Panicked(..)) {
            panic_on_purpose();
        }
    });
    let (stream, _peer) = world.pair();
    world.soon(|_| panic_on_purpose());
    world.poll();
    assert_eq!(world.panics(), [told(None)]);
    world.engine.lose(stream);
    assert_eq!(world.until_lost(stream), CloseReason::Done);
}

#[test]
fn a_panic_within_a_nested_turn_stays_there() {
    let world = World::new();
    let (stream, mut peer) = world.pair();
    peer.write_all(b"x").unwrap();
    let over = Rc::new(Cell::new(false));
    let noted = Rc::clone(&over);
    world.once(
        |seen| matches!(seen, Seen::Data(..)),
        move |world, _| {
            world.soon(|_| panic_on_purpose());
            world.poll();
            noted.set(true);
        },
    );
    world.until("the nested turn", |_| over.get());
    assert_eq!(world.panics(), [told(None)]);
    assert_eq!(
        world.lost(stream),
        None,
        "it was not its hook that panicked"
    );
}
