//! What happens in which order within a turn, and which turn is the last.

mod util;

use std::cell::{Cell, RefCell};
use std::io::Write;
use std::rc::Rc;
use std::time::Duration;

use torsion_reactor::clock::ManualClock;
use torsion_reactor::{Clock, CloseReason, Time};
use util::{PATIENCE, Seen, TICK, World, peer};

/// The notes among what was seen.
fn notes(world: &World) -> Vec<&'static str> {
    let seen = world.seen.borrow();
    seen.iter()
        .filter_map(|seen| match seen {
            Seen::Note(note) => Some(*note),
            _ => None,
        })
        .collect()
}

#[test]
fn calls_then_timers_then_what_they_wrote_and_closed_then_input() {
    let world = World::new();
    let (written, mut peer) = world.pair();
    let (aborted, _other) = world.pair();
    peer.write_all(b"in").unwrap();
    world.until_arrived(written, 2);
    world.take_seen();
    world.soon(move |world| {
        world.note("timer");
        world.write(written, b"out");
        world.engine.abort(aborted);
    });
    world.call(|world| world.note("call"));
    world.on(move |world, seen| {
        if matches!(seen, Seen::Data(..)) {
            let sent = world
                .engine
                .stream(written, |stream| stream.statistics().bytes_written);
            assert_eq!(sent, Some(3), "the kernel has it before the wait");
        }
    });
    world.turn();
    assert_eq!(
        world.take_seen(),
        [
            Seen::Note("call"),
            Seen::Note("timer"),
            Seen::Lost(aborted, CloseReason::Aborted),
            Seen::Data(written, Rc::from(*b"in")),
        ]
    );
    assert_eq!(peer::read(&peer, 3), b"out");
    assert!(world.panics().is_empty());
}

#[test]
fn timers_are_fired_by_deadline_and_then_in_the_order_of_scheduling() {
    let hand = ManualClock::new();
    let world = World::with_clock(Clock::from(hand.clone()));
    for (millis, note) in [(20, "d"), (10, "b"), (5, "a"), (10, "c"), (30, "not yet")] {
        let when = Time::ZERO + Duration::from_millis(millis);
        let fire = move |world: &World| world.note(note);
        world.engine.schedule(when, Box::new(fire));
    }
    world.poll();
    assert_eq!(notes(&world), [""; 0]);
    hand.advance(Duration::from_millis(20));
    world.poll();
    assert_eq!(notes(&world), ["a", "b", "c", "d"]);
    assert_eq!(
        world.engine.next_deadline(),
        Some(Time::ZERO + Duration::from_millis(30))
    );
}

#[test]
fn what_a_timer_schedules_for_now_waits_for_the_next_turn_and_keeps_this_one_from_blocking() {
    let world = World::new();
    world.soon(|world| {
        world.note("first");
        world.soon(|world| world.note("second"));
    });
    // Were either turn to block, this would never end.
    world.engine.turn(&world, None).unwrap();
    assert_eq!(notes(&world), ["first"]);
    world.soon(|world| world.note("third"));
    world.engine.turn(&world, Some(Duration::ZERO)).unwrap();
    assert_eq!(notes(&world), ["first", "second", "third"]);
    world.must_be_idle();
}

#[test]
fn a_timer_may_cancel_or_move_one_that_is_due_in_the_same_turn() {
    let hand = ManualClock::new();
    let world = World::with_clock(Clock::from(hand.clone()));
    let others = Rc::new(RefCell::new(Vec::new()));
    let victims = Rc::clone(&others);
    world.soon(move |world| {
        let [cancelled, moved] = victims.borrow()[..] else {
            unreachable!("two were scheduled")
        };
        assert!(world.engine.cancel(cancelled).is_some());
        let later = Time::ZERO + Duration::from_secs(1);
        assert!(world.engine.reset(moved, later));
        assert_eq!(world.engine.due(moved), Some(later));
    });
    for note in ["cancelled", "moved"] {
        let fire = move |world: &World| world.note(note);
        let timer = world.engine.schedule_soon(Time::ZERO, Box::new(fire));
        others.borrow_mut().push(timer);
    }
    world.poll();
    assert_eq!(notes(&world), [""; 0]);
    hand.advance(Duration::from_secs(1));
    world.poll();
    assert_eq!(notes(&world), ["moved"]);
    assert_eq!(world.engine.statistics().timers, 0);
}

#[test]
fn what_a_call_calls_waits_for_the_next_turn() {
    let world = World::new();
    world.call(|world| {
        world.note("first");
        world.call(|world| world.note("second"));
    });
    world.engine.turn(&world, None).unwrap();
    assert_eq!(notes(&world), ["first"]);
    world.engine.turn(&world, Some(TICK)).unwrap();
    assert_eq!(notes(&world), ["first", "second"]);
}

#[test]
fn the_wait_ends_with_the_first_timer_or_the_timeout() {
    let world = World::new();
    let start = world.real_time();
    let due = world.engine.now() + TICK;
    world
        .engine
        .schedule(due, Box::new(|world: &World| world.note("due")));
    world.engine.turn(&world, None).unwrap();
    assert!(world.real_time().since(start) >= TICK / 2, "it did wait");
    world.until("the timer", |world| notes(world) == ["due"]);
    world
        .engine
        .schedule(Time::MAX, Box::new(|world: &World| world.note("never")));
    let start = world.real_time();
    world.engine.turn(&world, Some(TICK)).unwrap();
    let took = world.real_time().since(start);
    assert!(took >= TICK && took < PATIENCE, "{took:?}");
}

#[test]
fn what_a_hook_wrote_leaves_before_the_next_stream_is_served() {
    let world = World::new();
    let (first, mut first_peer) = world.pair();
    let (second, mut second_peer) = world.pair();
    first_peer.write_all(b"1").unwrap();
    second_peer.write_all(b"2").unwrap();
    world.until_arrived(first, 1);
    world.until_arrived(second, 1);
    let before = Rc::new(Cell::new(None));
    let earlier = Rc::clone(&before);
    world.on(move |world, seen| {
        let Seen::Data(stream, _) = seen else { return };
        if let Some(earlier) = earlier.replace(Some(*stream)) {
            let queued = world
                .engine
                .stream(earlier, |stream| stream.statistics().bytes_queued);
            assert_eq!(queued, Some(0), "the stream before this one");
        }
        world.write(*stream, b"answer");
        let queued = world
            .engine
            .stream(*stream, |stream| stream.statistics().bytes_queued);
        assert_eq!(queued, Some(6), "a hook's writes leave together");
    });
    world.until("both", |world| {
        world.count(|seen| matches!(seen, Seen::Data(..))) == 2
    });
    assert!(world.panics().is_empty());
    assert_eq!(peer::read(&first_peer, 6), b"answer");
    assert_eq!(peer::read(&second_peer, 6), b"answer");
}

#[test]
fn a_nested_turn_passes_over_the_stream_that_is_being_served() {
    let world = World::new();
    let (outer, mut outer_peer) = world.pair();
    let (other, other_peer) = world.pair();
    outer_peer.write_all(b"one").unwrap();
    world.until_arrived(outer, 3);
    let late = outer_peer.try_clone().unwrap();
    world.once(
        move |seen| matches!(seen, Seen::Data(stream, _) if *stream == outer),
        move |world, _| {
            world.note("in");
            (&late).write_all(b"two").unwrap();
            world.until_arrived(outer, 3);
            (&other_peer).write_all(b"other").unwrap();
            world.until_arrived(other, 5);
            world.soon(|world| world.note("timer"));
            world.call(|world| world.note("call"));
            world.until("the other stream", |world| {
                world.has_seen(&Seen::Data(other, Rc::from(*b"other")))
            });
            for _ in 0..3 {
                world.poll();
            }
            world.note("out");
        },
    );
    world.take_seen();
    world.until_received(outer, 6);
    assert_eq!(
        world.take_seen(),
        [
            Seen::Data(outer, Rc::from(*b"one")),
            Seen::Note("in"),
            Seen::Note("call"),
            Seen::Note("timer"),
            Seen::Data(other, Rc::from(*b"other")),
            Seen::Note("out"),
            Seen::Data(outer, Rc::from(*b"two")),
        ]
    );
    drop((outer_peer, world));
}

#[test]
fn a_stream_that_fails_in_its_own_hook_is_not_lost_in_a_turn_within_that_hook() {
    let world = World::new();
    let (stream, mut peer) = world.pair();
    peer.write_all(b"x").unwrap();
    world.once(
        |seen| matches!(seen, Seen::Data(..)),
        move |world, _| {
            world.engine.fail(stream);
            world.poll();
            assert_eq!(world.lost(stream), None);
            world.note("out");
        },
    );
    assert_eq!(world.until_lost(stream), CloseReason::Raised);
    assert_eq!(notes(&world), ["out"]);
}

/// One way to be called upwards, after which the upcall in question comes within a turn or two.
type Provoke = fn(&World) -> Box<dyn std::any::Any>;

#[test]
fn a_stop_in_any_upcall_ends_the_run_after_that_turn() {
    type Upcall = (&'static str, Provoke, fn(&Seen) -> bool);
    let upcalls: [Upcall; 10] = [
        (
            "call",
            |world| {
                world.call(|world| world.note("here"));
                Box::new(())
            },
            |seen| matches!(seen, Seen::Note(_)),
        ),
        (
            "timer",
            |world| {
                world.soon(|world| world.note("here"));
                Box::new(())
            },
            |seen| matches!(seen, Seen::Note(_)),
        ),
        (
            "data",
            |world| {
                let (_, mut peer) = world.pair();
                peer.write_all(b"x").unwrap();
                Box::new(peer)
            },
            |seen| matches!(seen, Seen::Data(..)),
        ),
        (
            "eof",
            |world| {
                drop(world.pair());
                Box::new(())
            },
            |seen| matches!(seen, Seen::Eof(_)),
        ),
        (
            "resume",
            |world| {
                let (stream, peer) = world.pair();
                world.engine.register_producer(stream, false);
                world.write(stream, b"x");
                Box::new(peer)
            },
            |seen| matches!(seen, Seen::Resume(_)),
        ),
        (
            "write_closed",
            |world| {
                let (stream, peer) = world.pair();
                world.engine.lose_write(stream);
                Box::new(peer)
            },
            |seen| matches!(seen, Seen::WriteClosed(_)),
        ),
        (
            "lost",
            |world| {
                let (stream, peer) = world.pair();
                world.engine.lose(stream);
                Box::new(peer)
            },
            |seen| matches!(seen, Seen::Lost(..)),
        ),
        (
            "accepted",
            |world| {
                let (_, address) = world.listen();
                Box::new(peer::connect(address))
            },
            |seen| matches!(seen, Seen::Accepted(..)),
        ),
        (
            "connected",
            |world| {
                let (_, address) = world.listen();
                world.connect(address).unwrap();
                Box::new(())
            },
            |seen| matches!(seen, Seen::Connected(_)),
        ),
        (
            "panicked",
            |world| {
                world.soon(|_| util::panic_on_purpose());
                Box::new(())
            },
            |seen| matches!(seen, Seen::Panicked(..)),
        ),
    ];
    for (name, provoke, matches) in upcalls {
        let world = World::new();
        let _peer = provoke(&world);
        let turn_of_stop = Rc::new(Cell::new(0));
        let noted = Rc::clone(&turn_of_stop);
        world.once(matches, move |world, _| {
            noted.set(world.engine.statistics().turns);
            world.engine.stop();
        });
        // A run that missed its stop is to fail, not to hang.
        let end = world.engine.now() + PATIENCE;
        world
            .engine
            .schedule(end, Box::new(|world: &World| world.engine.stop()));
        world.engine.run(&world, || true).unwrap();
        assert_eq!(
            world.engine.statistics().turns,
            turn_of_stop.get(),
            "{name}"
        );
    }
}

#[test]
fn a_stop_in_a_nested_run_ends_the_outer_one_too() {
    let world = World::new();
    world.soon(|world| {
        world.soon(|world| world.engine.stop());
        world.engine.run(world, || true).unwrap();
        world.note("nested run over");
    });
    world.engine.run(&world, || true).unwrap();
    assert_eq!(notes(&world), ["nested run over"]);
}

#[test]
fn a_nested_run_that_ends_by_itself_leaves_the_outer_one_running() {
    let world = World::new();
    world.soon(|world| {
        let mut left = 3;
        let go_on = || {
            world.call(|_| ()); // so that the turn does not wait
            left -= 1;
            left >= 0
        };
        world.engine.run(world, go_on).unwrap();
        world.note("nested run over");
        world.soon(|world| {
            world.note("still running");
            world.engine.stop();
        });
    });
    world.engine.run(&world, || true).unwrap();
    assert_eq!(notes(&world), ["nested run over", "still running"]);
}

#[test]
fn a_stop_of_no_run_stops_nothing_later() {
    let world = World::new();
    world.engine.stop();
    world.must_be_idle();
    world.soon(|world| {
        world.note("running");
        world.soon(|world| world.engine.stop());
    });
    world.engine.run(&world, || true).unwrap();
    assert_eq!(notes(&world), ["running"]);
    world.must_be_idle();
}

#[test]
fn a_run_goes_on_for_as_long_as_it_is_told_to_and_can_be_run_again() {
    let world = World::new();
    for wanted in [3_i64, 0, 2] {
        let before = world.engine.statistics().turns;
        let mut left = wanted;
        let go_on = || {
            world.call(|_| ()); // so that the turn does not wait
            left -= 1;
            left >= 0
        };
        world.engine.run(&world, go_on).unwrap();
        assert_eq!(
            world.engine.statistics().turns - before,
            wanted.unsigned_abs()
        );
    }
}

/// Has a run that would wait for ever end, with a note that no test expects.
fn end_in_time(world: &World) {
    let end = world.engine.now() + PATIENCE;
    let give_up = |world: &World| {
        world.note("too late");
        world.engine.stop();
    };
    world.engine.schedule(end, Box::new(give_up));
}

#[test]
fn a_busy_run_serves_what_it_finds_and_does_not_sleep_on_it() {
    const ROUNDS: usize = 100;
    let world = World::new();
    end_in_time(&world);
    let (_, first_peer) = world.pair();
    let (_, second_peer) = world.pair();
    let write_both = move || {
        peer::say(&first_peer, b"x");
        peer::say(&second_peer, b"y");
    };
    write_both();
    let answered = Rc::new(Cell::new(0));
    let count = Rc::clone(&answered);
    world.on(move |world, seen| {
        if matches!(seen, Seen::Data(..)) {
            count.set(count.get() + 1);
            if count.get() == ROUNDS * 2 {
                world.engine.stop();
            } else if count.get() % 2 == 0 {
                write_both();
            }
        }
    });
    let before = world.engine.statistics().waits;
    world.engine.run(&world, || true).unwrap();
    assert_eq!(answered.get(), ROUNDS * 2);
    assert_eq!(notes(&world), [""; 0]);
    let waits = world.engine.statistics().waits - before;
    assert!(
        waits <= ROUNDS as u64 / 2,
        "{waits} waits in {ROUNDS} rounds"
    );
}

#[test]
fn a_wake_up_that_a_busy_run_finds_at_a_look_is_not_slept_on() {
    let world = World::new();
    end_in_time(&world);
    let (first, first_peer) = world.pair();
    let (second, second_peer) = world.pair();
    world.must_be_idle();
    peer::say(&first_peer, b"x");
    peer::say(&second_peer, b"y");
    world.until_arrived(first, 1);
    world.until_arrived(second, 1);
    world.on(move |world, seen| {
        if matches!(seen, Seen::Data(..)) {
            // Behind the calls and before the look, in the turn after the busy one.
            world.soon(|world| world.call(|world| world.engine.stop()));
        }
    });
    world.engine.run(&world, || true).unwrap();
    assert_eq!(notes(&world), [""; 0]);
}

#[test]
fn a_turn_that_has_something_to_do_never_parks() {
    let world = World::new();
    world.soon(|_| ());
    world.poll();
    assert_eq!(
        (world.parked.get(), world.engine.statistics().waits),
        (0, 0)
    );
    world.turn();
    assert_eq!(
        (world.parked.get(), world.engine.statistics().waits),
        (1, 1)
    );
}
