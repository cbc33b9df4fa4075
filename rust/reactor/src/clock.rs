//! The time, in whole nanoseconds since a clock was started.
//!
//! This is the only file of the crate that asks the system what time it is; everything else is told.

use std::fmt;
use std::ops::{Add, AddAssign};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const NANOS_PER_SECOND: f64 = 1e9;

/// A moment: nanoseconds since the start of the clock that told it.
///
/// Whole numbers, so that adding and comparing are exact.  584 years fit; what would go beyond stops at [`Time::MAX`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Time(u64);

impl Time {
    /// The start of the clock.
    pub const ZERO: Self = Self(0);
    /// The last moment there is; a timer set to it never becomes due in practice.
    pub const MAX: Self = Self(u64::MAX);

    /// Returns the moment `nanos` nanoseconds after the start.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Returns the nanoseconds from the start to this moment.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Returns the moment `seconds` after the start, to the nearest nanosecond, [`Time::MAX`] at the latest.
    ///
    /// # Errors
    ///
    /// [`InvalidSeconds`] for a number below zero, infinity, and what is not a number.
    pub fn from_secs_f64(seconds: f64) -> Result<Self, InvalidSeconds> {
        nanos(seconds).map(Self)
    }

    /// Returns the seconds from the start to this moment, as exactly as a double can tell: every nanosecond for 104
    /// days, every microsecond for 285 years.
    #[must_use]
    pub const fn as_secs_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_SECOND
    }

    /// Returns the moment `seconds` later than this one.
    ///
    /// # Errors
    ///
    /// As [`Time::from_secs_f64`].
    pub fn after_secs_f64(self, seconds: f64) -> Result<Self, InvalidSeconds> {
        nanos(seconds).map(|nanos| Self(self.0.saturating_add(nanos)))
    }

    /// Returns the moment `later` than this one, [`Time::MAX`] at the latest.
    #[must_use]
    pub fn after(self, later: Duration) -> Self {
        Self(self.0.saturating_add(saturated(later)))
    }

    /// Returns how long after `earlier` this moment is: nothing, if it is not later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    /// The same as [`Time::after`].
    fn add(self, later: Duration) -> Self {
        self.after(later)
    }
}

impl AddAssign<Duration> for Time {
    fn add_assign(&mut self, later: Duration) {
        *self = self.after(later);
    }
}

impl fmt::Display for Time {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}.{:09} s",
            self.0 / 1_000_000_000,
            self.0 % 1_000_000_000
        )
    }
}

/// A number of seconds that is no point in time: negative, infinite, or not a number at all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InvalidSeconds(pub f64);

impl fmt::Display for InvalidSeconds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "seconds must be a finite number, zero or above, not {}",
            self.0
        )
    }
}

impl std::error::Error for InvalidSeconds {}

fn nanos(seconds: f64) -> Result<u64, InvalidSeconds> {
    if !seconds.is_finite() || seconds < 0.0 {
        return Err(InvalidSeconds(seconds));
    }
    // Not negative and not NaN; a cast from a float stops at u64::MAX, as promised.
    Ok((seconds * NANOS_PER_SECOND).round() as u64)
}

fn saturated(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Where the time comes from.  Clones tell the same time.
///
/// ```
/// use std::time::Duration;
/// use torsion_reactor::clock::{Clock, ManualClock, Time};
///
/// let hand = ManualClock::new();
/// let clock = Clock::from(hand.clone());
/// hand.advance(Duration::from_secs(5));
/// assert_eq!(clock.now(), Time::ZERO + Duration::from_secs(5));
/// ```
#[derive(Clone, Debug)]
pub enum Clock {
    /// The system's monotonic clock, counted from the moment this was made: see [`Clock::monotonic`].
    Monotonic(Instant),
    /// A clock that stands still until it is moved by hand, for tests and simulations.
    Manual(ManualClock),
}

impl Clock {
    /// Returns a clock that starts now and runs with the system's monotonic one.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that may ask the system for the time"
    )]
    pub fn monotonic() -> Self {
        Self::Monotonic(Instant::now())
    }

    /// Returns the time; it never goes back.
    #[must_use]
    pub fn now(&self) -> Time {
        match self {
            Self::Monotonic(start) => Time(saturated(start.elapsed())),
            Self::Manual(hand) => hand.now(),
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::monotonic()
    }
}

impl From<ManualClock> for Clock {
    fn from(hand: ManualClock) -> Self {
        Self::Manual(hand)
    }
}

/// A clock that stands still until [`ManualClock::advance`]; clones share the one time, also across threads.
#[derive(Clone, Debug, Default)]
pub struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    /// Returns a clock that stands at [`Time::ZERO`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the time.
    #[must_use]
    pub fn now(&self) -> Time {
        Time(self.0.load(Ordering::Acquire))
    }

    /// Moves the time on by `step` and returns the new time; it stops at [`Time::MAX`].
    pub fn advance(&self, step: Duration) -> Time {
        let step = saturated(step);
        let move_on = |time: u64| Some(time.saturating_add(step));
        match self
            .0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, move_on)
        {
            Ok(before) | Err(before) => Time(before.saturating_add(step)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_time_is_refused_by_name() {
        for wrong in [
            -1.0,
            -f64::MIN_POSITIVE,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
        ] {
            assert!(Time::from_secs_f64(wrong).is_err(), "{wrong}");
            assert!(Time::ZERO.after_secs_f64(wrong).is_err(), "{wrong}");
        }
        let message = InvalidSeconds(-1.5).to_string();
        assert_eq!(
            message,
            "seconds must be a finite number, zero or above, not -1.5"
        );
    }

    #[test]
    fn seconds_become_the_nearest_nanosecond() {
        assert_eq!(Time::from_secs_f64(0.1), Ok(Time::from_nanos(100_000_000)));
        assert_eq!(Time::from_secs_f64(1.6e-9), Ok(Time::from_nanos(2)));
        assert_eq!(Time::from_secs_f64(-0.0), Ok(Time::ZERO));
        assert_eq!(Time::from_secs_f64(1e300), Ok(Time::MAX));
        assert_eq!(Time::MAX.after_secs_f64(1.0), Ok(Time::MAX));
    }

    #[test]
    fn arithmetic_stops_at_the_ends() {
        assert_eq!(Time::MAX + Duration::from_nanos(1), Time::MAX);
        assert_eq!(Time::ZERO + Duration::MAX, Time::MAX);
        assert_eq!(Time::ZERO.since(Time::MAX), Duration::ZERO);
        assert_eq!(
            Time::from_nanos(7).since(Time::from_nanos(3)),
            Duration::from_nanos(4)
        );
        let mut time = Time::ZERO;
        time += Duration::from_millis(1_500);
        assert_eq!(time.to_string(), "1.500000000 s");
    }

    #[test]
    fn the_manual_clock_moves_only_by_hand_and_its_clones_with_it() {
        let hand = ManualClock::new();
        let clock = Clock::from(hand.clone());
        assert_eq!(clock.now(), Time::ZERO);
        assert_eq!(
            hand.advance(Duration::from_secs(2)),
            Time::from_nanos(2_000_000_000)
        );
        assert_eq!(clock.clone().now(), hand.now());
        assert_eq!(hand.advance(Duration::MAX), Time::MAX);
        assert_eq!(clock.now(), Time::MAX);
    }

    #[test]
    fn the_monotonic_clock_starts_at_zero_and_never_goes_back() {
        let clock = Clock::default();
        let times: Vec<Time> = (0..1_000).map(|_| clock.now()).collect();
        assert!(times.is_sorted());
        assert!(times[0] < Time::from_nanos(60_000_000_000));
        let clone = clock.clone();
        assert!(clone.now() >= times[999]);
    }

    proptest! {
        #[test]
        fn microseconds_survive_the_way_through_doubles(micros in 0..(1_u64 << 52)) {
            let time = Time::from_nanos(micros * 1_000);
            let back = Time::from_secs_f64(time.as_secs_f64()).unwrap_or(Time::MAX);
            prop_assert!(back.since(time).max(time.since(back)) < Duration::from_micros(1));
        }

        #[test]
        fn order_survives_too(early in 0.0..1e9_f64, more in 0.0..1e9_f64) {
            let first = Time::from_secs_f64(early).unwrap_or(Time::MAX);
            let second = Time::from_secs_f64(early + more).unwrap_or(Time::ZERO);
            prop_assert!(first <= second);
        }
    }
}
