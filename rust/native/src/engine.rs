//! `Engine`: the event loop as Python sees it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};

use torsion_reactor::{Address, Discarded, Held};

use crate::address;
use crate::call::Call;
use crate::connector::PyConnector;
use crate::datagram::PyDatagram;
use crate::error;
use crate::error::Errors;
use crate::figures;
use crate::listener::PyListener;
#[cfg(unix)]
use crate::opened;
use crate::serving::Serving;
use crate::shared::{Shared, State};
use crate::slot::Slot;
use crate::stream::{Nascent, PyStream};
use crate::thread::Entered;
use crate::timer::{PyTimer, seconds};
use crate::upcall::Upcalls;
use crate::watch::PyWatch;

/// Poller, timers, transports and the queue of calls from other threads: one event loop's worth of state.
#[pyclass(frozen, weakref, name = "Engine", module = "torsion._native")]
pub(crate) struct PyEngine {
    shared: Arc<Shared>,
    running: AtomicBool,
    owner: Slot,
    serving: Serving,
    /// What is called after each turn.
    ticker: Slot,
    /// What the next `Stream` to be made is; `Stream.__new__` takes it.
    nascent: Mutex<Option<Nascent>>,
}

impl PyEngine {
    /// What the objects made by this engine hold on to.
    pub(crate) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Access for this thread.
    #[inline]
    pub(crate) fn enter(&self) -> PyResult<Entered<'_, State>> {
        self.shared.enter()
    }

    /// The reactor that owns this engine.
    pub(crate) fn owner<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.owner.get(py)
    }

    /// Whose hook is on the stack.
    #[inline]
    pub(crate) const fn serving_note(&self) -> &Serving {
        &self.serving
    }

    /// What is to be called after each turn.
    pub(crate) fn ticker<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.ticker.get(py)
    }

    /// Keeps what a stream that is about to be made is.
    pub(crate) fn conceive(&self, nascent: Nascent) {
        let before = self
            .nascent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .replace(nascent);
        drop(before);
    }

    /// Takes what the stream that is being made is.
    pub(crate) fn deliver(&self) -> Option<Nascent> {
        self.nascent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// What came of turns, in Python's words.
    fn turned(&self, outcome: std::io::Result<()>) -> PyResult<()> {
        let Err(error) = outcome else { return Ok(()) };
        self.shared.must_be_ours()?; // whoever forks in a turn must not go on with it in both processes
        Err(error::system(&error))
    }

    /// Marks the engine as running while `work` runs.
    fn while_running<R>(&self, work: impl FnOnce() -> R) -> R {
        let before = self.running.swap(true, Ordering::Relaxed);
        let result = work();
        self.running.store(before, Ordering::Relaxed);
        result
    }
}

#[pymethods]
impl PyEngine {
    #[new]
    #[pyo3(signature = (owner, errors = None))]
    fn new(owner: Bound<'_, PyAny>, errors: Option<Py<PyAny>>) -> PyResult<Self> {
        let shared = Shared::new(Errors::new(errors)).map_err(|error| error::system(error.io()))?;
        Ok(Self {
            shared: Arc::new(shared),
            running: AtomicBool::new(false),
            owner: Slot::new(owner.unbind()),
            serving: Serving::default(),
            ticker: Slot::empty(),
            nascent: Mutex::new(None),
        })
    }

    #[getter]
    fn running(&self) -> bool {
        self.running.load(Ordering::Relaxed)
    }

    fn serving<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        let _ours = self.shared.enter_if_ours()?;
        self.serving.now(py)
    }

    fn seconds(&self) -> f64 {
        self.shared.wall(self.shared.clock.now())
    }

    #[pyo3(signature = (delay, callable, /, *args, **kw))]
    fn call_later(
        slf: &Bound<'_, Self>,
        #[pyo3(from_py_with = seconds)] delay: f64,
        callable: Bound<'_, PyAny>,
        args: Bound<'_, PyTuple>,
        kw: Option<Bound<'_, PyDict>>,
    ) -> PyResult<Py<PyTimer>> {
        if !(delay >= 0.0 && delay.is_finite()) {
            return Err(PyValueError::new_err(format!(
                "a delay is a number of seconds, 0 or more and finite, not {delay}"
            )));
        }
        PyTimer::schedule(slf, delay, Call::new(must_be_callable(callable)?, args, kw))
    }

    fn delayed_calls(&self, py: Python<'_>) -> PyResult<Vec<Py<PyTimer>>> {
        let state = self.enter()?;
        let mut timers = Vec::new();
        state.visit(|held| {
            if let Held::Timer(timer) = held {
                timers.push(timer.clone_ref(py));
            }
            Ok::<(), PyErr>(())
        })?;
        Ok(timers)
    }

    fn streams(&self, py: Python<'_>) -> PyResult<Vec<Py<PyStream>>> {
        let state = self.enter()?;
        let mut streams = Vec::new();
        state.visit(|held| {
            if let Held::Stream(stream) = held {
                streams.push(stream.clone_ref(py));
            }
            Ok::<(), PyErr>(())
        })?;
        Ok(streams)
    }

    fn next_deadline(&self) -> PyResult<Option<f64>> {
        Ok(self
            .enter()?
            .next_deadline()
            .map(|when| self.shared.wall(when)))
    }

    #[pyo3(signature = (callable, /, *args, **kw))]
    fn call_from_thread(
        &self,
        callable: Bound<'_, PyAny>,
        args: Bound<'_, PyTuple>,
        kw: Option<Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        match self
            .shared
            .ingress
            .push(Call::new(must_be_callable(callable)?, args, kw))
        {
            Ok(true) => self.wake(),
            Ok(false) => Ok(()), // somebody has woken it already
            // Closed for good, and nobody is left to make the call.
            Err(_) => self.shared.must_be_ours(),
        }
    }

    fn wake(&self) -> PyResult<()> {
        self.shared.must_be_ours()?;
        self.shared
            .waker
            .wake()
            .map_err(|error| error::system(&error))
    }

    fn wakeup_fileno(&self) -> PyResult<i32> {
        Ok(self.enter()?.signal_descriptor().unwrap_or(-1))
    }

    fn fileno(&self) -> PyResult<i32> {
        Ok(self.enter()?.descriptor().unwrap_or(-1))
    }

    fn attach(&self) -> PyResult<()> {
        let state = self.enter()?;
        state.attach();
        state.make_home();
        Ok(())
    }

    fn detach(&self) -> PyResult<()> {
        let state = self.enter()?;
        state.detach();
        state.leave_home();
        Ok(())
    }

    #[pyo3(signature = (always = false, /))]
    fn abandon(&self, always: bool) {
        drop(self.shared.abandon(always));
    }

    fn run(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let state = this.enter()?;
        let sink = Upcalls::new(slf);
        let mut interrupted = Ok(());
        let ran = this.while_running(|| {
            state.run(&sink, || {
                interrupted = py.check_signals();
                interrupted.is_ok()
            })
        });
        interrupted?;
        this.turned(ran)
    }

    fn stop(&self) -> PyResult<()> {
        self.enter()?.stop();
        Ok(())
    }

    #[pyo3(signature = (timeout = Some(0.0), /))]
    fn turn(slf: &Bound<'_, Self>, timeout: Option<f64>) -> PyResult<()> {
        let timeout = match timeout {
            None => None,
            Some(seconds) => Some(Duration::try_from_secs_f64(seconds).map_err(|_| {
                PyValueError::new_err(format!(
                    "a time-out is a number of seconds, 0 or more, or None, not {seconds}"
                ))
            })?),
        };
        let this = slf.get();
        let state = this.enter()?;
        slf.py().check_signals()?;
        let turned = this.while_running(|| state.turn(&Upcalls::new(slf), timeout));
        this.turned(turned)
    }

    #[pyo3(signature = (address, backlog, owner, streams, /, *, reuse_port = false))]
    fn listen(
        slf: &Bound<'_, Self>,
        address: &Bound<'_, PyTuple>,
        backlog: i32,
        owner: Bound<'_, PyAny>,
        streams: Bound<'_, PyType>,
        reuse_port: bool,
    ) -> PyResult<Py<PyListener>> {
        let address = address::from_python(address)?;
        let state = slf.get().enter()?;
        let token = if reuse_port {
            state.listen_shared(address, backlog)
        } else {
            state.listen(address, backlog)
        };
        let token = token.map_err(|error| error::system(error.io()))?;
        PyListener::begin(slf, token, &owner, &streams)
    }

    #[pyo3(signature = (address, bind, owner, streams, /, *, reuse_port = false))]
    fn connect(
        slf: &Bound<'_, Self>,
        address: &Bound<'_, PyTuple>,
        bind: Option<&Bound<'_, PyTuple>>,
        owner: Bound<'_, PyAny>,
        streams: Bound<'_, PyType>,
        reuse_port: bool,
    ) -> PyResult<Py<PyConnector>> {
        let address = address::from_python(address)?;
        let bind = bind.map(address::from_python).transpose()?;
        let state = slf.get().enter()?;
        let token = state
            .connect_from(address, bind, reuse_port)
            .map_err(|error| error::system(error.io()))?;
        PyConnector::begin(slf, token, address.into(), &owner, &streams)
    }

    #[cfg(unix)]
    #[pyo3(signature = (path, backlog, mode, owner, streams, /))]
    fn listen_unix(
        slf: &Bound<'_, Self>,
        path: &[u8],
        backlog: i32,
        mode: u32,
        owner: &Bound<'_, PyAny>,
        streams: &Bound<'_, PyType>,
    ) -> PyResult<Py<PyListener>> {
        let token = slf
            .get()
            .enter()?
            .listen_unix(path, backlog, mode)
            .map_err(|error| error::system(error.io()))?;
        PyListener::begin(slf, token, owner, streams)
    }

    #[cfg(unix)]
    #[pyo3(signature = (path, owner, streams, /))]
    fn connect_unix(
        slf: &Bound<'_, Self>,
        path: &[u8],
        owner: &Bound<'_, PyAny>,
        streams: &Bound<'_, PyType>,
    ) -> PyResult<Py<PyConnector>> {
        let token = slf
            .get()
            .enter()?
            .connect_unix(path)
            .map_err(|error| error::system(error.io()))?;
        PyConnector::begin(slf, token, Address::Unix(path.into()), owner, streams)
    }

    #[cfg(unix)]
    #[pyo3(signature = (fd, owner, streams, /))]
    fn adopt_listener(
        slf: &Bound<'_, Self>,
        fd: i32,
        owner: &Bound<'_, PyAny>,
        streams: &Bound<'_, PyType>,
    ) -> PyResult<Py<PyListener>> {
        opened::adopt_listener(slf, fd, owner, streams)
    }

    #[cfg(unix)]
    #[pyo3(signature = (fd, owner, streams, /))]
    fn adopt_stream(
        slf: &Bound<'_, Self>,
        fd: i32,
        owner: Bound<'_, PyAny>,
        streams: &Bound<'_, PyType>,
    ) -> PyResult<Py<PyStream>> {
        opened::adopt_stream(slf, fd, owner, streams)
    }

    #[pyo3(signature = (address, reuse, room, owner, /))]
    fn bind_datagram(
        slf: &Bound<'_, Self>,
        address: &Bound<'_, PyAny>,
        reuse: bool,
        room: usize,
        owner: &Bound<'_, PyAny>,
    ) -> PyResult<Py<PyDatagram>> {
        let local = match address.cast::<PyTuple>() {
            Ok(address) => Address::Inet(address::from_python(address)?),
            Err(_) => address::path_from_python(address)?,
        };
        let opened = slf.get().enter()?.bind_datagram(&local, reuse, room);
        PyDatagram::open(slf, opened, owner)
    }

    #[cfg(unix)]
    #[pyo3(signature = (fd, room, owner, /))]
    fn adopt_datagram(
        slf: &Bound<'_, Self>,
        fd: i32,
        room: usize,
        owner: &Bound<'_, PyAny>,
    ) -> PyResult<Py<PyDatagram>> {
        let state = slf.get().enter()?;
        let opened = state.adopt_datagram(crate::descriptor::take(fd)?, room);
        drop(state);
        PyDatagram::open(slf, opened, owner)
    }

    #[pyo3(signature = (descriptor, owner, /))]
    fn watch(
        slf: &Bound<'_, Self>,
        descriptor: i32,
        owner: &Bound<'_, PyAny>,
    ) -> PyResult<Py<PyWatch>> {
        PyWatch::open(slf, descriptor, owner)
    }

    #[cfg(unix)]
    #[pyo3(signature = (fd, reading, writing, owner, streams, /))]
    fn open_pipe(
        slf: &Bound<'_, Self>,
        fd: i32,
        reading: bool,
        writing: bool,
        owner: Bound<'_, PyAny>,
        streams: &Bound<'_, PyType>,
    ) -> PyResult<Py<PyStream>> {
        opened::open_pipe(slf, fd, reading, writing, owner, streams)
    }

    #[pyo3(signature = (callable, /))]
    fn on_tick(&self, callable: Option<Bound<'_, PyAny>>) -> PyResult<()> {
        let callable = callable.map(must_be_callable).transpose()?;
        self.enter()?.measure(callable.is_some());
        drop(self.ticker.set(callable.map(Bound::unbind)));
        Ok(())
    }

    fn statistics<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let figures = self.enter()?.statistics();
        let record = PyDict::new(py);
        record.set_item("turns", figures.turns)?;
        record.set_item("waits", figures.waits)?;
        record.set_item("timers", figures.timers)?;
        record.set_item("descriptors", figures.descriptors)?;
        record.set_item("streams_opened", figures.streams_opened)?;
        record.set_item("streams_closed", figures.streams_closed)?;
        Ok(record)
    }

    #[pyo3(signature = (owner = None, /))]
    fn connections<'py>(
        &self,
        py: Python<'py>,
        owner: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Vec<figures::Connection>> {
        figures::connections(&self.shared, self.streams(py)?, py, owner)
    }

    fn holdings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        figures::holdings(py, self.enter()?.holdings())
    }

    fn pulse<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        figures::pulse(&self.shared, py)
    }

    fn beat(&self) -> Option<u64> {
        self.shared.pulse.beat()
    }

    fn close(slf: &Bound<'_, Self>) -> PyResult<()> {
        let gone = slf.get().enter()?.close();
        let sink = Upcalls::new(slf);
        for (stream, reason) in gone.streams {
            sink.tell_lost(stream, reason);
        }
        for other in gone.others {
            match other {
                Discarded::Listener(listener) => drop(listener),
                Discarded::Connector(connector) => drop(connector),
                Discarded::Datagram(datagram) => drop(datagram),
                Discarded::Watch(watch) => drop(watch),
            }
        }
        Ok(())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.owner.traverse(visit)?;
        self.ticker.traverse(visit)?;
        // While another thread runs the engine, nothing is shown: the collector then takes everything for alive.
        let Some(state) = self.shared.enter_if_ours() else {
            return Ok(());
        };
        state.visit(|held| match held {
            Held::Stream(stream) => visit.call(stream),
            Held::Listener(listener) => visit.call(listener),
            Held::Connector(connector) => visit.call(connector),
            Held::Datagram(datagram) => visit.call(datagram),
            Held::Watch(watch) => visit.call(watch),
            Held::Timer(timer) => visit.call(timer),
            Held::Call(call) => call.traverse(visit),
        })
    }

    fn __clear__(&self) {
        self.owner.clear();
        self.ticker.clear();
        if let Some(state) = self.shared.enter_if_ours() {
            let cleared = state.clear();
            drop(state);
            drop(cleared);
        }
    }
}

impl Drop for PyEngine {
    /// Closes what is open: the timers and streams that somebody still keeps must not keep sockets open.
    fn drop(&mut self) {
        self.__clear__();
    }
}

fn must_be_callable(function: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyAny>> {
    if function.is_callable() {
        Ok(function)
    } else {
        Err(PyTypeError::new_err(format!(
            "the call to be made later must be callable, not {}",
            error::shown(&function)
        )))
    }
}
