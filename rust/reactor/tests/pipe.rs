//! Streams over pipes and terminals: one way, two ways, and what becomes of them when the other end goes.

#![cfg(target_os = "linux")]

mod util;

use std::fs::File;
use std::io::{Read, Write};

use torsion_reactor::{CloseReason, Token, Wrote};
use util::pipes::{pipe, terminal};
use util::{Seen, World, peer};

/// More than a pipe takes, at which it is 64 KiB.
const MUCH: usize = 4 << 20;

fn reading(world: &World) -> (Token, File) {
    let (reader, writer) = pipe();
    (world.open_pipe(reader, true, false), writer)
}

fn writing(world: &World) -> (Token, File) {
    let (reader, writer) = pipe();
    (world.open_pipe(writer, false, true), reader)
}

#[test]
fn what_is_written_comes_out_and_then_the_end() {
    let world = World::new();
    let (stream, mut writer) = reading(&world);
    writer.write_all(b"one").unwrap();
    world.until_received(stream, 3);
    writer.write_all(b", two").unwrap();
    drop(writer);
    assert_eq!(world.until_lost(stream), CloseReason::Done);
    assert_eq!(world.received(stream), b"one, two");
}

#[test]
fn much_comes_out_in_order_and_in_shares() {
    let world = World::new();
    let (stream, mut writer) = reading(&world);
    let bytes = peer::pattern(MUCH);
    let copy = bytes.clone();
    #[expect(clippy::disallowed_methods, reason = "a writer that blocks")]
    let thread = std::thread::spawn(move || writer.write_all(&copy));
    world.until_received(stream, MUCH);
    assert!(world.received(stream) == bytes);
    thread.join().unwrap().unwrap();
    assert_eq!(world.until_lost(stream), CloseReason::Done);
    world.must_be_idle();
}

#[test]
fn a_reader_that_is_paused_finds_everything_afterwards() {
    let world = World::new();
    let (stream, mut writer) = reading(&world);
    world.engine.pause(stream);
    writer.write_all(b"kept").unwrap();
    drop(writer);
    world.must_be_idle();
    assert!(world.take_seen().is_empty());
    world.engine.resume(stream);
    assert_eq!(world.until_lost(stream), CloseReason::Done);
    assert_eq!(world.received(stream), b"kept");
}

#[test]
fn one_that_only_reads_takes_no_bytes_and_has_one_end() {
    let world = World::new();
    world.keeps_eof.set(true);
    let (stream, writer) = reading(&world);
    assert_eq!(world.write(stream, b"no"), Wrote::Ignored);
    world.engine.lose_write(stream);
    world.must_be_idle();
    assert!(world.take_seen().is_empty());
    drop(writer);
    assert_eq!(world.until_lost(stream), CloseReason::Done);
    assert!(world.has_seen(&Seen::Eof(stream)));
}

#[test]
fn packets_come_out_one_by_one_and_none_is_left() {
    let world = World::new();
    let flags = rustix::pipe::PipeFlags::DIRECT;
    let (reader, writer) = rustix::pipe::pipe_with(flags).unwrap();
    let stream = world.open_pipe(reader, true, false);
    for packet in [b"one", b"two", b"six"] {
        rustix::io::write(&writer, packet).unwrap();
    }
    world.until_received(stream, 9);
    assert_eq!(world.received(stream), b"onetwosix");
    assert_eq!(world.count(|seen| matches!(seen, Seen::Data(..))), 3);
    world.must_be_idle();
}

#[test]
fn much_goes_in_and_the_producer_waits_for_it() {
    let world = World::new();
    let (stream, mut reader) = writing(&world);
    world.engine.register_producer(stream, true);
    let bytes = peer::pattern(MUCH);
    assert_eq!(world.write(stream, &bytes), Wrote::Full);
    world.must_be_idle();
    assert!(world.take_seen().is_empty(), "nobody reads yet");
    let mut got = Vec::new();
    let mut room = vec![0; 50_000];
    while got.len() < MUCH {
        let count = reader.read(&mut room).unwrap();
        got.extend_from_slice(&room[..count]);
        world.poll();
    }
    assert!(got == bytes);
    world.until("the producer's turn", |world| {
        world.has_seen(&Seen::Resume(stream))
    });
    world.engine.lose(stream);
    assert_eq!(world.until_lost(stream), CloseReason::Done);
    assert_eq!(reader.read(&mut room).unwrap(), 0);
}

#[test]
fn our_half_of_a_pipe_is_closed_with_it() {
    let world = World::new();
    let (stream, mut reader) = writing(&world);
    world.write(stream, b"last");
    world.engine.lose_write(stream);
    assert_eq!(world.until_lost(stream), CloseReason::Done);
    assert!(world.has_seen(&Seen::WriteClosed(stream)));
    let mut got = Vec::new();
    reader.read_to_end(&mut got).unwrap();
    assert_eq!(got, b"last");
}

#[test]
fn a_writer_learns_that_nobody_reads_any_more() {
    for queued in [0, MUCH] {
        let world = World::new();
        let (stream, reader) = writing(&world);
        world.write(stream, &vec![0; queued]);
        world.must_be_idle();
        drop(reader);
        assert_eq!(
            world.until_lost(stream),
            CloseReason::Lost(libc::EPIPE),
            "with {queued} bytes"
        );
        assert_eq!(world.write(stream, b"no"), Wrote::Ignored);
    }
}

#[test]
fn a_writer_that_is_closing_does_not_wait_for_a_reader_that_is_gone() {
    let world = World::new();
    let (stream, reader) = writing(&world);
    world.write(stream, &[0; MUCH]);
    world.engine.lose(stream);
    world.must_be_idle();
    drop(reader);
    assert_eq!(world.until_lost(stream), CloseReason::Lost(libc::EPIPE));
}

#[test]
fn a_terminal_goes_both_ways_and_ends_with_its_far_end() {
    let world = World::new();
    let (near, mut far) = terminal();
    let stream = world.open_pipe(near, true, true);
    world.write(stream, b"ls\n");
    world.poll();
    let mut room = [0; 3];
    far.read_exact(&mut room).unwrap();
    assert_eq!(&room, b"ls\n");
    far.write_all(b"file").unwrap();
    world.until_received(stream, 4);
    world.must_be_idle();
    far.write_all(b"s").unwrap();
    drop(far);
    assert_eq!(world.until_lost(stream), CloseReason::Done);
    assert_eq!(world.received(stream), b"files");
}

#[test]
fn lines_that_wait_in_a_terminal_all_come() {
    let world = World::new();
    let (near, far) = terminal();
    let mut settings = rustix::termios::tcgetattr(&far).unwrap();
    settings.local_modes |= rustix::termios::LocalModes::ICANON;
    rustix::termios::tcsetattr(&far, rustix::termios::OptionalActions::Now, &settings).unwrap();
    let stream = world.open_pipe(far, true, true);
    rustix::io::write(&near, b"one\ntwo\nthree\n").unwrap();
    world.until_received(stream, 14);
    assert_eq!(world.count(|seen| matches!(seen, Seen::Data(..))), 3);
    world.must_be_idle();
    drop(near);
    assert_eq!(world.until_lost(stream), CloseReason::Done);
}

#[test]
fn a_terminal_whose_far_end_goes_does_not_keep_a_close_waiting() {
    let world = World::new();
    let (near, far) = terminal();
    let stream = world.open_pipe(near, true, true);
    world.write(stream, &[b'x'; MUCH]);
    world.engine.lose(stream);
    world.must_be_idle();
    drop(far);
    assert!(matches!(world.until_lost(stream), CloseReason::Lost(_)));
}

#[test]
fn what_waits_in_a_terminal_outlives_its_far_end_until_somebody_wants_it() {
    let world = World::new();
    let (near, mut far) = terminal();
    let stream = world.open_pipe(near, true, true);
    world.engine.pause(stream);
    world.write(stream, &[b'x'; MUCH]);
    far.write_all(b"last words").unwrap();
    world.must_be_idle();
    drop(far);
    world.must_be_idle();
    assert!(world.take_seen().is_empty());
    assert_eq!(world.write(stream, b"no"), Wrote::Ignored);
    world.engine.resume(stream);
    assert_eq!(world.until_lost(stream), CloseReason::Lost(libc::EPIPE));
    assert_eq!(world.received(stream), b"last words");
}

#[test]
fn a_pipe_that_others_hold_as_well_is_let_go_of() {
    let world = World::new();
    let (reader, mut writer) = pipe();
    let other = reader.try_clone().unwrap();
    for round in 0..3 {
        // The same number and the same pipe each time, which the poller would refuse if it still knew them.
        let stream = world.open_pipe(other.try_clone().unwrap(), true, false);
        writer.write_all(b"x").unwrap();
        world.until_received(stream, 1);
        world.engine.lose(stream);
        assert_eq!(world.until_lost(stream), CloseReason::Done, "round {round}");
        writer.write_all(b"unread").unwrap();
        world.must_be_idle();
        let mut room = [0; 6];
        rustix::io::read(&other, &mut room).unwrap();
        assert_eq!(&room, b"unread", "it is left for the others");
    }
    drop(reader);
}

#[test]
fn what_cannot_be_waited_for_is_given_back() {
    let world = World::new();
    let file = File::open("/proc/self/exe").unwrap();
    let refused = world
        .engine
        .open_pipe(file.into(), true, false)
        .unwrap_err();
    assert_eq!(refused.0.errno(), libc::EPERM);
    let file = File::from(refused.1.unwrap());
    assert!(file.metadata().is_ok());
    assert_eq!(world.engine.statistics().descriptors, 0);
    world.must_be_idle();
}

#[test]
fn an_end_that_came_before_its_owner_is_told_to_it() {
    let world = World::new();
    let (reader, mut writer) = pipe();
    writer.write_all(b"early").unwrap();
    drop(writer);
    let stream = world.engine.open_pipe(reader.into(), true, false).unwrap();
    world.poll();
    world.own_stream(stream);
    assert_eq!(world.until_lost(stream), CloseReason::Done);
    assert_eq!(world.received(stream), b"early");
}
