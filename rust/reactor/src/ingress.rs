//! The way in from other threads.
//!
//! A producer pushes an item and is told whether the loop has to be woken; of a burst, only the first push is.  The
//! loop takes everything at once, by exchanging two vectors under the lock, so that it holds the lock for a few
//! nanoseconds however much there is, and no item is moved.
//!
//! Pushing takes a lock: it is for threads and for what runs in them, Python's signal handlers included, not for a
//! signal handler of the operating system.

use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

/// The item that came after [`Ingress::close`], handed back.
pub struct Closed<T>(pub T);

impl<T> fmt::Debug for Closed<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Closed(..)")
    }
}

impl<T> fmt::Display for Closed<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the loop is closed and takes no more calls")
    }
}

impl<T> Error for Closed<T> {}

#[derive(Debug)]
struct Queue<T> {
    items: Vec<T>,
    closed: bool,
}

/// A queue from any thread to the loop.
///
/// ```
/// use torsion_reactor::ingress::Ingress;
///
/// let ingress = Ingress::new();
/// assert!(matches!(ingress.push(1), Ok(true)), "the first wakes the loop");
/// assert!(matches!(ingress.push(2), Ok(false)), "the second knows it is awake");
/// let mut items = Vec::new();
/// ingress.take(&mut items);
/// assert_eq!(items, [1, 2]);
/// ```
#[derive(Debug)]
pub struct Ingress<T> {
    queue: Mutex<Queue<T>>,
    /// Somebody was told to wake the loop since it last looked.
    woken: AtomicBool,
}

impl<T> Default for Ingress<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Ingress<T> {
    /// Returns an open and empty queue.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            queue: Mutex::new(Queue {
                items: Vec::new(),
                closed: false,
            }),
            woken: AtomicBool::new(false),
        }
    }

    /// Queues `item` behind all that this thread has pushed before.
    ///
    /// Returns whether the caller has to wake the loop, which is true once between two calls of
    /// [`take`](Self::take).
    ///
    /// # Errors
    ///
    /// [`Closed`], which holds the item, after [`close`](Self::close).
    pub fn push(&self, item: T) -> Result<bool, Closed<T>> {
        {
            let mut queue = self.lock();
            if queue.closed {
                drop(queue);
                return Err(Closed(item));
            }
            queue.items.push(item);
        }
        Ok(self.request_wake())
    }

    /// Notes that the loop is wanted without an item; returns whether the caller has to wake it.
    pub fn request_wake(&self) -> bool {
        // Only after the item is in: a loop that sees the flag finds the item.
        !self.woken.swap(true, Ordering::AcqRel)
    }

    /// Whether anything was pushed, or the loop was wanted, since the last [`take`](Self::take).
    pub fn is_wanted(&self) -> bool {
        self.woken.load(Ordering::Acquire)
    }

    /// Moves everything that was pushed to the end of `items`, in order; an empty `items` is exchanged whole and keeps
    /// its memory in use.  To be called by the loop each time before it waits.
    ///
    /// Costs one atomic load when nobody pushed or asked to be woken.
    pub fn take(&self, items: &mut Vec<T>) {
        // Lowered before looking: who pushes from here on wakes the loop once more, at worst for nothing.
        if !self.woken.load(Ordering::Relaxed) || !self.woken.swap(false, Ordering::AcqRel) {
            return;
        }
        let mut queue = self.lock();
        if items.is_empty() {
            std::mem::swap(items, &mut queue.items);
        } else {
            items.append(&mut queue.items);
        }
    }

    /// Refuses all further items and returns those that nobody took.
    pub fn close(&self) -> Vec<T> {
        let mut queue = self.lock();
        queue.closed = true;
        std::mem::take(&mut queue.items)
    }

    /// Takes items again after [`close`](Self::close).
    pub fn reopen(&self) {
        self.lock().closed = false;
    }

    /// Shows every item that nobody took yet to `visit` until it returns an error; shows nothing while the queue is in use.
    ///
    /// # Errors
    /// The first error of `visit`.
    pub fn visit<E>(&self, visit: impl FnMut(&T) -> Result<(), E>) -> Result<(), E> {
        match self.queue.try_lock() {
            Ok(queue) => queue.items.iter().try_for_each(visit),
            Err(TryLockError::Poisoned(queue)) => {
                queue.into_inner().items.iter().try_for_each(visit)
            }
            Err(TryLockError::WouldBlock) => Ok(()),
        }
    }

    /// A panic while the lock is held can only come from the allocator and leaves the queue whole.
    fn lock(&self) -> MutexGuard<'_, Queue<T>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken<T>(ingress: &Ingress<T>) -> Vec<T> {
        let mut items = Vec::new();
        ingress.take(&mut items);
        items
    }

    #[test]
    fn a_burst_wakes_once() {
        let ingress = Ingress::default();
        assert_eq!(
            [1, 2, 3].map(|item| ingress.push(item).unwrap()),
            [true, false, false]
        );
        assert_eq!(taken(&ingress), [1, 2, 3]);
        assert!(ingress.push(4).unwrap());
        assert_eq!(taken(&ingress), [4]);
        assert!(taken(&ingress).is_empty());
    }

    #[test]
    fn a_wake_without_an_item_counts_as_one() {
        let ingress = Ingress::new();
        assert!(ingress.request_wake());
        assert!(!ingress.request_wake());
        assert!(!ingress.push(1).unwrap());
        assert_eq!(taken(&ingress), [1]);
        assert!(ingress.request_wake());
    }

    #[test]
    fn what_is_taken_goes_behind_what_is_there() {
        let ingress = Ingress::new();
        ingress.push(2).unwrap();
        let mut items = vec![1];
        ingress.take(&mut items);
        assert_eq!(items, [1, 2]);
    }

    #[test]
    fn an_empty_vector_is_exchanged_with_its_memory() {
        let ingress = Ingress::new();
        ingress.push(1).unwrap();
        let mut items = Vec::with_capacity(1_000);
        ingress.take(&mut items);
        assert_eq!(items, [1]);
        ingress.push(2).unwrap();
        items.clear();
        ingress.take(&mut items);
        assert_eq!(
            (items.as_slice(), items.capacity()),
            ([2].as_slice(), 1_000)
        );
    }

    #[test]
    fn a_closed_queue_hands_items_back() {
        let ingress = Ingress::new();
        ingress.push("kept").unwrap();
        assert_eq!(ingress.close(), ["kept"]);
        let closed = ingress.push("late").unwrap_err();
        assert_eq!(closed.0, "late");
        assert_eq!(
            closed.to_string(),
            "the loop is closed and takes no more calls"
        );
        assert_eq!(format!("{closed:?}"), "Closed(..)");
        assert!(ingress.close().is_empty());
        ingress.reopen();
        assert!(ingress.push("again").is_ok());
        assert_eq!(taken(&ingress), ["again"]);
    }

    #[test]
    fn what_waits_can_be_looked_at() {
        let ingress = Ingress::new();
        ingress.push(1).unwrap();
        ingress.push(2).unwrap();
        let mut seen = Vec::new();
        let stopped = ingress.visit(|item| {
            seen.push(*item);
            if *item == 2 { Err("enough") } else { Ok(()) }
        });
        assert_eq!((seen, stopped), (vec![1, 2], Err("enough")));
        assert_eq!(taken(&ingress), [1, 2]);
        let guard = ingress.lock();
        assert_eq!(ingress.visit(|_| Err(())), Ok(()), "in use");
        drop(guard);
    }

    #[test]
    fn a_panic_elsewhere_does_not_close_the_way_in() {
        let ingress = Ingress::new();
        let poisoned = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _guard = ingress.lock();
            panic!("while holding the lock");
        }));
        assert!(poisoned.is_err());
        assert!(ingress.push(1).unwrap());
        assert_eq!(taken(&ingress), [1]);
    }
}
