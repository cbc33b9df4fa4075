//! What the engine keeps for Python.

use pyo3::prelude::*;

use torsion_reactor::Handles;

use crate::bytes::Chunk;
use crate::call::Call;
use crate::connector::PyConnector;
use crate::datagram::PyDatagram;
use crate::listener::PyListener;
use crate::stream::PyStream;
use crate::timer::PyTimer;
use crate::watch::PyWatch;

/// The Python objects that an engine keeps.
pub(crate) struct Objects;

impl Handles for Objects {
    type Stream = Py<PyStream>;
    type Listener = Py<PyListener>;
    type Connector = Py<PyConnector>;
    type Datagram = Py<PyDatagram>;
    type Watch = Py<PyWatch>;
    type Timer = Py<PyTimer>;
    type Call = Call;
    type Chunk = Chunk;
}
