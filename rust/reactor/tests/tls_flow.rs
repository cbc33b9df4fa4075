//! Pauses, producers and fairness of secured streams.

#[path = "util/tls.rs"]
mod tls;
mod util;

use tls::{BOTH, House, TlsPeer, pattern};
use torsion_reactor::{CloseReason, Token, Wrote};
use util::{Seen, World};

fn secured(world: &World, house: &House) -> (Token, TlsPeer) {
    let (stream, mut peer) = world.tls_pair(&house.server(), house.peer_client(BOTH));
    peer.until_secured(world, stream);
    (stream, peer)
}

#[test]
fn a_pause_stops_delivery_and_nothing_is_lost() {
    let (world, house) = (World::new(), House::new());
    let (stream, mut peer) = secured(&world, &house);
    world.engine.pause(stream);
    peer.say(b"while nobody listens");
    for _ in 0..5 {
        peer.pump();
        world.poll();
    }
    world.must_be_idle();
    assert!(world.received(stream).is_empty());
    world.engine.resume(stream);
    peer.until(&world, "bytes", |world, _| {
        world.received(stream) == b"while nobody listens"
    });
}

#[test]
fn what_came_with_the_last_of_the_handshake_waits_for_a_protocol_that_paused() {
    let (world, house) = (World::new(), House::new());
    let (stream, mut peer) = world.tls_pair(&house.server(), house.peer_client(BOTH));
    world.once(
        |seen| matches!(seen, Seen::Secured(..)),
        move |world, _| world.engine.pause(stream),
    );
    peer.say(b"right behind the handshake");
    peer.until_secured(&world, stream);
    world.must_be_idle();
    assert!(world.received(stream).is_empty());
    world.engine.resume(stream);
    world.until("bytes", |world| {
        world.received(stream) == b"right behind the handshake"
    });
}

#[test]
fn a_pause_does_not_keep_the_handshake() {
    for server in [true, false] {
        let (world, house) = (World::new(), House::new());
        let (stream, mut peer) = if server {
            world.tls_pair(&house.server(), house.peer_client(BOTH))
        } else {
            world.tls_client(&house.client(), house.peer_server(BOTH))
        };
        world.engine.pause(stream);
        peer.until_secured(&world, stream);
    }
}

#[test]
fn each_delivery_may_pause() {
    let (world, house) = (World::new(), House::new());
    let (stream, mut peer) = secured(&world, &house);
    let bytes = pattern(3 << 20);
    world.on(move |world, seen| {
        if matches!(seen, Seen::Data(..)) {
            world.engine.pause(stream);
        }
    });
    peer.say(&bytes);
    let mut deliveries = 0;
    while world.received(stream).len() < bytes.len() {
        deliveries += 1;
        peer.until(&world, "a delivery", |world, _| {
            world.count(|seen| matches!(seen, Seen::Data(..))) == deliveries
        });
        world.engine.resume(stream);
    }
    assert!(world.received(stream) == bytes);
    assert!(deliveries > 1);
}

#[test]
fn a_full_outbox_pauses_a_producer_and_an_empty_one_resumes_it() {
    let (world, house) = (World::new(), House::new());
    let (stream, mut peer) = secured(&world, &house);
    peer.reads = false;
    assert!(world.engine.register_producer(stream, true));
    assert_eq!(world.write(stream, &[1; 60_000]), Wrote::Queued);
    assert_eq!(world.write(stream, &[2; 60_000]), Wrote::Full);
    // Plaintext counts, and so does what is sealed and not taken.
    let much = 16 << 20;
    world.write(stream, &vec![3; much]);
    world.poll();
    assert!(world.queued(stream) > 0);
    assert!(!world.has_seen(&Seen::Resume(stream)));
    peer.reads = true;
    peer.until(&world, "all", |_, peer| peer.plain.len() == 120_000 + much);
    world.until("its turn", |world| world.has_seen(&Seen::Resume(stream)));
    assert_eq!(world.count(|seen| matches!(seen, Seen::Resume(_))), 1);
    assert_eq!(world.queued(stream), 0);
}

#[test]
fn a_producer_waits_for_the_handshake() {
    let (world, house) = (World::new(), House::new());
    let (stream, mut peer) = world.tls_pair(&house.server(), house.peer_client(BOTH));
    assert!(world.engine.register_producer(stream, true));
    assert_eq!(world.write(stream, &[1; 100_000]), Wrote::Full);
    world.must_be_idle();
    assert!(!world.has_seen(&Seen::Resume(stream)));
    peer.until(&world, "all", |_, peer| peer.plain.len() == 100_000);
    world.until("its turn", |world| world.has_seen(&Seen::Resume(stream)));
}

#[test]
fn a_pull_producer_is_asked_for_each_piece() {
    let (world, house) = (World::new(), House::new());
    let (stream, mut peer) = secured(&world, &house);
    let pieces = std::cell::Cell::new(0_u8);
    world.on(move |world, seen| {
        if *seen != Seen::Resume(stream) {
            return;
        }
        pieces.set(pieces.get() + 1);
        world.write(stream, &[pieces.get(); 50_000]);
        if pieces.get() == 9 {
            world.engine.unregister_producer(stream);
            world.engine.lose(stream);
        }
    });
    world.engine.register_producer(stream, false);
    world.write(stream, &[0; 50_000]);
    peer.until(&world, "our farewell", |_, peer| peer.farewell);
    let expected: Vec<u8> = (0..=9).flat_map(|piece| [piece; 50_000]).collect();
    assert!(peer.plain == expected);
}

#[test]
fn a_pull_producer_does_not_turn_the_loop_during_the_handshake() {
    let (world, house) = (World::new(), House::new());
    let (stream, _peer) = world.tls_pair(&house.server(), house.peer_client(BOTH));
    world.engine.register_producer(stream, false);
    world.write(stream, b"the first piece");
    world.must_be_idle();
}

#[test]
fn a_fast_peer_does_not_keep_the_loop() {
    let (world, house) = (World::new(), House::new());
    let (fast, mut fast_peer) = secured(&world, &house);
    let (slow, mut slow_peer) = secured(&world, &house);
    fast_peer.say(&pattern(8 << 20));
    fast_peer.pump();
    slow_peer.say(b"me, too");
    slow_peer.pump();
    world.take_seen();
    world.until("a word of the slow one", |world| {
        world.received(slow) == b"me, too"
    });
    let before = world.received(fast).len();
    assert!(before <= 2 * 256 * 1024, "{before} bytes came first");
    fast_peer.until(&world, "the rest", |world, _| {
        world.received(fast).len() == 8 << 20
    });
}

#[test]
fn many_handshakes_at_once_let_others_through() {
    const MANY: usize = 100;
    let (world, house) = (World::new(), House::new());
    let (talker, mut its_peer) = secured(&world, &house);
    let config = house.server();
    let client = house.peer_client(BOTH);
    let mut comers: Vec<_> = (0..MANY)
        .map(|_| world.tls_pair(&config, client.clone()))
        .collect();
    for (_, peer) in &mut comers {
        peer.pump();
    }
    let answered = |comers: &[(Token, TlsPeer)]| {
        let room = &mut [0];
        comers
            .iter()
            .filter(|(_, peer)| peer.socket.peek(room).is_ok())
            .count()
    };
    world.poll();
    assert!(answered(&comers) < MANY, "not all in one turn");
    its_peer.say(b"hello");
    its_peer.pump();
    world.until("a word", |world| world.received(talker) == b"hello");
    world.until("all answers", |_| answered(&comers) == MANY);
    for (token, mut peer) in comers {
        peer.until_secured(&world, token);
    }
}

#[test]
fn a_peer_that_answers_and_closes_while_we_write_is_heard() {
    let (world, house) = (World::new(), House::new());
    let (stream, mut peer) = secured(&world, &house);
    world.write(stream, &pattern(32 << 20));
    world.poll();
    peer.say(b"no, thank you");
    peer.tls.send_close_notify();
    let mut last = Vec::new();
    peer.tls.write_tls(&mut last).unwrap();
    std::io::Write::write_all(&mut peer.socket, &last).unwrap();
    drop(peer);
    let reason = world.until_lost(stream);
    assert_eq!(world.received(stream), b"no, thank you");
    assert!(
        matches!(reason, CloseReason::Done | CloseReason::Lost(_)),
        "{reason:?}"
    );
}
