//! Streams over descriptors that are there already.

use pyo3::prelude::*;
use pyo3::types::PyType;

use torsion_reactor::{Address, Token};

use crate::descriptor;
use crate::engine::PyEngine;
use crate::error;
use crate::stream::{Nascent, PyStream};
use crate::upcall::Upcalls;

/// Makes a stream of the pipe `number`; where that fails, the pipe stays the caller's.
pub(crate) fn open_pipe(
    engine: &Bound<'_, PyEngine>,
    number: i32,
    reading: bool,
    writing: bool,
    owner: Bound<'_, PyAny>,
    streams: &Bound<'_, PyType>,
) -> PyResult<Py<PyStream>> {
    let state = engine.get().enter()?;
    let descriptor = descriptor::take(number)?;
    let token = state
        .open_pipe(descriptor, reading, writing)
        .map_err(|refused| {
            if let Some(descriptor) = refused.1 {
                descriptor::give_back(descriptor);
            }
            error::system(refused.0.io())
        })?;
    own(
        engine,
        token,
        owner,
        streams,
        [Address::unnamed(), Address::unnamed()],
    )
}

/// Makes the Python object for a stream that the engine has opened.
fn own(
    engine: &Bound<'_, PyEngine>,
    token: Token,
    owner: Bound<'_, PyAny>,
    streams: &Bound<'_, PyType>,
    [host, peer]: [Address; 2],
) -> PyResult<Py<PyStream>> {
    let state = engine.get().enter()?;
    let nascent = Nascent {
        token,
        owner: owner.unbind(),
        peer,
        host,
    };
    let stream = Upcalls::new(engine).make_stream(&streams.clone().unbind(), nascent);
    match &stream {
        Ok(stream) => state.own_stream(token, stream.clone_ref(engine.py())),
        Err(_) => state.disown(token),
    }
    stream
}
