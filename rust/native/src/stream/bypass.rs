//! The divert of a stream, and the way past it.
//!
//! A filter that stands between a stream and a program which keeps its transport — TLS that is started in the midst of a
//! connection, in Python — is made the stream's divert: from then on, whatever the program asks of the stream is asked of
//! the filter, also by way of methods that it has taken from the stream before.  What the filter has for the network goes
//! through a [`PyBypass`], which asks the stream itself.  A stream without a divert pays for this with one look at a flag.

use std::sync::atomic::Ordering;

use pyo3::call::PyCallArgs;
use pyo3::exceptions::PyRuntimeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyString;

use torsion_reactor::Wrote;

use super::{PyStream, Security};
use crate::error;
use crate::names;
use crate::slot::Slot;
use crate::upcall;

/// Has the divert do what the stream was asked to.
#[cold]
pub(super) fn tell<'py>(
    filter: &Bound<'py, PyAny>,
    method: fn(Python<'_>) -> &Bound<'_, PyString>,
    arguments: impl PyCallArgs<'py>,
) -> PyResult<()> {
    filter
        .call_method1(method(filter.py()), arguments)
        .map(drop)
}

/// The divert.
impl PyStream {
    #[inline]
    pub(super) fn is_diverted(&self) -> bool {
        self.diverted.load(Ordering::Relaxed)
    }

    pub(super) fn divert_slot(&self) -> Option<&Slot> {
        match self.security.get().map(Box::as_ref) {
            Some(Security::Above(filter)) => Some(filter),
            _ => None,
        }
    }

    /// Whom programs speak to in the stream's stead.
    #[inline]
    pub(super) fn divert_of<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        if self.is_diverted() {
            self.divert_slot().and_then(|filter| filter.get(py))
        } else {
            None
        }
    }

    pub(super) fn set_divert(&self, filter: &Bound<'_, PyAny>) -> PyResult<()> {
        let _ours = self.shared.enter()?;
        if self.secure.load(Ordering::Relaxed) {
            return Err(PyRuntimeError::new_err(
                "the stream is secured natively: nothing may come between",
            ));
        }
        let above = Security::Above(Slot::new(filter.clone().unbind()));
        if self.security.set(Box::new(above)).is_err() {
            return Err(PyRuntimeError::new_err(
                "the stream has a divert already, and keeps it",
            ));
        }
        self.diverted.store(true, Ordering::Relaxed);
        Ok(())
    }
}

/// What the stream itself does when it is asked.
impl PyStream {
    #[inline]
    pub(super) fn put(slf: &Bound<'_, Self>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let this = slf.get();
        let chunk = this.chunk(data)?;
        let wrote = this.shared.enter()?.write(this.token, chunk);
        if matches!(wrote, Wrote::Full) {
            upcall::pause(slf);
        }
        Ok(())
    }

    pub(super) fn put_all(slf: &Bound<'_, Self>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let this = slf.get();
        // Everything is looked at before anything is queued: a piece of a wrong type must not leave half a message.
        let chunks = data
            .try_iter()?
            .map(|piece| this.chunk(&piece?))
            .collect::<PyResult<Vec<_>>>()?;
        let mut full = false;
        {
            let state = this.shared.enter()?;
            for chunk in chunks {
                full |= matches!(state.write(this.token, chunk), Wrote::Full);
            }
        }
        if full {
            upcall::pause(slf);
        }
        Ok(())
    }

    pub(super) fn lose(&self) -> PyResult<()> {
        self.shared.enter()?.lose(self.token);
        self.note_closing();
        Ok(())
    }

    pub(super) fn abort(&self) -> PyResult<()> {
        self.shared.enter()?.abort(self.token);
        self.note_closing();
        Ok(())
    }

    pub(super) fn lose_write(&self) -> PyResult<()> {
        self.shared.enter()?.lose_write(self.token);
        Ok(())
    }

    pub(super) fn pause(&self) -> PyResult<()> {
        self.shared.enter()?.pause(self.token);
        Ok(())
    }

    pub(super) fn resume(&self) -> PyResult<()> {
        self.shared.enter()?.resume(self.token);
        Ok(())
    }

    pub(super) fn register(
        slf: &Bound<'_, Self>,
        producer: &Bound<'_, PyAny>,
        streaming: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let (py, this) = (slf.py(), slf.get());
        let streaming = streaming.is_truthy()?;
        if let Some(before) = this.producer.get(py) {
            return Err(PyRuntimeError::new_err(format!(
                "cannot register producer {}: producer {} was never unregistered; call unregisterProducer() first",
                error::shown(producer),
                error::shown(&before)
            )));
        }
        if this
            .shared
            .enter()?
            .register_producer(this.token, streaming)
        {
            this.streaming.store(streaming, Ordering::Relaxed);
            drop(this.producer.set(Some(producer.clone().unbind())));
            if !streaming {
                producer.call_method0(names::resume_producing(py))?;
            }
        } else {
            producer.call_method0(names::stop_producing(py))?;
        }
        Ok(())
    }

    pub(super) fn unregister(&self) -> PyResult<()> {
        let state = self.shared.enter()?; // first, as another thread must not take the producer away
        let producer = self.producer.set(None);
        self.streaming.store(false, Ordering::Relaxed);
        state.unregister_producer(self.token);
        drop(state);
        drop(producer);
        Ok(())
    }
}

/// The stream itself, under its divert.
#[pyclass(frozen, name = "Bypass", module = "torsion._native")]
pub(crate) struct PyBypass {
    stream: Py<PyStream>,
}

impl PyBypass {
    pub(super) fn new(stream: &Bound<'_, PyStream>) -> Self {
        Self {
            stream: stream.clone().unbind(),
        }
    }
}

#[pymethods]
impl PyBypass {
    #[getter]
    fn disconnecting(&self) -> bool {
        self.stream.get().closing.load(Ordering::Relaxed)
    }

    fn write(&self, data: &Bound<'_, PyAny>) -> PyResult<()> {
        PyStream::put(self.stream.bind(data.py()), data)
    }

    #[pyo3(name = "writeSequence")]
    fn write_sequence(&self, data: &Bound<'_, PyAny>) -> PyResult<()> {
        PyStream::put_all(self.stream.bind(data.py()), data)
    }

    #[pyo3(name = "loseConnection")]
    fn lose_connection(&self) -> PyResult<()> {
        self.stream.get().lose()
    }

    #[pyo3(name = "abortConnection")]
    fn abort_connection(&self) -> PyResult<()> {
        self.stream.get().abort()
    }

    #[pyo3(name = "loseWriteConnection")]
    fn lose_write_connection(&self) -> PyResult<()> {
        self.stream.get().lose_write()
    }

    #[pyo3(name = "pauseProducing")]
    fn pause_producing(&self) -> PyResult<()> {
        self.stream.get().pause()
    }

    #[pyo3(name = "resumeProducing")]
    fn resume_producing(&self) -> PyResult<()> {
        self.stream.get().resume()
    }

    #[pyo3(name = "stopProducing")]
    fn stop_producing(&self) -> PyResult<()> {
        self.stream.get().lose()
    }

    #[pyo3(name = "registerProducer")]
    fn register_producer(
        &self,
        producer: &Bound<'_, PyAny>,
        streaming: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        PyStream::register(self.stream.bind(producer.py()), producer, streaming)
    }

    #[pyo3(name = "unregisterProducer")]
    fn unregister_producer(&self) -> PyResult<()> {
        self.stream.get().unregister()
    }

    /// Whatever else: what no divert takes over.
    fn __getattr__<'py>(&self, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
        self.stream.bind(name.py()).getattr(name)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.stream)
    }
}
