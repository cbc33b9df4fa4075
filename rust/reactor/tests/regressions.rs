//! What once went wrong, and must not again.  Each test says what was seen from outside.

mod util;

use std::cell::Cell;
use std::io::{Read, Write};
use std::rc::Rc;

use torsion_reactor::CloseReason;
use util::{Seen, TICK, World, peer};

/// Fills a stream's outbox beyond what the kernel takes for a peer that does not read; returns how much was written.
fn clog(world: &World, stream: torsion_reactor::Token) -> usize {
    let chunk = peer::pattern(1 << 20);
    let mut written = 0;
    loop {
        world.write(stream, &chunk);
        written += chunk.len();
        world.poll();
        if world.queued(stream) > 0 {
            return written;
        }
    }
}

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

/// A stream that was flushed out of its turn, because it was read from, was put into the list of those to flush a second
/// time: its producer was asked oftener than others', and the list grew without end.
#[test]
fn a_stream_is_in_the_list_of_those_to_flush_once() {
    let world = World::new();
    let (stream, mut peer) = world.pair();
    world.engine.register_producer(stream, false);
    world.write(stream, b".");
    world.on(move |world, seen| match seen {
        Seen::Resume(_) => {
            world.write(stream, b".");
        }
        Seen::Data(..) => {
            world.write(stream, b"!");
        }
        _ => {}
    });
    let mut answer = [0; 1 << 16];
    for _ in 0..100 {
        peer.write_all(b"?").unwrap();
        world.until_arrived(stream, 1);
        world.poll();
        let _ = peer.read(&mut answer).unwrap();
    }
    world.take_seen();
    world.poll();
    let asked = world.count(|seen| *seen == Seen::Resume(stream));
    assert!((1..=4).contains(&asked), "{asked} times in one turn");
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

/// The answer of a peer that answered early and closed, such as a server that refuses an upload, was dropped because
/// writing failed before it was read.
#[test]
fn what_a_peer_said_before_it_broke_is_delivered_although_writing_fails() {
    let world = World::new();
    let (stream, mut peer) = world.pair();
    clog(&world, stream);
    peer.write_all(b"413 too large").unwrap();
    // What it has not read makes this a reset.
    drop(peer);
    let reason = world.until_lost(stream);
    assert!(matches!(reason, CloseReason::Lost(_)), "{reason}");
    assert_eq!(world.received(stream), b"413 too large");
    world.must_be_idle();
}

/// The same where the loop had not yet heard of the answer when it wrote.
#[test]
fn what_a_peer_said_before_it_broke_is_delivered_although_a_timer_s_write_fails() {
    let world = World::new();
    let (stream, mut peer) = world.pair();
    world.write(stream, b"not read");
    world.poll();
    peer.write_all(b"413 too large").unwrap();
    world.until_arrived(stream, 13);
    peer::reset(peer);
    world.soon(move |world| {
        world.write(stream, b"more");
    });
    let reason = world.until_lost(stream);
    assert!(matches!(reason, CloseReason::Lost(_)), "{reason}");
    assert_eq!(world.received(stream), b"413 too large");
    world.must_be_idle();
}

/// A stream that was closed in order while input lay unread was reset by the system, and the peer lost the end of what it
/// was sent.
#[test]
fn unread_input_does_not_cost_the_peer_the_end_of_what_it_is_sent() {
    let world = World::new();
    let (stream, mut peer) = world.pair();
    let written = clog(&world, stream);
    world.engine.lose(stream);
    peer.write_all(b"nobody reads this any more").unwrap();
    world.must_be_idle();
    assert_eq!(
        peer::read_slowly(&world, &peer, written, 1 << 20).len(),
        written
    );
    assert_eq!(world.until_lost(stream), CloseReason::Done);
    assert_eq!(peer::end_of(&peer), Ok(()));
    assert_eq!(world.received(stream), b"");
}

/// A stream that no longer reads, and has nothing to write, was told nothing of a reset: it stayed for ever.
#[test]
fn a_reset_after_the_peer_s_half_was_closed_is_noticed() {
    let world = World::new();
    world.keeps_eof.set(true);
    let (stream, peer) = world.pair();
    peer.shutdown(std::net::Shutdown::Write).unwrap();
    world.until("the end of the peer's half", |world| {
        world.has_seen(&Seen::Eof(stream))
    });
    peer::reset(peer);
    let reason = world.until_lost(stream);
    assert!(
        matches!(reason, CloseReason::Lost(errno) if errno != 0),
        "{reason}"
    );
    world.must_be_idle();
}

/// The same for one that is to close once its producer is through.
#[test]
fn a_reset_while_a_producer_keeps_a_stream_from_closing_is_noticed() {
    let world = World::new();
    let (stream, peer) = world.pair();
    world.engine.register_producer(stream, false);
    world.engine.lose(stream);
    world.must_be_idle();
    peer::reset(peer);
    let reason = world.until_lost(stream);
    assert!(
        matches!(reason, CloseReason::Lost(errno) if errno != 0),
        "{reason}"
    );
    world.must_be_idle();
}

/// A read stops at urgent data and comes back short, which was taken to mean that there is no more: what came behind it
/// lay there until still more came.  Telnet's interrupt is such data.
#[test]
fn what_lies_behind_urgent_data_is_delivered() {
    let world = World::new();
    let (stream, mut peer) = world.pair();
    peer.write_all(b"before").unwrap();
    assert_eq!(
        torsion_reactor::SockRef::from(&peer)
            .send_out_of_band(b"!")
            .unwrap(),
        1
    );
    peer.write_all(b"behind").unwrap();
    world.until_received(stream, b"beforebehind".len());
    assert_eq!(world.received(stream), b"beforebehind");
    world.must_be_idle();
}

/// What came while the binding made the object for a connection was not told of afterwards, if making it took a turn.
#[test]
fn a_turn_while_a_connection_is_being_taken_on_loses_nothing() {
    let world = World::new();
    let (listener, address) = world.listen();
    world.once(
        |seen| matches!(seen, Seen::Accepted(..)),
        |world, seen| {
            let Seen::Accepted(_, stream) = *seen else {
                return;
            };
            world.write(stream, b"hello");
            world.turns_in_adopt.set(3);
        },
    );
    let client = world.connect(address).unwrap();
    world.until_received(client, 5);
    assert!(world.discard(listener));
}

/// A listener or connector whose owner was named a turn late never told it anything.
#[test]
fn an_owner_that_is_named_late_misses_nothing() {
    let world = World::new();
    let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = world.engine.listen(any, 10).unwrap();
    let address = world
        .engine
        .listener(listener, |listener| listener.address());
    let address = address.unwrap().unwrap().as_inet().unwrap();
    let connector = world.engine.connect(address, None).unwrap();
    for _ in 0..3 {
        world.turn();
    }
    world.must_be_idle();
    world.own_listener(listener);
    world.own_connector(connector);
    world.until("both sides", |world| {
        world.accepted().len() == 1 && world.has_seen(&Seen::Connected(connector))
    });
}

/// A listening socket that somebody had shut, through a duplicate of it, was asked for connections in every turn, and the
/// loop never waited again.
#[test]
#[cfg(target_os = "linux")]
fn a_listener_that_can_accept_no_more_keeps_nobody_busy() {
    let world = World::new();
    let (listener, _) = world.listen();
    let shut = world.engine.listener(listener, |listener| {
        listener.socket().shutdown(std::net::Shutdown::Both)
    });
    assert!(shut.unwrap().is_ok());
    world.until("the complaint", |world| {
        world.count(|seen| matches!(seen, Seen::AcceptFailed(..))) == 1
    });
    world.must_be_idle();
}
