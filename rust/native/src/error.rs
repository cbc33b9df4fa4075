//! Rust's errors as Python's.

use std::io;

use pyo3::exceptions::{PyOSError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

use crate::names;
use crate::names::errors::{AlreadyCalled, AlreadyCancelled, WrongProcessError, WrongThreadError};

/// Whose exceptions an engine raises where a program is meant to catch them: those of the module that its owner named, or
/// else torsion's.
pub(crate) struct Errors(Option<Py<PyAny>>);

impl Errors {
    pub(crate) const fn new(module: Option<Py<PyAny>>) -> Self {
        Self(module)
    }

    /// For a call that was made.
    pub(crate) fn already_called(&self, py: Python<'_>) -> PyErr {
        self.foreign(py, names::already_called(py))
            .unwrap_or_else(|| AlreadyCalled::new_err(()))
    }

    /// For a call that was cancelled.
    pub(crate) fn already_cancelled(&self, py: Python<'_>) -> PyErr {
        self.foreign(py, names::already_cancelled(py))
            .unwrap_or_else(|| AlreadyCancelled::new_err(()))
    }

    /// For what is not bytes; `error` tells more of it than programs for that module expect.
    pub(crate) fn not_bytes(&self, py: Python<'_>, error: PyErr) -> PyErr {
        if self.0.is_some() && error.is_instance_of::<PyTypeError>(py) {
            return PyTypeError::new_err("Data must be bytes");
        }
        error
    }

    /// The exception `name` of the owner's module.
    fn foreign(&self, py: Python<'_>, name: &Bound<'_, PyString>) -> Option<PyErr> {
        let found = self.0.as_ref()?.bind(py).getattr(name);
        Some(
            match found.and_then(|class| Ok(class.cast_into::<PyType>()?)) {
                Ok(class) => PyErr::from_type(class, ()),
                Err(error) => error,
            },
        )
    }
}

/// What is said to a thread that uses another thread's reactor.
pub(crate) fn wrong_thread() -> PyErr {
    WrongThreadError::new_err(
        "this reactor runs in another thread, and its objects belong to that thread; \
         hand the call over with reactor.callFromThread(function, *args)",
    )
}

/// What is said in a process that was forked off the one whose engine is asked for something.
pub(crate) fn wrong_process(maker: u32) -> PyErr {
    WrongProcessError::new_err(format!(
        "this reactor belongs to process {maker}, and this is process {}, which was forked off it: make a reactor of its own \
         here (torsion.internet.reactors.install() makes and installs one), or fork before the reactor is made",
        std::process::id()
    ))
}

/// An object for an error's text; one that cannot be shown must not keep the error from being told.
pub(crate) fn shown(object: &Bound<'_, PyAny>) -> String {
    match object.repr() {
        Ok(text) => text.to_string_lossy().into_owned(),
        Err(_) => format!("<unprintable {}>", object.get_type()),
    }
}

/// An error of the system, with its number: Python picks the subclass of `OSError`.
pub(crate) fn system(error: &io::Error) -> PyErr {
    match error.raw_os_error() {
        Some(errno) => PyOSError::new_err((errno, message(errno))),
        None => PyOSError::new_err(error.to_string()),
    }
}

/// The system's words for an error, without the number that Rust adds.
fn message(errno: i32) -> String {
    let text = io::Error::from_raw_os_error(errno).to_string();
    match text.rfind(" (os error ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

/// Whether a datagram was longer than can be sent.
pub(crate) fn is_too_long(error: &io::Error) -> bool {
    error.raw_os_error() == Some(EMSGSIZE)
}

/// What is said to who asks something of a socket that is gone.
pub(crate) fn closed(what: &str) -> PyErr {
    PyOSError::new_err((EBADF, format!("the {what} is closed")))
}

/// "Message too long".
#[cfg(any(target_os = "linux", target_os = "android"))]
const EMSGSIZE: i32 = 90;
#[cfg(windows)]
const EMSGSIZE: i32 = 10_040;
#[cfg(not(any(target_os = "linux", target_os = "android", windows)))]
const EMSGSIZE: i32 = 40;

/// "Bad file descriptor", the same number on every system.
const EBADF: i32 = 9;
