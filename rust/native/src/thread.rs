//! Which thread an engine belongs to.
//!
//! An engine that runs belongs to the thread that runs it; one that does not run belongs to whoever uses it, one call at a
//! time.  So several reactors may live in one process, each in a thread of its own, and a reactor may be set up in one
//! thread and run in another.  A call from a wrong thread is refused, never waited for.
//!
//! An engine whose turns are taken by somebody else's loop runs only while it takes one, and still belongs to that loop's
//! thread in between: that thread is its home.  In a process that was forked off, it belongs to nobody for ever.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Nobody.
const FREE: usize = 0;

/// Nobody any more: no thread has an odd number.
const GONE: usize = 1;

/// What can be told when the outermost access to it ends.
pub(crate) trait Rest {
    /// The thread whose home it is will not look at it until something happens.
    fn rest(&self);
}

thread_local! {
    /// Its address tells this thread from every other one that lives.
    static HERE: u64 = const { 0 };
}

/// This thread's number; neither [`FREE`] nor [`GONE`], as it is the address of something aligned.
fn here() -> usize {
    HERE.with(|mark| std::ptr::from_ref(mark).addr())
}

/// A value that one thread at a time may look at.
pub(crate) struct ThreadCell<T: Rest> {
    owner: AtomicUsize,
    /// The only thread that may become the owner; [`FREE`] if any may.
    home: AtomicUsize,
    value: T,
}

// SAFETY: `value` is reached through `enter` alone, and its guard makes every other thread's `enter` fail until it is
// dropped, with acquire and release between two threads' turns; hence moving it between threads (`Send`) is all that
// happens to it.
#[expect(unsafe_code, reason = "a lock that refuses instead of waiting")]
unsafe impl<T: Send + Rest> Sync for ThreadCell<T> {}

/// Access to the value of a [`ThreadCell`].  It cannot leave its thread, since `&T` of an unshareable value cannot.
pub(crate) struct Entered<'a, T: Rest> {
    cell: &'a ThreadCell<T>,
    /// Whether this guard, not one further up the stack, made the thread the owner.
    claimed: bool,
    /// Keeps the guard in its thread.
    _here: std::marker::PhantomData<*const ()>,
}

impl<T: Rest> ThreadCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self {
            owner: AtomicUsize::new(FREE),
            home: AtomicUsize::new(FREE),
            value,
        }
    }

    /// Makes this thread the owner until the guard is dropped; `None` while another thread is.
    #[inline]
    pub(crate) fn enter(&self) -> Option<Entered<'_, T>> {
        let here = here();
        let claimed = if self.owner.load(Ordering::Relaxed) == here {
            false
        } else {
            self.owner
                .compare_exchange(FREE, here, Ordering::Acquire, Ordering::Relaxed)
                .ok()?;
            let home = self.home.load(Ordering::Relaxed);
            if home != FREE && home != here {
                self.owner.store(FREE, Ordering::Release);
                return None;
            }
            true
        };
        Some(Entered {
            cell: self,
            claimed,
            _here: std::marker::PhantomData,
        })
    }

    /// Takes the value from every thread for good.  `None` if that was done already.
    ///
    /// # Safety
    /// This thread must be the only one of its process.
    #[expect(
        unsafe_code,
        reason = "the owner may be a thread that was lost in a fork"
    )]
    pub(crate) unsafe fn take_away(&self) -> Option<&T> {
        (self.owner.swap(GONE, Ordering::Relaxed) != GONE).then_some(&self.value)
    }

    /// Whether [`take_away`](Self::take_away) was called.
    pub(crate) fn is_gone(&self) -> bool {
        self.owner.load(Ordering::Relaxed) == GONE
    }
}

impl<T: Rest> Entered<'_, T> {
    /// Makes this thread the only one that may enter, until [`leave_home`](Self::leave_home).
    pub(crate) fn make_home(&self) {
        self.cell.home.store(here(), Ordering::Relaxed);
    }

    /// Lets every thread enter again.
    pub(crate) fn leave_home(&self) {
        self.cell.home.store(FREE, Ordering::Relaxed);
    }
}

impl<T: Rest> std::ops::Deref for Entered<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.cell.value
    }
}

impl<T: Rest> Drop for Entered<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if !self.claimed || self.cell.is_gone() {
            return;
        }
        if self.cell.home.load(Ordering::Relaxed) != FREE {
            self.cell.value.rest();
        }
        self.cell.owner.store(FREE, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::{Rest, ThreadCell};

    /// How often it was told to rest.
    struct Rests(AtomicUsize);

    impl Rest for Rests {
        fn rest(&self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn cell() -> ThreadCell<Rests> {
        ThreadCell::new(Rests(AtomicUsize::new(0)))
    }

    fn another_thread_enters(cell: &ThreadCell<Rests>) -> bool {
        std::thread::scope(|scope| scope.spawn(|| cell.enter().is_some()).join().unwrap())
    }

    #[test]
    fn a_second_thread_is_refused_until_the_first_leaves() {
        let cell = cell();
        let outer = cell.enter();
        assert!(outer.is_some());
        assert!(cell.enter().is_some(), "the owner may enter again");
        assert!(!another_thread_enters(&cell));
        drop(outer);
        assert!(another_thread_enters(&cell));
    }

    #[test]
    fn other_threads_are_refused_for_as_long_as_this_is_its_home() {
        let cell = cell();
        cell.enter().unwrap().make_home();
        assert!(!another_thread_enters(&cell));
        let rests = |cell: &ThreadCell<Rests>| cell.value.0.load(Ordering::Relaxed);
        assert_eq!(rests(&cell), 1);
        let outer = cell.enter().unwrap();
        drop(cell.enter());
        assert_eq!(rests(&cell), 1, "it is still in use");
        drop(outer);
        assert_eq!(rests(&cell), 2);
        cell.enter().unwrap().leave_home();
        assert!(another_thread_enters(&cell));
        assert_eq!(rests(&cell), 2, "nobody's home");
    }

    #[test]
    #[expect(unsafe_code, reason = "there is no other thread with a share in it")]
    fn what_was_taken_away_is_nobody_s() {
        let cell = cell();
        let outer = cell.enter();
        // SAFETY: no other thread has a share in this cell.
        assert!(unsafe { cell.take_away() }.is_some());
        // SAFETY: as above.
        assert!(unsafe { cell.take_away() }.is_none());
        assert!(cell.is_gone());
        assert!(cell.enter().is_none());
        drop(outer);
        assert!(cell.is_gone(), "a guard from before gives nothing back");
        assert!(!another_thread_enters(&cell));
    }
}
