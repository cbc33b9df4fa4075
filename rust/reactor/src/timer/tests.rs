//! What the contract of timers says, one sentence at a time.

use super::*;

fn at(nanos: u64) -> Time {
    Time::from_nanos(nanos)
}

/// Everything that is due at `now` in one round.
fn expire<T>(timers: &mut Timers<T>, now: u64) -> Vec<T> {
    let round = timers.begin_expiry(at(now));
    std::iter::from_fn(|| timers.pop_expired(&round))
        .map(|(_, item)| item)
        .collect()
}

#[test]
fn timers_are_due_by_time_then_by_the_order_of_scheduling() {
    let mut timers = Timers::default();
    for (when, item) in [(5, 'd'), (3, 'a'), (3, 'b'), (9, 'e'), (3, 'c')] {
        timers.schedule(at(when), item);
    }
    assert_eq!(timers.next_deadline(), Some(at(3)));
    assert_eq!(expire(&mut timers, 2), []);
    assert_eq!(expire(&mut timers, 8), ['a', 'b', 'c', 'd']);
    assert_eq!((timers.len(), timers.next_deadline()), (1, Some(at(9))));
    assert_eq!(expire(&mut timers, 9), ['e']);
    assert_eq!((timers.is_empty(), timers.next_deadline()), (true, None));
}

#[test]
fn timers_without_delay_keep_their_place_among_the_others() {
    let mut timers = Timers::new();
    timers.schedule(at(10), 'a');
    timers.schedule_soon(at(10), 'b');
    timers.schedule(at(10), 'c');
    timers.schedule_soon(at(12), 'e');
    timers.schedule_soon(at(11), 'd'); // a clock that went back
    assert_eq!(timers.next_deadline(), Some(at(10)));
    assert_eq!(expire(&mut timers, 12), ['a', 'b', 'c', 'd', 'e']);
}

#[test]
fn what_a_round_schedules_waits_for_the_next_and_hides_nothing() {
    let mut timers = Timers::new();
    timers.schedule(at(5), 'a');
    timers.schedule(at(6), 'b');
    let late = timers.schedule(at(7), 'c');
    let round = timers.begin_expiry(at(10));
    assert_eq!(round.now(), at(10));
    assert!(matches!(timers.pop_expired(&round), Some((_, 'a'))));
    timers.schedule(at(1), 'x');
    timers.schedule_soon(at(1), 'y');
    let taken_back = timers.schedule(at(2), 'z');
    timers.reset(late, at(3));
    assert!(matches!(timers.pop_expired(&round), Some((_, 'b'))));
    assert_eq!(timers.cancel(taken_back), Some('z'));
    assert_eq!(timers.pop_expired(&round), None);
    assert_eq!(timers.next_deadline(), Some(at(1)));
    assert_eq!(expire(&mut timers, 10), ['x', 'y', 'c']);
}

#[test]
fn a_round_within_a_round_takes_what_both_would() {
    let mut timers = Timers::new();
    for (when, item) in [(1, 'a'), (2, 'b'), (3, 'c')] {
        timers.schedule(at(when), item);
    }
    let outer = timers.begin_expiry(at(10));
    assert!(matches!(timers.pop_expired(&outer), Some((_, 'a'))));
    timers.schedule(at(0), 'x');
    assert!(matches!(timers.pop_expired(&outer), Some((_, 'b'))));
    let inner = timers.begin_expiry(at(10));
    assert!(matches!(timers.pop_expired(&inner), Some((_, 'x'))));
    timers.schedule(at(0), 'y');
    assert!(matches!(timers.pop_expired(&outer), Some((_, 'c'))));
    assert_eq!(timers.pop_expired(&outer), None);
    assert_eq!(timers.pop_expired(&inner), None);
    assert_eq!(expire(&mut timers, 10), ['y']);
}

#[test]
fn a_cancelled_timer_is_gone_for_good() {
    let mut timers = Timers::new();
    let ids = [
        timers.schedule(at(1), 'a'),
        timers.schedule_soon(at(1), 'b'),
        timers.schedule(at(2), 'c'),
    ];
    for (id, item) in ids.into_iter().zip("abc".chars()) {
        assert_eq!(timers.cancel(id), Some(item));
        assert_eq!(timers.cancel(id), None);
        assert!(!timers.reset(id, at(0)));
        assert_eq!((timers.get(id), timers.when(id)), (None, None));
        assert_eq!(timers.get_mut(id), None);
    }
    let again = timers.schedule(at(3), 'd');
    assert!(!ids.contains(&again));
    assert_eq!(
        (timers.next_deadline(), expire(&mut timers, 9)),
        (Some(at(3)), vec!['d'])
    );
}

#[test]
fn resetting_goes_both_ways_and_counts_as_scheduling_anew() {
    let mut timers = Timers::new();
    let first = timers.schedule(at(5), 'a');
    let soon = timers.schedule_soon(at(5), 'b');
    timers.schedule(at(5), 'c');
    assert!(timers.reset(first, at(5)) && timers.reset(soon, at(7)));
    assert_eq!(
        (timers.when(first), timers.when(soon)),
        (Some(at(5)), Some(at(7)))
    );
    assert!(
        timers.reset(soon, at(6)),
        "later than queued, earlier than it was"
    );
    assert_eq!(expire(&mut timers, 5), ['c', 'a']);
    assert!(timers.reset(soon, at(2)));
    assert_eq!(timers.next_deadline(), Some(at(2)));
    assert_eq!(expire(&mut timers, 3), ['b']);
    assert_eq!(timers.dead, timers.heap.len() + timers.soon.len());
    assert_eq!((timers.next_deadline(), timers.dead), (None, 0));
}

#[test]
fn items_can_be_seen_and_changed() {
    let mut timers = Timers::new();
    let id = timers.schedule(at(1), 10);
    let other = timers.schedule_soon(at(0), 20);
    *timers.get_mut(id).unwrap() += 1;
    assert_eq!(timers.get(id), Some(&11));
    assert_eq!(
        timers.iter().collect::<Vec<_>>(),
        [(id, at(1), &11), (other, at(0), &20)]
    );
}

#[test]
fn clearing_takes_everything_and_leaves_no_valid_name() {
    let mut timers = Timers::new();
    let id = timers.schedule(at(1), 'a');
    timers.schedule_soon(at(0), 'b');
    timers.cancel(id);
    assert_eq!(timers.clear(), ['b']);
    timers.schedule(at(1), 'c');
    assert_eq!(timers.cancel(id), None);
    assert_eq!(expire(&mut timers, 9), ['c']);
}

#[test]
fn the_dead_never_outnumber_the_living_by_much() {
    let mut timers = Timers::new();
    let ids: Vec<TimerId> = (0..10_000)
        .map(|number| timers.schedule(at(number), number))
        .collect();
    let soon: Vec<TimerId> = (0..10_000)
        .map(|number| timers.schedule_soon(at(0), number))
        .collect();
    for id in ids.iter().chain(&soon[1..]) {
        timers.cancel(*id);
        assert!(
            timers.dead <= FEW_DEAD || timers.dead * 2 <= timers.heap.len() + timers.soon.len()
        );
    }
    assert!(timers.heap.len() + timers.soon.len() <= FEW_DEAD + 1);
    let busy = timers.schedule(at(1_000_000), 0);
    for number in 0..10_000 {
        assert!(timers.reset(busy, at(900_000 - number)));
    }
    assert!(timers.heap.len() <= 3 * FEW_DEAD, "{}", timers.heap.len());
    assert_eq!(expire(&mut timers, 1_000_000), [0, 0]);
}

#[test]
fn a_timeout_that_is_set_and_cancelled_leaves_no_trace() {
    let mut timers = Timers::new();
    timers.schedule(at(1), 0);
    for number in 1..1_000 {
        let id = timers.schedule(at(30_000_000_000 + number), 1);
        timers.cancel(id);
        assert_eq!((timers.heap.len(), timers.dead), (1, 0));
    }
}
