//! The ends of a connection: one half, both, in order, in haste, and from within hooks.

mod util;

use std::io::{ErrorKind, Write};
use std::net::Shutdown;

use torsion_reactor::{CloseReason, Token, Wrote};
use util::{Seen, World, peer};

/// More than any socket's buffer takes from a peer that does not read.
const MUCH: usize = 16 << 20;

fn open(world: &World, token: Token) -> bool {
    world.engine.stream(token, |_| ()).is_some()
}

// Our half

#[test]
fn our_half_is_shut_after_everything_is_sent_and_the_other_goes_on() {
    let world = World::new();
    let (stream, mut peer) = world.pair();
    let bytes = peer::pattern(MUCH);
    world.write(stream, &bytes);
    world.engine.lose_write(stream);
    world.poll();
    assert!(!world.has_seen(&Seen::WriteClosed(stream)), "not sent yet");
    assert_eq!(world.write(stream, b"and this"), Wrote::Queued);
    let got = peer::read_slowly(&world, &peer, MUCH + 8, 1 << 20);
    assert!(got[..MUCH] == bytes && got[MUCH..] == *b"and this");
    world.until("the word of it", |world| {
        world.has_seen(&Seen::WriteClosed(stream))
    });
    assert_eq!(peer::end_of(&peer), Ok(()));
    assert_eq!(world.write(stream, b"too late"), Wrote::Ignored);
    world.engine.lose_write(stream);
    peer.write_all(b"answer").unwrap();
    world.until_received(stream, 6);
    world.must_be_idle();
    assert_eq!(world.count(|seen| matches!(seen, Seen::WriteClosed(_))), 1);
    drop(peer);
    assert_eq!(world.until_lost(stream), CloseReason::Done);
}

#[test]
fn our_half_waits_for_a_producer_that_waits() {
    let world = World::new();
    let (stream, peer) = world.pair();
    world.engine.register_producer(stream, false);
    world.write(stream, b"piece");
    world.engine.lose_write(stream);
    world.once(
        |seen| matches!(seen, Seen::Resume(_)),
        move |world, _| {
            world.write(stream, b", last piece");
            world.engine.unregister_producer(stream);
        },
    );
    world.until("the word of it", |world| {
        world.has_seen(&Seen::WriteClosed(stream))
    });
    assert_eq!(peer::read(&peer, 17), b"piece, last piece");
    assert_eq!(peer::end_of(&peer), Ok(()));
    assert!(open(&world, stream));
}

// The peer's half

#[test]
fn the_end_of_the_peers_half_closes_a_stream_that_does_not_care_for_halves() {
    let world = World::new();
    let (stream, mut peer) = world.pair();
    peer.write_all(b"last words").unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    assert_eq!(world.until_lost(stream), CloseReason::Done);
    assert_eq!(
        world.take_seen()[1..],
        [
            Seen::Data(stream, (*b"last words").into()),
            Seen::Eof(stream),
            Seen::Lost(stream, CloseReason::Done),
        ]
    );
    assert_eq!(peer::end_of(&peer), Ok(()));
    world.must_be_idle();
}

#[test]
fn a_kept_end_is_told_once_and_the_stream_still_writes() {
    let world = World::new();
    world.keeps_eof.set(true);
    let (stream, peer) = world.pair();
    peer.shutdown(Shutdown::Write).unwrap();
    world.until("the end", |world| world.has_seen(&Seen::Eof(stream)));
    world.must_be_idle();
    let bytes = peer::pattern(MUCH);
    world.write(stream, &bytes);
    assert!(peer::read_slowly(&world, &peer, MUCH, 1 << 20) == bytes);
    world.engine.pause(stream);
    world.engine.resume(stream);
    world.must_be_idle();
    assert_eq!(world.count(|seen| matches!(seen, Seen::Eof(_))), 1);
    world.engine.lose(stream);
    assert_eq!(world.until_lost(stream), CloseReason::Done);
    assert_eq!(peer::end_of(&peer), Ok(()));
}

#[test]
fn both_halves_closed_in_either_order_are_the_end() {
    for ours_first in [true, false] {
        let world = World::new();
        world.keeps_eof.set(true);
        let (stream, peer) = world.pair();
        let told = |world: &World, seen: Seen| {
            world.until("half of it", |world| world.has_seen(&seen));
            assert_eq!(world.lost(stream), None);
        };
        if ours_first {
            world.engine.lose_write(stream);
            told(&world, Seen::WriteClosed(stream));
            peer.shutdown(Shutdown::Write).unwrap();
        } else {
            peer.shutdown(Shutdown::Write).unwrap();
            told(&world, Seen::Eof(stream));
            world.engine.lose_write(stream);
        }
        assert_eq!(world.until_lost(stream), CloseReason::Done);
        assert!(world.has_seen(&Seen::Eof(stream)));
        assert!(world.has_seen(&Seen::WriteClosed(stream)));
        assert_eq!(peer::end_of(&peer), Ok(()));
        assert_eq!(world.handles(), 0);
        world.must_be_idle();
    }
}

#[test]
fn bytes_and_the_end_in_one_event_are_both_delivered_whatever_the_bytes_fill() {
    // Less than the buffer, about as much, and more than one turn's share.
    for size in [1, 256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, 600 * 1024] {
        let world = World::new();
        let (listener, address) = world.listen();
        let peer = peer::connect(address);
        let bytes = peer::pattern(size);
        let writer = bytes.clone();
        // In the listener's queue, a connection takes as much as its buffers hold; the rest comes while it is read.
        peer::write_all(&world, &peer, &writer);
        drop(peer);
        world.until("a connection", |world| !world.accepted().is_empty());
        let stream = world.accepted()[0];
        assert_eq!(world.until_lost(stream), CloseReason::Done);
        assert!(world.received(stream) == bytes, "{size} bytes");
        assert!(world.discard(listener));
        world.must_be_idle();
    }
}

#[test]
fn an_end_that_comes_while_reading_is_paused_is_told_after_the_bytes_before_it() {
    let world = World::new();
    let (stream, mut peer) = world.pair();
    world.engine.pause(stream);
    peer.write_all(b"kept").unwrap();
    drop(peer);
    world.must_be_idle();
    world.take_seen();
    world.engine.resume(stream);
    assert_eq!(world.until_lost(stream), CloseReason::Done);
    assert_eq!(
        world.take_seen(),
        [
            Seen::Data(stream, (*b"kept").into()),
            Seen::Eof(stream),
            Seen::Lost(stream, CloseReason::Done),
        ]
    );
}

// In order

#[test]
fn what_is_queued_when_a_stream_is_lost_is_sent_first() {
    let world = World::new();
    let (stream, mut peer) = world.pair();
    let bytes = peer::pattern(MUCH);
    world.write(stream, &bytes);
    world.engine.lose(stream);
    assert_eq!(world.write(stream, b" and this"), Wrote::Queued);
    world.engine.lose(stream);
    peer.write_all(b"not delivered any more").unwrap();
    let mut got = peer::read_slowly(&world, &peer, MUCH / 2, 1 << 16);
    assert!(open(&world, stream));
    got.extend(peer::read_slowly(&world, &peer, MUCH / 2 + 9, 1 << 20));
    assert!(got[..MUCH] == bytes && got[MUCH..] == *b" and this");
    assert_eq!(world.until_lost(stream), CloseReason::Done);
    assert_eq!(world.received(stream), b"");
    assert_eq!(world.write(stream, b"gone"), Wrote::Ignored);
}

#[test]
fn nothing_is_delivered_after_a_loss_was_asked_for() {
    let world = World::new();
    let (stream, mut peer) = world.pair();
    world.once(
        |seen| matches!(seen, Seen::Data(..)),
        move |world, _| {
            world.engine.register_producer(stream, false);
            world.engine.lose(stream);
        },
    );
    peer.write_all(b"first").unwrap();
    world.until_received(stream, 5);
    peer.write_all(b"second").unwrap();
    world.engine.resume(stream);
    world.must_be_idle();
    assert_eq!(world.received(stream), b"first");
    world.engine.unregister_producer(stream);
    assert_eq!(world.until_lost(stream), CloseReason::Done);
}

// In haste

#[test]
fn an_abort_drops_what_is_queued_and_the_peer_sees_a_reset() {
    let world = World::new();
    let (stream, peer) = world.pair();
    world.write(stream, &peer::pattern(MUCH));
    world.poll();
    world.engine.abort(stream);
    assert_eq!(world.write(stream, b"x"), Wrote::Ignored);
    assert_eq!(world.lost(stream), None, "never from within the call");
    assert_eq!(world.until_lost(stream), CloseReason::Aborted);
    assert_eq!(peer::end_of(&peer), Err(ErrorKind::ConnectionReset));
    world.engine.abort(stream);
    world.must_be_idle();
}

#[test]
fn an_abort_cuts_short_a_loss_that_waits() {
    let world = World::new();
    let (stream, peer) = world.pair();
    world.write(stream, &peer::pattern(MUCH));
    world.engine.lose(stream);
    world.must_be_idle();
    world.engine.abort(stream);
    assert_eq!(world.until_lost(stream), CloseReason::Aborted);
    assert_eq!(peer::end_of(&peer), Err(ErrorKind::ConnectionReset));
}

#[test]
fn a_reset_is_told_with_its_number_after_what_came_before_it() {
    let world = World::new();
    let (stream, mut peer) = world.pair();
    peer.write_all(b"before").unwrap();
    world.until_arrived(stream, 6);
    peer::reset(peer);
    let reason = world.until_lost(stream);
    let CloseReason::Lost(errno) = reason else {
        panic!("{reason}")
    };
    assert_eq!(
        std::io::Error::from_raw_os_error(errno).kind(),
        ErrorKind::ConnectionReset
    );
    assert_eq!(world.received(stream), b"before");
    assert!(!world.has_seen(&Seen::Eof(stream)));
}

#[test]
fn a_reset_is_noticed_while_a_loss_waits_for_a_peer_that_does_not_read() {
    let world = World::new();
    let (stream, peer) = world.pair();
    world.write(stream, &peer::pattern(MUCH));
    world.engine.lose(stream);
    world.must_be_idle();
    peer::reset(peer);
    assert!(matches!(world.until_lost(stream), CloseReason::Lost(_)));
    world.must_be_idle();
}

#[test]
fn a_reset_while_reading_is_paused_waits_for_the_reader_or_the_next_write() {
    for writes in [false, true] {
        let world = World::new();
        let (stream, mut peer) = world.pair();
        world.engine.pause(stream);
        peer.write_all(b"unread").unwrap();
        world.until_arrived(stream, 6);
        peer::reset(peer);
        world.must_be_idle();
        assert_eq!(world.lost(stream), None, "whoever pauses wants to read on");
        if writes {
            world.write(stream, b"x");
        } else {
            world.engine.resume(stream);
        }
        assert!(matches!(world.until_lost(stream), CloseReason::Lost(_)));
        let delivered: &[u8] = if writes { b"" } else { b"unread" };
        assert_eq!(world.received(stream), delivered);
        world.must_be_idle();
    }
}

// From within hooks

#[test]
fn a_stream_may_be_lost_from_any_of_its_hooks_and_in_any_way() {
    type Provoke = fn(&World, Token, &std::net::TcpStream);
    type Way = (fn(&World, Token), CloseReason);
    type Hook = (Provoke, fn(&Seen) -> bool);
    let ways: [Way; 3] = [
        (|world, stream| world.engine.lose(stream), CloseReason::Done),
        (
            |world, stream| world.engine.abort(stream),
            CloseReason::Aborted,
        ),
        (
            |world, stream| world.engine.fail(stream),
            CloseReason::Raised,
        ),
    ];
    let hooks: [Hook; 4] = [
        (
            |_, _, mut peer| peer.write_all(b"x").unwrap(),
            |seen| matches!(seen, Seen::Data(..)),
        ),
        (
            |_, _, peer| peer.shutdown(Shutdown::Write).unwrap(),
            |seen| matches!(seen, Seen::Eof(_)),
        ),
        (
            |world, stream, _| world.engine.lose_write(stream),
            |seen| matches!(seen, Seen::WriteClosed(_)),
        ),
        (
            |world, stream, _| {
                // A streaming producer, which keeps no stream from ending once it may go on.
                world.engine.register_producer(stream, true);
                assert_eq!(world.write(stream, &[b'x'; 1 << 17]), Wrote::Full);
            },
            |seen| matches!(seen, Seen::Resume(_)),
        ),
    ];
    for (way, reason) in ways {
        for (provoke, matches) in hooks {
            let world = World::new();
            world.keeps_eof.set(true);
            let (stream, peer) = world.pair();
            world.once(matches, move |world, _| {
                way(world, stream);
                assert!(open(world, stream), "not from under its hook");
                world.write(stream, b"answer");
            });
            provoke(&world, stream, &peer);
            assert_eq!(world.until_lost(stream), reason);
            assert_eq!(world.panics(), []);
            assert_eq!(
                (world.handles(), world.engine.statistics().descriptors),
                (0, 0)
            );
            world.must_be_idle();
            // A peer that has seen our end in order looks no further.
            if reason != CloseReason::Done && !world.has_seen(&Seen::WriteClosed(stream)) {
                assert_eq!(peer::end_of(&peer), Err(ErrorKind::ConnectionReset));
            }
        }
    }
}

#[test]
fn what_a_hook_writes_before_or_after_it_asks_for_the_end_is_sent() {
    let world = World::new();
    let (stream, mut peer) = world.pair();
    world.once(
        |seen| matches!(seen, Seen::Data(..)),
        move |world, _| {
            world.write(stream, b"good");
            world.engine.lose(stream);
            world.write(stream, b"bye");
        },
    );
    peer.write_all(b"quit").unwrap();
    assert_eq!(world.until_lost(stream), CloseReason::Done);
    assert_eq!(peer::read(&peer, 7), b"goodbye");
    assert_eq!(peer::end_of(&peer), Ok(()));
}

#[test]
fn nothing_can_be_asked_of_a_stream_in_its_last_upcall_or_after_it() {
    let world = World::new();
    let (stream, _peer) = world.pair();
    let after = move |world: &World| {
        assert_eq!(world.write(stream, b"x"), Wrote::Ignored);
        world.engine.lose(stream);
        world.engine.abort(stream);
        world.engine.lose_write(stream);
        world.engine.fail(stream);
        world.engine.pause(stream);
        world.engine.resume(stream);
        world.engine.unregister_producer(stream);
        assert!(!world.engine.register_producer(stream, true));
        assert!(!open(world, stream));
    };
    world.once(
        |seen| matches!(seen, Seen::Lost(..)),
        move |world, _| after(world),
    );
    world.engine.lose(stream);
    assert_eq!(world.until_lost(stream), CloseReason::Done);
    after(&world);
    world.must_be_idle();
    assert_eq!(world.panics(), []);
}

#[test]
fn a_producer_that_comes_after_the_end_is_turned_away() {
    let world = World::new();
    let (stream, _peer) = world.pair();
    world.engine.fail(stream);
    assert!(!world.engine.register_producer(stream, true));
    assert!(!world.engine.register_producer(stream, false));
    assert_eq!(world.until_lost(stream), CloseReason::Raised);
}
