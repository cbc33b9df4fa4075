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
use super::given::Given;
use super::run::run;
use super::slots::DEFERREDS;
use super::step::{self, Step};
use super::{PyDeferred, UNFIRED, driver, make, show};

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
        if (given.is_none() || given.is_one()) && class_is_plain(py, class.cast()) {
            let canceller = given.is_one().then(|| given.at(0));
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
    /// The step that calls `function`; one that does nothing if that is None.
    fn step(
        self,
        function: Bound<'_, PyAny>,
        args: Option<Bound<'_, PyTuple>>,
        keywords: Option<Bound<'_, PyDict>>,
    ) -> Step {
        let py = function.py();
        let half = (!function.is_none()).then(|| step::Half {
            function: function.unbind(),
            args: args.map(Bound::unbind),
            keywords: keywords.map(Bound::unbind),
        });
        match (self, half) {
            (Self::Callback, half) => Step::calling(half, None),
            (Self::Errback, half) => Step::calling(None, half),
            (Self::Both, Some(half)) if half.keywords.is_none() => {
                Step::Both(half.function, half.args)
            }
            (Self::Both, half) => Step::calling(half.as_ref().map(|half| half.clone_ref(py)), half),
        }
    }

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
        let (function, args, keywords) = if given.is_one() {
            (given.at(0), None, None)
        } else {
            given.apart(half.method(), half.parameter())?
        };
        slf.get()
            .add_step(&slf, half.step(function, args, keywords))?;
        Ok(slf.into_any())
    })
}

/// Does so with `function` alone, for a Deferred that has not fired and is not debugged, where no memory has to be asked for:
/// returns whether it did.  Nothing in here can fail, so nothing has to be guarded.
///
/// # Safety
///
/// It is a call of the method: `slf` is of the class, and both are alive.
#[expect(unsafe_code, reason = "pointers of the interpreter's")]
#[inline]
unsafe fn add_quickly(half: Half, slf: *mut ffi::PyObject, function: *mut ffi::PyObject) -> bool {
    // SAFETY: the interpreter calls its functions when it is ours.
    let py = unsafe { Python::assume_attached() };
    // SAFETY: as the caller says.
    let slf = unsafe { Borrowed::from_ptr(py, slf) };
    // SAFETY: as the caller says.
    let slf = unsafe { slf.cast_unchecked::<PyDeferred>() };
    // SAFETY: as the caller says.
    let function = unsafe { Borrowed::from_ptr(py, function) };
    let this = slf.get();
    if this.hold.get(py) < UNFIRED || this.rare.get().is_some() || function.is_none() {
        return false;
    }
    let function = function.to_owned().unbind();
    let step = match half {
        Half::Callback => Step::Callback(function, None),
        Half::Errback => Step::Errback(function, None),
        Half::Both => Step::Both(function, None),
    };
    match this.push_quickly(py, step) {
        Ok(()) => true,
        Err(step) => {
            step.release(py);
            false
        }
    }
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
                if count == 1 && names.is_null() {
                    // SAFETY: there is one.
                    let function = unsafe { args.read() };
                    // SAFETY: the interpreter has found the method in this class or a subclass, and it checks that.
                    if unsafe { add_quickly(Half::$half, slf, function) } {
                        // SAFETY: it is alive.
                        unsafe { ffi::Py_INCREF(slf) };
                        return slf;
                    }
                }
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
                    body(slf, given.only($name, $parameter)?)
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
