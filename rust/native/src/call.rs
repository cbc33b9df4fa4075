//! A callable with its arguments.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

/// A callable with its arguments.
pub(crate) struct Call {
    pub(crate) function: Py<PyAny>,
    pub(crate) args: Py<PyTuple>,
    pub(crate) kw: Option<Py<PyDict>>,
}

impl Call {
    pub(crate) fn new(
        function: Bound<'_, PyAny>,
        args: Bound<'_, PyTuple>,
        kw: Option<Bound<'_, PyDict>>,
    ) -> Self {
        Self {
            function: function.unbind(),
            args: args.unbind(),
            kw: kw.map(Bound::unbind),
        }
    }

    /// Makes the call.
    pub(crate) fn make(&self, py: Python<'_>) -> PyResult<()> {
        let function = self.function.bind(py);
        match &self.kw {
            Some(kw) => function.call(self.args.bind(py), Some(kw.bind(py))),
            None => {
                let args = self.args.bind(py);
                if args.is_empty() {
                    function.call0()
                } else {
                    function.call1(args)
                }
            }
        }
        .map(drop)
    }

    pub(crate) fn traverse(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.function)?;
        visit.call(&self.args)?;
        visit.call(&self.kw)
    }
}
