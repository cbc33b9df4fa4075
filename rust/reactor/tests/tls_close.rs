//! How secured streams end: in order, by halves, cut off, in haste, and with a peer that says nothing.

#[path = "util/tls.rs"]
mod tls;
mod util;

use std::io::Write;
use std::net::Shutdown;
use std::time::Duration;

use tls::{BOTH, House, ONLY_12, ONLY_13, TlsPeer, pattern};
use torsion_reactor::clock::ManualClock;
use torsion_reactor::security::{Details, Kind};
use torsion_reactor::{Clock, CloseReason, Token, Wrote};
use util::{Seen, World};

/// What the engine waits for a silent peer.
const FAREWELL_PATIENCE: Duration = Duration::from_secs(5);

/// A secured pair, our side the server.
fn secured(world: &World, house: &House) -> (Token, TlsPeer) {
    let (stream, mut peer) = world.tls_pair(&house.server(), house.peer_client(BOTH));
    peer.until_secured(world, stream);
    (stream, peer)
}

#[test]
fn what_was_written_is_sent_before_our_farewell_and_the_peers_is_waited_for() {
    for versions in [ONLY_13, ONLY_12] {
        let (world, house) = (World::new(), House::new());
        let (stream, mut peer) = world.tls_pair(&house.server(), house.peer_client(versions));
        peer.until_secured(&world, stream);
        let bytes = pattern(8 << 20);
        peer.reads = false;
        world.write(stream, &bytes);
        world.engine.lose(stream);
        assert_eq!(world.write(stream, b"this, too"), Wrote::Queued);
        world.poll();
        peer.reads = true;
        peer.until(&world, "our farewell", |_, peer| peer.farewell);
        assert!(peer.plain.len() == bytes.len() + 9 && peer.plain.ends_with(b"this, too"));
        assert!(peer.plain.starts_with(&bytes));
        world.must_be_idle();
        assert_eq!(world.lost(stream), None, "the peer has not answered");
        assert_eq!(world.write(stream, b"too late"), Wrote::Ignored);
        peer.say(b"not wanted any more");
        peer.tls.send_close_notify();
        assert_eq!(peer.until_lost(&world, stream), CloseReason::Done);
        assert!(world.received(stream).is_empty());
        world.must_be_idle();
    }
}

#[test]
fn a_silent_peer_is_not_waited_for_long() {
    let hand = ManualClock::new();
    let (world, house) = (World::with_clock(Clock::from(hand.clone())), House::new());
    let (stream, mut peer) = secured(&world, &house);
    assert_eq!(world.engine.next_deadline(), None, "the handshake is over");
    world.engine.lose(stream);
    peer.until(&world, "our farewell", |_, peer| peer.farewell);
    assert_eq!(
        world.engine.next_deadline(),
        Some(world.engine.now().after(FAREWELL_PATIENCE))
    );
    hand.advance(FAREWELL_PATIENCE - Duration::from_millis(1));
    world.poll();
    assert_eq!(world.lost(stream), None);
    // Talking is not an answer.
    peer.say(&pattern(100_000));
    peer.pump();
    world.poll();
    assert_eq!(world.lost(stream), None);
    hand.advance(Duration::from_millis(1));
    world.poll();
    assert_eq!(world.lost(stream), Some(CloseReason::Done));
    assert_eq!(world.engine.next_deadline(), None);
}

#[test]
fn a_peer_that_just_closes_after_our_farewell_has_closed_in_order() {
    for reset in [false, true] {
        let (world, house) = (World::new(), House::new());
        let (stream, mut peer) = secured(&world, &house);
        world.engine.lose(stream);
        peer.until(&world, "our farewell", |_, peer| peer.farewell);
        if reset {
            util::peer::reset(peer.socket);
        } else {
            drop(peer);
        }
        assert_eq!(world.until_lost(stream), CloseReason::Done);
    }
}

#[test]
fn a_peers_farewell_ends_a_stream_and_is_answered() {
    let (world, house) = (World::new(), House::new());
    let (stream, mut peer) = secured(&world, &house);
    world.take_seen();
    peer.say(b"last words");
    peer.tls.send_close_notify();
    peer.until(&world, "our farewell", |_, peer| peer.farewell);
    assert_eq!(
        world.take_seen(),
        [
            Seen::Data(stream, (*b"last words").into()),
            Seen::Eof(stream),
            Seen::Lost(stream, CloseReason::Done)
        ]
    );
}

#[test]
fn the_answer_to_last_words_is_sent() {
    let (world, house) = (World::new(), House::new());
    let (stream, mut peer) = secured(&world, &house);
    world.once(
        |seen| matches!(seen, Seen::Data(..)),
        move |world, _| assert_eq!(world.write(stream, b"the answer"), Wrote::Queued),
    );
    peer.say(b"the question");
    peer.tls.send_close_notify();
    peer.until(&world, "our farewell", |_, peer| peer.farewell);
    assert_eq!(peer.plain, b"the answer");
}

#[test]
fn halves_are_closed_one_by_one() {
    let (world, house) = (World::new(), House::new());
    world.keeps_eof.set(true);
    let (stream, mut peer) = secured(&world, &house);
    peer.tls.send_close_notify();
    peer.until(&world, "the end of its half", |world, _| {
        world.has_seen(&Seen::Eof(stream))
    });
    let bytes = pattern(1 << 20);
    world.write(stream, &bytes);
    peer.until(&world, "bytes", |_, peer| peer.plain.len() == bytes.len());
    world.must_be_idle();
    world.engine.lose_write(stream);
    peer.until(&world, "our farewell", |_, peer| peer.farewell);
    assert_eq!(peer.until_lost(&world, stream), CloseReason::Done);
    assert_eq!(world.count(|seen| matches!(seen, Seen::WriteClosed(_))), 1);
}

#[test]
fn our_half_is_closed_first_and_the_other_goes_on() {
    let (world, house) = (World::new(), House::new());
    let (stream, mut peer) = secured(&world, &house);
    world.write(stream, b"all that there is");
    world.engine.lose_write(stream);
    peer.until(&world, "our farewell", |_, peer| peer.farewell);
    assert_eq!(peer.plain, b"all that there is");
    assert!(world.has_seen(&Seen::WriteClosed(stream)));
    assert_eq!(world.write(stream, b"too late"), Wrote::Ignored);
    peer.say(b"an answer");
    peer.until(&world, "the answer", |world, _| {
        world.received(stream) == b"an answer"
    });
    world.must_be_idle();
    assert_eq!(world.lost(stream), None);
    peer.tls.send_close_notify();
    assert_eq!(peer.until_lost(&world, stream), CloseReason::Done);
}

#[test]
fn who_has_heard_our_farewell_need_not_say_one() {
    let (world, house) = (World::new(), House::new());
    let (stream, mut peer) = secured(&world, &house);
    world.engine.lose_write(stream);
    peer.until(&world, "our farewell", |_, peer| peer.farewell);
    drop(peer);
    assert_eq!(world.until_lost(stream), CloseReason::Done);
}

#[test]
fn an_end_without_a_farewell_is_told_apart() {
    for keeps in [false, true] {
        let (world, house) = (World::new(), House::new());
        world.keeps_eof.set(keeps);
        let (stream, mut peer) = secured(&world, &house);
        peer.say(b"something");
        peer.until(&world, "bytes", |world, _| {
            world.received(stream) == b"something"
        });
        peer.socket.shutdown(Shutdown::Write).unwrap();
        assert_eq!(world.until_lost(stream), CloseReason::Tls);
        world.must_have_failed(stream, Kind::Truncated);
        assert_eq!(world.count(|seen| matches!(seen, Seen::Eof(_))), 0);
    }
}

#[test]
fn a_record_in_part_is_cut_off_as_well() {
    let (world, house) = (World::new(), House::new());
    let (stream, mut peer) = secured(&world, &house);
    peer.say(b"this will not arrive whole");
    let mut record = Vec::new();
    peer.tls.write_tls(&mut record).unwrap();
    peer.socket.write_all(&record[..record.len() - 1]).unwrap();
    world.poll();
    drop(peer);
    world.until_lost(stream);
    world.must_have_failed(stream, Kind::Truncated);
    assert!(world.received(stream).is_empty());
}

#[test]
fn a_reset_is_told_with_its_number() {
    let (world, house) = (World::new(), House::new());
    let (stream, peer) = secured(&world, &house);
    util::peer::reset(peer.socket);
    let reason = world.until_lost(stream);
    assert!(
        matches!(reason, CloseReason::Lost(errno) if errno != 0),
        "{reason:?}"
    );
}

#[test]
fn an_abort_is_at_once_and_says_nothing() {
    let (world, house) = (World::new(), House::new());
    let (stream, mut peer) = secured(&world, &house);
    world.write(stream, b"never sent");
    world.engine.abort(stream);
    assert_eq!(world.until_lost(stream), CloseReason::Aborted);
    peer.until(&world, "the end", |_, peer| peer.end.is_some());
    assert!(!peer.farewell && peer.plain.is_empty());
    assert_eq!(peer.end, Some(Err(std::io::ErrorKind::ConnectionReset)));
}

#[test]
fn a_close_while_we_wait_for_the_peer_may_become_an_abort() {
    let (world, house) = (World::new(), House::new());
    let (stream, mut peer) = secured(&world, &house);
    world.engine.lose(stream);
    peer.until(&world, "our farewell", |_, peer| peer.farewell);
    world.engine.abort(stream);
    assert_eq!(world.until_lost(stream), CloseReason::Aborted);
    assert_eq!(world.engine.next_deadline(), None);
}

#[test]
fn a_close_during_the_handshake_waits_for_it_only_if_there_is_something_to_say() {
    let (world, house) = (World::new(), House::new());
    let (stream, mut peer) = world.tls_pair(&house.server(), house.peer_client(BOTH));
    world.write(stream, b"a greeting");
    world.engine.lose(stream);
    peer.until(&world, "our farewell", |_, peer| peer.farewell);
    assert_eq!(peer.plain, b"a greeting");
    peer.tls.send_close_notify();
    assert_eq!(peer.until_lost(&world, stream), CloseReason::Done);

    let (stream, _peer) = world.tls_pair(&house.server(), house.peer_client(BOTH));
    world.engine.lose(stream);
    assert_eq!(world.until_lost(stream), CloseReason::Done);

    let (stream, mut peer) = world.tls_client(&house.client(), house.peer_server(BOTH));
    world.engine.lose_write(stream);
    peer.until(&world, "our farewell", |_, peer| peer.farewell);
    assert_eq!(world.lost(stream), None);
}

#[test]
fn a_peer_that_stalls_in_the_handshake_is_given_up() {
    let hand = ManualClock::new();
    for server in [true, false] {
        let (world, house) = (World::with_clock(Clock::from(hand.clone())), House::new());
        let patience = Duration::from_secs(7);
        let (stream, _peer) = if server {
            let config = house.server_with(|server| server.options.handshake_patience = patience);
            world.tls_pair(&config, house.peer_client(BOTH))
        } else {
            let config = house.client_with(|client| client.options.handshake_patience = patience);
            world.tls_client(&config, house.peer_server(BOTH))
        };
        world.poll();
        hand.advance(patience - Duration::from_millis(1));
        world.poll();
        assert_eq!(world.lost(stream), None);
        hand.advance(Duration::from_millis(1));
        world.poll();
        let failure = world.must_have_failed(stream, Kind::Timeout);
        assert_eq!(failure.details, Details::Time(patience));
        assert_eq!(world.engine.next_deadline(), None);
    }
}

#[test]
fn a_peer_that_goes_during_the_handshake_is_told_apart() {
    let (world, house) = (World::new(), House::new());
    let (stream, peer) = world.tls_pair(&house.server(), house.peer_client(BOTH));
    drop(peer);
    world.until_lost(stream);
    let before = world.must_have_failed(stream, Kind::Eof);
    let (stream, mut peer) = world.tls_pair(&house.server(), house.peer_client(BOTH));
    let mut hello = Vec::new();
    peer.tls.write_tls(&mut hello).unwrap();
    peer.socket.write_all(&hello).unwrap();
    world.until("the answer", |_| peer.socket.peek(&mut [0]).is_ok());
    peer.socket.shutdown(Shutdown::Write).unwrap();
    world.until_lost(stream);
    let amid = world.must_have_failed(stream, Kind::Eof);
    assert_ne!(before.message, amid.message);
}

#[test]
fn a_hook_that_panics_costs_its_connection_alone() {
    let (world, house) = (World::new(), House::new());
    let (stream, mut peer) = secured(&world, &house);
    let (other, mut its_peer) = secured(&world, &house);
    world.on(move |_, seen| {
        if matches!(seen, Seen::Data(token, _) if *token == stream) {
            util::panic_on_purpose();
        }
    });
    peer.say(b"boom");
    assert_eq!(peer.until_lost(&world, stream), CloseReason::Raised);
    its_peer.say(b"fine");
    its_peer.until(&world, "bytes", |world, _| world.received(other) == b"fine");
}
