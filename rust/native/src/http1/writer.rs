//! `HTTPWriter`: messages to bytes.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use torsion_http1::{Version, Writer};

use super::{Pairs, pairs, refused};
use crate::bytes;

/// Writes the messages of one connection, in one direction.
#[pyclass(frozen, name = "HTTPWriter", module = "torsion._native")]
pub(crate) struct PyHttpWriter {
    writer: Mutex<Writer>,
}

impl PyHttpWriter {
    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl PyHttpWriter {
    #[new]
    const fn new() -> Self {
        Self {
            writer: Mutex::new(Writer::new()),
        }
    }

    /// The bytes of a request's head.
    #[pyo3(signature = (method, target, fields, /))]
    fn request<'py>(
        &self,
        py: Python<'py>,
        method: &[u8],
        target: &[u8],
        fields: Pairs<'py>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let mut out = Vec::new();
        self.writer()
            .request(&mut out, method, target, pairs(&fields))
            .map_err(refused)?;
        Ok(PyBytes::new(py, &out))
    }

    /// The bytes of a response's head.
    #[pyo3(signature = (status, reason, fields, /, *, http10, to_head))]
    fn response<'py>(
        &self,
        py: Python<'py>,
        status: u16,
        reason: &[u8],
        fields: Pairs<'py>,
        http10: bool,
        to_head: bool,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let peer = if http10 {
            Version::Http10
        } else {
            Version::Http11
        };
        let mut out = Vec::new();
        self.writer()
            .response(&mut out, peer, to_head, status, reason, pairs(&fields))
            .map_err(refused)?;
        Ok(PyBytes::new(py, &out))
    }

    /// The bytes of a part of the body.
    #[pyo3(signature = (data, /))]
    fn data<'py>(&self, data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        let py = data.py();
        let data = bytes::exact(data)?;
        let mut writer = self.writer();
        let mut out = Vec::new();
        if !writer
            .before_data(&mut out, data.as_bytes().len())
            .map_err(refused)?
        {
            return Ok(PyBytes::new(py, b""));
        }
        let after = writer.after_data();
        if out.is_empty() && after.is_empty() {
            return Ok(data);
        }
        out.extend_from_slice(data.as_bytes());
        out.extend_from_slice(after);
        Ok(PyBytes::new(py, &out))
    }

    /// The bytes that end the message.
    #[pyo3(signature = (trailers = Vec::new(), /))]
    fn end<'py>(&self, py: Python<'py>, trailers: Pairs<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let mut out = Vec::new();
        self.writer()
            .end(&mut out, pairs(&trailers))
            .map_err(refused)?;
        Ok(PyBytes::new(py, &out))
    }

    /// Whether a message was begun and not ended.
    #[getter]
    fn busy(&self) -> bool {
        self.writer().busy()
    }

    /// Whether the message under way ends with the connection.
    #[getter]
    fn until_close(&self) -> bool {
        self.writer().until_close()
    }
}
