//! Which thread an engine belongs to.
//!
//! An engine that runs belongs to the thread that runs it; one that does not run belongs to whoever uses it, one call at a
//! time.  So several reactors may live in one process, each in a thread of its own, and a reactor may be set up in one
//! thread and run in another.  A call from a wrong thread is refused, never waited for.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Nobody.
const FREE: usize = 0;

thread_local! {
    /// Its address tells this thread from every other one that lives.
    static HERE: u8 = const { 0 };
}

/// This thread's number; never [`FREE`].
fn here() -> usize {
    HERE.with(|mark| std::ptr::from_ref(mark).addr())
}

/// A value that one thread at a time may look at.
pub(crate) struct ThreadCell<T> {
    owner: AtomicUsize,
    value: T,
}

// SAFETY: `value` is reached through `enter` alone, and its guard makes every other thread's `enter` fail until it is
// dropped, with acquire and release between two threads' turns; hence moving it between threads (`Send`) is all that
// happens to it.
#[expect(unsafe_code, reason = "a lock that refuses instead of waiting")]
unsafe impl<T: Send> Sync for ThreadCell<T> {}

/// Access to the value of a [`ThreadCell`].  It cannot leave its thread, since `&T` of an unshareable value cannot.
pub(crate) struct Entered<'a, T> {
    cell: &'a ThreadCell<T>,
    /// Whether this guard, not one further up the stack, made the thread the owner.
    claimed: bool,
    /// Keeps the guard in its thread.
    _here: std::marker::PhantomData<*const ()>,
}

impl<T> ThreadCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self {
            owner: AtomicUsize::new(FREE),
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
            true
        };
        Some(Entered {
            cell: self,
            claimed,
            _here: std::marker::PhantomData,
        })
    }
}

impl<T> std::ops::Deref for Entered<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.cell.value
    }
}

impl<T> Drop for Entered<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if self.claimed {
            self.cell.owner.store(FREE, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ThreadCell;

    #[test]
    fn a_second_thread_is_refused_until_the_first_leaves() {
        let cell = ThreadCell::new(1);
        let outer = cell.enter();
        assert!(outer.is_some());
        assert!(cell.enter().is_some(), "the owner may enter again");
        std::thread::scope(|scope| {
            scope.spawn(|| assert!(cell.enter().is_none()));
        });
        drop(outer);
        std::thread::scope(|scope| {
            scope.spawn(|| assert!(cell.enter().is_some()));
        });
    }
}
