//! The steps of a Deferred, and where they wait.

use std::collections::VecDeque;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::PyDeferred;
use super::held::Held;

/// What is to be done when a result is there.
///
/// Three words long, so that the many that are added and taken are moved in registers; what is rare is in a box.
pub(super) enum Step {
    /// Call it with a result, ...
    Callback(Py<PyAny>, Option<Py<PyTuple>>),
    /// ... with a failure, ...
    Errback(Py<PyAny>, Option<Py<PyTuple>>),
    /// ... or with either.
    Both(Py<PyAny>, Option<Py<PyTuple>>),
    /// Call the first with a result, the second with a failure.
    Either(Py<PyAny>, Py<PyAny>),
    /// The same, where they have keyword arguments or arguments of their own, or are missing.
    Pair(Box<Pair>),
    /// Give the result to one that has waited for it.
    GoOn(Py<PyDeferred>),
    /// Fire one that is chained.
    Forward(Py<PyDeferred>),
    /// Send it into the coroutine that fires this one.
    Resume(Py<PyDeferred>),
}

/// What is called with a result, and with a failure.
type Pair = (Option<Half>, Option<Half>);

/// A function and its further arguments.
pub(super) struct Half {
    pub(super) function: Py<PyAny>,
    pub(super) args: Option<Py<PyTuple>>,
    pub(super) keywords: Option<Py<PyDict>>,
}

impl Half {
    const fn is_alone(&self) -> bool {
        self.args.is_none() && self.keywords.is_none()
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.function)?;
        visit.call(self.args.as_ref())?;
        visit.call(self.keywords.as_ref())
    }

    pub(super) fn release(self, py: Python<'_>) {
        self.function.drop_ref(py);
        release(py, self.args);
        release(py, self.keywords);
    }

    pub(super) fn clone_ref(&self, py: Python<'_>) -> Self {
        Self {
            function: self.function.clone_ref(py),
            args: self.args.as_ref().map(|args| args.clone_ref(py)),
            keywords: self
                .keywords
                .as_ref()
                .map(|keywords| keywords.clone_ref(py)),
        }
    }
}

/// Lets go of `object`, if there is one.
#[inline]
pub(super) fn release<T>(py: Python<'_>, object: Option<Py<T>>) {
    if let Some(object) = object {
        object.drop_ref(py);
    }
}

impl Step {
    /// The step that calls these.
    pub(super) fn calling(callback: Option<Half>, errback: Option<Half>) -> Self {
        match (callback, errback) {
            (Some(half), None) if half.keywords.is_none() => {
                Self::Callback(half.function, half.args)
            }
            (None, Some(half)) if half.keywords.is_none() => {
                Self::Errback(half.function, half.args)
            }
            (Some(first), Some(second)) if first.is_alone() && second.is_alone() => {
                Self::Either(first.function, second.function)
            }
            pair => Self::Pair(Box::new(pair)),
        }
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Callback(function, args)
            | Self::Errback(function, args)
            | Self::Both(function, args) => {
                visit.call(function)?;
                visit.call(args.as_ref())
            }
            Self::Either(callback, errback) => {
                visit.call(callback)?;
                visit.call(errback)
            }
            Self::Pair(halves) => {
                let (callback, errback) = &**halves;
                let mut halves = callback.iter().chain(errback);
                halves.try_for_each(|half| half.traverse(visit))
            }
            Self::GoOn(other) | Self::Forward(other) | Self::Resume(other) => visit.call(other),
        }
    }

    /// Lets go of all that is held, at once, also where pyo3 does not know that the interpreter is ours.
    pub(super) fn release(self, py: Python<'_>) {
        match self {
            Self::Callback(function, args)
            | Self::Errback(function, args)
            | Self::Both(function, args) => {
                function.drop_ref(py);
                release(py, args);
            }
            Self::Either(callback, errback) => {
                callback.drop_ref(py);
                errback.drop_ref(py);
            }
            Self::Pair(halves) => {
                let (callback, errback) = *halves;
                let halves = callback.into_iter().chain(errback);
                halves.for_each(|half| half.release(py));
            }
            Self::GoOn(other) | Self::Forward(other) | Self::Resume(other) => other.drop_ref(py),
        }
    }

    pub(super) fn clone_ref(&self, py: Python<'_>) -> Self {
        let same = |args: &Option<Py<PyTuple>>| args.as_ref().map(|args| args.clone_ref(py));
        match self {
            Self::Callback(function, args) => Self::Callback(function.clone_ref(py), same(args)),
            Self::Errback(function, args) => Self::Errback(function.clone_ref(py), same(args)),
            Self::Both(function, args) => Self::Both(function.clone_ref(py), same(args)),
            Self::Either(callback, errback) => {
                Self::Either(callback.clone_ref(py), errback.clone_ref(py))
            }
            Self::Pair(halves) => {
                let same = |half: &Option<Half>| half.as_ref().map(|half| half.clone_ref(py));
                Self::Pair(Box::new((same(&halves.0), same(&halves.1))))
            }
            Self::GoOn(other) => Self::GoOn(other.clone_ref(py)),
            Self::Forward(other) => Self::Forward(other.clone_ref(py)),
            Self::Resume(other) => Self::Resume(other.clone_ref(py)),
        }
    }
}

pub(super) type Steps = VecDeque<Step>;

/// How many empty chains are kept for others: as many as are in use at a time where callbacks of callbacks make Deferreds.
const SPARE: usize = 32;
/// The largest that is kept, in steps.
const LARGEST_SPARE: usize = 32;
/// The room in a new one: most Deferreds have fewer steps.
const SMALL: usize = 4;

static SPARES: Held<Vec<Steps>> = Held::new(Vec::new());

/// Returns an empty chain with some room.
#[inline]
pub(super) fn new_chain(py: Python<'_>) -> Steps {
    spare(py).unwrap_or_else(|| VecDeque::with_capacity(SMALL))
}

/// Returns an empty chain with some room, if one is left over: without a way to fail.
#[inline]
pub(super) fn spare(py: Python<'_>) -> Option<Steps> {
    SPARES.pop(py)
}

/// Takes back an empty chain.
#[inline]
pub(super) fn spare_chain(py: Python<'_>, chain: Steps) {
    debug_assert!(chain.is_empty());
    if (1..=LARGEST_SPARE).contains(&chain.capacity()) {
        let _ = SPARES.push_up_to(py, SPARE, chain);
    }
}
