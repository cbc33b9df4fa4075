//! `HTTPReader`: takes bytes as they come, gives what they mean.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use torsion_http1::{Asked, Event, Limits, Reader, State};

use super::head::PyHttpHead;
use super::serve::Serving;
use super::wrong;
use crate::bytes;

/// So much memory a connection that waits for nothing may keep: more than most heads have.
const MOST_IDLE: usize = 4 * 1024;

/// Room for all of a body is made once this part of it has come, one eighth: who tells of a large one and sends nothing costs
/// nothing, and what has been sent is seldom copied more than once for being held.
const WORTH_ROOM: usize = 8;

/// So many requests of one connection are answered at once, if they are there; then it is the turn of the others.  More than most
/// clients send without waiting, and few enough to be answered in a millisecond or two: 64 KiB, as much as is read at once, hold
/// thousands.
const MOST_AT_ONCE: usize = 32;

/// A body that is awaited to be there as a whole, and the head before it.
struct Gathering {
    head: Py<PyHttpHead>,
    length: usize,
}

/// The bytes that were not taken yet, in order: those of `front` from `given` on, or those of `held`.
struct Reading {
    reader: Reader,
    front: Option<Py<PyBytes>>,
    held: Vec<u8>,
    given: usize,
    gathering: Option<Gathering>,
    /// How many messages have ended in this turn.
    ended: usize,
}

impl Reading {
    /// How many bytes were not taken yet.
    fn kept(&self, py: Python<'_>) -> usize {
        let all = match &self.front {
            Some(front) => front.bind(py).as_bytes().len(),
            None => self.held.len(),
        };
        all - self.given
    }

    /// Puts what is left of `front` into `held`, where more can be added.
    fn hold(&mut self, py: Python<'_>) {
        match self.front.take() {
            Some(front) => self
                .held
                .extend_from_slice(&front.bind(py).as_bytes()[self.given..]),
            None => drop(self.held.drain(..self.given)),
        }
        self.given = 0;
        if self.held.is_empty() && self.held.capacity() > MOST_IDLE {
            self.held = Vec::new();
        }
    }

    /// The body that is gathered, if all of it has come.
    fn body<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let Some(length) = self.gathering.as_ref().map(|gathering| gathering.length) else {
            return Ok(None);
        };
        let front = self.front.as_ref().map(|front| front.bind(py).clone());
        let input = match &front {
            Some(front) => &front.as_bytes()[self.given..],
            None => &self.held[self.given..],
        };
        if input.len() < length {
            let here = input.len();
            self.hold(py);
            if here >= length / WORTH_ROOM {
                self.held.reserve_exact(length - here);
            }
            return Ok(None);
        }
        let step = self.reader.read(&input[..length]).map_err(wrong)?;
        let body = match &front {
            Some(front) if front.as_bytes().len() == length => front.clone(),
            _ => PyBytes::new(py, &input[..step.taken]),
        };
        self.given += step.taken;
        Ok(Some(body))
    }

    fn next<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        loop {
            let front = self.front.as_ref().map(|front| front.bind(py).clone());
            let input = match &front {
                Some(front) => &front.as_bytes()[self.given..],
                None => &self.held[self.given..],
            };
            let step = self.reader.read(input).map_err(wrong)?;
            let event = match step.event {
                Some(Event::Request(request)) => Some(
                    PyHttpHead::request(py, &input[..step.taken], &request)
                        .into_bound_py_any(py)?,
                ),
                Some(Event::Response(response)) => Some(
                    PyHttpHead::response(py, &input[..step.taken], &response)
                        .into_bound_py_any(py)?,
                ),
                Some(Event::Data(data)) => Some(match &front {
                    Some(front) if data.len() == front.as_bytes().len() => front.clone().into_any(),
                    _ => PyBytes::new(py, data).into_any(),
                }),
                Some(Event::End(trailers)) => {
                    self.ended += 1;
                    let pairs = trailers
                        .iter()
                        .map(|(name, value)| (PyBytes::new(py, name), PyBytes::new(py, value)));
                    Some(PyList::new(py, pairs)?.into_any())
                }
                None if step.taken == 0 => {
                    self.hold(py);
                    return Ok(None);
                }
                None => None,
            };
            self.given += step.taken;
            if event.is_some() {
                return Ok(event);
            }
        }
    }
}

/// Reads the messages of one connection, in one direction.
#[pyclass(frozen, name = "HTTPReader", module = "torsion._native")]
pub(crate) struct PyHttpReader {
    reading: Mutex<Reading>,
}

impl PyHttpReader {
    /// The next event: see `next`.
    pub(super) fn step<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.reading().next(py)
    }

    /// Has the body of `head` gathered: see `gathered`.
    pub(super) fn gather(&self, head: &Bound<'_, PyHttpHead>, length: usize) {
        self.reading().gathering = Some(Gathering {
            head: head.clone().unbind(),
            length,
        });
    }

    /// Whether a body is gathered.
    pub(super) fn is_gathering(&self) -> bool {
        self.reading().gathering.is_some()
    }

    /// The body that is gathered and its head, once all of it has come; the end of the message is next.
    pub(super) fn gathered<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<Option<(Bound<'py, PyHttpHead>, Bound<'py, PyBytes>)>> {
        let mut reading = self.reading();
        let Some(body) = reading.body(py)? else {
            return Ok(None);
        };
        let gathering = reading.gathering.take();
        Ok(gathering.map(|gathering| (gathering.head.into_bound(py), body)))
    }

    fn reading(&self) -> MutexGuard<'_, Reading> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl PyHttpReader {
    #[new]
    #[pyo3(signature = (server, *, line, head, fields, extensions))]
    fn new(server: bool, line: usize, head: usize, fields: usize, extensions: usize) -> Self {
        let limits = Limits {
            line,
            head,
            fields,
            extensions,
        };
        let reader = if server {
            Reader::server(limits)
        } else {
            Reader::client(limits)
        };
        Self {
            reading: Mutex::new(Reading {
                reader,
                front: None,
                held: Vec::new(),
                given: 0,
                gathering: None,
                ended: 0,
            }),
        }
    }

    /// Take bytes.
    #[pyo3(signature = (data, /))]
    pub(super) fn receive(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let data = bytes::exact(data)?;
        let mut reading = self.reading();
        reading.hold(py);
        if reading.held.is_empty() {
            reading.front = Some(data.unbind());
        } else {
            reading.held.extend_from_slice(data.as_bytes());
        }
        Ok(())
    }

    /// Learn that the peer sends no more; returns whether that ends a message.
    fn end(&self, py: Python<'_>) -> PyResult<bool> {
        let mut reading = self.reading();
        reading.hold(py);
        let Reading { reader, held, .. } = &mut *reading;
        reader.end(held).map_err(wrong)
    }

    /// The next head, data (bytes), or end of a message (its trailers); None if more bytes are needed.
    fn next<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.reading().next(py)
    }

    /// Have requests answered, one after the other, as long as they are like most: see `serve.rs`.
    #[pyo3(signature = (channel, factory, /))]
    fn serve<'py>(
        slf: &Bound<'py, Self>,
        channel: &Bound<'py, PyAny>,
        factory: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        Serving::of(channel, factory)?.serve(slf)
    }

    /// Gather no body: returns the head of the one that was gathered; what came of it is given by `next`, like any other.
    fn scatter(&self) -> Option<Py<PyHttpHead>> {
        let gathering = self.reading().gathering.take();
        gathering.map(|gathering| gathering.head)
    }

    /// Say what the next response is the answer to.
    #[pyo3(signature = (head, connect, /))]
    fn expect(&self, head: bool, connect: bool) {
        self.reading().reader.expect(Asked { head, connect });
    }

    /// Go on with HTTP after a request to switch that was not granted.
    fn go_on(&self) {
        self.reading().reader.go_on();
    }

    /// Read no further message.
    fn finish(&self) {
        self.reading().reader.finish();
    }

    /// Give the bytes that were not taken, and forget them.
    fn take_rest<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let mut reading = self.reading();
        reading.hold(py);
        PyBytes::new(py, &std::mem::take(&mut reading.held))
    }

    /// How many bytes are kept.
    #[getter]
    pub(super) fn kept(&self, py: Python<'_>) -> usize {
        self.reading().kept(py)
    }

    /// Begin to count anew: a new turn begins.
    pub(super) fn renew(&self) {
        self.reading().ended = 0;
    }

    /// How many messages have ended in this turn.
    #[getter]
    fn ended(&self) -> usize {
        self.reading().ended
    }

    /// Whether so many have ended in this turn that others are to have theirs, although there is more to read.
    #[getter]
    pub(super) fn spent(&self, py: Python<'_>) -> bool {
        let reading = self.reading();
        reading.ended >= MOST_AT_ONCE && reading.kept(py) > 0
    }

    /// What it waits for: "head", "body", "switch", or nothing: "closed", "failed".
    #[getter]
    fn state(&self) -> &'static str {
        match self.reading().reader.state() {
            State::Head => "head",
            State::Body => "body",
            State::Switch => "switch",
            State::Closed => "closed",
            State::Failed(_) => "failed",
        }
    }
}
