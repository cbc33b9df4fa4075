//! Anything in any order, from both sides and from within hooks: what must hold of every connection all the same.

mod util;

use std::cell::{Cell, RefCell};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::rc::Rc;

use proptest::prelude::*;

use torsion_reactor::{CloseReason, Token, Wrote};
use util::{Seen, World, panic_on_purpose, peer};

/// What happens to one of the connections.
#[derive(Clone, Copy, Debug)]
enum Act {
    // The user's side
    Write(usize),
    Lose,
    LoseWrite,
    Abort,
    Fail,
    Pause,
    Resume,
    Pull,
    Push,
    Unregister,
    // In a hook only
    Panic,
    Nest,
    // The peer's side
    PeerWrite(usize),
    PeerRead(usize),
    PeerShut,
    PeerClose,
    PeerReset,
    // The loop's
    Turn,
}

fn size() -> impl Strategy<Value = usize> {
    prop_oneof![1..100_usize, 60_000..70_000_usize, 200_000..3_000_000_usize]
}

fn users() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => size().prop_map(Act::Write),
        1 => Just(Act::Lose),
        1 => Just(Act::LoseWrite),
        1 => Just(Act::Abort),
        1 => Just(Act::Fail),
        2 => Just(Act::Pause),
        3 => Just(Act::Resume),
        1 => Just(Act::Pull),
        1 => Just(Act::Push),
        2 => Just(Act::Unregister),
    ]
}

fn peers() -> impl Strategy<Value = Act> {
    prop_oneof![
        5 => size().prop_map(Act::PeerWrite),
        5 => size().prop_map(Act::PeerRead),
        1 => Just(Act::PeerShut),
        1 => Just(Act::PeerClose),
        1 => Just(Act::PeerReset),
    ]
}

fn anybody() -> impl Strategy<Value = Act> {
    prop_oneof![2 => users(), 3 => peers(), 3 => Just(Act::Turn)]
}

/// What a hook does when it is called.
fn reaction() -> impl Strategy<Value = Option<Act>> {
    prop_oneof![
        6 => Just(None),
        4 => users().prop_map(Some),
        1 => Just(Some(Act::Nest)),
        1 => Just(Some(Act::Panic)),
    ]
}

/// One connection, and what is known of it.
struct Line {
    stream: Token,
    peer: Option<TcpStream>,
    /// How much of the pattern the peer has sent and got.
    peer_sent: usize,
    peer_got: usize,
    /// How much of it was taken from the user.
    written: Rc<Cell<usize>>,
}

const LONG: usize = 64 << 20;

thread_local! {
    static PATTERN: Rc<[u8]> = peer::pattern(LONG).into();
}

fn part(from: usize, size: usize) -> Vec<u8> {
    PATTERN.with(|pattern| pattern[from..(from + size).min(LONG)].to_vec())
}

/// Writes the next part of the pattern.
fn write(world: &World, stream: Token, written: &Cell<usize>, size: usize) {
    let bytes = part(written.get(), size);
    if world.write(stream, &bytes) != Wrote::Ignored {
        written.set(written.get() + bytes.len());
    }
}

fn users_act(world: &World, stream: Token, written: &Cell<usize>, act: Act) {
    let engine = &world.engine;
    match act {
        Act::Write(size) => write(world, stream, written, size),
        Act::Lose => engine.lose(stream),
        Act::LoseWrite => engine.lose_write(stream),
        Act::Abort => engine.abort(stream),
        Act::Fail => engine.fail(stream),
        Act::Pause => engine.pause(stream),
        Act::Resume => engine.resume(stream),
        Act::Pull | Act::Push => {
            engine.register_producer(stream, matches!(act, Act::Push));
        }
        Act::Unregister => engine.unregister_producer(stream),
        Act::Nest => world.poll(),
        Act::Panic => panic_on_purpose(),
        _ => {}
    }
}

fn peers_act(line: &mut Line, act: Act) {
    let Some(mut socket) = line.peer.as_ref() else {
        return;
    };
    match act {
        Act::PeerWrite(size) => {
            if let Ok(count) = socket.write(&part(line.peer_sent, size)) {
                line.peer_sent += count;
            }
        }
        Act::PeerRead(size) => {
            let mut room = vec![0; size];
            if let Ok(count) = socket.read(&mut room) {
                assert!(room[..count] == part(line.peer_got, count), "in order");
                line.peer_got += count;
            }
        }
        Act::PeerShut => drop(socket.shutdown(Shutdown::Write)),
        Act::PeerClose => line.peer = None,
        Act::PeerReset => line.peer.take().into_iter().for_each(peer::reset),
        _ => {}
    }
}

/// What must hold when everything is over.
fn judge(world: &World, lines: &[Line]) {
    for line in lines {
        assert!(world.lost(line.stream).is_some(), "told, and once");
        let got = world.received(line.stream);
        assert!(got.len() <= line.peer_sent && got == part(0, got.len()));
        assert!(line.peer_got <= line.written.get());
        let seen = world.seen.borrow();
        let mut over = false;
        let mut ended = false;
        for seen in seen.iter() {
            match seen {
                Seen::Data(stream, _) if *stream == line.stream => {
                    assert!(!over && !ended, "no bytes after the end");
                }
                Seen::Eof(stream) if *stream == line.stream => {
                    assert!(!over && !std::mem::replace(&mut ended, true));
                }
                Seen::Resume(stream) | Seen::WriteClosed(stream) if *stream == line.stream => {
                    assert!(!over, "nothing after the last word");
                }
                Seen::Lost(stream, _) if *stream == line.stream => over = true,
                _ => {}
            }
        }
    }
    assert_eq!(world.handles(), 0);
    let statistics = world.engine.statistics();
    assert_eq!(statistics.descriptors, 0);
    assert_eq!(statistics.streams_opened, statistics.streams_closed);
    for (_, message) in world.panics() {
        assert_eq!(message, "on purpose");
    }
}

fn live_through(acts: &[(usize, Act)], reactions: Vec<Option<Act>>, keeps_eof: bool) {
    let world = World::new();
    world.keeps_eof.set(keeps_eof);
    let mut lines: Vec<_> = (0..3)
        .map(|_| {
            let (stream, socket) = world.pair();
            socket.set_nonblocking(true).unwrap_or_default();
            Line {
                stream,
                peer: Some(socket),
                peer_sent: 0,
                peer_got: 0,
                written: Rc::default(),
            }
        })
        .collect();
    let written: Vec<_> = lines
        .iter()
        .map(|line| (line.stream, Rc::clone(&line.written)))
        .collect();
    let reactions = RefCell::new(reactions);
    world.on(move |world, seen| {
        let (Seen::Data(stream, _)
        | Seen::Eof(stream)
        | Seen::Resume(stream)
        | Seen::WriteClosed(stream)
        | Seen::Lost(stream, _)) = *seen
        else {
            return;
        };
        let next = reactions.borrow_mut().pop().flatten();
        let line = written.iter().find(|(token, _)| *token == stream);
        if let (Some(act), Some((_, written))) = (next, line) {
            users_act(world, stream, written, act);
        }
    });
    for (which, act) in acts {
        let line = &mut lines[*which];
        match act {
            Act::Turn => world.poll(),
            _ => {
                users_act(&world, line.stream, &line.written, *act);
                peers_act(line, *act);
            }
        }
    }
    // Everybody goes home.
    world.on(|_, _| ());
    for line in &lines {
        world.engine.unregister_producer(line.stream);
        world.engine.resume(line.stream);
        world.engine.lose(line.stream);
    }
    let start = world.real_time();
    while lines.iter().any(|line| world.lost(line.stream).is_none()) {
        world.check_patience(start, "the end of all of them");
        world.poll();
        for line in &mut lines {
            peers_act(line, Act::PeerRead(1 << 20));
        }
    }
    for line in &mut lines {
        let Some(mut socket) = line.peer.as_ref() else {
            continue;
        };
        let _ = socket.set_nonblocking(false);
        let mut rest = Vec::new();
        let ended = socket.read_to_end(&mut rest);
        assert!(rest == part(line.peer_got, rest.len()));
        line.peer_got += rest.len();
        // Who closes in order has sent everything, unless the peer's end was taken for a reason not to.
        let cut_short = !keeps_eof && world.has_seen(&Seen::Eof(line.stream));
        let heard = world.received(line.stream).len() == line.peer_sent;
        if world.lost(line.stream) == Some(CloseReason::Done) && !cut_short && heard {
            assert!(ended.is_ok(), "{ended:?}");
            assert_eq!(line.peer_got, line.written.get());
        }
    }
    judge(&world, &lines);
    world.must_be_idle();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_connection_ends_once_in_order_and_leaves_nothing(
        acts in prop::collection::vec((0..3_usize, anybody()), 0..60),
        reactions in prop::collection::vec(reaction(), 0..40),
        keeps_eof: bool,
    ) {
        live_through(&acts, reactions, keeps_eof);
    }
}
