//! The steps of a Deferred, and where they wait.

use std::collections::VecDeque;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::PyDeferred;
use super::held::Held;

/// What is to be done when a result is there.
pub(super) enum Step {
    /// Call the one or the other, if there is one.
    Call {
        callback: Option<Py<PyAny>>,
        errback: Option<Py<PyAny>>,
        args: Option<Py<PyTuple>>,
        keywords: Option<Py<PyDict>>,
    },
    /// The same, where each has arguments of its own.
    Pair(Box<(Half, Half)>),
    /// Give the result to one that has waited for it.
    GoOn(Py<PyDeferred>),
    /// Fire one that is chained.
    Forward(Py<PyDeferred>),
    /// Send it into the coroutine that fires this one.
    Resume(Py<PyDeferred>),
}

/// A function and its further arguments.
pub(super) struct Half {
    pub(super) function: Py<PyAny>,
    pub(super) args: Option<Py<PyTuple>>,
    pub(super) keywords: Option<Py<PyDict>>,
}

impl Half {
    pub(super) const fn is_alone(&self) -> bool {
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

    fn clone_ref(&self, py: Python<'_>) -> Self {
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
    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Call {
                callback,
                errback,
                args,
                keywords,
            } => {
                visit.call(callback.as_ref())?;
                visit.call(errback.as_ref())?;
                visit.call(args.as_ref())?;
                visit.call(keywords.as_ref())
            }
            Self::Pair(halves) => {
                halves.0.traverse(visit)?;
                halves.1.traverse(visit)
            }
            Self::GoOn(other) | Self::Forward(other) | Self::Resume(other) => visit.call(other),
        }
    }

    /// Lets go of all that is held, at once, also where pyo3 does not know that the interpreter is ours.
    pub(super) fn release(self, py: Python<'_>) {
        match self {
            Self::Call {
                callback,
                errback,
                args,
                keywords,
            } => {
                release(py, callback);
                release(py, errback);
                release(py, args);
                release(py, keywords);
            }
            Self::Pair(halves) => {
                let (first, second) = *halves;
                first.release(py);
                second.release(py);
            }
            Self::GoOn(other) | Self::Forward(other) | Self::Resume(other) => other.drop_ref(py),
        }
    }

    pub(super) fn clone_ref(&self, py: Python<'_>) -> Self {
        match self {
            Self::Call {
                callback,
                errback,
                args,
                keywords,
            } => Self::Call {
                callback: callback.as_ref().map(|it| it.clone_ref(py)),
                errback: errback.as_ref().map(|it| it.clone_ref(py)),
                args: args.as_ref().map(|it| it.clone_ref(py)),
                keywords: keywords.as_ref().map(|it| it.clone_ref(py)),
            },
            Self::Pair(halves) => {
                Self::Pair(Box::new((halves.0.clone_ref(py), halves.1.clone_ref(py))))
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
    SPARES
        .pop(py)
        .unwrap_or_else(|| VecDeque::with_capacity(SMALL))
}

/// Takes back an empty chain.
#[inline]
pub(super) fn spare_chain(py: Python<'_>, chain: Steps) {
    debug_assert!(chain.is_empty());
    if (1..=LARGEST_SPARE).contains(&chain.capacity()) {
        let _ = SPARES.push_up_to(py, SPARE, chain);
    }
}
