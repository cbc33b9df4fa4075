//! `Stream`: one connected byte stream, with the names of `ITCPTransport`, `IConsumer` and `IPushProducer`.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use torsion_reactor::tls::StartError;
use torsion_reactor::{Address, Peer, SockRef, Token, Wrote};

use crate::address;
use crate::bytes::Chunk;
use crate::engine::PyEngine;
use crate::error;
use crate::listener::descriptor;
use crate::names;
use crate::shared::Shared;
use crate::slot::Slot;
use crate::tls::PyTlsContext;
use crate::upcall;

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
    /// Who the peer is, once TLS stands.
    tls: OnceLock<Arc<Peer>>,
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
        let _ = self.tls.set(peer); // there is one handshake only
    }

    /// TLS failed: that is the reason to give.
    pub(crate) fn note_failure(&self, details: Py<PyAny>) {
        drop(self.reason.set(Some(details)));
    }

    fn tls_peer(&self) -> Option<&Peer> {
        self.tls.get().map(Arc::as_ref)
    }

    /// Whether this side has asked for the end.
    #[inline]
    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    /// `transport`, if it is a stream whose class has left `write` and `disconnecting` as they are here.
    #[expect(
        unsafe_code,
        reason = "asked for each line; what the interpreter keeps for its own caches tells it in a tenth of the time"
    )]
    #[inline]
    pub(crate) fn unaltered<'a, 'py>(
        transport: &'a Bound<'py, PyAny>,
    ) -> PyResult<Option<&'a Bound<'py, Self>>> {
        let Ok(stream) = transport.cast::<Self>() else {
            return Ok(None);
        };
        let class = transport.get_type_ptr();
        // SAFETY: an object's class is alive as long as the object, and the interpreter is ours.  Whoever changes the
        // class or one of its bases makes this number another one, or zero.
        let version = unsafe { (*class).tp_version_tag };
        if version != 0 && version == stream.get().unaltered.load(Ordering::Relaxed) {
            return Ok(Some(stream));
        }
        Self::look_for_alterations(stream).map(|altered| (!altered).then_some(stream))
    }

    #[expect(unsafe_code, reason = "as in `unaltered`")]
    #[cold]
    fn look_for_alterations(slf: &Bound<'_, Self>) -> PyResult<bool> {
        let py = slf.py();
        let (class, native) = (slf.get_type(), py.get_type::<Self>());
        for name in [names::write(py), names::disconnecting(py)] {
            if !class.getattr(name)?.is(&native.getattr(name)?) {
                return Ok(true);
            }
        }
        // SAFETY: as in `unaltered`.  The lookups above have given the class a number, if there are any left.
        let version = unsafe { (*class.as_type_ptr()).tp_version_tag };
        slf.get().unaltered.store(version, Ordering::Relaxed);
        Ok(false)
    }

    /// Whether the stream itself, not its class, was given a `write`.
    #[expect(
        unsafe_code,
        reason = "asked for each line, and nearly always there is no dictionary; asking for it would make one"
    )]
    #[inline]
    fn has_own_write(slf: &Bound<'_, Self>) -> PyResult<bool> {
        let py = slf.py();
        // SAFETY: an object's class is alive as long as the object.
        let offset = unsafe { (*slf.get_type_ptr()).tp_dictoffset };
        let Ok(offset @ 1..) = usize::try_from(offset) else {
            return Ok(true); // kept in some other way: the caller does without the shortcut
        };
        // SAFETY: a positive offset is that of the pointer to the dictionary, within the object.
        let place = unsafe { slf.as_ptr().byte_add(offset) };
        // SAFETY: it is aligned as pointers are, and nobody writes it while the interpreter is ours.
        let dict = unsafe { place.cast::<*mut pyo3::ffi::PyObject>().read() };
        // SAFETY: it is null or the object's own reference to a dictionary, which is taken a share of here.
        match unsafe { Bound::from_borrowed_ptr_or_opt(py, dict) } {
            None => Ok(false),
            Some(dict) => dict.contains(names::write(py)),
        }
    }

    /// Does what `write(head + tail)` does, or returns false: `write` is not the native one.
    #[inline]
    pub(crate) fn write_pair(
        slf: &Bound<'_, Self>,
        head: &Bound<'_, PyBytes>,
        tail: &Bound<'_, PyBytes>,
    ) -> PyResult<bool> {
        if Self::has_own_write(slf)? {
            return Ok(false);
        }
        let this = slf.get();
        let (head, tail) = (head.as_bytes(), tail.as_bytes());
        let wrote = {
            let state = this.shared.enter()?;
            match state.write_pair(this.token, head, tail) {
                Some(wrote) => wrote,
                None => state.write(this.token, Chunk::joined(slf.py(), head, tail)?),
            }
        };
        if matches!(wrote, Wrote::Full) {
            upcall::pause(slf);
        }
        Ok(true)
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
            tls: OnceLock::new(),
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
        let chunk = this.chunk(data)?;
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

    #[pyo3(name = "loseConnection")]
    fn lose_connection(&self) -> PyResult<()> {
        self.shared.enter()?.lose(self.token);
        self.note_closing();
        Ok(())
    }

    #[pyo3(name = "abortConnection")]
    fn abort_connection(&self) -> PyResult<()> {
        self.shared.enter()?.abort(self.token);
        self.note_closing();
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
        producer: Bound<'_, PyAny>,
        streaming: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let (py, this) = (slf.py(), slf.get());
        let streaming = streaming.is_truthy()?;
        if let Some(before) = this.producer.get(py) {
            return Err(PyRuntimeError::new_err(format!(
                "cannot register producer {}: producer {} was never unregistered; call unregisterProducer() first",
                error::shown(&producer),
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

    #[pyo3(name = "unregisterProducer")]
    fn unregister_producer(&self) -> PyResult<()> {
        let state = self.shared.enter()?; // first, as another thread must not take the producer away
        let producer = self.producer.set(None);
        self.streaming.store(false, Ordering::Relaxed);
        state.unregister_producer(self.token);
        drop(state);
        drop(producer);
        Ok(())
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
