//! The way in, used by many threads at once.

#![expect(clippy::disallowed_methods, reason = "these tests are about threads")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, Thread};

use torsion_reactor::ingress::Ingress;

/// A poller's waker: the loop waits until it is rung, and forgets that it was.
struct Bell {
    rung: AtomicBool,
    waiting: Thread,
}

impl Bell {
    fn ring(&self) {
        self.rung.store(true, Ordering::Release);
        self.waiting.unpark();
    }

    fn wait(&self) {
        while !self.rung.swap(false, Ordering::Acquire) {
            thread::park();
        }
    }
}

#[test]
fn nothing_is_lost_and_each_thread_s_items_stay_in_order() {
    const THREADS: usize = 8;
    const EACH: usize = 20_000;
    let ingress = Arc::new(Ingress::new());
    let bell = Arc::new(Bell {
        rung: AtomicBool::new(false),
        waiting: thread::current(),
    });
    let rings = Arc::new(AtomicUsize::new(0));
    let producers: Vec<_> = (0..THREADS)
        .map(|thread| {
            let (ingress, bell, rings) =
                (Arc::clone(&ingress), Arc::clone(&bell), Arc::clone(&rings));
            thread::spawn(move || {
                for number in 0..EACH {
                    if ingress.push((thread, number)).unwrap() {
                        rings.fetch_add(1, Ordering::Relaxed);
                        bell.ring();
                    }
                }
            })
        })
        .collect();
    let mut next = [0; THREADS];
    let mut items = Vec::new();
    let (mut total, mut waits) = (0, 0);
    // A wake-up that got lost would leave this waiting for ever.
    while total < THREADS * EACH {
        bell.wait();
        waits += 1;
        ingress.take(&mut items);
        total += items.len();
        for (thread, number) in items.drain(..) {
            assert_eq!(number, next[thread]);
            next[thread] += 1;
        }
    }
    producers
        .into_iter()
        .for_each(|producer| producer.join().unwrap());
    assert!(
        rings.load(Ordering::Relaxed) <= waits + 1,
        "one ring for each look"
    );
    ingress.take(&mut items);
    assert!(items.is_empty());
}

#[test]
fn closing_in_the_middle_hands_out_every_item_exactly_once() {
    const EACH: usize = 20_000;
    let ingress = Arc::new(Ingress::new());
    let started = Arc::new(AtomicBool::new(false));
    let producers: Vec<_> = (0..4)
        .map(|_| {
            let (ingress, started) = (Arc::clone(&ingress), Arc::clone(&started));
            thread::spawn(move || {
                let mut refused = 0;
                for number in 0..EACH {
                    refused += usize::from(ingress.push(number).is_err());
                    started.store(true, Ordering::Release);
                }
                refused
            })
        })
        .collect();
    while !started.load(Ordering::Acquire) {
        thread::yield_now();
    }
    let mut taken = Vec::new();
    ingress.take(&mut taken);
    let left = ingress.close();
    let refused: usize = producers
        .into_iter()
        .map(|producer| producer.join().unwrap())
        .sum();
    assert_eq!(taken.len() + left.len() + refused, 4 * EACH);
    assert!(ingress.push(0).is_err());
}
