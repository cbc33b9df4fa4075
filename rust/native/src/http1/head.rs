//! The head of a message: the bytes of all of it, and where its parts are.  Python objects are made of those it is asked for.

use std::ops::Range;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyList, PyString, PyTuple};
use torsion_http1::{Body, Fields, Request, Response, Version, Wishes};

/// What the first line says.
enum First {
    Request {
        method: Range<usize>,
        target: Range<usize>,
    },
    Response {
        status: u16,
        reason: Range<usize>,
    },
}

/// The head of a request or a response.
#[pyclass(frozen, name = "HTTPHead", module = "torsion._native")]
pub(crate) struct PyHttpHead {
    bytes: Py<PyBytes>,
    first: First,
    places: Box<[(Range<usize>, Range<usize>)]>,
    version: Version,
    body: Body,
    wishes: Wishes,
}

/// Where `part` is in `whole`, which it was taken from; nowhere if it is empty.
fn place(whole: &[u8], part: &[u8]) -> Range<usize> {
    if part.is_empty() {
        return 0..0;
    }
    let start = part.as_ptr().addr() - whole.as_ptr().addr();
    start..start + part.len()
}

impl PyHttpHead {
    /// Keeps a request's head, which was read from `bytes`.
    pub(super) fn request(py: Python<'_>, bytes: &[u8], request: &Request<'_>) -> Self {
        let first = First::Request {
            method: place(bytes, request.method),
            target: place(bytes, request.target),
        };
        Self::new(
            py,
            bytes,
            first,
            request.fields,
            request.version,
            request.body,
            request.wishes,
        )
    }

    /// Keeps a response's head, which was read from `bytes`.
    pub(super) fn response(py: Python<'_>, bytes: &[u8], response: &Response<'_>) -> Self {
        let first = First::Response {
            status: response.status,
            reason: place(bytes, response.reason),
        };
        Self::new(
            py,
            bytes,
            first,
            response.fields,
            response.version,
            response.body,
            response.wishes,
        )
    }

    fn new(
        py: Python<'_>,
        bytes: &[u8],
        first: First,
        fields: Fields<'_>,
        version: Version,
        body: Body,
        wishes: Wishes,
    ) -> Self {
        Self {
            bytes: PyBytes::new(py, bytes).unbind(),
            first,
            places: fields.places().collect(),
            version,
            body,
            wishes,
        }
    }

    /// How long its body is, if this is a request like most: of HTTP/1.1, with no body or one whose length it tells, and
    /// asking nothing of the connection; nor is it a HEAD, whose answer is another one than that of all others.
    pub(super) fn length_if_plain(&self, py: Python<'_>) -> Option<u64> {
        let plain = self.version == Version::Http11
            && !self.wishes.upgrade
            && self.wishes.persistent(self.version)
            && matches!(&self.first, First::Request { method, .. }
                if !matches!(&self.bytes.bind(py).as_bytes()[method.clone()], b"HEAD" | b"CONNECT"));
        if !plain {
            return None;
        }
        match self.body {
            Body::None => Some(0),
            Body::Length(length) if !self.wishes.expects_continue => Some(length),
            _ => None,
        }
    }

    /// Whether the body may be a form, which becomes part of a request's arguments.
    pub(super) fn may_be_form(&self, py: Python<'_>) -> bool {
        let bytes = self.bytes.bind(py).as_bytes();
        let First::Request { method, .. } = &self.first else {
            return false;
        };
        &bytes[method.clone()] == b"POST"
            && self.places.iter().any(|(name, value)| {
                bytes[name.clone()].eq_ignore_ascii_case(b"content-type")
                    && bytes[value.clone()]
                        .windows(4)
                        .any(|part| part.eq_ignore_ascii_case(b"form"))
            })
    }

    /// The method and the target; None in a response.
    pub(super) fn asked<'py>(
        &self,
        py: Python<'py>,
    ) -> Option<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
        match &self.first {
            First::Request { method, target } => {
                let bytes = self.bytes.bind(py).as_bytes();
                let method = match &bytes[method.clone()] {
                    b"GET" => get(py).clone(),
                    other => PyBytes::new(py, other),
                };
                Some((method, self.part(py, target)))
            }
            First::Response { .. } => None,
        }
    }

    fn part<'py>(&self, py: Python<'py>, place: &Range<usize>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.bytes.bind(py).as_bytes()[place.clone()])
    }
}

/// The method of most requests.
fn get(py: Python<'_>) -> &Bound<'_, PyBytes> {
    static GET: PyOnceLock<Py<PyBytes>> = PyOnceLock::new();
    GET.get_or_init(py, || PyBytes::new(py, b"GET").unbind())
        .bind(py)
}

#[pymethods]
impl PyHttpHead {
    /// The method; None in a response.
    #[getter]
    fn method<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        match &self.first {
            First::Request { method, .. } => Some(self.part(py, method)),
            First::Response { .. } => None,
        }
    }

    /// The target; None in a response.
    #[getter]
    fn target<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        match &self.first {
            First::Request { target, .. } => Some(self.part(py, target)),
            First::Response { .. } => None,
        }
    }

    /// The status code; None in a request.
    #[getter]
    fn status(&self) -> Option<u16> {
        match self.first {
            First::Request { .. } => None,
            First::Response { status, .. } => Some(status),
        }
    }

    /// The reason phrase; None in a request.
    #[getter]
    fn reason<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        match &self.first {
            First::Request { .. } => None,
            First::Response { reason, .. } => Some(self.part(py, reason)),
        }
    }

    /// The version.
    #[getter]
    fn version<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(
            py,
            match self.version {
                Version::Http10 => b"HTTP/1.0",
                Version::Http11 => b"HTTP/1.1",
            },
        )
    }

    /// Name and value of each field, in the order in which they came.
    #[getter]
    fn fields<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(
            py,
            self.places
                .iter()
                .map(|(name, value)| (self.part(py, name), self.part(py, value))),
        )
    }

    /// Name, in lower case, and value of each field, in the order in which they came.
    #[getter]
    fn lower_fields<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let bytes = self.bytes.bind(py).as_bytes();
        let pairs = self.places.iter().map(|(name, value)| {
            let name = &bytes[name.clone()];
            let lower = PyBytes::new_with(py, name.len(), |lower| {
                lower.copy_from_slice(name);
                lower.make_ascii_lowercase();
                Ok(())
            });
            lower.map(|lower| (lower, self.part(py, value)))
        });
        PyList::new(py, pairs.collect::<PyResult<Vec<_>>>()?)
    }

    /// The values of the fields called *name*, whatever its case.
    #[pyo3(signature = (name, /))]
    fn values<'py>(&self, py: Python<'py>, name: &[u8]) -> PyResult<Bound<'py, PyList>> {
        let bytes = self.bytes.bind(py).as_bytes();
        PyList::new(
            py,
            self.places
                .iter()
                .filter(|(place, _)| bytes[place.clone()].eq_ignore_ascii_case(name))
                .map(|(_, value)| self.part(py, value))
                .collect::<Vec<_>>(),
        )
    }

    /// Whether there is a condition, or a part is asked for: fields called If-…, and Range.
    #[getter]
    fn conditional(&self, py: Python<'_>) -> bool {
        let bytes = self.bytes.bind(py).as_bytes();
        self.places.iter().any(|(name, _)| {
            let name = &bytes[name.clone()];
            name.eq_ignore_ascii_case(b"range")
                || name
                    .get(..3)
                    .is_some_and(|start| start.eq_ignore_ascii_case(b"if-"))
        })
    }

    /// How many bytes the body has; None if only its end tells.
    #[getter]
    const fn length(&self) -> Option<u64> {
        match self.body {
            Body::None => Some(0),
            Body::Length(length) => Some(length),
            Body::Chunked | Body::UntilClose => None,
        }
    }

    /// Whether the body comes in chunks.
    #[getter]
    fn chunked(&self) -> bool {
        self.body == Body::Chunked
    }

    /// Whether the connection may go on after this message.
    #[getter]
    const fn persistent(&self) -> bool {
        self.wishes.persistent(self.version)
    }

    /// Whether the peer asks for another protocol.
    #[getter]
    const fn upgrade(&self) -> bool {
        self.wishes.upgrade
    }

    /// Whether the peer waits for a `100 Continue` before it sends the body.
    #[getter]
    const fn expects_continue(&self) -> bool {
        self.wishes.expects_continue
    }

    fn __repr__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let first = match &self.first {
            First::Request { method, target } => {
                PyTuple::new(py, [self.part(py, method), self.part(py, target)])?
            }
            First::Response { status, .. } => PyTuple::new(py, [*status])?,
        };
        PyString::new(py, "<HTTPHead %s>").rem((PyString::new(py, " ").call_method1(
            "join",
            (first
                .iter()
                .map(|part| part.repr())
                .collect::<PyResult<Vec<_>>>()?,),
        )?,))
    }
}
