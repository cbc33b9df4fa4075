//! `Listener`: a listening socket.

use std::sync::Arc;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyType;

use torsion_reactor::{Address, Token};

use crate::address;
use crate::engine::PyEngine;
use crate::error;
use crate::shared::Shared;
use crate::slot::Slot;
use crate::upcall;

/// A listening socket.
#[pyclass(frozen, weakref, name = "Listener", module = "torsion._native")]
pub(crate) struct PyListener {
    shared: Arc<Shared>,
    token: Token,
    /// What it is bound to; asked for once, as every connection wants it.
    bound: Address,
    owner: Slot,
    streams: Py<PyType>,
}

impl PyListener {
    fn new(
        engine: &Bound<'_, PyEngine>,
        token: Token,
        owner: &Bound<'_, PyAny>,
        streams: &Bound<'_, PyType>,
    ) -> PyResult<Py<Self>> {
        let bound = engine
            .get()
            .enter()?
            .listener(token, torsion_reactor::Listener::address);
        let bound = bound
            .ok_or_else(|| error::closed("listener"))?
            .map_err(|error| error::system(&error))?;
        let listener = Self {
            shared: Arc::clone(engine.get().shared()),
            token,
            bound,
            owner: Slot::new(owner.clone().unbind()),
            streams: streams.clone().unbind(),
        };
        Py::new(engine.py(), listener)
    }

    /// Makes the object for a listener that the engine has opened; closes the listener if that fails.
    pub(crate) fn begin(
        engine: &Bound<'_, PyEngine>,
        token: Token,
        owner: &Bound<'_, PyAny>,
        streams: &Bound<'_, PyType>,
    ) -> PyResult<Py<Self>> {
        let state = engine.get().enter()?;
        let listener = Self::new(engine, token, owner, streams);
        match &listener {
            Ok(listener) => state.own_listener(token, listener.clone_ref(engine.py())),
            Err(_) => drop(state.discard(token)),
        }
        listener
    }

    /// Who is told of connections; nobody once it is closed.
    pub(crate) fn owner<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.owner.get(py)
    }

    /// The local end of a connection that was just accepted: the listener's own address, unless that stands for many.
    pub(crate) fn host_of(&self, engine: &Bound<'_, PyEngine>, stream: Token) -> Option<Address> {
        match &self.bound {
            Address::Inet(bound) if bound.ip().is_unspecified() => {
                upcall::local_address(engine, stream)
            }
            bound => Some(bound.clone()),
        }
    }

    /// The class of the streams to be made.
    pub(crate) const fn streams(&self) -> &Py<PyType> {
        &self.streams
    }
}

#[pymethods]
impl PyListener {
    fn address<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        address::to_python(py, &self.bound)
    }

    fn fileno(&self) -> PyResult<i32> {
        Ok(self
            .shared
            .enter()?
            .listener(self.token, |listener| descriptor(&*listener.socket()))
            .unwrap_or(-1))
    }

    fn accepted(&self) -> PyResult<u64> {
        Ok(self
            .shared
            .enter()?
            .listener(self.token, torsion_reactor::Listener::accepted)
            .unwrap_or_default())
    }

    fn pause(&self) -> PyResult<()> {
        self.shared.enter()?.pause_listener(self.token, true);
        Ok(())
    }

    fn resume(&self) -> PyResult<()> {
        self.shared.enter()?.pause_listener(self.token, false);
        Ok(())
    }

    fn close(&self) -> PyResult<()> {
        let held = self.shared.enter()?.discard(self.token);
        drop(held);
        self.owner.clear();
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

/// A socket's descriptor.
#[cfg(unix)]
pub(crate) fn descriptor(socket: &impl std::os::fd::AsRawFd) -> i32 {
    socket.as_raw_fd()
}

/// There are handles instead of descriptors.
#[cfg(not(unix))]
pub(crate) fn descriptor<T>(_socket: &T) -> i32 {
    -1
}
