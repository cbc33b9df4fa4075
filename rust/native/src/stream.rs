//! `Stream`: one connected byte stream, with the names of `ITCPTransport`, `IConsumer` and `IPushProducer`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use torsion_reactor::{SockRef, Token, Wrote};

use crate::address;
use crate::bytes::Chunk;
use crate::engine::PyEngine;
use crate::error;
use crate::listener::descriptor;
use crate::names;
use crate::shared::Shared;
use crate::slot::Slot;
use crate::upcall;

/// What a stream is made of; the engine leaves it for `Stream.__new__`.
pub(crate) struct Nascent {
    pub(crate) token: Token,
    pub(crate) owner: Py<PyAny>,
    pub(crate) peer: SocketAddr,
    pub(crate) host: SocketAddr,
}

/// One connected byte stream.
#[pyclass(
    frozen,
    subclass,
    weakref,
    dict,
    name = "Stream",
    module = "torsion._native"
)]
pub(crate) struct PyStream {
    /// False in the moments between the allocation of the object, zeroed and known to the collector, and its first
    /// fields: Python 3.11 may collect right then, to make the `__dict__` of a subclass.
    born: bool,
    shared: Arc<Shared>,
    token: Token,
    peer: SocketAddr,
    host: SocketAddr,
    lost: AtomicBool,
    /// Whether this side has asked for the end.  Receivers of lines look at it after every line, so it is kept here.
    closing: AtomicBool,
    streaming: AtomicBool,
    owner: Slot,
    protocol: Slot,
    producer: Slot,
    /// What `raised` returned for the hook that raised.
    reason: Slot,
}

impl PyStream {
    /// Who is told of the stream's end.
    pub(crate) fn owner_of<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.owner.get(py)
    }

    /// Whom bytes are delivered to.
    #[inline]
    pub(crate) fn protocol_of<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.protocol.get(py)
    }

    /// Who writes to the stream, and wants to be told when.
    pub(crate) fn producer_of<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.producer.get(py)
    }

    /// The stream is gone: nothing but the protocol is kept, and the reason is given out.
    pub(crate) fn end(&self, py: Python<'_>) -> (Option<Py<PyAny>>, Option<Py<PyAny>>) {
        self.lost.store(true, Ordering::Relaxed);
        let _ = py;
        (self.producer.set(None), self.reason.set(None))
    }

    /// A hook raised: the connection goes, for this reason.
    pub(crate) fn fail(&self, reason: Py<PyAny>) {
        if let Some(state) = self.shared.enter_if_ours() {
            state.fail(self.token);
        }
        drop(self.reason.set(Some(reason)));
    }

    /// Applies `change` unless the stream is gone.
    fn socket<R>(&self, change: impl FnOnce(SockRef<'_>) -> std::io::Result<R>) -> PyResult<R> {
        let changed = self
            .shared
            .enter()?
            .stream(self.token, |stream| stream.socket().map(change))
            .flatten();
        changed
            .ok_or_else(|| error::closed("connection"))?
            .map_err(|error| error::system(&error))
    }
}

#[pymethods]
impl PyStream {
    #[new]
    fn new(engine: &Bound<'_, PyEngine>) -> PyResult<Self> {
        let Some(nascent) = engine.get().deliver() else {
            return Err(PyTypeError::new_err(
                "streams are made by their engine; use reactor.listenTCP, reactor.connectTCP or an endpoint",
            ));
        };
        Ok(Self {
            born: true,
            shared: Arc::clone(engine.get().shared()),
            token: nascent.token,
            peer: nascent.peer,
            host: nascent.host,
            lost: AtomicBool::new(false),
            closing: AtomicBool::new(false),
            streaming: AtomicBool::new(false),
            owner: Slot::new(nascent.owner),
            protocol: Slot::empty(),
            producer: Slot::empty(),
            reason: Slot::empty(),
        })
    }

    #[getter]
    fn protocol<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.protocol.get(py)
    }

    #[setter]
    fn set_protocol(&self, protocol: Bound<'_, PyAny>) {
        let protocol = (!protocol.is_none()).then(|| protocol.unbind());
        drop(self.protocol.set(protocol));
    }

    #[getter]
    fn owner<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.owner.get(py)
    }

    #[getter]
    fn connected(&self) -> bool {
        !self.lost.load(Ordering::Relaxed)
    }

    #[getter]
    fn disconnected(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    #[getter]
    fn disconnecting(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    #[getter]
    fn producer<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.producer.get(py)
    }

    #[getter(streamingProducer)]
    fn streaming_producer(&self) -> bool {
        self.streaming.load(Ordering::Relaxed)
    }

    fn write(slf: &Bound<'_, Self>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let this = slf.get();
        let chunk = Chunk::from_object(data)?;
        let wrote = this.shared.enter()?.write(this.token, chunk);
        if matches!(wrote, Wrote::Full) {
            upcall::pause(slf);
        }
        Ok(())
    }

    #[pyo3(name = "writeSequence")]
    fn write_sequence(slf: &Bound<'_, Self>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let this = slf.get();
        // Everything is looked at before anything is queued: a piece of a wrong type must not leave half a message.
        let chunks = data
            .try_iter()?
            .map(|piece| Chunk::from_object(&piece?))
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

    #[pyo3(name = "loseConnection")]
    fn lose_connection(&self) -> PyResult<()> {
        self.shared.enter()?.lose(self.token);
        self.closing.store(true, Ordering::Relaxed);
        Ok(())
    }

    #[pyo3(name = "abortConnection")]
    fn abort_connection(&self) -> PyResult<()> {
        self.shared.enter()?.abort(self.token);
        self.closing.store(true, Ordering::Relaxed);
        Ok(())
    }

    #[pyo3(name = "loseWriteConnection")]
    fn lose_write_connection(&self) -> PyResult<()> {
        self.shared.enter()?.lose_write(self.token);
        Ok(())
    }

    #[pyo3(name = "pauseProducing")]
    fn pause_producing(&self) -> PyResult<()> {
        self.shared.enter()?.pause(self.token);
        Ok(())
    }

    #[pyo3(name = "resumeProducing")]
    fn resume_producing(&self) -> PyResult<()> {
        self.shared.enter()?.resume(self.token);
        Ok(())
    }

    #[pyo3(name = "stopReading")]
    fn stop_reading(&self) -> PyResult<()> {
        self.pause_producing()
    }

    #[pyo3(name = "startReading")]
    fn start_reading(&self) -> PyResult<()> {
        self.resume_producing()
    }

    #[pyo3(name = "stopProducing")]
    fn stop_producing(&self) -> PyResult<()> {
        self.lose_connection()
    }

    #[pyo3(name = "registerProducer")]
    fn register_producer(
        slf: &Bound<'_, Self>,
        producer: Bound<'_, PyAny>,
        streaming: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let (py, this) = (slf.py(), slf.get());
        let streaming = streaming.is_truthy()?;
        if let Some(before) = this.producer.get(py) {
            return Err(PyRuntimeError::new_err(format!(
                "cannot register producer {producer:?}: producer {before:?} was never unregistered; \
                 call unregisterProducer() first"
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

    #[pyo3(name = "unregisterProducer")]
    fn unregister_producer(&self) -> PyResult<()> {
        let state = self.shared.enter()?; // first, as another thread must not take the producer away
        let producer = self.producer.set(None);
        state.unregister_producer(self.token);
        drop(state);
        drop(producer);
        Ok(())
    }

    fn host_address<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        address::to_python(py, self.host)
    }

    fn peer_address<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        address::to_python(py, self.peer)
    }

    #[pyo3(name = "getTcpNoDelay")]
    fn tcp_no_delay(&self) -> PyResult<bool> {
        self.socket(|socket| socket.tcp_nodelay())
    }

    #[pyo3(name = "setTcpNoDelay")]
    fn set_tcp_no_delay(&self, enabled: &Bound<'_, PyAny>) -> PyResult<()> {
        let enabled = enabled.is_truthy()?;
        self.socket(|socket| socket.set_tcp_nodelay(enabled))
    }

    #[pyo3(name = "getTcpKeepAlive")]
    fn tcp_keep_alive(&self) -> PyResult<bool> {
        self.socket(|socket| socket.keepalive())
    }

    #[pyo3(name = "setTcpKeepAlive")]
    fn set_tcp_keep_alive(&self, enabled: &Bound<'_, PyAny>) -> PyResult<()> {
        let enabled = enabled.is_truthy()?;
        self.socket(|socket| socket.set_keepalive(enabled))
    }

    fn fileno(&self) -> PyResult<i32> {
        let state = self.shared.enter()?;
        Ok(state
            .stream(self.token, |stream| {
                stream.socket().map(|socket| descriptor(&*socket))
            })
            .flatten()
            .unwrap_or(-1))
    }

    fn statistics<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let figures = self
            .shared
            .enter()?
            .stream(self.token, torsion_reactor::Stream::statistics)
            .unwrap_or_default();
        let record = PyDict::new(py);
        record.set_item("bytes_read", figures.bytes_read)?;
        record.set_item("bytes_written", figures.bytes_written)?;
        record.set_item("bytes_queued", figures.bytes_queued)?;
        Ok(record)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if !self.born {
            return Ok(());
        }
        self.owner.traverse(visit)?;
        self.protocol.traverse(visit)?;
        self.producer.traverse(visit)?;
        self.reason.traverse(visit)
    }

    fn __clear__(&self) {
        self.owner.clear();
        self.protocol.clear();
        self.producer.clear();
        self.reason.clear();
    }
}
