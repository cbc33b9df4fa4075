//! Letting go of what a Deferred held, however long the row of Deferreds behind it is.

use std::cell::{Cell, RefCell};

use pyo3::prelude::*;

use super::results::holds_others;
use super::step::{Step, Steps};

/// So many Deferreds may end within one another; those further down wait for these.  Each takes some hundred bytes of the
/// stack, and more if there are coroutines in between.
const DEEPEST: usize = 64;

/// What may be the last thing to hold others.
enum Remains {
    Object(Py<PyAny>),
    Steps(Steps),
}

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    static WAITING: RefCell<Vec<Remains>> = const { RefCell::new(Vec::new()) };
}

/// Lets go of `object`, now or, deep within another end, at the end of that.
#[inline]
pub(super) fn object(py: Python<'_>, object: Py<PyAny>) {
    let object = object.into_bound(py);
    if holds_others(&object) {
        bury(py, Remains::Object(object.unbind()));
    }
}

/// Lets go of `steps`, now or later.
pub(super) fn steps(py: Python<'_>, steps: Steps) {
    bury(py, Remains::Steps(steps));
}

fn bury(py: Python<'_>, remains: Remains) {
    let depth = DEPTH.get();
    if depth >= DEEPEST {
        WAITING.with_borrow_mut(|waiting| waiting.push(remains));
        return;
    }
    DEPTH.set(depth + 1);
    remains.release(py);
    if depth == 0 {
        while let Some(next) = WAITING.with_borrow_mut(Vec::pop) {
            next.release(py);
        }
    }
    DEPTH.set(depth);
}

impl Remains {
    fn release(self, py: Python<'_>) {
        match self {
            Self::Object(object) => object.drop_ref(py),
            Self::Steps(steps) => steps.into_iter().for_each(|step: Step| step.release(py)),
        }
    }
}
