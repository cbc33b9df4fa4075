//! What the loop's work comes to, and whether it is getting on with it.

mod util;

use std::sync::mpsc;
use std::time::Duration;

use torsion_reactor::clock::ManualClock;
use torsion_reactor::{Clock, Time, Work};
use util::{World, peer};

const SECOND: Duration = Duration::from_secs(1);

/// A world in which somebody has asked.
fn world() -> (World, ManualClock) {
    let hand = ManualClock::new();
    let world = World::with_clock(Clock::from(hand.clone()));
    assert_eq!(world.engine.work_done().counts.iter().sum::<u64>(), 0);
    (world, hand)
}

#[test]
fn nothing_is_measured_until_somebody_asks() {
    let hand = ManualClock::new();
    let world = World::with_clock(Clock::from(hand.clone()));
    work(&world, &hand, SECOND);
    world.poll();
    let inner = hand.clone();
    let (told, heard) = mpsc::channel();
    world.soon(move |world| {
        inner.advance(SECOND);
        let first = world.engine.work_done();
        inner.advance(2 * SECOND);
        let _ = told.send(first);
    });
    world.poll();
    let first = heard.recv().expect("the call was made");
    assert_eq!(
        (first.busy, first.longest),
        (Duration::ZERO, Duration::ZERO)
    );
    let now = world.engine.work_done();
    assert_eq!((now.busy, now.longest), (2 * SECOND, 2 * SECOND));
}

/// Has a timer go off that takes that long.
fn work(world: &World, hand: &ManualClock, took: Duration) {
    let hand = hand.clone();
    let fire = move |_: &World| {
        hand.advance(took);
    };
    world.engine.schedule(Time::ZERO, Box::new(fire));
}

/// How many stretches were longer than `duration`.
fn longer(work: &Work, duration: Duration) -> u64 {
    let bounds = Work::bounds();
    let counts = bounds.iter().zip(work.counts);
    counts
        .filter(|(bound, _)| **bound > duration)
        .map(|(_, count)| count)
        .sum()
}

#[test]
fn work_is_summed_up_and_the_longest_forgotten_once_told() {
    let (world, hand) = world();
    world.poll();
    let before = world.engine.work_done();
    assert_eq!(
        (before.busy, before.longest),
        (Duration::ZERO, Duration::ZERO)
    );
    work(&world, &hand, 2 * SECOND);
    world.poll();
    work(&world, &hand, SECOND);
    world.poll();
    hand.advance(100 * SECOND); // nobody takes a turn
    let now = world.engine.work_done();
    assert_eq!((now.busy, now.longest), (3 * SECOND, 2 * SECOND));
    assert_eq!(longer(&now, SECOND / 2), 2);
    assert_eq!(now.counts.iter().sum::<u64>(), 3);
    assert_eq!(before.counts.iter().sum::<u64>(), 1);
    assert_eq!(world.engine.work_done().longest, Duration::ZERO);
}

#[test]
fn whoever_asks_in_the_midst_is_told_of_the_stretch_that_goes_on() {
    let (world, hand) = world();
    let (told, heard) = mpsc::channel();
    world.soon(move |world| {
        hand.advance(SECOND);
        let first = world.engine.work_done();
        hand.advance(SECOND);
        let _ = told.send((first, world.engine.work_done()));
    });
    world.poll();
    let (first, second) = heard.recv().expect("the call was made");
    assert_eq!((first.busy, first.longest), (SECOND, SECOND));
    assert_eq!((second.busy, second.longest), (2 * SECOND, 2 * SECOND));
    assert_eq!(first.counts, second.counts);
    let after = world.engine.work_done();
    assert_eq!((after.busy, after.longest), (2 * SECOND, 2 * SECOND));
}

#[test]
fn a_turn_within_a_turn_is_part_of_it() {
    let (world, hand) = world();
    let inner = hand.clone();
    world.soon(move |world| {
        work(world, &inner, SECOND);
        world.poll();
    });
    work(&world, &hand, SECOND);
    world.poll();
    let done = world.engine.work_done();
    assert_eq!((done.busy, done.longest), (2 * SECOND, 2 * SECOND));
    assert_eq!(done.counts.iter().sum::<u64>(), 1);
}

#[test]
fn each_piece_of_work_beats_and_a_loop_at_rest_does_not() {
    let (world, _) = world();
    let pulse = world.engine.pulse();
    assert_eq!(pulse.beat(), None);
    let (told, heard) = mpsc::channel();
    for _ in 0..3 {
        let (pulse, told) = (pulse.clone(), told.clone());
        world.soon(move |_| {
            let _ = told.send((pulse.beat(), pulse.beat()));
        });
    }
    world.poll();
    let beats: Vec<_> = heard.try_iter().collect();
    let [first, second, third] = beats[..] else {
        panic!("three calls were made: {beats:?}")
    };
    for (before, after) in [first, second, third] {
        assert!(before.is_some());
        assert_eq!(before, after);
    }
    assert!(first < second && second < third);
    assert_eq!(pulse.beat(), None);
}

#[test]
fn a_panic_leaves_the_loop_counted_as_at_rest() {
    let (world, _) = world();
    world.soon(|_| panic!("in a call"));
    world.poll();
    assert_eq!(world.engine.pulse().beat(), None);
    world.poll();
    assert_eq!(world.engine.work_done().counts.iter().sum::<u64>(), 2);
}

#[test]
fn descriptors_are_told_apart() {
    let (world, _) = world();
    let before = world.engine.holdings();
    assert_eq!((before.connections, before.pipes), (0, 0));
    let (_, one_peer) = world.pair();
    let now = world.engine.holdings();
    assert_eq!(now.connections, 1);
    peer::say(&one_peer, b"x");
}
