//! What is called so often that the way there counts: making a Deferred, and adding a callback.
//!
//! pyo3 gives a method that takes any further arguments a tuple and a dictionary of all of them; mostly there are none.

use std::ffi::CStr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;

use pyo3::exceptions::{PyRuntimeError, PySystemError, PyTypeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};

use super::awaiter::{self, PyAwaiter};
use super::class::class_is_plain;
use super::run::run;
use super::slots::DEFERREDS;
use super::step::Step;
use super::{PyDeferred, UNFIRED, driver, make, show};

/// The arguments of a call, as the interpreter hands them over.
struct Given<'py> {
    py: Python<'py>,
    args: *const *mut ffi::PyObject,
    positional: usize,
    /// The names of those that come after these.
    names: Option<Bound<'py, PyTuple>>,
}

impl<'py> Given<'py> {
    /// # Safety
    ///
    /// These are what the interpreter has called a function with, or a class.
    #[expect(unsafe_code, reason = "pointers of the interpreter's")]
    #[inline]
    unsafe fn new(
        py: Python<'py>,
        args: *const *mut ffi::PyObject,
        positional: ffi::Py_ssize_t,
        names: *mut ffi::PyObject,
    ) -> Self {
        // SAFETY: it is null or an object that is alive for the time of the call.
        let names = unsafe { Bound::from_borrowed_ptr_or_opt(py, names) };
        Self {
            py,
            args,
            positional: positional.unsigned_abs(),
            // SAFETY: it is a tuple.
            names: names.map(|names| unsafe { names.cast_into_unchecked() }),
        }
    }

    fn named(&self) -> usize {
        self.names.as_ref().map_or(0, PyTupleMethods::len)
    }

    /// The argument `index`, of which there are more.
    #[expect(unsafe_code, reason = "pointers of the interpreter's")]
    #[inline]
    fn at(&self, index: usize) -> Bound<'py, PyAny> {
        debug_assert!(index < self.positional + self.named());
        // SAFETY: there are so many.
        let place = unsafe { self.args.add(index) };
        // SAFETY: as above.
        let object = unsafe { place.read() };
        // SAFETY: it is alive for the time of the call.
        unsafe { Bound::from_borrowed_ptr(self.py, object) }
    }

    /// The positional arguments from `first` on, if there are any.
    fn rest(&self, first: usize) -> PyResult<Option<Bound<'py, PyTuple>>> {
        if self.positional <= first {
            return Ok(None);
        }
        let rest = (first..self.positional).map(|index| self.at(index));
        PyTuple::new(self.py, rest.collect::<Vec<_>>()).map(Some)
    }

    /// The keyword arguments, if there are any.
    fn keywords(&self) -> PyResult<Option<Bound<'py, PyDict>>> {
        let Some(names) = self.names.as_ref().filter(|names| !names.is_empty()) else {
            return Ok(None);
        };
        let keywords = PyDict::new(self.py);
        for (index, name) in names.iter().enumerate() {
            keywords.set_item(name, self.at(self.positional + index))?;
        }
        Ok(Some(keywords))
    }
}

/// Does `body`, and raises what it raises.
#[expect(unsafe_code, reason = "the interpreter calls with its lock held")]
#[inline]
fn guarded(
    body: impl for<'py> FnOnce(Python<'py>) -> PyResult<Bound<'py, PyAny>>,
) -> *mut ffi::PyObject {
    // SAFETY: the interpreter calls its functions and slots when it is ours.
    let py = unsafe { Python::assume_attached() };
    let error = match catch_unwind(AssertUnwindSafe(|| body(py))) {
        Ok(Ok(object)) => return object.into_ptr(),
        Ok(Err(error)) => error,
        Err(panic) => PyRuntimeError::new_err(format!(
            "torsion._native failed, which is a mistake in it: {}",
            crate::panic::message(&*panic)
        )),
    };
    error.restore(py);
    null_mut()
}

// --- making a Deferred --------------------------------------------------------------------------------------------------

/// What the class does when it is called: without the detour over its `__new__` and `__init__`, where these are its own.
#[expect(unsafe_code, reason = "a slot that pyo3 has no name for")]
pub(super) unsafe extern "C" fn vectorcall(
    class: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    count: usize,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    guarded(|py| {
        // SAFETY: it looks at a number.
        let positional = unsafe { ffi::PyVectorcall_NARGS(count) };
        // SAFETY: these are what the class was called with.
        let given = unsafe { Given::new(py, args, positional, names) };
        if given.names.is_none() && given.positional <= 1 && class_is_plain(py, class.cast()) {
            let canceller = (given.positional == 1).then(|| given.at(0));
            let canceller = canceller.filter(|canceller| !canceller.is_none());
            let new = PyDeferred::new(UNFIRED, None, canceller.map(Bound::unbind));
            return DEFERREDS.make(py, new).map(Bound::into_any);
        }
        let rest = given.rest(0)?.unwrap_or_else(|| PyTuple::empty(py));
        let keywords = given.keywords()?;
        let keywords = keywords.as_ref().map_or(null_mut(), Bound::as_ptr);
        // SAFETY: it is the type of types.
        let Some(call) = (unsafe { ffi::PyType_Type.tp_call }) else {
            return Err(PySystemError::new_err("classes cannot be called"));
        };
        // SAFETY: a class, a tuple, and a dictionary or null.
        let object = unsafe { call(class, rest.as_ptr(), keywords) };
        // SAFETY: it is a new reference, or null with an exception set.
        unsafe { Bound::from_owned_ptr_or_err(py, object) }
    })
}

// --- adding a callback --------------------------------------------------------------------------------------------------

/// Which of the two a function is to be.
#[derive(Clone, Copy)]
enum Half {
    Callback,
    Errback,
    Both,
}

impl Half {
    const fn method(self) -> &'static str {
        match self {
            Self::Callback => "addCallback",
            Self::Errback => "addErrback",
            Self::Both => "addBoth",
        }
    }

    const fn parameter(self) -> &'static str {
        match self {
            Self::Callback | Self::Both => "callback",
            Self::Errback => "errback",
        }
    }
}

/// Adds a step.
#[expect(unsafe_code, reason = "pointers of the interpreter's")]
#[inline]
unsafe fn add(
    half: Half,
    slf: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    guarded(|py| {
        // SAFETY: it is alive for the time of the call.
        let slf = unsafe { Bound::from_borrowed_ptr(py, slf) };
        // SAFETY: the interpreter has found the method in this class or a subclass, and it checks that.
        let slf = unsafe { slf.cast_into_unchecked::<PyDeferred>() };
        // SAFETY: these are what the method was called with.
        let given = unsafe { Given::new(py, args, count, names) };
        let (function, args, keywords) = if given.positional == 1 && given.names.is_none() {
            (given.at(0), None, None)
        } else {
            with_arguments(half, &given)?
        };
        let function = (!function.is_none()).then(|| function.unbind());
        let (callback, errback) = match half {
            Half::Callback => (function, None),
            Half::Errback => (None, function),
            Half::Both => (function.as_ref().map(|it| it.clone_ref(py)), function),
        };
        let step = Step::Call {
            callback,
            errback,
            args: args.map(Bound::unbind),
            keywords: keywords.map(Bound::unbind),
        };
        slf.get().add_step(&slf, step)?;
        Ok(slf.into_any())
    })
}

type Parts<'py> = (
    Bound<'py, PyAny>,
    Option<Bound<'py, PyTuple>>,
    Option<Bound<'py, PyDict>>,
);

/// The function and what else it is to be called with.
#[cold]
fn with_arguments<'py>(half: Half, given: &Given<'py>) -> PyResult<Parts<'py>> {
    let keywords = given.keywords()?;
    let (method, parameter) = (half.method(), half.parameter());
    let named = match &keywords {
        Some(keywords) => keywords.get_item(parameter)?,
        None => None,
    };
    let function = match (given.positional, named) {
        (0, None) => {
            return Err(PyTypeError::new_err(format!(
                "{method}() missing 1 required positional argument: '{parameter}'"
            )));
        }
        (0, Some(function)) => {
            if let Some(keywords) = &keywords {
                keywords.del_item(parameter)?;
            }
            function
        }
        (_, Some(_)) => {
            return Err(PyTypeError::new_err(format!(
                "{method}() got multiple values for argument '{parameter}'"
            )));
        }
        (_, None) => given.at(0),
    };
    let keywords = keywords.filter(|keywords| !keywords.is_empty());
    Ok((function, given.rest(1)?, keywords))
}

impl PyDeferred {
    /// Adds a step that Python has asked for, and takes it if that can be now.
    #[inline]
    pub(super) fn add_step(&self, slf: &Bound<'_, Self>, step: Step) -> PyResult<()> {
        let py = slf.py();
        if self.rare.get().is_some() {
            show::note_added(slf, &step)?;
        }
        self.push(py, step);
        if self.hold.get(py) < UNFIRED {
            run(slf)
        } else {
            Ok(())
        }
    }
}

macro_rules! adders {
    ($($function:ident: $half:ident;)*) => {
        $(
            #[expect(unsafe_code, reason = "a method in the interpreter's own way of calling")]
            unsafe extern "C" fn $function(
                slf: *mut ffi::PyObject,
                args: *const *mut ffi::PyObject,
                count: ffi::Py_ssize_t,
                names: *mut ffi::PyObject,
            ) -> *mut ffi::PyObject {
                // SAFETY: these are what the interpreter has called it with.
                unsafe { add(Half::$half, slf, args, count, names) }
            }
        )*
    };
}

adders! {
    add_callback: Callback;
    add_errback: Errback;
    add_both: Both;
}

// --- functions of one argument ------------------------------------------------------------------------------------------

/// The argument of a function that has one, called `parameter`.
#[inline]
fn only<'py>(given: &Given<'py>, function: &str, parameter: &str) -> PyResult<Bound<'py, PyAny>> {
    if given.positional == 1 && given.names.is_none() {
        return Ok(given.at(0));
    }
    only_by_name(given, function, parameter)
}

#[cold]
fn only_by_name<'py>(
    given: &Given<'py>,
    function: &str,
    parameter: &str,
) -> PyResult<Bound<'py, PyAny>> {
    if let (0, Some(keywords)) = (given.positional, given.keywords()?) {
        if let (1, Some(argument)) = (keywords.len(), keywords.get_item(parameter)?) {
            return Ok(argument);
        }
    }
    let count = given.positional + given.named();
    Err(PyTypeError::new_err(format!(
        "{function}() takes one argument, '{parameter}' ({count} given)"
    )))
}

/// What such a function does with what it is bound to, and its argument.
type Body = for<'py> fn(Bound<'py, PyAny>, Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>>;

macro_rules! one_argument {
    ($($function:ident, $name:literal, $parameter:literal: $body:expr;)*) => {
        $(
            #[expect(unsafe_code, reason = "a function in the interpreter's own way of calling")]
            unsafe extern "C" fn $function(
                slf: *mut ffi::PyObject,
                args: *const *mut ffi::PyObject,
                count: ffi::Py_ssize_t,
                names: *mut ffi::PyObject,
            ) -> *mut ffi::PyObject {
                guarded(|py| {
                    // SAFETY: it is alive for the time of the call.
                    let slf = unsafe { Bound::from_borrowed_ptr(py, slf) };
                    // SAFETY: these are what the interpreter has called it with.
                    let given = unsafe { Given::new(py, args, count, names) };
                    let body: Body = $body;
                    body(slf, only(&given, $name, $parameter)?)
                })
            }
        )*
    };
}

one_argument! {
    callback, "callback", "result": |slf, result| {
        let py = result.py();
        PyDeferred::fire(&slf.cast_into()?, result)?;
        Ok(py.None().into_bound(py))
    };
    succeed, "succeed", "result": |_, result| PyDeferred::fired(result).map(Bound::into_any);
    ensure_deferred, "ensureDeferred", "coro": |_, coro| make::ensure_deferred(coro).map(Bound::into_any);
    run_steps, "run_steps", "steps": |_, steps| driver::start(steps).map(Bound::into_any);
}

// --- waiting for it -----------------------------------------------------------------------------------------------------

/// What `await` asks for an iterator: a Deferred that has a result is its own, which gives it at the first step.
///
/// Python sees none of this: `__await__` and `__iter__` return a `DeferredAwaiter`, and there is no `__next__`.
#[expect(unsafe_code, reason = "a slot")]
pub(super) unsafe extern "C" fn am_await(slf: *mut ffi::PyObject) -> *mut ffi::PyObject {
    guarded(|py| {
        // SAFETY: it is alive for the time of the call.
        let slf = unsafe { Bound::from_borrowed_ptr(py, slf) };
        // SAFETY: the slot is that of this class.
        let slf = unsafe { slf.cast_into_unchecked::<PyDeferred>() };
        if slf.get().hold.get(py) == 0 {
            return Ok(slf.into_any());
        }
        PyAwaiter::new(slf).map(Bound::into_any)
    })
}

/// What Python gets of `__await__`.
#[expect(
    unsafe_code,
    reason = "a method in the interpreter's own way of calling"
)]
unsafe extern "C" fn new_awaiter(
    slf: *mut ffi::PyObject,
    _: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    guarded(|py| {
        if count != 0 || !names.is_null() {
            return Err(PyTypeError::new_err("__await__() takes no arguments"));
        }
        // SAFETY: it is alive for the time of the call.
        let slf = unsafe { Bound::from_borrowed_ptr(py, slf) };
        // SAFETY: the interpreter has found the method in this class or a subclass, and it checks that.
        let slf = unsafe { slf.cast_into_unchecked::<PyDeferred>() };
        PyAwaiter::new(slf).map(Bound::into_any)
    })
}

/// The step of a Deferred that is its own iterator.
#[expect(unsafe_code, reason = "a slot")]
pub(super) unsafe extern "C" fn am_send(
    slf: *mut ffi::PyObject,
    _: *mut ffi::PyObject,
    answer: *mut *mut ffi::PyObject,
) -> ffi::PySendResult {
    let result = guarded(|py| {
        // SAFETY: it is alive for the time of the call.
        let slf = unsafe { Bound::from_borrowed_ptr(py, slf) };
        // SAFETY: the slot is that of this class.
        let slf = unsafe { slf.cast_into_unchecked::<PyDeferred>() };
        PyAwaiter::result_of(&slf)
    });
    // SAFETY: the interpreter has given the place for it.
    unsafe { answer.write(result) };
    if result.is_null() {
        ffi::PySendResult::PYGEN_ERROR
    } else {
        ffi::PySendResult::PYGEN_RETURN
    }
}

/// The same, for those who know of no `am_send`.
#[expect(unsafe_code, reason = "a slot")]
pub(super) unsafe extern "C" fn tp_iternext(slf: *mut ffi::PyObject) -> *mut ffi::PyObject {
    guarded(|py| {
        // SAFETY: it is alive for the time of the call.
        let slf = unsafe { Bound::from_borrowed_ptr(py, slf) };
        // SAFETY: the slot is that of this class.
        let slf = unsafe { slf.cast_into_unchecked::<PyDeferred>() };
        Err(awaiter::stop(PyAwaiter::result_of(&slf)?))
    })
}

// --- what they are called -----------------------------------------------------------------------------------------------

/// A function, and its docstring, which begins with its signature.
type Definition = (
    &'static CStr,
    ffi::PyCFunctionFastWithKeywords,
    &'static CStr,
);

const METHODS: [Definition; 5] = [
    (c"callback", callback, c"callback($self, result)\n--\n\nFire: *result* is here.  Runs the callbacks that were added so far."),
    (c"addCallback", add_callback, c"addCallback($self, callback, *args, **kwargs)\n--\n\nAdd *callback*, to be called with the result and these arguments; failures pass it by."),
    (c"addErrback", add_errback, c"addErrback($self, errback, *args, **kwargs)\n--\n\nAdd *errback*, to be called with the Failure and these arguments; other results pass it by."),
    (c"addBoth", add_both, c"addBoth($self, callback, *args, **kwargs)\n--\n\nAdd *callback*, to be called with the result or the Failure, and these arguments."),
    (c"__await__", new_awaiter, c"__await__($self)\n--\n\nWait in a coroutine; also ``yield from`` in a generator."),
];

const FUNCTIONS: [Definition; 3] = [
    (c"succeed", succeed, c"succeed(result)\n--\n\nReturn a Deferred that has fired with *result*."),
    (c"ensureDeferred", ensure_deferred, c"ensureDeferred(coro)\n--\n\nReturn a Deferred of what *coro* returns."),
    (c"run_steps", run_steps, c"run_steps(steps)\n--\n\nRun *steps*, a coroutine or a generator; return a Deferred of what it returns."),
];

/// A definition that lasts as long as classes and functions do, which is for ever.
fn definition((name, function, doc): Definition) -> *mut ffi::PyMethodDef {
    std::ptr::from_mut(Box::leak(Box::new(ffi::PyMethodDef {
        ml_name: name.as_ptr(),
        ml_meth: ffi::PyMethodDefPointer {
            PyCFunctionFastWithKeywords: function,
        },
        ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
        ml_doc: doc.as_ptr(),
    })))
}

/// Gives `class` its methods.
#[expect(unsafe_code, reason = "pyo3 has another way of calling them")]
pub(super) fn add_methods(class: &Bound<'_, PyType>) -> PyResult<()> {
    let py = class.py();
    for method in METHODS {
        // SAFETY: both are alive for ever.
        let descriptor = unsafe { ffi::PyDescr_NewMethod(class.as_type_ptr(), definition(method)) };
        // SAFETY: it is a new reference, or null with an exception set.
        let descriptor = unsafe { Bound::from_owned_ptr_or_err(py, descriptor) }?;
        class.setattr(PyString::new(py, &method.0.to_string_lossy()), descriptor)?;
    }
    Ok(())
}

/// Gives `module` its functions.
#[expect(unsafe_code, reason = "pyo3 has another way of calling them")]
pub(super) fn add_functions(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let name = module.name()?;
    for function in FUNCTIONS {
        // SAFETY: the definition is alive for ever, the others are objects.
        let object =
            unsafe { ffi::PyCFunction_NewEx(definition(function), module.as_ptr(), name.as_ptr()) };
        // SAFETY: it is a new reference, or null with an exception set.
        let object = unsafe { Bound::from_owned_ptr_or_err(py, object) }?;
        module.add(PyString::new(py, &function.0.to_string_lossy()), object)?;
    }
    Ok(())
}
