//! The arguments of a call, read where the interpreter has put them.

use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

/// The arguments of a call, as the interpreter hands them over.
pub(super) struct Given<'py> {
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
    pub(super) unsafe fn new(
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
    pub(super) fn at(&self, index: usize) -> Bound<'py, PyAny> {
        debug_assert!(index < self.positional + self.named());
        // SAFETY: there are so many.
        let place = unsafe { self.args.add(index) };
        // SAFETY: as above.
        let object = unsafe { place.read() };
        // SAFETY: it is alive for the time of the call.
        unsafe { Bound::from_borrowed_ptr(self.py, object) }
    }

    /// The positional arguments from `first` on, if there are any.
    pub(super) fn rest(&self, first: usize) -> PyResult<Option<Bound<'py, PyTuple>>> {
        if self.positional <= first {
            return Ok(None);
        }
        let rest = (first..self.positional).map(|index| self.at(index));
        PyTuple::new(self.py, rest.collect::<Vec<_>>()).map(Some)
    }

    /// The keyword arguments, if there are any.
    pub(super) fn keywords(&self) -> PyResult<Option<Bound<'py, PyDict>>> {
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

/// The first argument of a call, and what else there is.
pub(super) type Parts<'py> = (
    Bound<'py, PyAny>,
    Option<Bound<'py, PyTuple>>,
    Option<Bound<'py, PyDict>>,
);

impl<'py> Given<'py> {
    /// Takes the arguments of `function` apart, the first of which may be given by its name, `parameter`.
    #[cold]
    pub(super) fn apart(&self, function: &str, parameter: &str) -> PyResult<Parts<'py>> {
        let keywords = self.keywords()?;
        let named = match &keywords {
            Some(keywords) => keywords.get_item(parameter)?,
            None => None,
        };
        let first = match (self.positional, named) {
            (0, None) => {
                return Err(PyTypeError::new_err(format!(
                    "{function}() missing 1 required positional argument: '{parameter}'"
                )));
            }
            (0, Some(first)) => {
                if let Some(keywords) = &keywords {
                    keywords.del_item(parameter)?;
                }
                first
            }
            (_, Some(_)) => {
                return Err(PyTypeError::new_err(format!(
                    "{function}() got multiple values for argument '{parameter}'"
                )));
            }
            (_, None) => self.at(0),
        };
        let keywords = keywords.filter(|keywords| !keywords.is_empty());
        Ok((first, self.rest(1)?, keywords))
    }

    /// Whether there is no argument.
    #[inline]
    pub(super) const fn is_none(&self) -> bool {
        self.positional == 0 && self.names.is_none()
    }

    /// Whether there is one argument, without a name.
    #[inline]
    pub(super) const fn is_one(&self) -> bool {
        self.positional == 1 && self.names.is_none()
    }

    /// The argument of `function`, which takes one, called `parameter`.
    #[inline]
    pub(super) fn only(&self, function: &str, parameter: &str) -> PyResult<Bound<'py, PyAny>> {
        if self.is_one() {
            return Ok(self.at(0));
        }
        match self.apart(function, parameter)? {
            (argument, None, None) => Ok(argument),
            _ => Err(PyTypeError::new_err(format!(
                "{function}() takes one argument, '{parameter}' ({} given)",
                self.positional + self.named()
            ))),
        }
    }
}
