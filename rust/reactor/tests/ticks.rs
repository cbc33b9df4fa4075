//! What turns took, for those who ask.

mod util;

use std::time::Duration;

use torsion_reactor::clock::ManualClock;
use torsion_reactor::sink::Tick;
use torsion_reactor::{Clock, Time};
use util::{Seen, World, peer};

const SECOND: Duration = Duration::from_secs(1);

/// The ticks that were told since they were taken last.
fn ticks(world: &World) -> Vec<Tick> {
    world
        .take_seen()
        .into_iter()
        .filter_map(|seen| match seen {
            Seen::Ticked(tick) => Some(tick),
            _ => None,
        })
        .collect()
}

fn world() -> (World, ManualClock) {
    let hand = ManualClock::new();
    (World::with_clock(Clock::from(hand.clone())), hand)
}

/// Has a timer go off that takes that long.
fn work(world: &World, hand: &ManualClock, took: Duration) {
    let hand = hand.clone();
    let fire = move |_: &World| {
        hand.advance(took);
    };
    world.engine.schedule(Time::ZERO, Box::new(fire));
}

#[test]
fn what_turns_take_is_told_as_long_as_somebody_asks() {
    let (world, hand) = world();
    work(&world, &hand, SECOND);
    world.poll();
    assert_eq!(ticks(&world), []);
    world.engine.measure(true);
    work(&world, &hand, 2 * SECOND);
    world.poll();
    let expected = Tick {
        waited: Duration::ZERO,
        worked: 2 * SECOND,
        events: 0,
    };
    assert_eq!(ticks(&world), [expected]);
    world.engine.measure(false);
    world.poll();
    assert_eq!(ticks(&world), []);
}

#[test]
fn descriptors_that_are_ready_are_counted() {
    let (world, hand) = world();
    let (one, one_peer) = world.pair();
    let (other, other_peer) = world.pair();
    world.must_be_idle();
    peer::say(&one_peer, b"x");
    peer::say(&other_peer, b"y");
    world.until_arrived(one, 1);
    world.until_arrived(other, 1);
    world.engine.measure(true);
    world.on(move |_, seen| {
        if matches!(seen, Seen::Data(..)) {
            hand.advance(SECOND);
        }
    });
    world.poll();
    let told = ticks(&world);
    assert_eq!(told.iter().map(|tick| tick.events).sum::<usize>(), 2);
    assert_eq!(
        told.iter().map(|tick| tick.worked).sum::<Duration>(),
        2 * SECOND
    );
}

#[test]
fn a_wait_is_not_work() {
    let world = World::new();
    world.engine.measure(true);
    let soon = world.engine.now() + Duration::from_millis(5);
    world.engine.schedule(soon, Box::new(|_: &World| ()));
    world.turn();
    let [tick] = ticks(&world)[..] else {
        panic!("one turn was taken")
    };
    assert!(tick.waited >= Duration::from_millis(4), "{tick:?}");
}

#[test]
fn a_turn_within_a_turn_is_part_of_it() {
    let (world, hand) = world();
    world.engine.measure(true);
    let inner = hand.clone();
    world.soon(move |world| {
        work(world, &inner, SECOND);
        world.poll();
    });
    work(&world, &hand, SECOND);
    world.poll();
    let told = ticks(&world);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].worked, 2 * SECOND);
}

#[test]
fn whoever_panics_over_a_tick_is_told_of_and_the_loop_goes_on() {
    let (world, _) = world();
    world.engine.measure(true);
    world.on(|_, seen| assert!(!matches!(seen, Seen::Ticked(_)), "no ticks, please"));
    world.poll();
    world.poll();
    assert_eq!(world.panics().len(), 2);
}
