//! `Watch`: a descriptor that is somebody else's.

use std::sync::Arc;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use torsion_reactor::Token;

use crate::engine::PyEngine;
use crate::error;
use crate::shared::Shared;
use crate::slot::Slot;

/// A watched descriptor.
#[pyclass(frozen, weakref, name = "Watch", module = "torsion._native")]
pub(crate) struct PyWatch {
    shared: Arc<Shared>,
    token: Token,
    descriptor: i32,
    owner: Slot,
}

impl PyWatch {
    pub(crate) fn open(
        engine: &Bound<'_, PyEngine>,
        descriptor: i32,
        owner: &Bound<'_, PyAny>,
    ) -> PyResult<Py<Self>> {
        let token = engine.get().enter()?.open_watch(descriptor);
        let watch = Py::new(
            engine.py(),
            Self {
                shared: Arc::clone(engine.get().shared()),
                token,
                descriptor,
                owner: Slot::new(owner.clone().unbind()),
            },
        )?;
        let kept = watch.clone_ref(engine.py());
        engine.get().enter()?.own_watch(token, kept);
        Ok(watch)
    }

    /// Who is told; nobody once it is closed.
    pub(crate) fn owner<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.owner.get(py)
    }
}

#[pymethods]
impl PyWatch {
    fn fileno(&self) -> i32 {
        self.descriptor
    }

    fn reading(&self) -> PyResult<bool> {
        let state = self.shared.enter()?;
        Ok(state
            .watch(self.token, |watch| watch.wants().read)
            .unwrap_or(false))
    }

    fn writing(&self) -> PyResult<bool> {
        let state = self.shared.enter()?;
        Ok(state
            .watch(self.token, |watch| watch.wants().write)
            .unwrap_or(false))
    }

    fn read(&self, wanted: bool) -> PyResult<()> {
        let asked = self
            .shared
            .enter()?
            .want(self.token, |wants| wants.read = wanted);
        asked.map_err(|error| error::system(&error))
    }

    fn write(&self, wanted: bool) -> PyResult<()> {
        let asked = self
            .shared
            .enter()?
            .want(self.token, |wants| wants.write = wanted);
        asked.map_err(|error| error::system(&error))
    }

    fn close(&self) -> PyResult<()> {
        let held = self.shared.enter()?.discard(self.token);
        drop(held);
        self.owner.clear();
        Ok(())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.owner.traverse(visit)
    }

    fn __clear__(&self) {
        self.owner.clear();
    }
}
