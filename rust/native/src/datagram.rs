//! `Datagram`: a datagram socket.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};

use torsion_reactor::{Address, SockRef, Token};

use crate::address;
use crate::bytes::Chunk;
use crate::engine::PyEngine;
use crate::error;
use crate::listener::descriptor;
use crate::names::errors::{InvalidAddressError, MessageLengthError};
use crate::peers::Peers;
use crate::shared::Shared;
use crate::slot::Slot;

/// A datagram socket.
#[pyclass(frozen, weakref, name = "Datagram", module = "torsion._native")]
pub(crate) struct PyDatagram {
    shared: Arc<Shared>,
    token: Token,
    /// Where it is bound.
    bound: Address,
    owner: Slot,
    protocol: Slot,
    peers: Peers,
    /// Which object names the sender of the datagram that was delivered last; alive as long as `peers` keeps it, which is
    /// until another is delivered.
    serving: AtomicUsize,
    /// Whether it has one peer only.
    connected: AtomicBool,
    peer: Slot,
}

impl PyDatagram {
    /// Makes what stands for a socket that was just opened.
    pub(crate) fn open(
        engine: &Bound<'_, PyEngine>,
        opened: Result<Token, torsion_reactor::Error>,
        owner: &Bound<'_, PyAny>,
    ) -> PyResult<Py<Self>> {
        let token = opened.map_err(|error| error::system(error.io()))?;
        let datagram = Self::new(engine, token, owner);
        let state = engine.get().enter()?;
        match &datagram {
            Ok(datagram) => state.own_datagram(token, datagram.clone_ref(engine.py())),
            Err(_) => drop(state.discard(token)),
        }
        datagram
    }

    fn new(
        engine: &Bound<'_, PyEngine>,
        token: Token,
        owner: &Bound<'_, PyAny>,
    ) -> PyResult<Py<Self>> {
        let py = engine.py();
        let found = engine.get().enter()?.datagram(token, |datagram| {
            Ok::<_, std::io::Error>((datagram.address()?, datagram.connected()))
        });
        let (bound, connected) = found
            .ok_or_else(|| error::closed("datagram socket"))?
            .map_err(|error| error::system(&error))?;
        let datagram = Self {
            shared: Arc::clone(engine.get().shared()),
            token,
            bound,
            owner: Slot::new(owner.clone().unbind()),
            protocol: Slot::empty(),
            peers: Peers::default(),
            serving: AtomicUsize::new(0),
            connected: AtomicBool::new(connected),
            peer: Slot::empty(),
        };
        Py::new(py, datagram)
    }

    /// Who is told of trouble; nobody once it is closed.
    pub(crate) fn owner_of<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.owner.get(py)
    }

    /// Whom datagrams are delivered to.
    #[inline]
    pub(crate) fn protocol_of<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.protocol.get(py)
    }

    /// Whether the protocol is not told where a datagram came from, as there is one place only.
    #[inline]
    pub(crate) fn is_bare(&self) -> bool {
        matches!(self.bound, Address::Unix(_)) && self.connected.load(Ordering::Relaxed)
    }

    /// Where a datagram came from that is about to be delivered, as the protocol is told.
    #[inline]
    pub(crate) fn sender<'py>(
        &self,
        py: Python<'py>,
        from: &Address,
    ) -> PyResult<Bound<'py, PyAny>> {
        match from {
            Address::Inet(from) => {
                self.serving.store(0, Ordering::Relaxed); // should there be no name for this one
                let name = self.peers.name(py, *from)?;
                self.serving.store(name.as_ptr().addr(), Ordering::Relaxed);
                Ok(name.into_any())
            }
            Address::Unix(path) => address::path_to_python(py, path),
        }
    }

    /// Reads where to send to.
    fn read_address(&self, address: &Bound<'_, PyAny>) -> PyResult<Address> {
        match &self.bound {
            Address::Unix(_) => address::path_from_python(address),
            Address::Inet(bound) => read_inet(address, bound.is_ipv6()).map(Address::Inet),
        }
    }

    /// Applies `change` unless the socket is closed.
    fn socket<R>(&self, change: impl FnOnce(&SockRef<'_>) -> std::io::Result<R>) -> PyResult<R> {
        let changed = self
            .shared
            .enter()?
            .settled_datagram(self.token, |datagram| change(&datagram.socket()));
        changed
            .ok_or_else(|| error::closed("datagram socket"))?
            .map_err(|error| error::system(&error))
    }

    const fn is_v6(&self) -> bool {
        matches!(self.bound, Address::Inet(SocketAddr::V6(_)))
    }
}

#[pymethods]
impl PyDatagram {
    #[getter]
    fn protocol<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.protocol.get(py)
    }

    #[setter]
    fn set_protocol(&self, protocol: Bound<'_, PyAny>) {
        let protocol = (!protocol.is_none()).then(|| protocol.unbind());
        drop(self.protocol.set(protocol));
    }

    #[pyo3(signature = (datagram, addr = None))]
    fn write(&self, datagram: &Bound<'_, PyAny>, addr: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let state = self.shared.enter()?;
        let mut chunk = None;
        let to = match addr {
            Some(addr) if addr.as_ptr().addr() == self.serving.load(Ordering::Relaxed) => {
                match state.answer(self.token, Chunk::from_object(datagram)?) {
                    Ok(()) => return Ok(()),
                    Err(refused) => chunk = Some(refused),
                }
                Some(self.read_address(addr)?)
            }
            Some(addr) => Some(self.read_address(addr)?),
            None => None,
        };
        let chunk = match chunk {
            Some(chunk) => chunk,
            None => Chunk::from_object(datagram)?,
        };
        if self.connected.load(Ordering::Relaxed) {
            if let (Some(to), Some(peer)) = (&to, self.peer.get(datagram.py())) {
                if *to != self.read_address(&peer)? {
                    return Err(PyValueError::new_err(format!(
                        "this socket is connected to {peer:?}, and cannot send to {to}"
                    )));
                }
            }
        } else if to.is_none() {
            return Err(PyValueError::new_err(
                "where to? this socket is not connected, so a datagram needs an address",
            ));
        }
        let to = to.filter(|_| !self.connected.load(Ordering::Relaxed));
        match state.send_datagram(self.token, chunk.as_ref(), to.as_ref()) {
            None | Some(Ok(())) => Ok(()),
            Some(Err(problem)) if error::is_too_long(&problem) => {
                Err(MessageLengthError::new_err(format!(
                    "{} bytes, which one datagram cannot carry here",
                    chunk.as_ref().len()
                )))
            }
            Some(Err(problem)) => Err(error::system(&problem)),
        }
    }

    fn connect(&self, address: &Bound<'_, PyAny>) -> PyResult<()> {
        let peer = self.read_address(address)?;
        let connected = self.shared.enter()?.connect_datagram(self.token, &peer);
        connected
            .ok_or_else(|| error::closed("datagram socket"))?
            .map_err(|problem| error::system(&problem))?;
        drop(self.peer.set(Some(address.clone().unbind())));
        self.connected.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn address<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        address::to_python(py, &self.bound)
    }

    fn fileno(&self) -> PyResult<i32> {
        Ok(self
            .shared
            .enter()?
            .lend_datagram(self.token, |socket| descriptor(&*socket))
            .unwrap_or(-1))
    }

    fn pause(&self) -> PyResult<()> {
        self.shared.enter()?.pause_datagram(self.token, true);
        Ok(())
    }

    fn resume(&self) -> PyResult<()> {
        self.shared.enter()?.pause_datagram(self.token, false);
        Ok(())
    }

    fn close(&self) -> PyResult<()> {
        let held = self.shared.enter()?.discard(self.token);
        drop(held);
        self.__clear__();
        Ok(())
    }

    fn statistics<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let figures = self
            .shared
            .enter()?
            .settled_datagram(self.token, torsion_reactor::Datagram::statistics)
            .unwrap_or_default();
        let record = PyDict::new(py);
        record.set_item("datagrams_read", figures.datagrams_read)?;
        record.set_item("bytes_read", figures.bytes_read)?;
        record.set_item("datagrams_written", figures.datagrams_written)?;
        record.set_item("bytes_written", figures.bytes_written)?;
        record.set_item("datagrams_dropped", figures.datagrams_dropped)?;
        Ok(record)
    }

    // Options

    fn broadcast(&self) -> PyResult<bool> {
        self.socket(|socket| socket.broadcast())
    }

    fn set_broadcast(&self, allowed: bool) -> PyResult<()> {
        self.socket(|socket| socket.set_broadcast(allowed))
    }

    fn join(&self, group: &str, interface: &Bound<'_, PyAny>) -> PyResult<()> {
        if self.is_v6() {
            let (group, index) = (numeric_v6(group)?, interface.extract()?);
            self.socket(|socket| socket.join_multicast_v6(&group, index))
        } else {
            let (group, interface) = (numeric_v4(group)?, numeric_v4(interface.extract()?)?);
            self.socket(|socket| socket.join_multicast_v4(&group, &interface))
        }
    }

    fn leave(&self, group: &str, interface: &Bound<'_, PyAny>) -> PyResult<()> {
        if self.is_v6() {
            let (group, index) = (numeric_v6(group)?, interface.extract()?);
            self.socket(|socket| socket.leave_multicast_v6(&group, index))
        } else {
            let (group, interface) = (numeric_v4(group)?, numeric_v4(interface.extract()?)?);
            self.socket(|socket| socket.leave_multicast_v4(&group, &interface))
        }
    }

    fn multicast_interface<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        if self.is_v6() {
            let index = self.socket(|socket| socket.multicast_if_v6())?;
            return Ok(index.into_pyobject(py)?.into_any());
        }
        let address = self.socket(|socket| socket.multicast_if_v4())?;
        Ok(PyString::new(py, &address.to_string()).into_any())
    }

    fn set_multicast_interface(&self, interface: &Bound<'_, PyAny>) -> PyResult<()> {
        if self.is_v6() {
            let index = interface.extract()?;
            self.socket(|socket| socket.set_multicast_if_v6(index))
        } else {
            let address = numeric_v4(interface.extract()?)?;
            self.socket(|socket| socket.set_multicast_if_v4(&address))
        }
    }

    fn multicast_loop(&self) -> PyResult<bool> {
        let v6 = self.is_v6();
        self.socket(|socket| match v6 {
            true => socket.multicast_loop_v6(),
            false => socket.multicast_loop_v4(),
        })
    }

    fn set_multicast_loop(&self, enabled: bool) -> PyResult<()> {
        let v6 = self.is_v6();
        self.socket(|socket| match v6 {
            true => socket.set_multicast_loop_v6(enabled),
            false => socket.set_multicast_loop_v4(enabled),
        })
    }

    fn multicast_ttl(&self) -> PyResult<u32> {
        let v6 = self.is_v6();
        self.socket(|socket| match v6 {
            true => socket.multicast_hops_v6(),
            false => socket.multicast_ttl_v4(),
        })
    }

    fn set_multicast_ttl(&self, ttl: u8) -> PyResult<()> {
        let v6 = self.is_v6();
        self.socket(|socket| match v6 {
            true => socket.set_multicast_hops_v6(ttl.into()),
            false => socket.set_multicast_ttl_v4(ttl.into()),
        })
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.owner.traverse(visit)?;
        self.protocol.traverse(visit)?;
        self.peer.traverse(visit)
    }

    fn __clear__(&self) {
        self.owner.clear();
        self.protocol.clear();
        self.peer.clear();
    }
}

fn numeric_v4(text: &str) -> PyResult<Ipv4Addr> {
    text.parse()
        .map_err(|_| invalid(text, "not a numeric IPv4 address"))
}

fn numeric_v6(text: &str) -> PyResult<Ipv6Addr> {
    text.parse()
        .map_err(|_| invalid(text, "not a numeric IPv6 address"))
}

fn invalid(host: &str, message: &'static str) -> PyErr {
    InvalidAddressError::new_err((host.to_owned(), message))
}

/// Reads `(host, port)`, and for IPv6 also what the system itself says: `(host, port, flow information, scope)`.
fn read_inet(address: &Bound<'_, PyAny>, v6: bool) -> PyResult<SocketAddr> {
    let parts = address.cast::<PyTuple>().map_err(|_| {
        PyTypeError::new_err(format!(
            "an address to send to is a tuple (host, port), not {address:?}"
        ))
    })?;
    let size = parts.len();
    if size != 2 && !(size == 4 && v6) {
        return Err(PyTypeError::new_err(format!(
            "an address to send to is (host, port), not {size} values"
        )));
    }
    let host = parts.get_item(0)?;
    let text;
    let host = match host.cast::<PyBytes>() {
        Ok(bytes) => String::from_utf8_lossy(bytes.as_bytes()),
        Err(_) => {
            text = host.cast_into::<PyString>()?;
            text.to_string_lossy()
        }
    };
    let port: u16 = parts.get_item(1)?.extract()?;
    if let Ok(ip) = host.parse::<Ipv4Addr>() {
        return match v6 {
            false => Ok((ip, port).into()),
            true => Err(invalid(
                &host,
                "an IPv4 address, to which an IPv6 socket cannot send",
            )),
        };
    }
    if let Some((ip, scope)) = read_v6(address.py(), &host)? {
        if !v6 {
            return Err(invalid(
                &host,
                "an IPv6 address, to which an IPv4 socket cannot send",
            ));
        }
        let (flow, said) = match size {
            4 => (parts.get_item(2)?.extract()?, parts.get_item(3)?.extract()?),
            _ => (0, 0),
        };
        return Ok(SocketAddrV6::new(ip, port, flow, scope.unwrap_or(said)).into());
    }
    if host == "<broadcast>" && !v6 {
        return Ok((Ipv4Addr::BROADCAST, port).into());
    }
    Err(invalid(
        &host,
        "not a numeric address; look names up first, for example with reactor.resolve(name)",
    ))
}

/// Reads an IPv6 address, with its scope if it has one.
fn read_v6(py: Python<'_>, host: &str) -> PyResult<Option<(Ipv6Addr, Option<u32>)>> {
    let (address, scope) = match host.split_once('%') {
        Some((address, scope)) => (address, Some(scope)),
        None => (host, None),
    };
    let Ok(ip) = address.parse() else {
        return Ok(None);
    };
    let scope = scope
        .map(|scope| address::scope_from_python(py, scope))
        .transpose()?;
    Ok(Some((ip, scope)))
}
