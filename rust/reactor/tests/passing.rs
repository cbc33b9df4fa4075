//! Descriptors that are passed along Unix streams.

#![cfg(target_os = "linux")]

mod util;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use torsion_reactor::{CloseReason, Token, Wrote};
use util::unix::{borrowed, files, lull, numbers, owned, receive, send};
use util::{Seen, World, peer};

/// More than a Unix socket takes from a peer that does not read.
const MUCH: usize = 8 << 20;

fn end_of(mut peer: &UnixStream) -> bool {
    let mut rest = Vec::new();
    peer.read_to_end(&mut rest).is_ok()
}

// In

fn receiver(world: &World) -> (Token, UnixStream) {
    let pair = world.unix_pair();
    world.engine.want_descriptors(pair.0, true);
    pair
}

#[test]
fn descriptors_come_before_their_bytes_and_in_order() {
    let world = World::new();
    let (stream, peer) = receiver(&world);
    let files = files(5);
    let all = borrowed(&files);
    send(&peer, b"one", &all[..1]);
    send(&peer, b"two", &all[1..4]);
    send(&peer, b"six", &all[4..]);
    world.until_received(stream, 9);
    let seen: Vec<_> = world
        .take_seen()
        .into_iter()
        .filter(|seen| matches!(seen, Seen::Data(..) | Seen::Passed(..)))
        .collect();
    assert_eq!(
        seen,
        [
            Seen::Passed(stream, 1),
            Seen::Data(stream, (*b"one").into()),
            Seen::Passed(stream, 3),
            Seen::Data(stream, (*b"two").into()),
            Seen::Passed(stream, 1),
            Seen::Data(stream, (*b"six").into()),
        ]
    );
    assert_eq!(numbers(&world.passed.borrow()), [0, 1, 2, 3, 4]);
    world.must_be_idle();
}

#[test]
fn none_is_lost_among_bytes() {
    let world = World::new();
    let (stream, mut peer) = receiver(&world);
    let files = files(40);
    for file in borrowed(&files) {
        peer.write_all(b"before").unwrap();
        send(&peer, b"with", &[file]);
        peer.write_all(b"behind").unwrap();
    }
    world.until_received(stream, 40 * 16);
    assert_eq!(world.received(stream), b"beforewithbehind".repeat(40));
    assert_eq!(
        numbers(&world.passed.borrow()),
        (0..40).collect::<Vec<u64>>()
    );
}

#[test]
fn as_many_as_a_message_may_carry_are_taken() {
    let world = World::new();
    let (stream, peer) = receiver(&world);
    let files = files(253);
    send(&peer, b"x", &borrowed(&files));
    world.until_received(stream, 1);
    assert_eq!(world.passed.borrow().len(), 253);
    for descriptor in &*world.passed.borrow() {
        let flags = rustix::io::fcntl_getfd(descriptor).unwrap();
        assert!(flags.contains(rustix::io::FdFlags::CLOEXEC));
    }
}

#[test]
fn those_that_nobody_wants_are_closed_and_told_of() {
    let world = World::new();
    let (stream, mut peer) = world.unix_pair();
    let (mut reader, writer) = util::pipes::pipe();
    send(&peer, b"gift", &borrowed(&[writer]));
    peer.write_all(b"behind").unwrap();
    world.until_received(stream, 10);
    assert!(world.has_seen(&Seen::Passed(stream, 0)));
    assert_eq!(
        reader.read(&mut [0]).unwrap(),
        0,
        "nobody has the other end"
    );
    world.must_be_idle();
}

#[test]
fn those_that_nobody_wants_are_closed_among_bulk_as_well() {
    let world = World::new();
    let (stream, peer) = world.unix_pair();
    let (mut reader, writer) = util::pipes::pipe();
    let bulk = vec![0; 100_000];
    for _ in 0..3 {
        send(&peer, &bulk, &borrowed(&[writer.try_clone().unwrap()]));
        let before = world.received(stream).len();
        world.until_received(stream, before + bulk.len());
    }
    drop(writer);
    assert_eq!(
        reader.read(&mut [0]).unwrap(),
        0,
        "nobody has the other end"
    );
    world.must_be_idle();
}

#[test]
fn bytes_that_came_with_descriptors_are_kept_from_a_stream_that_is_given_up() {
    for (ends, delivered) in [(0, true), (1, false), (2, false)] {
        let world = World::new();
        let (stream, peer) = receiver(&world);
        world.on(move |world, seen| {
            if let Seen::Passed(stream, 1) = *seen {
                match ends {
                    0 => world.engine.lose(stream),
                    1 => world.engine.abort(stream),
                    _ => world.engine.fail(stream),
                }
            }
        });
        send(&peer, b"bytes", &borrowed(&files(1)));
        world.until_lost(stream);
        assert_eq!(world.received(stream) == b"bytes", delivered, "{ends}");
    }
}

#[test]
fn bytes_behind_unwanted_descriptors_come_however_late_those_are() {
    let world = World::new();
    let (stream, mut peer) = world.unix_pair();
    for round in 0..3 {
        lull(&world, stream, &peer);
        let (mut reader, writer) = util::pipes::pipe();
        send(&peer, b"gift", &borrowed(&[writer]));
        peer.write_all(b"behind").unwrap();
        world.until_received(stream, 10);
        assert_eq!(
            reader.read(&mut [0]).unwrap(),
            0,
            "nobody has the other end"
        );
        send(&peer, b"another", &borrowed(&files(1)));
        world.until_received(stream, 17);
        assert!(world.has_seen(&Seen::Passed(stream, 0)), "round {round}");
        assert_eq!(world.received(stream), b"giftbehindanother");
    }
    world.must_be_idle();
}

#[test]
fn they_come_to_a_stream_that_pauses_between() {
    let world = World::new();
    let (stream, mut peer) = world.unix_pair();
    lull(&world, stream, &peer);
    world.on(|world, seen| {
        if let Seen::Data(stream, _) = *seen {
            world.engine.pause(stream);
        }
    });
    send(&peer, b"gift", &borrowed(&files(1)));
    peer.write_all(b"behind").unwrap();
    world.until_received(stream, 4);
    world.must_be_idle();
    assert_eq!(world.received(stream), b"gift");
    world.engine.resume(stream);
    world.until_received(stream, 10);
}

#[test]
fn they_come_while_others_keep_the_loop_busy() {
    let world = World::new();
    let (stream, mut peer) = world.unix_pair();
    let (other, mut busy) = world.unix_pair();
    lull(&world, stream, &peer);
    send(&peer, b"gift", &borrowed(&files(1)));
    peer.write_all(b"behind").unwrap();
    let mut turns = 0;
    while world.received(stream).len() < 10 {
        busy.write_all(b"x").unwrap();
        world.poll();
        turns += 1;
        assert!(turns < 100, "the loop is never idle");
    }
    assert_eq!(world.received(other).len(), turns);
}

#[test]
fn descriptors_that_are_wanted_late_are_taken() {
    let world = World::new();
    let (stream, mut peer) = world.unix_pair();
    lull(&world, stream, &peer);
    world.engine.want_descriptors(stream, true);
    for file in &files(5) {
        send(&peer, b"x", &borrowed(std::slice::from_ref(file)));
        peer.write_all(b"y").unwrap();
    }
    world.until_received(stream, 10);
    assert_eq!(numbers(&world.passed.borrow()), [0, 1, 2, 3, 4]);
}

#[test]
fn a_panic_over_a_descriptor_costs_the_stream() {
    let world = World::new();
    let (stream, peer) = receiver(&world);
    world.once(
        |seen| matches!(seen, Seen::Passed(..)),
        |_, _| util::panic_on_purpose(),
    );
    send(&peer, b"bytes", &borrowed(&files(1)));
    assert_eq!(world.until_lost(stream), CloseReason::Raised);
}

// Out

#[test]
fn each_goes_with_the_byte_behind_it() {
    let world = World::new();
    let (stream, peer) = world.unix_pair();
    let files = files(4);
    world.write(stream, b"before");
    assert_eq!(
        world.engine.pass(stream, owned(&files[0])),
        Some(Wrote::Queued)
    );
    world.write(stream, b"one");
    world.engine.pass(stream, owned(&files[1]));
    world.engine.pass(stream, owned(&files[2]));
    world.write(stream, b"two and three");
    world.engine.pass(stream, owned(&files[3]));
    world.poll();
    let mut parts = Vec::new();
    for _ in 0..2 {
        let (bytes, descriptors) = receive(&peer, 100);
        parts.push((bytes, numbers(&descriptors)));
    }
    world.write(stream, b"four");
    world.poll();
    let (bytes, descriptors) = receive(&peer, 100);
    parts.push((bytes, numbers(&descriptors)));
    // A read brings what lies before together with what came with a descriptor.
    let parts: Vec<_> = parts
        .iter()
        .map(|(bytes, numbers)| (&bytes[..], &numbers[..]))
        .collect();
    assert_eq!(
        parts[..],
        [
            (&b"beforeone"[..], &[0][..]),
            (b"two and three", &[1, 2]),
            (b"four", &[3]),
        ][..]
    );
}

#[test]
fn descriptors_wait_with_their_bytes_for_a_slow_peer() {
    let world = World::new();
    let (stream, peer) = world.unix_pair();
    let files = files(30);
    let bytes = peer::pattern(MUCH);
    for (part, file) in bytes.chunks(MUCH / 30 + 1).zip(&files) {
        world.engine.pass(stream, owned(file));
        world.write(stream, part);
    }
    world.must_be_idle();
    peer.set_nonblocking(true).unwrap();
    let (mut got, mut passed) = (Vec::new(), Vec::new());
    while got.len() < MUCH {
        world.poll();
        if peer.peek_any() {
            let (bytes, descriptors) = receive(&peer, 70_000);
            if !descriptors.is_empty() {
                let start = passed.len() * (MUCH / 30 + 1);
                assert!(got.len() <= start && start < got.len() + bytes.len());
            }
            got.extend(bytes);
            passed.extend(descriptors);
        }
    }
    assert!(got == bytes);
    assert_eq!(numbers(&passed), (0..30).collect::<Vec<u64>>());
}

trait Peek {
    fn peek_any(&self) -> bool;
}

impl Peek for UnixStream {
    fn peek_any(&self) -> bool {
        let mut room = [std::mem::MaybeUninit::uninit(); 1];
        socket2::SockRef::from(self).peek(&mut room).is_ok()
    }
}

#[test]
fn more_than_a_message_may_carry_take_a_byte_each_time() {
    let world = World::new();
    let (stream, peer) = world.unix_pair();
    let files = files(300);
    for file in &files {
        world.engine.pass(stream, owned(file));
    }
    world.write(stream, b"ab");
    world.poll();
    let (first, some) = receive(&peer, 10);
    let (second, others) = receive(&peer, 10);
    assert_eq!((&first[..], &second[..]), (&b"a"[..], &b"b"[..]));
    assert_eq!((some.len(), others.len()), (253, 47));
    assert_eq!(numbers(&others), (253..300).collect::<Vec<u64>>());
}

#[test]
fn a_producer_pauses_when_many_wait() {
    let world = World::new();
    let (stream, peer) = world.unix_pair();
    world.engine.register_producer(stream, true);
    let file = &files(1)[0];
    let queued = (0..100)
        .map(|_| world.engine.pass(stream, owned(file)))
        .take_while(|wrote| *wrote == Some(Wrote::Queued))
        .count();
    assert_eq!(queued, 64);
    world.write(stream, b"x");
    world.until("the producer's turn", |world| {
        world.has_seen(&Seen::Resume(stream))
    });
    assert_eq!(receive(&peer, 10).1.len(), 65);
}

#[test]
fn one_that_no_byte_follows_is_told_of_at_the_end() {
    let world = World::new();
    let (stream, peer) = world.unix_pair();
    world.engine.pass(stream, owned(&files(1)[0]));
    world.engine.lose(stream);
    assert_eq!(world.until_lost(stream), CloseReason::Overrun);
    assert!(end_of(&peer));
}

#[test]
fn other_streams_pass_none_and_closed_ones_ignore_them() {
    let world = World::new();
    let (stream, _peer) = world.pair();
    let file = &files(1)[0];
    assert_eq!(world.engine.pass(stream, owned(file)), None);
    let (stream, _peer) = world.unix_pair();
    world.engine.abort(stream);
    assert_eq!(world.engine.pass(stream, owned(file)), Some(Wrote::Ignored));
    world.until_lost(stream);
    assert_eq!(world.engine.pass(stream, owned(file)), Some(Wrote::Ignored));
}

#[test]
fn two_of_ours_pass_descriptors_on() {
    let world = World::new();
    let (_listener, place) = world.listen_unix();
    let client = world.engine.connect_unix(place.bytes()).unwrap();
    world.own_connector(client);
    world.until("both", |world| {
        world.has_seen(&Seen::Connected(client)) && world.accepted().len() == 1
    });
    let server = world.accepted()[0];
    world.engine.want_descriptors(server, true);
    let files = files(20);
    for file in &files {
        world.engine.pass(client, owned(file));
        world.write(client, b"x");
    }
    world.until_received(server, 20);
    assert_eq!(
        numbers(&world.passed.borrow()),
        (0..20).collect::<Vec<u64>>()
    );
}
