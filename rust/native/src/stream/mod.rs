//! `Stream`: one connected byte stream, with the names of `ITCPTransport`, `IConsumer` and `IPushProducer`.
//!
//! What a program asks of its connection is asked of the *divert*, where there is one; see [`bypass`].

mod bypass;
mod file;
mod shortcuts;

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use torsion_reactor::tls::StartError;
use torsion_reactor::{Address, Peer, SockRef, Time, Token, Wrote};

use crate::address;
use crate::bytes::Chunk;
use crate::engine::PyEngine;
use crate::error;
use crate::figures::Moment;
use crate::listener::descriptor;
use crate::names;
use crate::shared::Shared;
use crate::slot::Slot;
use crate::tls::PyTlsContext;
use crate::upcall;

pub(crate) use bypass::PyBypass;
use bypass::tell;

/// What a stream is made of; the engine leaves it for `Stream.__new__`.
pub(crate) struct Nascent {
    pub(crate) token: Token,
    pub(crate) owner: Py<PyAny>,
    pub(crate) peer: Address,
    pub(crate) host: Address,
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
    /// When it was opened; so small that it takes none of a stream's room.
    opened: Moment,
    peer: Address,
    host: Address,
    lost: AtomicBool,
    /// Whether this side has asked for the end.  Receivers of lines look at it after every line, so it is kept here.
    closing: AtomicBool,
    streaming: AtomicBool,
    /// The version of the class that was found to have `write` and `disconnecting` as they are here; 0 for none.
    unaltered: AtomicU32,
    owner: Slot,
    protocol: Slot,
    producer: Slot,
    /// What `raised` returned for the hook that raised, or what TLS failed with.
    reason: Slot,
    /// Whether TLS was started.
    secure: AtomicBool,
    /// Whether there is a divert.
    diverted: AtomicBool,
    /// In a box, and the two in one, so that a stream that needs neither is no larger for them.
    security: OnceLock<Box<Security>>,
}

/// What secures a stream.
enum Security {
    /// The engine, with this peer.
    Native(Arc<Peer>),
    /// Somebody above, whom programs speak to in the stream's stead: the divert.
    Above(Slot),
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
    pub(crate) fn end(&self) -> (Option<Py<PyAny>>, Option<Py<PyAny>>) {
        self.lost.store(true, Ordering::Relaxed);
        self.streaming.store(false, Ordering::Relaxed);
        (self.producer.set(None), self.reason.set(None))
    }

    /// This side has asked for the end, unless that has come already.
    fn note_closing(&self) {
        self.closing
            .store(!self.lost.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// A hook raised: the connection goes, for this reason.
    pub(crate) fn fail(&self, reason: Py<PyAny>) {
        if let Some(state) = self.shared.enter_if_ours() {
            state.fail(self.token);
        }
        drop(self.reason.set(Some(reason)));
    }

    /// The TLS handshake is over.
    pub(crate) fn note_secured(&self, peer: Arc<Peer>) {
        let _ = self.security.set(Box::new(Security::Native(peer))); // there is one handshake only
    }

    /// TLS failed: that is the reason to give.
    pub(crate) fn note_failure(&self, details: Py<PyAny>) {
        drop(self.reason.set(Some(details)));
    }

    fn tls_peer(&self) -> Option<&Peer> {
        match self.security.get().map(Box::as_ref) {
            Some(Security::Native(peer)) => Some(peer),
            _ => None,
        }
    }

    /// When it was opened, to the microsecond.
    pub(crate) fn opened(&self) -> Time {
        self.opened.time()
    }

    /// Its number in the engine.
    pub(crate) const fn token(&self) -> Token {
        self.token
    }

    /// Whether this side has asked for the end.
    #[inline]
    pub(crate) fn is_closing(slf: &Bound<'_, Self>) -> PyResult<bool> {
        if slf.get().closing.load(Ordering::Relaxed) {
            return Ok(true);
        }
        match slf.get().divert_of(slf.py()) {
            None => Ok(false),
            Some(filter) => filter.getattr(names::disconnecting(slf.py()))?.is_truthy(),
        }
    }

    /// Has the engine ask for descriptors if the protocol may want them, which is dearer than bytes alone.
    #[cfg(unix)]
    fn look_for_receiver(&self, protocol: &Bound<'_, PyAny>) {
        let name = names::file_descriptor_received(protocol.py());
        // A protocol whose attributes cannot be looked at takes none.
        let wanted = protocol.hasattr(name).unwrap_or(false);
        if let Some(state) = self.shared.enter_if_ours() {
            state.want_descriptors(self.token, wanted);
        }
    }

    /// Takes what a program wants to have written.
    #[inline]
    fn chunk(&self, data: &Bound<'_, PyAny>) -> PyResult<Chunk> {
        Chunk::from_object(data).map_err(|error| self.shared.errors.not_bytes(data.py(), error))
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
            opened: Moment::of(engine.get().shared().clock.now()),
            peer: nascent.peer,
            host: nascent.host,
            lost: AtomicBool::new(false),
            closing: AtomicBool::new(false),
            streaming: AtomicBool::new(false),
            unaltered: AtomicU32::new(0),
            owner: Slot::new(nascent.owner),
            protocol: Slot::empty(),
            producer: Slot::empty(),
            reason: Slot::empty(),
            secure: AtomicBool::new(false),
            diverted: AtomicBool::new(false),
            security: OnceLock::new(),
        })
    }

    #[getter]
    fn protocol<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.protocol.get(py)
    }

    #[setter]
    fn set_protocol(&self, protocol: Bound<'_, PyAny>) {
        #[cfg(unix)]
        if matches!(self.peer, Address::Unix(_)) {
            self.look_for_receiver(&protocol);
        }
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
    fn disconnecting(slf: &Bound<'_, Self>) -> PyResult<bool> {
        Self::is_closing(slf)
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
        match slf.get().divert_of(slf.py()) {
            None => Self::put(slf, data),
            Some(filter) => tell(&filter, names::write, (data,)),
        }
    }

    #[pyo3(name = "writeSequence")]
    fn write_sequence(slf: &Bound<'_, Self>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        match slf.get().divert_of(slf.py()) {
            None => Self::put_all(slf, data),
            Some(filter) => tell(&filter, names::write_sequence, (data,)),
        }
    }

    #[pyo3(name = "loseConnection")]
    fn lose_connection(&self, py: Python<'_>) -> PyResult<()> {
        match self.divert_of(py) {
            None => self.lose(),
            Some(filter) => tell(&filter, names::lose_connection, ()),
        }
    }

    #[pyo3(name = "abortConnection")]
    fn abort_connection(&self, py: Python<'_>) -> PyResult<()> {
        match self.divert_of(py) {
            None => self.abort(),
            Some(filter) => tell(&filter, names::abort_connection, ()),
        }
    }

    #[pyo3(name = "loseWriteConnection")]
    fn lose_write_connection(&self, py: Python<'_>) -> PyResult<()> {
        match self.divert_of(py) {
            None => self.lose_write(),
            Some(filter) => tell(&filter, names::lose_write_connection, ()),
        }
    }

    #[pyo3(name = "pauseProducing")]
    fn pause_producing(&self, py: Python<'_>) -> PyResult<()> {
        match self.divert_of(py) {
            None => self.pause(),
            Some(filter) => tell(&filter, names::pause_producing, ()),
        }
    }

    #[pyo3(name = "resumeProducing")]
    fn resume_producing(&self, py: Python<'_>) -> PyResult<()> {
        match self.divert_of(py) {
            None => self.resume(),
            Some(filter) => tell(&filter, names::resume_producing, ()),
        }
    }

    #[pyo3(name = "stopProducing")]
    fn stop_producing(&self, py: Python<'_>) -> PyResult<()> {
        self.lose_connection(py)
    }

    #[pyo3(name = "stopReading")]
    fn stop_reading(&self) -> PyResult<()> {
        self.pause()
    }

    #[pyo3(name = "startReading")]
    fn start_reading(&self) -> PyResult<()> {
        self.resume()
    }

    #[getter]
    fn reading(&self) -> bool {
        let Some(state) = self.shared.enter_if_ours() else {
            return false;
        };
        let reading = state.stream(self.token, torsion_reactor::Stream::is_reading);
        reading.unwrap_or_default()
    }

    fn set_high_water(&self, size: u32) -> PyResult<()> {
        self.shared.enter()?.set_high_water(self.token, size);
        Ok(())
    }

    fn discard(slf: &Bound<'_, Self>) -> PyResult<()> {
        let this = slf.get();
        let held = this.shared.enter()?.discard_stream(this.token);
        if held.is_some() {
            drop(this.end());
        }
        drop(held);
        Ok(())
    }

    #[pyo3(name = "registerProducer")]
    fn register_producer(
        slf: &Bound<'_, Self>,
        producer: &Bound<'_, PyAny>,
        streaming: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        match slf.get().divert_of(slf.py()) {
            None => Self::register(slf, producer, streaming),
            Some(filter) => tell(&filter, names::register_producer, (producer, streaming)),
        }
    }

    #[pyo3(name = "unregisterProducer")]
    fn unregister_producer(&self, py: Python<'_>) -> PyResult<()> {
        match self.divert_of(py) {
            None => self.unregister(),
            Some(filter) => tell(&filter, names::unregister_producer, ()),
        }
    }

    #[pyo3(signature = (filter, /))]
    fn divert(&self, filter: &Bound<'_, PyAny>) -> PyResult<()> {
        self.set_divert(filter)
    }

    fn bypass(slf: &Bound<'_, Self>) -> PyBypass {
        PyBypass::new(slf)
    }

    #[getter]
    fn diverted<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.divert_of(py)
    }

    fn host_address<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        address::to_python(py, &self.host)
    }

    fn peer_address<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        address::to_python(py, &self.peer)
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
            .lend_socket(self.token, |socket| descriptor(&*socket))
            .unwrap_or(-1))
    }

    #[pyo3(signature = (context, server_name = None, /))]
    fn start_tls(
        &self,
        context: &Bound<'_, PyTlsContext>,
        server_name: Option<&str>,
    ) -> PyResult<()> {
        let config = context.get().config();
        let started = self
            .shared
            .enter()?
            .start_tls(self.token, config, server_name);
        started.map_err(|error| match error {
            StartError::BadName(_) | StartError::NoName => PyValueError::new_err(error.to_string()),
            _ => PyRuntimeError::new_err(error.to_string()),
        })?;
        self.secure.store(true, Ordering::Relaxed);
        Ok(())
    }

    #[getter]
    fn secure(&self) -> bool {
        self.secure.load(Ordering::Relaxed)
    }

    fn negotiated_protocol(&self) -> Option<&[u8]> {
        self.tls_peer()?.protocol.as_deref()
    }

    fn peer_certificates<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, PyBytes>> {
        self.tls_peer().map_or_else(Vec::new, |peer| {
            peer.certificates
                .iter()
                .map(|certificate| PyBytes::new(py, certificate))
                .collect()
        })
    }

    fn tls_version(&self) -> Option<u16> {
        self.tls_peer().map(|peer| peer.version)
    }

    fn tls_cipher(&self) -> Option<&str> {
        self.tls_peer().map(|peer| &*peer.cipher)
    }

    fn tls_server_name(&self) -> Option<&str> {
        self.tls_peer()?.server_name.as_deref()
    }

    fn tls_resumed(&self) -> bool {
        self.tls_peer().is_some_and(|peer| peer.resumed)
    }

    #[cfg(unix)]
    fn send_descriptor(slf: &Bound<'_, Self>, fd: i32) -> PyResult<()> {
        let this = slf.get();
        let state = this.shared.enter()?;
        let descriptor = crate::descriptor::duplicate(fd)?;
        let wrote = state.pass(this.token, descriptor).ok_or_else(|| {
            PyTypeError::new_err("descriptors can be sent over Unix sockets only")
        })?;
        drop(state);
        if matches!(wrote, Wrote::Full) {
            upcall::pause(slf);
        }
        Ok(())
    }

    #[cfg(unix)]
    fn send_file(slf: &Bound<'_, Self>, fd: i32, offset: u64, count: usize) -> PyResult<()> {
        Self::put_file(slf, fd, offset, count)
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
        if let Some(filter) = self.divert_slot() {
            filter.traverse(visit)?;
        }
        self.reason.traverse(visit)
    }

    fn __clear__(&self) {
        self.owner.clear();
        self.protocol.clear();
        self.producer.clear();
        self.reason.clear();
        if let Some(filter) = self.divert_slot() {
            filter.clear();
        }
    }
}
