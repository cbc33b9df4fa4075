//! Calls and wake-ups from other threads.

#![expect(clippy::disallowed_methods, reason = "these tests are about threads")]

mod util;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use util::{Call, PATIENCE, Seen, World};

/// Has a test that waits for ever fail instead.
fn end_in_time(world: &World) {
    let end = world.engine.now() + PATIENCE;
    let fail = |world: &World| {
        world.note("too late");
        world.engine.stop();
    };
    world.engine.schedule(end, Box::new(fail));
}

#[test]
fn a_wait_without_end_is_ended_by_a_call_from_a_thread() {
    let world = World::new();
    end_in_time(&world);
    let (ingress, waker) = (world.engine.ingress(), world.engine.waker());
    let thread = thread::spawn(move || {
        let stop: Call = Box::new(|world: &World| world.engine.stop());
        if ingress.push(stop).unwrap() {
            waker.wake().unwrap();
        }
    });
    world.engine.run(&world, || true).unwrap();
    thread.join().unwrap();
    assert_eq!(world.take_seen(), []);
}

#[test]
fn calls_of_many_threads_are_all_made_and_each_threads_in_order() {
    const THREADS: usize = 4;
    const EACH: usize = 2_000;
    let world = World::new();
    end_in_time(&world);
    let made = Rc::new(Cell::new(0));
    let count = Rc::clone(&made);
    let next = Arc::new([const { AtomicUsize::new(0) }; THREADS]);
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let (ingress, waker) = (world.engine.ingress(), world.engine.waker());
            let next = Arc::clone(&next);
            thread::spawn(move || {
                for number in 0..EACH {
                    let next = Arc::clone(&next);
                    let call: Call = Box::new(move |world: &World| {
                        assert_eq!(next[thread].fetch_add(1, Ordering::Relaxed), number);
                        world.note("made");
                    });
                    if ingress.push(call).unwrap() {
                        waker.wake().unwrap();
                    }
                }
            })
        })
        .collect();
    world.on(move |world, seen| {
        if *seen == Seen::Note("made") {
            count.set(count.get() + 1);
            if count.get() == THREADS * EACH {
                world.engine.stop();
            }
        }
    });
    world.engine.run(&world, || true).unwrap();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    assert_eq!(made.get(), THREADS * EACH);
    assert_eq!(world.panics(), [], "each thread's in order");
}

#[test]
fn a_wake_up_before_the_wait_ends_it_and_many_end_one() {
    let world = World::new();
    let waker = world.engine.waker();
    for _ in 0..10 {
        waker.wake().unwrap();
    }
    world.engine.turn(&world, None).unwrap();
    world.must_be_idle();
}

#[test]
fn a_wake_up_while_the_loop_stops_is_kept_for_the_next_run() {
    let world = World::new();
    end_in_time(&world);
    let (ingress, waker) = (world.engine.ingress(), world.engine.waker());
    world.soon(move |world| {
        world.engine.stop();
        let late: Call = Box::new(|world: &World| {
            world.note("late");
            world.engine.stop();
        });
        // From another thread, and through before this turn goes on.
        thread::spawn(move || {
            if ingress.push(late).unwrap() {
                waker.wake().unwrap();
            }
        })
        .join()
        .unwrap();
    });
    world.engine.run(&world, || true).unwrap();
    assert_eq!(world.take_seen(), []);
    world.engine.run(&world, || true).unwrap();
    assert_eq!(world.take_seen(), [Seen::Note("late")]);
}

#[test]
fn wakers_outlive_their_engine() {
    let world = World::new();
    let (ingress, waker) = (world.engine.ingress(), world.engine.waker());
    ingress.push(Box::new(|_: &World| ())).unwrap();
    drop(world);
    let thread = thread::spawn(move || {
        // Nobody listens any more; the system may or may not say so.
        let _ = waker.wake();
        ingress.close().len()
    });
    assert_eq!(thread.join().unwrap(), 1);
}

#[test]
fn clearing_an_engine_hands_back_calls_and_refuses_more() {
    let world = World::new();
    let ingress = world.engine.ingress();
    ingress.push(Box::new(|_: &World| ())).unwrap();
    world.soon(|_| ());
    let (stream, _peer) = world.pair();
    world.take_seen();
    world.call(|_| ());
    let cleared = world.engine.clear();
    assert_eq!(cleared.calls.len(), 1, "the first was made");
    assert_eq!(cleared.timers.len(), 0, "it was fired");
    let [(handle, reason)] = &cleared.disconnected.streams[..] else {
        panic!("one stream")
    };
    assert_eq!(handle.token, stream);
    assert_eq!(*reason, torsion_reactor::CloseReason::Aborted);
    assert!(ingress.push(Box::new(|_: &World| ())).is_err());
    drop(cleared);
    assert_eq!(
        (world.handles(), world.engine.statistics().descriptors),
        (0, 0)
    );
    world.must_be_idle();
    assert_eq!(world.take_seen(), [], "the binding tells them");
}

#[test]
#[cfg(target_os = "linux")]
fn a_byte_in_the_signal_pipe_ends_the_wait_each_time() {
    use std::os::fd::BorrowedFd;
    let world = World::new();
    let descriptor = world.engine.signal_descriptor().unwrap();
    #[expect(unsafe_code, reason = "a signal handler in C knows the number only")]
    // SAFETY: the engine keeps it open for as long as it lives.
    let pipe = unsafe { BorrowedFd::borrow_raw(descriptor) };
    // In all more than the pipe holds, so that it is seen to be emptied.
    for _ in 0..300 {
        assert_eq!(rustix::io::write(pipe, &[2; 300]), Ok(300));
        world.engine.turn(&world, None).unwrap();
    }
    world.must_be_idle();
}
