//! Peers that read slowly or not at all, producers that keep to their pace, and peers that write without end.

mod util;

use std::cell::Cell;
use std::io::{Read, Write};
use std::rc::Rc;

use torsion_reactor::buffer::inbox::FAIR_SHARE;
use torsion_reactor::buffer::outbox::HIGH_WATER;
use torsion_reactor::{CloseReason, Token, Wrote};
use util::{Seen, World, peer};

/// More than any socket's buffer takes from a peer that does not read.
const MUCH: usize = 16 << 20;

/// A streaming producer: writes `size` bytes of the pattern in pieces, until it is told to pause; returns how far it came.
fn produce(world: &World, stream: Token, bytes: &[u8], piece: usize) -> usize {
    let mut written = 0;
    for piece in bytes.chunks(piece) {
        written += piece.len();
        let wrote = world.write(stream, piece);
        assert_ne!(wrote, Wrote::Ignored, "it is open");
        if wrote == Wrote::Full {
            break;
        }
    }
    written
}

// Writing

#[test]
fn a_peer_that_never_reads_costs_no_more_than_a_full_outbox() {
    let world = World::new();
    let (listener, address) = world.listen();
    let small = peer::connect_small(address);
    world.until("a connection", |world| !world.accepted().is_empty());
    assert!(world.discard(listener));
    let stream = world.accepted()[0];
    assert!(world.engine.register_producer(stream, true));
    let bytes = peer::pattern(MUCH);
    let piece = 10_000;
    let sent = Rc::new(Cell::new(0));
    let (from, all) = (Rc::clone(&sent), bytes.clone());
    world.on(move |world, seen| {
        if matches!(seen, Seen::Resume(_)) {
            let more = produce(world, stream, &all[from.get()..], piece);
            from.set(from.get() + more);
            if from.get() == all.len() {
                world.engine.unregister_producer(stream);
            }
        }
    });
    sent.set(produce(&world, stream, &bytes, piece));
    // The kernel takes what it has room for, and then nothing moves.
    let start = world.real_time();
    loop {
        let before = (sent.get(), world.queued(stream));
        assert!(before.1 <= HIGH_WATER as usize + piece, "{before:?}");
        (0..5).for_each(|_| world.poll());
        if before == (sent.get(), world.queued(stream)) {
            break;
        }
        world.check_patience(start, "the kernel's buffers to fill");
    }
    world.must_be_idle();
    assert!(world.queued(stream) > 0 && sent.get() < MUCH);

    // It reads after all: everything comes, in order, and the outbox stays bounded.
    let got = peer::read_slowly(&world, &small, MUCH, 100_000);
    assert!(got == bytes);
    assert_eq!(sent.get(), MUCH);
    world.must_be_idle();
    assert_eq!(world.queued(stream), 0);
}

#[test]
fn a_producer_is_resumed_once_when_everything_is_sent_and_not_before() {
    let world = World::new();
    let (stream, peer) = world.pair();
    world.must_be_idle();
    world.engine.register_producer(stream, true);
    let bytes = peer::pattern(MUCH);
    assert_eq!(world.write(stream, &bytes), Wrote::Full);
    assert_eq!(world.write(stream, b"x"), Wrote::Queued, "said once");
    world.take_seen();
    let half = peer::read_slowly(&world, &peer, MUCH / 2, 1 << 16);
    assert!(half == bytes[..MUCH / 2]);
    assert_eq!(world.take_seen(), [], "half is not everything");
    peer::read_slowly(&world, &peer, MUCH / 2 + 1, 1 << 20);
    world.until("the word of it", |world| {
        world.has_seen(&Seen::Resume(stream))
    });
    world.must_be_idle();
    assert_eq!(world.take_seen(), [Seen::Resume(stream)]);
    assert_eq!(world.write(stream, &bytes), Wrote::Full, "and so on");
}

#[test]
fn a_pull_producer_is_asked_for_each_piece_and_no_oftener() {
    let world = World::new();
    let (stream, peer) = world.pair();
    world.must_be_idle();
    let pieces = Rc::new(Cell::new(0_u8));
    let made = Rc::clone(&pieces);
    let late = Rc::new(Cell::new(false));
    let is_late = Rc::clone(&late);
    world.on(move |world, seen| {
        if *seen == Seen::Resume(stream) && !is_late.get() {
            made.set(made.get() + 1);
            world.write(stream, &[made.get()]);
            match made.get() {
                5 => is_late.set(true),
                10 => world.engine.unregister_producer(stream),
                _ => {}
            }
        }
    });
    assert!(world.engine.register_producer(stream, false));
    world.must_be_idle(); // the binding asks for the first
    world.write(stream, &[0]);
    world.take_seen();
    world.until("what it had", |_| pieces.get() == 5);
    (0..5).for_each(|_| world.poll());
    // It has been asked for the sixth, and answers when it can.
    assert_eq!(world.take_seen(), [(); 6].map(|()| Seen::Resume(stream)));
    world.must_be_idle();
    late.set(false);
    pieces.set(6);
    world.write(stream, &[6]);
    world.until("the rest", |_| pieces.get() == 10);
    world.must_be_idle();
    assert_eq!(world.take_seen(), [(); 4].map(|()| Seen::Resume(stream)));
    assert_eq!(peer::read(&peer, 11), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
}

#[test]
fn a_pull_producer_waits_for_a_peer_that_does_not_read() {
    let world = World::new();
    let (stream, peer) = world.pair();
    let piece = peer::pattern(1 << 20);
    let asked = Rc::new(Cell::new(0));
    let (count, again) = (Rc::clone(&asked), piece.clone());
    world.on(move |world, seen| {
        if *seen == Seen::Resume(stream) {
            count.set(count.get() + 1);
            world.write(stream, &again);
        }
    });
    world.engine.register_producer(stream, false);
    world.write(stream, &piece);
    let start = world.real_time();
    loop {
        let before = (asked.get(), world.queued(stream));
        assert!(before.1 <= piece.len());
        world.turn();
        world.turn();
        if before == (asked.get(), world.queued(stream)) {
            break;
        }
        world.check_patience(start, "the kernel's buffers to fill");
    }
    world.must_be_idle();
    let before = asked.get();
    for _ in 0..4 {
        assert!(peer::read_slowly(&world, &peer, piece.len(), 1 << 16) == piece);
    }
    assert!(asked.get() > before);
}

#[test]
fn producers_of_several_streams_take_turns() {
    let world = World::new();
    let (first, first_peer) = world.pair();
    let (second, second_peer) = world.pair();
    for stream in [first, second] {
        world.engine.register_producer(stream, false);
        world.write(stream, b".");
    }
    world.on(|world, seen| {
        if let Seen::Resume(stream) = *seen {
            world.write(stream, b".");
        }
    });
    world.take_seen();
    (0..20).for_each(|_| world.poll());
    let asked = |stream| world.count(|seen| *seen == Seen::Resume(stream));
    let (first, second) = (asked(first), asked(second));
    assert!(
        first >= 20 && first.abs_diff(second) <= 1,
        "{first} {second}"
    );
    drop((first_peer, second_peer));
}

#[test]
fn large_writes_arrive_whole_and_in_order_while_the_peer_reads_slowly() {
    let world = World::new();
    let (stream, peer) = world.pair();
    let bytes = peer::pattern(MUCH);
    // Pieces of every size that is treated in a way of its own: copied together, kept, more than a system call takes.
    let sizes = [
        1, 100, 2_047, 2_048, 20_000, 1_000_000, 3, 65_537, 5_000_000,
    ];
    let mut rest = &bytes[..];
    for size in sizes.into_iter().cycle() {
        let (piece, others) = rest.split_at(size.min(rest.len()));
        world.write(stream, piece);
        rest = others;
        if rest.is_empty() {
            break;
        }
        if size == 3 {
            world.poll();
        }
    }
    world.engine.lose(stream);
    let mut got = Vec::new();
    for step in [1, 10, 1_000, 100_000] {
        got.extend(peer::read_slowly(&world, &peer, step * 20, step));
    }
    let left = MUCH - got.len();
    got.extend(peer::read_slowly(&world, &peer, left, 1 << 20));
    assert!(got == bytes);
    assert_eq!(world.until_lost(stream), CloseReason::Done);
    assert_eq!(peer::end_of(&peer), Ok(()));
}

// Reading

#[test]
fn bytes_that_come_one_by_one_are_delivered_as_they_come() {
    let world = World::new();
    let (stream, mut peer) = world.pair();
    let bytes = peer::pattern(500);
    for (count, byte) in bytes.chunks(1).enumerate() {
        peer.write_all(byte).unwrap();
        world.until_received(stream, count + 1);
    }
    assert_eq!(world.received(stream), bytes);
    assert_eq!(world.count(|seen| matches!(seen, Seen::Data(..))), 500);
    world.must_be_idle();
}

#[test]
fn much_input_is_delivered_whole_and_in_order_with_and_without_leases() {
    for lends in [true, false] {
        let world = World::new();
        world.lends.set(lends);
        let (stream, peer) = world.pair();
        let bytes = peer::pattern(MUCH);
        peer::write_all(&world, &peer, &bytes);
        drop(peer);
        assert_eq!(world.until_lost(stream), CloseReason::Done);
        assert!(world.received(stream) == bytes);
        assert_eq!(world.leases.get() > 0, lends);
    }
}

#[test]
fn a_paused_stream_delivers_nothing_until_it_reads_again_and_then_all() {
    let world = World::new();
    let (stream, peer) = world.pair();
    let bytes = peer::pattern(MUCH);
    world.once(
        |seen| matches!(seen, Seen::Data(..)),
        move |world, _| world.engine.pause(stream),
    );
    // Until the buffers between them are full.
    peer.set_nonblocking(true).unwrap();
    let mut sent = 0;
    let mut stuck = 0;
    while stuck < 3 {
        match (&peer).write(&bytes[sent..]) {
            Ok(count) => (sent, stuck) = (sent + count, 0),
            Err(_) => stuck += 1,
        }
        world.poll();
    }
    world.must_be_idle();
    assert!(sent < MUCH, "the pause reaches the peer");
    assert_eq!(world.count(|seen| matches!(seen, Seen::Data(..))), 1);
    world.engine.resume(stream);
    peer::write_all(&world, &peer, &bytes[sent..]);
    world.until_received(stream, MUCH);
    assert!(world.received(stream) == bytes);
}

#[test]
fn reading_paused_and_resumed_at_every_delivery_loses_nothing() {
    let world = World::new();
    let (stream, peer) = world.pair();
    world.on(move |world, seen| {
        if matches!(seen, Seen::Data(..)) {
            world.engine.pause(stream);
            world.soon(move |world| {
                world.engine.resume(stream);
                world.engine.pause(stream);
                world.engine.resume(stream);
            });
        }
    });
    let bytes = peer::pattern(1 << 20);
    peer::write_all(&world, &peer, &bytes);
    world.until_received(stream, bytes.len());
    assert!(world.received(stream) == bytes);
    world.must_be_idle();
}

// Fairness

#[test]
fn a_firehose_does_not_keep_others_from_being_served() {
    let world = World::new();
    let (hose, hose_peer) = world.pair();
    let (quiet, mut quiet_peer) = world.pair();
    hose_peer.set_nonblocking(true).unwrap();
    let water = vec![0; 4 << 20];
    // The hose writes whenever it is read from, as a process on another core would.
    let peer = hose_peer.try_clone().unwrap();
    let refill = move || while matches!((&peer).write(&water), Ok(count) if count > 0) {};
    refill();
    world.on(move |_, seen| {
        if matches!(seen, Seen::Data(stream, _) if *stream == hose) {
            refill();
        }
    });
    let mut answers = 0;
    for round in 0..50 {
        quiet_peer.write_all(&[round]).unwrap();
        world.until_arrived(quiet, 1);
        world.take_seen();
        world.poll();
        answers += world.received(quiet).len();
        let of_hose = world.received(hose).len();
        assert!(
            of_hose <= FAIR_SHARE * 2,
            "{of_hose} bytes of one stream in one turn"
        );
        assert!(of_hose > 0, "it is served as well");
    }
    assert_eq!(answers, 50, "each in the turn after it came");
}

/// A peer that reads as fast as we write, on another core, would take all of a long queue in one turn.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the peer needs a core of its own"
)]
fn a_peer_that_swallows_all_does_not_keep_others_from_being_served() {
    const TOTAL: usize = 256 << 20;
    const MOST: usize = 8 << 20;
    let world = World::new();
    let (stream, mut peer) = world.pair();
    world.must_be_idle();
    let reader = std::thread::spawn(move || {
        let (mut room, mut total) = (vec![0; 1 << 20], 0);
        while let Ok(count @ 1..) = peer.read(&mut room) {
            total += count;
        }
        total
    });
    let chunk = peer::pattern(16 << 10);
    for _ in 0..TOTAL / chunk.len() {
        world.write(stream, &chunk);
    }
    world.engine.lose(stream);
    let mut before = world.queued(stream);
    let start = world.real_time();
    while world.lost(stream).is_none() {
        world.check_patience(start, "the end");
        world.poll();
        let figures = world
            .engine
            .stream(stream, torsion_reactor::Stream::statistics);
        let left = figures.map_or(0, |figures| figures.bytes_queued);
        assert!(before - left <= MOST, "{} bytes in one turn", before - left);
        before = left;
    }
    assert_eq!(reader.join().unwrap(), TOTAL);
}

#[test]
fn timers_and_calls_are_on_time_under_a_firehose() {
    let world = World::new();
    let (hose, hose_peer) = world.pair();
    hose_peer.set_nonblocking(true).unwrap();
    let water = vec![0; 4 << 20];
    let refill = move || while matches!((&hose_peer).write(&water), Ok(count) if count > 0) {};
    refill();
    world.on(move |_, seen| {
        if matches!(seen, Seen::Data(..)) {
            refill();
        }
    });
    for _ in 0..20 {
        world.soon(|world| world.note("timer"));
        world.call(|world| world.note("call"));
        world.turn();
    }
    for note in ["timer", "call"] {
        assert_eq!(world.count(|seen| *seen == Seen::Note(note)), 20);
    }
    assert!(!world.received(hose).is_empty());
}

#[test]
fn an_echo_of_everything_to_a_peer_that_reads_as_it_writes_comes_back() {
    let world = World::new();
    let (stream, peer) = world.pair();
    world.engine.register_producer(stream, true);
    // The classic: what cannot be written back stops the reading.
    world.on(move |world, seen| {
        if let Seen::Data(_, bytes) = seen {
            let wrote = world.write(stream, bytes);
            if wrote == Wrote::Full {
                world.engine.pause(stream);
            }
        } else if matches!(seen, Seen::Resume(_)) {
            world.engine.resume(stream);
        }
    });
    let bytes = peer::pattern(MUCH);
    peer.set_nonblocking(true).unwrap();
    let (mut sent, mut got) = (0, Vec::new());
    let mut room = vec![0; 50_000];
    let start = world.real_time();
    while got.len() < bytes.len() {
        if let Ok(count) = (&peer).write(&bytes[sent..]) {
            sent += count;
        }
        world.poll();
        assert!(world.queued(stream) <= HIGH_WATER as usize + FAIR_SHARE);
        if let Ok(count) = (&peer).read(&mut room) {
            got.extend_from_slice(&room[..count]);
        }
        world.check_patience(start, "the echo");
    }
    assert!(got == bytes);
}
