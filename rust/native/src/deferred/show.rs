//! What humans are shown of a Deferred.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use super::PyDeferred;
use super::step::Step;
use crate::names;

type Object<'py> = Bound<'py, PyAny>;

/// What it waits for or what its result is.
pub(super) fn repr(deferred: &Bound<'_, PyDeferred>) -> PyResult<String> {
    let py = deferred.py();
    let this = deferred.get();
    let name = deferred.get_type().name()?;
    let mut text = format!("<{name} at {:#x}", deferred.as_ptr().addr());
    let result = this.result.bound(py).filter(|it| !it.is(deferred)); // which would not end
    let waits = result
        .as_ref()
        .is_none_or(|result| result.is_instance_of::<PyDeferred>());
    if let Some(other) = this.chained_to.bound(py).filter(|_| waits) {
        text += &format!(" waiting on Deferred at {:#x}", other.as_ptr().addr());
    } else if let Some(result) = result {
        text += &format!(" current result: {}", result.repr()?.to_str()?);
    }
    text.push('>');
    Ok(text)
}

/// The steps that are not taken yet: pairs of (callback, args, keywords) and (errback, args, keywords).
pub(super) fn callbacks<'py>(deferred: &Bound<'py, PyDeferred>) -> PyResult<Bound<'py, PyList>> {
    let py = deferred.py();
    let mut steps = Vec::new();
    deferred.get().chain.each(|step| {
        steps.push(step.clone_ref(py));
        Ok::<_, PyErr>(())
    })?;
    let pairs = PyList::empty(py);
    for step in steps {
        pairs.append(pair(py, step)?)?;
    }
    Ok(pairs)
}

fn pair(py: Python<'_>, step: Step) -> PyResult<(Object<'_>, Object<'_>)> {
    let whole = |function: Py<PyAny>, args: Option<Py<PyTuple>>| {
        half(py, Some(function), args.map(Py::into_any), None)
    };
    let passes = || half(py, None, None, None);
    match step {
        Step::Callback(function, args) => Ok((whole(function, args)?, passes()?)),
        Step::Errback(function, args) => Ok((passes()?, whole(function, args)?)),
        Step::Both(function, args) => {
            let shown = whole(function, args)?;
            Ok((shown.clone(), shown))
        }
        Step::Either(callback, errback) => Ok((whole(callback, None)?, whole(errback, None)?)),
        Step::Pair(halves) => {
            let (callback, errback) = *halves;
            let shown = |it: Option<super::step::Half>| match it {
                None => passes(),
                Some(it) => half(
                    py,
                    Some(it.function),
                    it.args.map(Py::into_any),
                    it.keywords.map(Py::into_any),
                ),
            };
            Ok((shown(callback)?, shown(errback)?))
        }
        Step::GoOn(other) | Step::Forward(other) | Step::Resume(other) => {
            let fire = py.get_type::<PyDeferred>().getattr(names::callback(py))?;
            let args = PyTuple::new(py, [other])?.into_any().unbind();
            let shown = half(py, Some(fire.unbind()), Some(args), None)?;
            Ok((shown.clone(), shown))
        }
    }
}

fn half(
    py: Python<'_>,
    function: Option<Py<PyAny>>,
    args: Option<Py<PyAny>>,
    keywords: Option<Py<PyAny>>,
) -> PyResult<Object<'_>> {
    let none = PyTuple::empty(py).into_any();
    let no_keywords = PyDict::new(py).into_any();
    let shown = match function {
        Some(function) => PyTuple::new(
            py,
            [
                function.into_bound(py),
                args.map_or(none, |args| args.into_bound(py)),
                keywords.map_or(no_keywords, |keywords| keywords.into_bound(py)),
            ],
        )?,
        None => PyTuple::new(py, [names::passthru(py)?.clone(), none, no_keywords])?,
    };
    Ok(shown.into_any())
}

/// Has `deferred` remember who adds `step`, if it was made to be debugged.
#[cold]
pub(super) fn note_added(deferred: &Bound<'_, PyDeferred>, step: &Step) -> PyResult<()> {
    let py = deferred.py();
    let Some(info) = deferred.get().info_if_any(py) else {
        return Ok(());
    };
    if info.getattr(names::creator(py))?.is_none() {
        return Ok(());
    }
    let told = |callback: Option<_>, errback: Option<_>| {
        let (callback, errback): (Option<&Py<PyAny>>, Option<&Py<PyAny>>) = (callback, errback);
        let same = callback
            .zip(errback)
            .is_some_and(|(one, other)| one.is(other));
        callback
            .into_iter()
            .chain(errback.filter(|_| !same))
            .collect()
    };
    let functions: Vec<&Py<PyAny>> = match step {
        Step::Callback(function, _) | Step::Errback(function, _) | Step::Both(function, _) => {
            vec![function]
        }
        Step::Either(callback, errback) => told(Some(callback), Some(errback)),
        Step::Pair(halves) => {
            let (callback, errback) = &**halves;
            told(
                callback.as_ref().map(|half| &half.function),
                errback.as_ref().map(|half| &half.function),
            )
        }
        Step::Forward(other) => vec![other.as_any()],
        Step::GoOn(_) | Step::Resume(_) => return Ok(()),
    };
    let functions = PyTuple::new(py, functions)?;
    info.call_method1(names::note_added(py), (functions,))
        .map(drop)
}
