//! Streams over descriptors that are there already.

use pyo3::prelude::*;
use pyo3::types::PyType;

use torsion_reactor::{Address, Token};

use crate::descriptor;
use crate::engine::PyEngine;
use crate::error;
use crate::listener::PyListener;
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

/// Makes a stream of a duplicate of the connected socket `number`.
pub(crate) fn adopt_stream(
    engine: &Bound<'_, PyEngine>,
    number: i32,
    owner: Bound<'_, PyAny>,
    streams: &Bound<'_, PyType>,
) -> PyResult<Py<PyStream>> {
    let state = engine.get().enter()?;
    let token = state
        .adopt_stream(descriptor::duplicate(number)?)
        .map_err(|refused| error::system(refused.0.io()))?;
    let ends = state.stream(token, |stream| {
        let socket = stream.socket()?;
        let [host, peer] = [socket.local_addr().ok()?, socket.peer_addr().ok()?];
        Some([&host, &peer].map(Address::from_system))
    });
    match ends.flatten() {
        Some(ends) => own(engine, token, owner, streams, ends),
        None => {
            state.disown(token);
            Err(error::closed("connection")) // between the engine's look at it and ours
        }
    }
}

/// Makes a listener of a duplicate of the listening socket `number`.
pub(crate) fn adopt_listener(
    engine: &Bound<'_, PyEngine>,
    number: i32,
    owner: &Bound<'_, PyAny>,
    streams: &Bound<'_, PyType>,
) -> PyResult<Py<PyListener>> {
    let token = engine
        .get()
        .enter()?
        .adopt_listener(descriptor::duplicate(number)?)
        .map_err(|error| error::system(error.io()))?;
    PyListener::begin(engine, token, owner, streams)
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
