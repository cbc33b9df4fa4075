//! Every call from Rust to Python, and what happens when it raises.
//!
//! A hook that raises loses its own connection and nothing else: the exception goes to the owner's `raised`, which logs it
//! and returns the reason that `lost` will be given.  Exceptions of timers and of calls from threads go to the engine's
//! owner.  What `raised` itself raises can only be reported as unraisable.  `SystemExit` and `KeyboardInterrupt` are no
//! exception to this, as in Twisted: a reactor is stopped with `reactor.stop()`.

use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::sync::Arc;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
#[cfg(unix)]
use pyo3::types::PyList;
use pyo3::types::{PyBytes, PyType};

use torsion_reactor::{Address, CloseReason, Failure, Peer, Sink, Tick, Token, Wants};

use crate::address;
use crate::bytes::Lease;
use crate::call::Call;
use crate::connector::PyConnector;
use crate::datagram::PyDatagram;
use crate::engine::PyEngine;
use crate::handles::Objects;
use crate::listener::PyListener;
use crate::names;
use crate::panic;
use crate::serving::Served;
use crate::stream::{Nascent, PyStream};
use crate::timer::PyTimer;
use crate::tls;
use crate::watch::PyWatch;

#[cfg(feature = "test-support")]
use crate::test_support::fault;

/// Where a test may ask for a fault; nothing in a release.
#[cfg(not(feature = "test-support"))]
#[inline]
fn fault(_upcall: &str) {}

/// The engine's way up to Python.
pub(crate) struct Upcalls<'a, 'py> {
    engine: &'a Bound<'py, PyEngine>,
}

impl<'a, 'py> Upcalls<'a, 'py> {
    pub(crate) const fn new(engine: &'a Bound<'py, PyEngine>) -> Self {
        Self { engine }
    }

    fn py(&self) -> Python<'py> {
        self.engine.py()
    }

    /// Notes whom the hook that is about to be called is about.
    #[inline]
    fn serving<'b, T>(&'b self, served: &'b Bound<'_, T>) -> Served<'b> {
        self.engine.get().serving_note().note(served)
    }

    /// Makes a stream of the class that the owner asked for.
    pub(crate) fn make_stream(
        &self,
        class: &Py<PyType>,
        nascent: Nascent,
    ) -> PyResult<Py<PyStream>> {
        let py = self.py();
        self.engine.get().conceive(nascent);
        let made = class.bind(py).call1((self.engine,));
        drop(self.engine.get().deliver()); // a class that made no stream must not leave it to the next one
        Ok(made?.cast_into::<PyStream>()?.unbind())
    }

    /// Tells a stream's owner of its end.
    pub(crate) fn tell_lost(&self, stream: Py<PyStream>, reason: CloseReason) {
        let py = self.py();
        let stream = stream.bind(py);
        let _serving = self.serving(stream);
        let (producer, raised) = stream.get().end();
        if let Some(producer) = producer {
            if let Err(error) = producer.call_method0(py, names::stop_producing(py)) {
                drop(blame(stream, error));
            }
        }
        let Some(owner) = stream.get().owner_of(py) else {
            return;
        };
        let told = owner.call_method1(
            names::lost(py),
            (stream, reason.code(), reason.errno(), raised),
        );
        if let Err(error) = told {
            drop(blame(stream, error));
        }
    }

    /// A datagram socket's hook raised: it is logged, and the socket goes on.
    fn blame_datagram(&self, datagram: &Bound<'_, PyDatagram>, error: PyErr) {
        match datagram.get().owner_of(self.py()) {
            Some(owner) => complain(&owner, datagram.as_any(), error),
            None => self.blame_engine(datagram.as_any(), error), // the hook has closed it
        }
    }

    /// An exception from something that is no connection's.
    fn blame_engine(&self, source: &Bound<'_, PyAny>, error: PyErr) {
        let py = self.py();
        match self.engine.get().owner(py) {
            Some(owner) => complain(&owner, source, error),
            None => error.write_unraisable(py, Some(source)),
        }
    }
}

/// Tells `owner` that `error` came out of `source`; whatever it answers is given back.
fn tell_raised<'py>(
    owner: &Bound<'py, PyAny>,
    source: &Bound<'py, PyAny>,
    error: PyErr,
) -> Option<Bound<'py, PyAny>> {
    let py = owner.py();
    // Into a value, not its value: before Python 3.12 an exception gets its traceback only then.
    match owner.call_method1(names::raised(py), (source, error.into_value(py))) {
        Ok(reason) => Some(reason),
        Err(worse) => {
            worse.write_unraisable(py, Some(source));
            None
        }
    }
}

/// As [`tell_raised`], where no answer is wanted.
fn complain(owner: &Bound<'_, PyAny>, source: &Bound<'_, PyAny>, error: PyErr) {
    drop(tell_raised(owner, source, error));
}

/// A stream's hook raised: its owner logs it and gives the reason.
fn blame(stream: &Bound<'_, PyStream>, error: PyErr) -> Option<Py<PyAny>> {
    let py = stream.py();
    match stream.get().owner_of(py) {
        Some(owner) => tell_raised(&owner, stream.as_any(), error).map(Bound::unbind),
        None => {
            error.write_unraisable(py, Some(stream.as_any()));
            None
        }
    }
}

/// A stream's hook raised: it is logged, and the connection lost.
fn fail(stream: &Bound<'_, PyStream>, error: PyErr) {
    let reason = blame(stream, error).unwrap_or_else(|| stream.py().None());
    stream.get().fail(reason);
}

/// The outbox is full: the producer is told, from within `write` as Twisted does.
pub(crate) fn pause(stream: &Bound<'_, PyStream>) {
    let py = stream.py();
    if let Some(producer) = stream.get().producer_of(py) {
        if let Err(error) = producer.call_method0(names::pause_producing(py)) {
            fail(stream, error);
        }
    }
}

impl<'py> Sink<Objects> for Upcalls<'_, 'py> {
    type Data = PyResult<Bound<'py, PyBytes>>;
    type Lease = Lease;

    fn park<R: Send>(&self, wait: impl FnOnce() -> R + Send) -> R {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that lets other threads run"
        )]
        self.py().detach(wait)
    }

    fn share_stream(&self, stream: &Py<PyStream>) -> Py<PyStream> {
        stream.clone_ref(self.py())
    }

    fn share_listener(&self, listener: &Py<PyListener>) -> Py<PyListener> {
        listener.clone_ref(self.py())
    }

    fn share_datagram(&self, datagram: &Py<PyDatagram>) -> Py<PyDatagram> {
        datagram.clone_ref(self.py())
    }

    fn share_watch(&self, watch: &Py<PyWatch>) -> Py<PyWatch> {
        watch.clone_ref(self.py())
    }

    fn copy(&self, bytes: &[u8]) -> Self::Data {
        Ok(PyBytes::new(self.py(), bytes))
    }

    fn lend(&self, size: usize) -> Option<Lease> {
        Lease::new(self.py(), size)
    }

    fn accept_lease(&self, lease: Lease, filled: usize) -> Self::Data {
        lease.finish(self.py(), filled)
    }

    fn fire(&self, timer: Py<PyTimer>) {
        fault("fire");
        let py = self.py();
        let timer = timer.bind(py);
        let Some(call) = timer.get().take() else {
            return;
        };
        if let Err(error) = call.make(py) {
            self.blame_engine(call.function.bind(py), error);
        }
    }

    fn call(&self, call: Call) {
        fault("call");
        let py = self.py();
        if let Err(error) = call.make(py) {
            self.blame_engine(call.function.bind(py), error);
        }
    }

    #[inline]
    fn data(&self, stream: &Py<PyStream>, data: Self::Data) {
        fault("data");
        let py = self.py();
        let stream = stream.bind(py);
        let _serving = self.serving(stream);
        let Some(protocol) = stream.get().protocol_of(py) else {
            return; // nobody listens yet, or no more
        };
        // Without memory for what came in, there is nothing to deliver, and no going on without it.
        let delivered =
            data.and_then(|data| protocol.call_method1(names::data_received(py), (data,)));
        if let Err(error) = delivered {
            fail(stream, error);
        }
    }

    #[cfg(unix)]
    fn passed(&self, stream: &Py<PyStream>, descriptors: Vec<std::os::fd::OwnedFd>) {
        use std::os::fd::{AsRawFd, IntoRawFd};
        let py = self.py();
        let stream = stream.bind(py);
        let _serving = self.serving(stream);
        let Some(owner) = stream.get().owner_of(py) else {
            return;
        };
        let numbers = descriptors.iter().map(AsRawFd::as_raw_fd);
        let told = PyList::new(py, numbers.collect::<Vec<_>>()).and_then(|numbers| {
            // From here on they are the owner's.
            for descriptor in descriptors {
                let _ = descriptor.into_raw_fd();
            }
            owner.call_method1(names::passed(py), (stream, numbers))
        });
        if let Err(error) = told {
            fail(stream, error);
        }
    }

    fn eof(&self, stream: &Py<PyStream>) -> bool {
        let py = self.py();
        let stream = stream.bind(py);
        let _serving = self.serving(stream);
        let (Some(protocol), Some(owner)) =
            (stream.get().protocol_of(py), stream.get().owner_of(py))
        else {
            return false;
        };
        // Most protocols do not care for half a connection; those are not worth a call.
        match protocol.getattr_opt(names::read_connection_lost(py)) {
            Ok(None) => return false,
            Ok(Some(_)) => {}
            Err(error) => {
                fail(stream, error);
                return false;
            }
        }
        match owner
            .call_method1(names::eof(py), (stream,))
            .and_then(|goes_on| goes_on.is_truthy())
        {
            Ok(goes_on) => goes_on,
            Err(error) => {
                fail(stream, error);
                false
            }
        }
    }

    fn write_closed(&self, stream: &Py<PyStream>) {
        let py = self.py();
        let stream = stream.bind(py);
        let _serving = self.serving(stream);
        if let Some(owner) = stream.get().owner_of(py) {
            if let Err(error) = owner.call_method1(names::write_closed(py), (stream,)) {
                fail(stream, error);
            }
        }
    }

    fn resume(&self, stream: &Py<PyStream>) {
        let py = self.py();
        let stream = stream.bind(py);
        let _serving = self.serving(stream);
        if let Some(producer) = stream.get().producer_of(py) {
            if let Err(error) = producer.call_method0(names::resume_producing(py)) {
                fail(stream, error);
            }
        }
    }

    fn secured(&self, stream: &Py<PyStream>, peer: Arc<Peer>) {
        let py = self.py();
        let stream = stream.bind(py);
        let _serving = self.serving(stream);
        stream.get().note_secured(peer);
        if let Some(owner) = stream.get().owner_of(py) {
            if let Err(error) = owner.call_method1(names::secured(py), (stream,)) {
                fail(stream, error);
            }
        }
    }

    fn tls_failed(&self, stream: &Py<PyStream>, failure: Box<Failure>) {
        let py = self.py();
        // Without memory for the details, the reason alone is told.
        if let Ok(details) = tls::details(py, &failure) {
            stream.get().note_failure(details.unbind().into_any());
        }
    }

    fn lost(&self, stream: Py<PyStream>, reason: CloseReason) {
        self.tell_lost(stream, reason);
    }

    fn adopt(
        &self,
        listener: &Py<PyListener>,
        token: Token,
        peer: &Address,
    ) -> Option<Py<PyStream>> {
        let py = self.py();
        let listener = listener.bind(py);
        let owner = listener.get().owner(py)?;
        let host = listener.get().host_of(self.engine, token)?;
        let nascent = Nascent {
            token,
            owner: owner.clone().unbind(),
            peer: peer.clone(),
            host,
        };
        match self.make_stream(listener.get().streams(), nascent) {
            Ok(stream) => Some(stream),
            Err(error) => {
                complain(&owner, listener.as_any(), error);
                None
            }
        }
    }

    fn accepted(&self, listener: &Py<PyListener>, stream: &Py<PyStream>, peer: &Address) {
        fault("accepted");
        let py = self.py();
        let stream = stream.bind(py);
        let Some(owner) = listener.get().owner(py) else {
            return;
        };
        let _serving = self.serving(&owner);
        let told = address::to_python(py, peer).and_then(|peer| {
            owner
                .call_method1(names::accepted(py), (stream, peer))
                .map(drop)
        });
        if let Err(error) = told {
            fail(stream, error);
        }
    }

    fn accept_failed(&self, listener: &Py<PyListener>, errno: i32) {
        let py = self.py();
        let Some(owner) = listener.get().owner(py) else {
            return;
        };
        if let Err(error) = owner.call_method1(names::accept_failed(py), (errno,)) {
            complain(&owner, listener.bind(py).as_any(), error);
        }
    }

    fn adopt_connected(&self, connector: &Py<PyConnector>, token: Token) -> Option<Py<PyStream>> {
        let py = self.py();
        let connector = connector.bind(py);
        let owner = connector.get().owner(py)?;
        let peer = connector.get().peer.clone();
        let host = local_address(self.engine, token).unwrap_or_else(|| peer.clone());
        let nascent = Nascent {
            token,
            owner: owner.clone().unbind(),
            peer,
            host,
        };
        match self.make_stream(connector.get().streams(), nascent) {
            Ok(stream) => Some(stream),
            Err(error) => {
                complain(&owner, connector.as_any(), error);
                None
            }
        }
    }

    fn connected(&self, connector: Py<PyConnector>, stream: &Py<PyStream>) {
        let py = self.py();
        let stream = stream.bind(py);
        let Some(owner) = connector.get().owner(py) else {
            return;
        };
        let _serving = self.serving(stream);
        if let Err(error) = owner.call_method1(names::connected(py), (stream,)) {
            fail(stream, error);
        }
    }

    fn connect_failed(&self, connector: Py<PyConnector>, errno: i32) {
        let py = self.py();
        let Some(owner) = connector.get().owner(py) else {
            return;
        };
        let _serving = self.serving(&owner);
        if let Err(error) = owner.call_method1(names::connect_failed(py), (errno,)) {
            complain(&owner, connector.bind(py).as_any(), error);
        }
    }

    #[inline]
    fn datagram(&self, datagram: &Py<PyDatagram>, data: Self::Data, from: &Address) {
        fault("datagram");
        let py = self.py();
        let datagram = datagram.bind(py);
        let Some(protocol) = datagram.get().protocol_of(py) else {
            return; // nobody listens yet, or no more
        };
        let owner = datagram.get().owner_of(py);
        let _serving = owner.as_ref().map(|owner| self.serving(owner));
        let method = names::datagram_received(py);
        let delivered = data.and_then(|data| {
            if datagram.get().is_bare() {
                return protocol.call_method1(method, (data,));
            }
            let sender = datagram.get().sender(py, from)?;
            protocol.call_method1(method, (data, sender))
        });
        if let Err(error) = delivered {
            self.blame_datagram(datagram, error);
        }
    }

    fn datagram_failed(&self, datagram: &Py<PyDatagram>, errno: i32) {
        let datagram = datagram.bind(self.py());
        if let Some(owner) = datagram.get().owner_of(self.py()) {
            if let Err(error) = owner.call_method1(names::failed(self.py()), (errno,)) {
                self.blame_datagram(datagram, error);
            }
        }
    }

    fn answer_failed(&self, datagram: &Py<PyDatagram>, to: SocketAddr, errno: i32) {
        let py = self.py();
        let datagram = datagram.bind(py);
        let Some(owner) = datagram.get().owner_of(py) else {
            return;
        };
        let told = address::pair_to_python(py, to)
            .and_then(|to| owner.call_method1(names::unsent(py), (to, errno)));
        if let Err(error) = told {
            self.blame_datagram(datagram, error);
        }
    }

    fn ready(&self, watch: &Py<PyWatch>, ready: Wants) {
        fault("ready");
        let py = self.py();
        let watch = watch.bind(py);
        let Some(owner) = watch.get().owner(py) else {
            return;
        };
        if let Err(error) = owner.call_method1(names::ready(py), (watch, ready.read, ready.write)) {
            complain(&owner, watch.as_any(), error);
        }
    }

    fn watch_failed(&self, watch: &Py<PyWatch>, errno: i32) {
        let py = self.py();
        let watch = watch.bind(py);
        let Some(owner) = watch.get().owner(py) else {
            return;
        };
        if let Err(error) = owner.call_method1(names::watch_failed(py), (watch, errno)) {
            complain(&owner, watch.as_any(), error);
        }
    }

    fn ticked(&self, tick: Tick) {
        let Some(ticker) = self.engine.get().ticker(self.py()) else {
            return;
        };
        let (waited, worked) = (tick.waited.as_secs_f64(), tick.worked.as_secs_f64());
        if let Err(error) = ticker.call1((waited, worked, tick.events)) {
            self.blame_engine(&ticker, error);
        }
    }

    fn panicked(&self, stream: Option<&Py<PyStream>>, payload: Box<dyn std::any::Any + Send>) {
        let error = PyRuntimeError::new_err(format!(
            "the native engine panicked, which is a defect of torsion, please report it: {}\n{}",
            panic::message(payload.as_ref()),
            panic::backtrace(),
        ));
        match stream {
            Some(stream) => fail(stream.bind(self.py()), error),
            None => self.blame_engine(self.engine.as_any(), error),
        }
    }
}

/// The local end of a stream that was just made.
pub(crate) fn local_address(engine: &Bound<'_, PyEngine>, token: Token) -> Option<Address> {
    let state = engine.get().enter().ok()?;
    let address = state
        .stream(token, |stream| {
            stream.socket().and_then(|socket| socket.local_addr().ok())
        })
        .flatten()?;
    Some(Address::from_system(&address))
}

/// So that the size of a lease is what the engine asked for.
const _: fn(&mut Lease) -> &mut [MaybeUninit<u8>] = Lease::as_mut;
