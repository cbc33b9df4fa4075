//! Timers against a model that is too simple to be wrong: a sorted map of (time, order of scheduling).

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::Index;
use torsion_reactor::clock::Time;
use torsion_reactor::timer::{Expiry, TimerId, Timers};

#[derive(Default)]
struct Model {
    /// (when, sequence) to what was scheduled.
    due: BTreeMap<(u64, u64), TimerId>,
    sequence: u64,
}

impl Model {
    fn add(&mut self, when: u64, id: TimerId) {
        self.due.insert((when, self.sequence), id);
        self.sequence += 1;
    }

    fn key(&self, id: TimerId) -> Option<(u64, u64)> {
        self.due
            .iter()
            .find(|(_, other)| **other == id)
            .map(|(key, _)| *key)
    }

    fn remove(&mut self, id: TimerId) -> Option<u64> {
        let key = self.key(id)?;
        self.due.remove(&key);
        Some(key.0)
    }

    fn pop(&mut self, now: u64, before: u64) -> Option<TimerId> {
        let key = *self
            .due
            .keys()
            .find(|(when, sequence)| *when <= now && *sequence < before)?;
        self.due.remove(&key)
    }
}

/// What a script does; times are few, so that many timers share one.
#[derive(Clone, Debug)]
enum Step {
    Schedule(u64),
    Soon,
    Cancel(Index),
    Reset(Index, u64),
    /// Cancels so many at once that the dead are cleared away.
    CancelMany(usize),
    Advance(u64),
    /// Begins a round inside those that are going on.
    Begin,
    Pop,
    /// Forgets a round before it is over.
    Leave,
    Deadline,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..40_u64).prop_map(Step::Schedule),
        3 => Just(Step::Soon),
        3 => any::<Index>().prop_map(Step::Cancel),
        4 => (any::<Index>(), 0..40_u64).prop_map(|(index, when)| Step::Reset(index, when)),
        1 => (0..150_usize).prop_map(Step::CancelMany),
        2 => (0..5_u64).prop_map(Step::Advance),
        2 => Just(Step::Begin),
        6 => Just(Step::Pop),
        1 => Just(Step::Leave),
        2 => Just(Step::Deadline),
    ]
}

fn time(nanos: u64) -> Time {
    Time::from_nanos(nanos)
}

proptest! {
    #[test]
    fn timers_behave_as_a_sorted_map(script in proptest::collection::vec(step(), 1..400), crowd in 0..400_u64) {
        let mut timers = Timers::new();
        let mut model = Model::default();
        let mut given: Vec<TimerId> = Vec::new();
        let mut now = 0;
        let mut rounds: Vec<(Expiry, u64, u64)> = Vec::new();
        for number in 0..crowd {
            let id = timers.schedule(time(number % 37), given.len());
            model.add(number % 37, id);
            given.push(id);
        }
        for step in script {
            match step {
                Step::Schedule(when) => {
                    let id = timers.schedule(time(when), given.len());
                    prop_assert!(!given.contains(&id), "a name is given once");
                    model.add(when, id);
                    given.push(id);
                }
                Step::Soon => {
                    let id = timers.schedule_soon(time(now), given.len());
                    prop_assert!(!given.contains(&id), "a name is given once");
                    model.add(now, id);
                    given.push(id);
                }
                Step::Cancel(index) if !given.is_empty() => {
                    let number = index.index(given.len());
                    let expected = model.remove(given[number]).map(|_| number);
                    prop_assert_eq!(timers.cancel(given[number]), expected);
                }
                Step::Reset(index, when) if !given.is_empty() => {
                    let id = *index.get(&given);
                    let live = model.remove(id).is_some();
                    if live {
                        model.add(when, id);
                    }
                    prop_assert_eq!(timers.reset(id, time(when)), live);
                }
                Step::CancelMany(count) => {
                    for (number, id) in given.iter().enumerate().take(count) {
                        prop_assert_eq!(timers.cancel(*id), model.remove(*id).map(|_| number));
                    }
                }
                Step::Advance(more) => now += more,
                Step::Begin => rounds.push((timers.begin_expiry(time(now)), now, model.sequence)),
                Step::Pop => {
                    if let Some((round, until, before)) = rounds.last() {
                        let popped = timers.pop_expired(round);
                        let expected = model.pop(*until, *before);
                        prop_assert_eq!(popped.map(|(id, _)| id), expected);
                        if let Some((id, number)) = popped {
                            prop_assert_eq!(given[number], id);
                        }
                    }
                }
                Step::Leave => {
                    rounds.pop();
                }
                Step::Deadline => {
                    let expected = model.due.keys().next().map(|(when, _)| time(*when));
                    prop_assert_eq!(timers.next_deadline(), expected);
                }
                Step::Cancel(_) | Step::Reset(..) => {}
            }
            prop_assert_eq!(timers.len(), model.due.len());
        }
        for id in &given {
            prop_assert_eq!(timers.when(*id), model.key(*id).map(|(when, _)| time(when)));
        }
        prop_assert_eq!(timers.iter().count(), model.due.len());
        let round = timers.begin_expiry(Time::MAX);
        while let Some((id, _)) = timers.pop_expired(&round) {
            prop_assert_eq!(Some(id), model.pop(u64::MAX, u64::MAX));
        }
        prop_assert!(model.due.is_empty() && timers.is_empty());
        prop_assert_eq!(timers.next_deadline(), None);
    }
}

#[test]
fn a_million_timers_come_out_in_order() {
    const COUNT: u64 = 1_000_000;
    let mut timers = Timers::new();
    let mut ids = Vec::new();
    for number in 0..COUNT {
        // A full-period walk, so that every time occurs once.
        ids.push(timers.schedule(time(number * 48_271 % COUNT), number));
    }
    for id in ids.iter().step_by(3) {
        timers.cancel(*id);
    }
    for id in ids.iter().skip(1).step_by(3) {
        let later = timers.when(*id).map_or(0, Time::as_nanos) + COUNT;
        assert!(timers.reset(*id, time(later)));
    }
    let round = timers.begin_expiry(Time::MAX);
    let mut last = Time::ZERO;
    let mut count = 0;
    while let Some(deadline) = timers.next_deadline() {
        assert!(deadline >= last);
        last = deadline;
        count += usize::from(timers.pop_expired(&round).is_some());
    }
    assert_eq!(count, ids.len() - ids.len().div_ceil(3));
}
