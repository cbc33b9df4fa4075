//! Faults on demand, for torsion's own tests; only with the feature `test-support`, never in a release.

use std::cell::RefCell;

use pyo3::prelude::*;

thread_local! {
    /// The upcall of this thread's engine that is to panic next.
    static PANIC_IN: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Panics if a test has asked for it.
pub(crate) fn fault(upcall: &str) {
    let wanted = PANIC_IN.with_borrow_mut(|wanted| wanted.take_if(|wanted| wanted == upcall));
    #[expect(clippy::panic, reason = "this is what it is for")]
    if wanted.is_some() {
        panic!("a test asked for a panic in {upcall}");
    }
}

/// Has the next upcall of this name (`data`, `datagram`, `fire`, `call`, `accepted`) that this thread's engine makes panic.
#[pyfunction]
pub(crate) fn panic_in(upcall: String) {
    PANIC_IN.set(Some(upcall));
}
