//! What receivers of lines are made of: `LineSender` sends, `LineDelivery` cuts what comes in and calls the hooks.
//!
//! Both have a twin in `torsion/protocols/basic/_delivery.py`, which tells in fewer words what they do.

use std::io::BufRead;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::{PyOverflowError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyString};

use crate::bytes;
use crate::names;
use crate::stream::PyStream;

/// The sending half.  It has no state and cannot be made by itself: it is one of the bases of a class of Python's, whose
/// instances are then no larger and no slower to make.
#[pyclass(frozen, subclass, name = "LineSender", module = "torsion._native")]
pub(crate) struct PyLineSender;

#[pymethods]
impl PyLineSender {
    /// Send *line*, to which the delimiter is added; both leave in one piece.
    #[pyo3(name = "sendLine")]
    fn send_line(slf: &Bound<'_, Self>, line: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = slf.py();
        let transport = slf.getattr(names::transport(py))?;
        let delimiter = slf.getattr(names::delimiter(py))?;
        if let (Ok(line), Ok(delimiter)) = (
            line.cast_exact::<PyBytes>(),
            delimiter.cast_exact::<PyBytes>(),
        ) {
            if let Some(stream) = PyStream::unaltered(&transport)? {
                if PyStream::write_pair(stream, line.as_bytes(), delimiter.as_bytes())? {
                    return Ok(());
                }
            }
        }
        transport
            .call_method1(names::write(py), (line.add(delimiter)?,))
            .map(drop)
    }
}

/// The bytes that are not delivered yet, in order: those of `front` from `LineDelivery::given` on, then `held`.
#[derive(Default)]
struct Undelivered {
    front: Option<Py<PyBytes>>,
    held: Vec<u8>,
    /// In `held`, no `sought` begins before.
    searched: usize,
    sought: Vec<u8>,
}

/// The receiving half.
///
/// Lines are cut one at a time, when the hook is called, so there is nothing to put back when a hook changes the rules.
/// Hooks may call every method, hence no lock is held while one runs.
#[pyclass(frozen, name = "LineDelivery", module = "torsion._native")]
#[derive(Default)]
pub(crate) struct PyLineDelivery {
    /// Whether a hook is running.
    busy: AtomicBool,
    /// Whether it added or took bytes.
    touched: AtomicBool,
    given: AtomicUsize,
    undelivered: Mutex<Undelivered>,
}

/// Which hooks there are.
#[derive(Clone, Copy, PartialEq)]
enum Flavour {
    /// `LineReceiver`: modes, pauses, and hooks that may stop the delivery by what they return.
    Full,
    /// `LineOnlyReceiver`.
    OnlyLines,
}

/// Whether to go on.
enum Flow<'py> {
    On,
    /// Return this.
    Stop(Option<Bound<'py, PyAny>>),
}

/// What is to be delivered next.
enum Next<'py> {
    /// A line in these bytes, which may be all there are.
    Line {
        front: Bound<'py, PyBytes>,
        all: bool,
    },
    /// Something that is too long.
    TooLong,
    Nothing,
}

/// What holds for the next line.
struct Rules<'py> {
    delimiter: Bound<'py, PyAny>,
    longest: Bound<'py, PyAny>,
    bytes: Bound<'py, PyBytes>,
    /// How many bytes the longest line has with its delimiter.
    reach: usize,
}

impl<'py> Rules<'py> {
    fn of(protocol: &Bound<'py, PyAny>) -> PyResult<Self> {
        let py = protocol.py();
        let delimiter = protocol.getattr(names::delimiter(py))?;
        let longest = protocol.getattr(names::max_length(py))?;
        let bytes = bytes::exact(&delimiter)?;
        if bytes.as_bytes().is_empty() {
            return Err(PyValueError::new_err(
                "the delimiter is empty: no line would ever end, or all at once",
            ));
        }
        let reach = limit(&longest)?.saturating_add(bytes.as_bytes().len());
        Ok(Self {
            delimiter,
            longest,
            bytes,
            reach,
        })
    }

    #[inline]
    fn still_hold(&self, protocol: &Bound<'py, PyAny>) -> PyResult<bool> {
        let py = protocol.py();
        Ok(protocol.getattr(names::delimiter(py))?.is(&self.delimiter)
            && protocol.getattr(names::max_length(py))?.is(&self.longest))
    }

    /// Where in `bytes` the first line ends, if it does and is not too long.
    #[inline]
    fn end_of_line(&self, bytes: &[u8]) -> Option<usize> {
        find(&bytes[..bytes.len().min(self.reach)], self.bytes.as_bytes())
    }
}

/// Reads a `MAX_LENGTH`, of which there are huge and infinite ones.
fn limit(longest: &Bound<'_, PyAny>) -> PyResult<usize> {
    match longest.extract::<usize>() {
        Err(error) if error.is_instance_of::<PyOverflowError>(longest.py()) => {
            Ok(if longest.lt(0)? { 0 } else { usize::MAX })
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "beyond the ends of the range the conversion yields these ends"
        )]
        Err(error) => longest
            .extract::<f64>()
            .map(|size| size as usize)
            .map_err(|_| error),
        size => size,
    }
}

/// Finds the first `delimiter` in `bytes`.
#[inline]
fn find(bytes: &[u8], delimiter: &[u8]) -> Option<usize> {
    let (&first, others) = delimiter.split_first()?;
    let mut from = 0;
    loop {
        let mut rest = bytes.get(from..)?;
        // The standard library searches a byte as fast as the system can, and offers that here only.
        let behind = BufRead::skip_until(&mut rest, first).ok()?;
        let at = behind.checked_sub(1)? + from;
        if bytes[at] != first {
            return None;
        }
        if others.is_empty() || rest.starts_with(others) {
            return Some(at);
        }
        from = at + 1;
    }
}

#[inline]
fn is_true(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    if value.is_none() {
        return Ok(false);
    }
    match value.cast_exact::<PyBool>() {
        Ok(value) => Ok(value.is_true()),
        Err(_) => value.is_truthy(),
    }
}

#[inline]
fn flag(protocol: &Bound<'_, PyAny>, name: &Bound<'_, PyString>) -> PyResult<bool> {
    is_true(&protocol.getattr(name)?)
}

/// A protocol's transport, which may be none when data is fed to it by hand.
enum Transport<'a, 'py> {
    None,
    Ours(&'a Bound<'py, PyStream>),
    Other(&'a Bound<'py, PyAny>),
}

impl<'a, 'py> Transport<'a, 'py> {
    fn new(transport: &'a Bound<'py, PyAny>) -> PyResult<Self> {
        if transport.is_none() {
            return Ok(Self::None);
        }
        Ok(match PyStream::unaltered(transport)? {
            Some(stream) => Self::Ours(stream),
            None => Self::Other(transport),
        })
    }

    #[inline]
    fn is_closing(&self) -> PyResult<bool> {
        match self {
            Self::None => Ok(false),
            Self::Ours(stream) => PyStream::is_closing(stream),
            Self::Other(transport) => flag(transport, names::disconnecting(transport.py())),
        }
    }
}

/// Ends the time of being busy, however that comes.
struct Busy<'a>(&'a AtomicBool);

impl<'a> Busy<'a> {
    fn begin(busy: &'a AtomicBool) -> Self {
        busy.store(true, Ordering::Relaxed);
        Self(busy)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

impl PyLineDelivery {
    fn undelivered(&self) -> MutexGuard<'_, Undelivered> {
        self.undelivered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds `data` behind what is undelivered.
    fn add(&self, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = data.py();
        let data = bytes::exact(data)?;
        let fresh = data.as_bytes();
        if fresh.is_empty() {
            return Ok(());
        }
        self.touched.store(true, Ordering::Relaxed);
        let mut state = self.undelivered();
        let given = self.given.load(Ordering::Relaxed);
        if state
            .front
            .as_ref()
            .is_some_and(|front| front.as_bytes(py).len() > given)
        {
            state.held.extend_from_slice(fresh);
        } else if state.held.is_empty() {
            state.front = Some(data.unbind());
            self.given.store(0, Ordering::Relaxed);
        } else if state.held.len() <= fresh.len() {
            // The end of a line, and more: copied once, not twice, on the way to a new front.
            let front = bytes::join(py, &state.held, fresh)?;
            state.front = Some(front.unbind());
            self.given.store(0, Ordering::Relaxed);
            state.held = Vec::new();
            state.searched = 0;
        } else {
            state.front = None;
            state.held.extend_from_slice(fresh);
        }
        Ok(())
    }

    fn is_empty(&self, py: Python<'_>) -> bool {
        let state = self.undelivered();
        let given = self.given.load(Ordering::Relaxed);
        let front = state
            .front
            .as_ref()
            .map_or(0, |front| front.as_bytes(py).len());
        front <= given && state.held.is_empty()
    }

    /// Takes all that is undelivered.
    fn take<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        self.touched.store(true, Ordering::Relaxed);
        let mut state = self.undelivered();
        let Undelivered { front, held, .. } = std::mem::take(&mut *state);
        let given = self.given.swap(0, Ordering::Relaxed);
        drop(state);
        match front {
            Some(front) if given == 0 && held.is_empty() => Ok(front.into_bound(py)),
            Some(front) => bytes::join(
                py,
                front.as_bytes(py).get(given..).unwrap_or_default(),
                &held,
            ),
            None => Ok(PyBytes::new(py, &held)),
        }
    }

    /// Looks what comes next; a line is then in front.
    fn next<'py>(&self, py: Python<'py>, rules: &Rules<'py>) -> Next<'py> {
        let delimiter = rules.bytes.as_bytes();
        let mut guard = self.undelivered();
        let state = &mut *guard;
        if let Some(front) = state.front.take() {
            let given = self.given.load(Ordering::Relaxed);
            let rest = front.as_bytes(py).get(given..).unwrap_or_default();
            if rules.end_of_line(rest).is_some() {
                let shared = front.clone_ref(py).into_bound(py);
                state.front = Some(front);
                return Next::Line {
                    front: shared,
                    all: state.held.is_empty(),
                };
            }
            if rest.len() >= rules.reach {
                state.front = Some(front);
                return Next::TooLong;
            }
            // Little is left of what was large perhaps: it goes to what stands behind it.
            state.searched = (rest.len() + 1).saturating_sub(delimiter.len());
            delimiter.clone_into(&mut state.sought);
            state.held.splice(..0, rest.iter().copied());
        } else if state.sought != delimiter {
            state.searched = 0;
            delimiter.clone_into(&mut state.sought);
        }
        let unsearched = state.searched.min(state.held.len());
        let window = &state.held[..state.held.len().min(rules.reach)];
        if find(window.get(unsearched..).unwrap_or_default(), delimiter).is_some() {
            let front = PyBytes::new(py, &state.held);
            *state = Undelivered {
                front: Some(front.clone().unbind()),
                ..Undelivered::default()
            };
            self.given.store(0, Ordering::Relaxed);
            return Next::Line { front, all: true };
        }
        if state.held.len() >= rules.reach {
            return Next::TooLong;
        }
        state.searched = (state.held.len() + 1).saturating_sub(delimiter.len());
        Next::Nothing
    }

    /// Delivers lines of `front` for as long as nothing changes.
    #[inline]
    fn run<'py>(
        &self,
        protocol: &Bound<'py, PyAny>,
        transport: &Transport<'_, 'py>,
        flavour: Flavour,
        rules: &Rules<'py>,
        front: &[u8],
        all: bool,
    ) -> PyResult<Flow<'py>> {
        let py = protocol.py();
        self.touched.store(false, Ordering::Relaxed);
        let mut given = self.given.load(Ordering::Relaxed);
        loop {
            let rest = front.get(given..).unwrap_or_default();
            let Some(end) = rules.end_of_line(rest) else {
                return Ok(Flow::On);
            };
            given += end + rules.bytes.as_bytes().len();
            self.given.store(given, Ordering::Relaxed);
            let line = PyBytes::new(py, &rest[..end]);
            let why = protocol.call_method1(names::line_received(py), (line,))?;
            if flavour == Flavour::Full && is_true(&why)? {
                return Ok(Flow::Stop(Some(why)));
            }
            let touched = self.touched.load(Ordering::Relaxed);
            if all && !touched && given == front.len() {
                // There is nothing left that anything could matter for.
                self.undelivered().front = None;
                return Ok(Flow::Stop(None));
            }
            if transport.is_closing()? {
                return Ok(Flow::Stop(None));
            }
            if touched
                || (flavour == Flavour::Full
                    && (flag(protocol, names::paused(py))?
                        || !flag(protocol, names::line_mode(py))?))
                || !rules.still_hold(protocol)?
            {
                return Ok(Flow::On);
            }
        }
    }

    /// Has the protocol deal with a line that is too long.
    fn refuse<'py>(
        &self,
        protocol: &Bound<'py, PyAny>,
        flavour: Flavour,
        rules: &Rules<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = protocol.py();
        let rest = self.take(py)?;
        let line = match flavour {
            Flavour::Full => rest,
            Flavour::OnlyLines => {
                let (rest, delimiter) = (rest.as_bytes(), rules.bytes.as_bytes());
                let end = find(rest, delimiter).unwrap_or(rest.len());
                let behind = rest.get(end + delimiter.len()..).unwrap_or_default();
                self.add(&PyBytes::new(py, behind))?;
                PyBytes::new(py, &rest[..end])
            }
        };
        protocol.call_method1(names::line_length_exceeded(py), (line,))
    }

    /// One round: raw data, or the lines that go by the same rules.
    fn round<'py>(
        &self,
        protocol: &Bound<'py, PyAny>,
        transport: &Transport<'_, 'py>,
        flavour: Flavour,
    ) -> PyResult<Flow<'py>> {
        let py = protocol.py();
        if flavour == Flavour::Full && !flag(protocol, names::line_mode(py))? {
            let rest = self.take(py)?;
            if rest.as_bytes().is_empty() {
                return Ok(Flow::Stop(None));
            }
            let why = protocol.call_method1(names::raw_data_received(py), (rest,))?;
            return Ok(if is_true(&why)? {
                Flow::Stop(Some(why))
            } else {
                Flow::On
            });
        }
        let rules = Rules::of(protocol)?;
        match self.next(py, &rules) {
            Next::Line { front, all } => {
                self.run(protocol, transport, flavour, &rules, front.as_bytes(), all)
            }
            Next::TooLong => {
                let why = self.refuse(protocol, flavour, &rules)?;
                Ok(if is_true(&why)? {
                    Flow::Stop(Some(why))
                } else if self.is_empty(py) || transport.is_closing()? {
                    Flow::Stop(None)
                } else {
                    Flow::On
                })
            }
            Next::Nothing => Ok(Flow::Stop(None)),
        }
    }
}

#[pymethods]
impl PyLineDelivery {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    #[pyo3(signature = (protocol, data, /))]
    fn deliver<'py>(
        &self,
        protocol: &Bound<'py, PyAny>,
        data: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = protocol.py();
        if self.busy.load(Ordering::Relaxed) || flag(protocol, names::paused(py))? {
            return self.add(data).map(|()| None);
        }
        let _busy = Busy::begin(&self.busy);
        let transport = protocol.getattr(names::transport(py))?;
        let transport = Transport::new(&transport)?;
        self.add(data)?;
        loop {
            if let Flow::Stop(why) = self.round(protocol, &transport, Flavour::Full)? {
                return Ok(why);
            }
            if flag(protocol, names::paused(py))? {
                return Ok(None);
            }
        }
    }

    #[pyo3(signature = (protocol, data, /))]
    fn deliver_only_lines<'py>(
        &self,
        protocol: &Bound<'py, PyAny>,
        data: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        if self.busy.load(Ordering::Relaxed) {
            return self.add(data).map(|()| None);
        }
        let _busy = Busy::begin(&self.busy);
        let transport = protocol.getattr(names::transport(protocol.py()))?;
        let transport = Transport::new(&transport)?;
        if transport.is_closing()? {
            return Ok(None);
        }
        self.add(data)?;
        loop {
            if let Flow::Stop(why) = self.round(protocol, &transport, Flavour::OnlyLines)? {
                return Ok(why);
            }
        }
    }

    fn take_rest<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        self.take(py)
    }
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn the_first_delimiter_is_found() {
        assert_eq!(find(b"ab\ncd\n", b"\n"), Some(2));
        assert_eq!(find(b"ab", b"\n"), None);
        assert_eq!(find(b"", b"\n"), None);
        assert_eq!(find(b"\n", b"\n"), Some(0));
        assert_eq!(find(b"a\rb\r\nc", b"\r\n"), Some(3));
        assert_eq!(find(b"a\r\r\n", b"\r\n"), Some(2));
        assert_eq!(find(b"a\r", b"\r\n"), None);
        assert_eq!(find(b"xaaaa", b"aa"), Some(1));
        assert_eq!(find(b"abababc", b"ababc"), Some(2));
    }
}
