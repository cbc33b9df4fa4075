//! A callable with its arguments.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

/// A callable with its arguments.  What there is none of is not kept, as a million timers would each show it to the
/// garbage collector.
pub(crate) struct Call {
    pub(crate) function: Py<PyAny>,
    args: Option<Py<PyTuple>>,
    kw: Option<Py<PyDict>>,
}

impl Call {
    pub(crate) fn new(
        function: Bound<'_, PyAny>,
        args: Bound<'_, PyTuple>,
        kw: Option<Bound<'_, PyDict>>,
    ) -> Self {
        Self {
            function: function.unbind(),
            args: (!args.is_empty()).then(|| args.unbind()),
            kw: kw.map(Bound::unbind),
        }
    }

    /// Makes the call.
    pub(crate) fn make(&self, py: Python<'_>) -> PyResult<()> {
        let function = self.function.bind(py);
        match (&self.args, &self.kw) {
            (None, None) => function.call0(),
            (Some(args), None) => function.call1(args.bind(py)),
            (_, Some(kw)) => function.call(self.args(py), Some(kw.bind(py))),
        }
        .map(drop)
    }

    /// Lets go of it, without asking for each part whether we are attached.
    pub(crate) fn release(self, py: Python<'_>) {
        self.function.drop_ref(py);
        if let Some(args) = self.args {
            args.drop_ref(py);
        }
        if let Some(kw) = self.kw {
            kw.drop_ref(py);
        }
    }

    pub(crate) fn args<'py>(&self, py: Python<'py>) -> Bound<'py, PyTuple> {
        match &self.args {
            Some(args) => args.bind(py).clone(),
            None => PyTuple::empty(py),
        }
    }

    pub(crate) fn kw<'py>(&self, py: Python<'py>) -> Bound<'py, PyDict> {
        match &self.kw {
            Some(kw) => kw.bind(py).clone(),
            None => PyDict::new(py),
        }
    }

    #[inline]
    pub(crate) fn traverse(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.function)?;
        if let Some(args) = &self.args {
            visit.call(args)?;
        }
        if let Some(kw) = &self.kw {
            visit.call(kw)?;
        }
        Ok(())
    }
}
