//! What timers cost: `cargo bench -p torsion-reactor --bench timers`.
//!
//! Each line handles a whole crowd; divide its time by the number of items, or read the items per second.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use torsion_reactor::clock::Time;
use torsion_reactor::timer::{TimerId, Timers};

/// How many timers are pending.
const CROWDS: [usize; 2] = [1_000, 1_000_000];

/// What the binding keeps for each timer is as large as a reference.
type Item = usize;

fn main() {
    divan::main();
}

/// Numbers without order, the same at each run (Steele, Lea, Flood: `SplitMix64`).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A time within the next hundred seconds.
    fn time(&mut self) -> Time {
        Time::from_nanos(self.next() % 100_000_000_000)
    }
}

fn crowd(count: usize) -> (Timers<Item>, Vec<TimerId>) {
    let mut random = Random(7);
    let mut timers = Timers::new();
    let ids = (0..count)
        .map(|number| timers.schedule(random.time(), number))
        .collect();
    (timers, ids)
}

fn shuffled(mut ids: Vec<TimerId>) -> Vec<TimerId> {
    let mut random = Random(11);
    for index in (1..ids.len()).rev() {
        ids.swap(index, (random.next() % (index as u64 + 1)) as usize);
    }
    ids
}

/// `callLater`, up to so many pending.
#[divan::bench(args = CROWDS, sample_count = 10)]
fn schedule(bencher: Bencher<'_, '_>, count: usize) {
    let mut random = Random(7);
    let times: Vec<Time> = (0..count).map(|_| random.time()).collect();
    bencher
        .counter(ItemsCount::new(count))
        .with_inputs(Timers::<Item>::new)
        .bench_refs(|timers| {
            for (number, when) in times.iter().enumerate() {
                black_box(timers.schedule(*when, number));
            }
        });
}

/// Cancelling all that are pending, in any order.
#[divan::bench(args = CROWDS, sample_count = 10)]
fn cancel(bencher: Bencher<'_, '_>, count: usize) {
    let (timers, ids) = crowd(count);
    let ids = shuffled(ids);
    bencher
        .counter(ItemsCount::new(count))
        .with_inputs(|| timers.clone())
        .bench_refs(|timers| {
            for id in &ids {
                black_box(timers.cancel(*id));
            }
        });
}

/// Cancelling all that are pending, the oldest first.
#[divan::bench(args = CROWDS, sample_count = 10)]
fn cancel_in_order(bencher: Bencher<'_, '_>, count: usize) {
    let (timers, ids) = crowd(count);
    bencher
        .counter(ItemsCount::new(count))
        .with_inputs(|| timers.clone())
        .bench_refs(|timers| {
            for id in &ids {
                black_box(timers.cancel(*id));
            }
        });
}

/// Putting off a thousand times, by one of those that are pending.
#[divan::bench(args = CROWDS)]
fn put_off(bencher: Bencher<'_, '_>, count: usize) {
    let (mut timers, ids) = crowd(count);
    let mut random = Random(13);
    let mut later = 100_000_000_000;
    bencher
        .counter(ItemsCount::new(1_000_usize))
        .bench_local(|| {
            for _ in 0..1_000 {
                let id = ids[(random.next() % count as u64) as usize];
                later += 1;
                black_box(timers.reset(id, Time::from_nanos(later)));
            }
        });
}

/// A timeout of thirty seconds, set and cancelled at once, a thousand times, beside those that are pending.
#[divan::bench(args = CROWDS)]
fn timeout(bencher: Bencher<'_, '_>, count: usize) {
    let (mut timers, _) = crowd(count);
    let mut now = 0;
    bencher
        .counter(ItemsCount::new(1_000_usize))
        .bench_local(|| {
            for _ in 0..1_000 {
                now += 1_000;
                let id = timers.schedule(Time::from_nanos(now + 30_000_000_000), 0);
                black_box(timers.cancel(id));
            }
        });
}

/// Expiring all that are pending.
#[divan::bench(args = CROWDS, sample_count = 10)]
fn expire(bencher: Bencher<'_, '_>, count: usize) {
    let (timers, _) = crowd(count);
    bencher
        .counter(ItemsCount::new(count))
        .with_inputs(|| timers.clone())
        .bench_refs(|timers| {
            let round = timers.begin_expiry(Time::MAX);
            while let Some(expired) = timers.pop_expired(&round) {
                black_box(expired);
            }
        });
}

/// `callLater(0)`: a thousand without delay, then their round.
#[divan::bench(args = CROWDS)]
fn soon(bencher: Bencher<'_, '_>, count: usize) {
    let (mut timers, _) = crowd(count);
    bencher
        .counter(ItemsCount::new(1_000_usize))
        .bench_local(|| {
            for number in 0..1_000 {
                black_box(timers.schedule_soon(Time::ZERO, number));
            }
            let round = timers.begin_expiry(Time::ZERO);
            while let Some(expired) = timers.pop_expired(&round) {
                black_box(expired);
            }
        });
}
