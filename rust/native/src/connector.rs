//! `Connector`: a connection in the making.

use std::sync::Arc;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyType;

use torsion_reactor::{Address, Token};

use crate::engine::PyEngine;
use crate::listener::descriptor;
use crate::shared::Shared;
use crate::slot::Slot;

/// A connection in the making.
#[pyclass(frozen, weakref, name = "Connector", module = "torsion._native")]
pub(crate) struct PyConnector {
    shared: Arc<Shared>,
    token: Token,
    /// Where to.
    pub(crate) peer: Address,
    owner: Slot,
    streams: Py<PyType>,
}

impl PyConnector {
    fn new(
        engine: &Bound<'_, PyEngine>,
        token: Token,
        peer: Address,
        owner: &Bound<'_, PyAny>,
        streams: &Bound<'_, PyType>,
    ) -> PyResult<Py<Self>> {
        let connector = Self {
            shared: Arc::clone(engine.get().shared()),
            token,
            peer,
            owner: Slot::new(owner.clone().unbind()),
            streams: streams.clone().unbind(),
        };
        Py::new(engine.py(), connector)
    }

    /// Makes the object for a connection that the engine has begun to make; gives it up if that fails.
    pub(crate) fn begin(
        engine: &Bound<'_, PyEngine>,
        token: Token,
        peer: Address,
        owner: &Bound<'_, PyAny>,
        streams: &Bound<'_, PyType>,
    ) -> PyResult<Py<Self>> {
        let state = engine.get().enter()?;
        let connector = Self::new(engine, token, peer, owner, streams);
        match &connector {
            Ok(connector) => state.own_connector(token, connector.clone_ref(engine.py())),
            Err(_) => drop(state.discard(token)),
        }
        connector
    }

    /// Who is told of the outcome; nobody once it is given up.
    pub(crate) fn owner<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.owner.get(py)
    }

    /// The class of the stream to be made.
    pub(crate) const fn streams(&self) -> &Py<PyType> {
        &self.streams
    }
}

#[pymethods]
impl PyConnector {
    fn fileno(&self) -> PyResult<i32> {
        Ok(self
            .shared
            .enter()?
            .connector(self.token, |connector| descriptor(connector.socket()))
            .unwrap_or(-1))
    }

    fn cancel(&self) -> PyResult<()> {
        let held = self.shared.enter()?.discard(self.token);
        // Once it is connected, the token names the stream, which is not for us to discard.
        if let Some(held) = held {
            drop(held);
            self.owner.clear();
        }
        Ok(())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.streams)?;
        self.owner.traverse(visit)
    }

    fn __clear__(&self) {
        self.owner.clear();
    }
}
