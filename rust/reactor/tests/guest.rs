//! An engine whose turns somebody else's loop takes: when its descriptor calls for one.  And one in the wrong process.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "these are tests; clippy's own exception ends at the #[test] function"
)]

mod util;

use std::io::Read;
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll};
use torsion_reactor::clock::ManualClock;
use torsion_reactor::{Clock, Time};
use util::{Seen, World, peer};

/// The loop that takes the turns.
struct Host {
    poll: Poll,
    events: Events,
}

impl Host {
    fn of(world: &World) -> Self {
        let poll = Poll::new().unwrap();
        let descriptor = world.engine.descriptor().expect("on Unix there is one");
        let source = &mut SourceFd(&descriptor);
        poll.registry()
            .register(source, mio::Token(0), Interest::READABLE)
            .unwrap();
        world.engine.attach();
        let events = Events::with_capacity(1);
        Self { poll, events }
    }

    /// Whether it is called upon after what was asked of the engine; each readiness is told once.
    fn is_called(&mut self, world: &World) -> bool {
        world.engine.call_attention();
        self.poll
            .poll(&mut self.events, Some(Duration::ZERO))
            .unwrap();
        !self.events.is_empty()
    }

    /// Takes turns for as long as it is called upon; returns how many.
    fn turns(&mut self, world: &World) -> usize {
        let mut turns = 0;
        while self.is_called(world) {
            world.poll();
            turns += 1;
        }
        turns
    }
}

#[test]
fn what_is_asked_between_turns_calls_for_one() {
    let world = World::new();
    let (stream, mut peer) = world.pair();
    let mut host = Host::of(&world);
    host.turns(&world);
    assert_eq!(host.turns(&world), 0, "at rest");
    world.write(stream, b"out");
    world.write(stream, b"side");
    assert_eq!(host.turns(&world), 1);
    let mut received = [0; 7];
    peer.read_exact(&mut received).unwrap();
    assert_eq!(&received, b"outside");
    world.engine.lose(stream);
    assert_eq!(host.turns(&world), 1);
    assert!(matches!(
        world.take_seen().last(),
        Some(Seen::Lost(lost, _)) if *lost == stream
    ));
    assert_eq!(host.turns(&world), 0);
}

#[test]
fn an_engine_that_is_not_attached_calls_nobody() {
    let world = World::new();
    let mut host = Host::of(&world);
    host.turns(&world);
    world.engine.detach();
    world.soon(|world| world.note("timer"));
    assert!(!host.is_called(&world));
    world.poll();
    assert_eq!(world.take_seen(), [Seen::Note("timer")]);
}

#[test]
fn only_an_earlier_deadline_than_the_known_one_calls_for_a_turn() {
    let hand = ManualClock::new();
    let world = World::with_clock(Clock::from(hand));
    let mut host = Host::of(&world);
    let at = |seconds| Time::ZERO + Duration::from_secs(seconds);
    let schedule = |seconds| world.engine.schedule(at(seconds), Box::new(|_| {}));
    host.turns(&world);
    let first = schedule(5);
    assert_eq!(host.turns(&world), 1, "the first there is");
    schedule(7);
    assert!(!host.is_called(&world), "5 is known");
    let third = schedule(3);
    assert_eq!(host.turns(&world), 1);
    world.engine.cancel(third);
    assert!(world.engine.reset(first, at(6)));
    assert!(
        !host.is_called(&world),
        "a turn for nothing, at 3, does no harm"
    );
    assert_eq!(world.engine.next_deadline(), Some(at(6)));
}

#[test]
fn what_did_not_fit_a_turn_calls_for_the_next() {
    let world = World::new();
    let (_, peer) = world.pair();
    let mut host = Host::of(&world);
    host.turns(&world);
    world.take_seen();
    let sender = std::thread::scope(|scope| {
        let much = vec![7; 4 << 20];
        let sending = scope.spawn(move || {
            peer::say(&peer, &much);
            peer
        });
        let mut received = 0;
        let start = world.real_time();
        while received < 4 << 20 {
            world.check_patience(start, "four megabytes");
            host.turns(&world);
            for seen in world.take_seen() {
                if let Seen::Data(_, data) = seen {
                    received += data.len();
                }
            }
        }
        sending.join().unwrap()
    });
    assert_eq!(host.turns(&world), 0);
    drop(sender);
}

#[test]
fn calls_from_threads_and_wakers_call_for_a_turn() {
    let world = World::new();
    let mut host = Host::of(&world);
    host.turns(&world);
    world.call(|world| world.note("call"));
    assert_eq!(host.turns(&world), 1);
    assert_eq!(world.take_seen(), [Seen::Note("call")]);
    world.engine.waker().wake().unwrap();
    assert_eq!(host.turns(&world), 1);
}

#[test]
fn a_call_that_a_turn_asks_for_calls_for_the_next() {
    let world = World::new();
    let mut host = Host::of(&world);
    host.turns(&world);
    world.soon(|world| world.call(|world| world.note("call")));
    assert_eq!(host.turns(&world), 2);
    assert_eq!(world.take_seen(), [Seen::Note("call")]);
    assert_eq!(host.turns(&world), 0);
}

#[test]
fn an_abandoned_engine_closes_its_descriptors_tells_nobody_and_turns_no_more() {
    let world = World::new();
    let (stream, peer) = world.pair();
    world.soon(|world| world.note("timer"));
    world.call(|world| world.note("call"));
    world.take_seen();
    drop(world.engine.abandon());
    assert_eq!(world.handles(), 0);
    assert!(world.engine.stream(stream, |_| ()).is_none());
    assert!(world.engine.turn(&world, Some(Duration::ZERO)).is_err());
    assert!(world.engine.run(&world, || true).is_err());
    assert_eq!(world.take_seen(), []);
    assert!(world.engine.ingress().push(Box::new(|_| ())).is_err());
    // No other process has it open here, so that the peer sees the end that the last copy's closing makes.
    assert_eq!(peer::end_of(&peer), Ok(()));
}

#[test]
fn a_turn_in_which_the_engine_is_abandoned_makes_no_further_call() {
    let world = World::new();
    world.call(|world| drop(world.engine.abandon()));
    world.call(|world| world.note("call"));
    world.soon(|world| world.note("timer"));
    assert!(world.engine.turn(&world, None).is_err());
    assert_eq!(world.take_seen(), []);
}
