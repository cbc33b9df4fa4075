//! Timers against a sorted map of (time, order of scheduling).

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use torsion_reactor::clock::Time;
use torsion_reactor::timer::{TimerId, Timers};

/// Times and indices are small, so that many timers share a time and many steps meet the same timer.
#[derive(Arbitrary, Debug)]
enum Step {
    Schedule(u8),
    Soon,
    Cancel(u16),
    Reset(u16, u8),
    Advance(u8),
    /// A round that ends after so many timers, whatever else is due.
    Expire(u8),
}

#[derive(Default)]
struct World {
    timers: Timers<usize>,
    given: Vec<TimerId>,
    /// (when, order) to the number of a timer.
    due: BTreeMap<(u64, u64), usize>,
    order: u64,
    now: u64,
}

impl World {
    fn expect(&mut self, when: u64, number: usize) {
        self.due.insert((when, self.order), number);
        self.order += 1;
    }

    fn forget(&mut self, number: usize) -> bool {
        let before = self.due.len();
        self.due.retain(|_, other| *other != number);
        self.due.len() < before
    }

    fn add(&mut self, when: u64, id: TimerId) {
        self.expect(when, self.given.len());
        self.given.push(id);
    }

    fn expire(&mut self, most: u8) {
        let (round, before) = (
            self.timers.begin_expiry(Time::from_nanos(self.now)),
            self.order,
        );
        for _ in 0..most {
            let first = self
                .due
                .keys()
                .find(|(when, order)| *when <= self.now && *order < before);
            let expected = first.copied().and_then(|key| self.due.remove(&key));
            let popped = self.timers.pop_expired(&round);
            assert_eq!(popped, expected.map(|number| (self.given[number], number)));
        }
    }

    fn step(&mut self, step: Step) {
        let count = self.given.len();
        match step {
            Step::Schedule(when) => {
                let id = self.timers.schedule(Time::from_nanos(when.into()), count);
                self.add(when.into(), id);
            }
            Step::Soon => {
                let id = self.timers.schedule_soon(Time::from_nanos(self.now), count);
                self.add(self.now, id);
            }
            Step::Cancel(index) if count > 0 => {
                let number = usize::from(index) % count;
                let expected = self.forget(number).then_some(number);
                assert_eq!(self.timers.cancel(self.given[number]), expected);
            }
            Step::Reset(index, when) if count > 0 => {
                let number = usize::from(index) % count;
                let live = self.forget(number);
                if live {
                    self.expect(when.into(), number);
                }
                assert_eq!(
                    self.timers
                        .reset(self.given[number], Time::from_nanos(when.into())),
                    live
                );
            }
            Step::Advance(more) => self.now += u64::from(more % 4),
            Step::Expire(most) => self.expire(most % 8),
            Step::Cancel(_) | Step::Reset(..) => {}
        }
    }
}

fuzz_target!(|script: Vec<Step>| {
    let mut world = World::default();
    for step in script {
        world.step(step);
        assert_eq!(world.timers.len(), world.due.len());
        let deadline = world
            .due
            .keys()
            .next()
            .map(|(when, _)| Time::from_nanos(*when));
        assert_eq!(world.timers.next_deadline(), deadline);
    }
});
